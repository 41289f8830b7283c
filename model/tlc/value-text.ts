/** TLA+ values as text that SANY reads: as TLC prints them, but for what it prints and does not read. */
import type { TlaValue } from './value.js';

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\f': '\\f' };

/** What is no name of a field though TLC prints it as one: the reserved words, which have no small letters. */
const NO_FIELD = /^\P{Ll}+$|^[WS]F_/u;

/**
 * `modelValue`: what to call a model value. Needs `Integers` for negative numbers and intervals, and `TLC` for functions (and for records that
 * have a field such as `IF`, which TLC holds equal to functions).
 */
export function formatTlaValue(value: TlaValue, modelValue: (name: string) => string): string {
  const format = (part: TlaValue): string => formatTlaValue(part, modelValue);
  switch (value.kind) {
    case 'integer':
      return formatInteger(value.value);
    case 'string':
      return formatString(value.value);
    case 'boolean':
      return value.value ? 'TRUE' : 'FALSE';
    case 'model':
      return modelValue(value.name);
    case 'sequence':
      return `<<${value.items.map(format).join(', ')}>>`;
    case 'set':
      return `{${value.items.map(format).join(', ')}}`;
    case 'interval':
      return `(${formatInteger(value.from)} .. ${formatInteger(value.to)})`;
    case 'record':
      return value.fields.some(([name]) => NO_FIELD.test(name))
        ? formatFunction(value.fields.map(([name, field]) => [formatString(name), format(field)]))
        : `[${value.fields.map(([name, field]) => `${name} |-> ${format(field)}`).join(', ')}]`;
    case 'function':
      return formatFunction(value.entries.map(([argument, result]) => [format(argument), format(result)]));
  }
}

function formatFunction(entries: readonly (readonly [string, string])[]): string {
  return `(${entries.map(([argument, result]) => `${argument} :> ${result}`).join(' @@ ')})`;
}

function formatInteger(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}

function formatString(value: string): string {
  return `"${value.replace(/["\\\n\t\r\f]/g, (sign) => ESCAPES[sign] ?? `\\${sign}`)}"`;
}
