/** TLA+ values as plain JSON. */
import type { TlaValue } from './value.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** An interval of more numbers than this stays text, such as `1..1000000`. */
const LONGEST_INTERVAL = 10_000;

/**
 * Sequence, set (in the printed order) and interval: array. Record: object. Function: object where all arguments are strings, model values
 * or integers and no two have the same text, else an array of `[argument, value]`. Model value: its name. `<<>>`: `[]`.
 */
export function toJson(value: TlaValue): Json {
  switch (value.kind) {
    case 'integer':
    case 'string':
    case 'boolean':
      return value.value;
    case 'model':
      return value.name;
    case 'sequence':
    case 'set':
      return value.items.map(toJson);
    case 'interval': {
      const length = Math.max(0, value.to - value.from + 1);
      if (length > LONGEST_INTERVAL) return `${value.from}..${value.to}`;
      return Array.from({ length }, (_, i) => value.from + i);
    }
    case 'record':
      return Object.fromEntries(value.fields.map(([name, field]) => [name, toJson(field)]));
    case 'function':
      return functionToJson(value.entries);
  }
}

function functionToJson(entries: readonly (readonly [TlaValue, TlaValue])[]): Json {
  const keys = new Set(entries.map(([argument]) => keyOf(argument)));
  if (keys.has(undefined) || keys.size < entries.length)
    return entries.map(([argument, value]) => [toJson(argument), toJson(value)]);
  return Object.fromEntries(entries.map(([argument, value]) => [keyOf(argument) ?? '', toJson(value)]));
}

function keyOf(argument: TlaValue): string | undefined {
  switch (argument.kind) {
    case 'string':
      return argument.value;
    case 'model':
      return argument.name;
    case 'integer':
      return String(argument.value);
    case 'boolean':
    case 'sequence':
    case 'set':
    case 'interval':
    case 'record':
    case 'function':
      return undefined;
  }
}
