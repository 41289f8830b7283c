/** TLA+ values as TLC prints them: what they are, and a total parser of the text. */
import { Scanner, TlaSyntaxError } from './value-scanner.js';

/** A model value is an identifier that stands for itself. `<<>>` is also how TLC prints the empty function and the empty record. */
export type TlaValue =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'model'; readonly name: string }
  | { readonly kind: 'sequence'; readonly items: readonly TlaValue[] }
  | { readonly kind: 'set'; readonly items: readonly TlaValue[] }
  | { readonly kind: 'interval'; readonly from: number; readonly to: number }
  | { readonly kind: 'record'; readonly fields: readonly (readonly [name: string, value: TlaValue])[] }
  | { readonly kind: 'function'; readonly entries: readonly (readonly [argument: TlaValue, value: TlaValue])[] };

/**
 * Why a text is not a value. `incomplete`: it ends too early; `unexpected`: another sign at `offset` (UTF-16 units from 0);
 * `number-too-big`: no safe integer; `too-deep`: nested more than 500 levels.
 */
export interface TlaValueError {
  readonly problem: 'incomplete' | 'unexpected' | 'number-too-big' | 'too-deep';
  readonly offset: number;
  readonly message: string;
}

export type TlaValueResult =
  | { readonly ok: true; readonly value: TlaValue }
  | { readonly ok: false; readonly error: TlaValueError };

/** Parses exactly one value, with white space (line breaks too) anywhere between its signs. Never throws. */
export function parseTlaValue(text: string): TlaValueResult {
  const scanner = new Scanner(text);
  try {
    const value = parseValue(scanner);
    scanner.expectEnd();
    return { ok: true, value };
  } catch (error) {
    if (!(error instanceof TlaSyntaxError)) throw error;
    return { ok: false, error: { problem: error.problem, offset: error.offset, message: error.message } };
  }
}

function parseValue(scanner: Scanner): TlaValue {
  scanner.enter();
  const value = parseOne(scanner);
  scanner.leave();
  return value;
}

function parseOne(scanner: Scanner): TlaValue {
  if (scanner.take('<<')) return { kind: 'sequence', items: parseItems(scanner, '>>') };
  if (scanner.take('{')) return { kind: 'set', items: parseItems(scanner, '}') };
  if (scanner.take('[')) return parseRecord(scanner);
  if (scanner.take('(')) return parseFunction(scanner);
  if (scanner.take('"')) return { kind: 'string', value: scanner.restOfString() };
  const number = scanner.integer();
  if (number !== undefined) {
    if (!scanner.take('..')) return { kind: 'integer', value: number };
    const to = scanner.integer();
    if (to === undefined) throw scanner.unexpected('an integer');
    return { kind: 'interval', from: number, to };
  }
  const name = scanner.name();
  if (name === undefined) throw scanner.unexpected('a value');
  if (name === 'TRUE' || name === 'FALSE') return { kind: 'boolean', value: name === 'TRUE' };
  return { kind: 'model', name };
}

function parseItems(scanner: Scanner, end: '>>' | '}'): TlaValue[] {
  const items: TlaValue[] = [];
  if (scanner.take(end)) return items;
  do items.push(parseValue(scanner));
  while (scanner.take(','));
  scanner.expect(end);
  return items;
}

function parseRecord(scanner: Scanner): TlaValue {
  const fields: (readonly [string, TlaValue])[] = [];
  do {
    const name = scanner.name();
    if (name === undefined) throw scanner.unexpected('a field name');
    scanner.expect('|->');
    fields.push([name, parseValue(scanner)]);
  } while (scanner.take(','));
  scanner.expect(']');
  return { kind: 'record', fields };
}

function parseFunction(scanner: Scanner): TlaValue {
  const entries: (readonly [TlaValue, TlaValue])[] = [];
  do {
    const argument = parseValue(scanner);
    scanner.expect(':>');
    entries.push([argument, parseValue(scanner)]);
  } while (scanner.take('@@'));
  scanner.expect(')');
  return { kind: 'function', entries };
}
