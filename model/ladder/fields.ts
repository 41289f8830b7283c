/** Reads JSON that may be anything: what is not of the expected form is undefined or a default. */
import type { Json } from '../tlc/value-json.js';

export type Fields = { readonly [name: string]: Json };

export function fieldsOf(value: Json | undefined): Fields | undefined {
  return typeof value === 'object' && value !== null && !isList(value) ? value : undefined;
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** An own field only: a variable may well be called `constructor`. */
export function field(fields: Fields, name: string): Json | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function textAt(fields: Fields, name: string): string | undefined {
  const value = field(fields, name);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(fields: Fields, name: string): number | undefined {
  const value = field(fields, name);
  return typeof value === 'number' ? value : undefined;
}

export function isTrueAt(fields: Fields, name: string): boolean {
  return field(fields, name) === true;
}

/** The same text for the same value, in whatever order TLC printed the fields of its records. */
export function canonical(value: Json | undefined): string {
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = fieldsOf(value);
  if (fields === undefined) return JSON.stringify(value ?? null);
  const names = Object.keys(fields).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(fields[name])}`).join(',')}}`;
}

export function same(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || canonical(a) === canonical(b);
}
