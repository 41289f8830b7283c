/** The signs of TLA+ values: a cursor over their text. */
import type { TlaValueError } from './value.js';

/** Levels of brackets inside brackets; far more than TLC prints, far less than the stack holds. */
const MAX_DEPTH = 500;

/** Thrown by the scanner only; `parseTlaValue` gives it back as a value. */
export class TlaSyntaxError extends Error {
  override name = 'TlaSyntaxError';

  constructor(
    readonly problem: TlaValueError['problem'],
    readonly offset: number,
    message: string,
  ) {
    super(`${message} at offset ${offset}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' };

export class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Takes a sign, after white space, if it comes next. */
  take(sign: string): boolean {
    this.#match(/\s*/y);
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  expect(sign: string): void {
    if (!this.take(sign)) throw this.unexpected(`\`${sign}\``);
  }

  expectEnd(): void {
    this.#match(/\s*/y);
    if (this.#at < this.#text.length) throw this.unexpected('the end');
  }

  integer(): number | undefined {
    this.#match(/\s*/y);
    const start = this.#at;
    // Digits that go on as a name are a model value.
    const digits = this.#match(/-?\d+(?![\p{L}\p{N}_])/uy);
    if (digits === undefined) return undefined;
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) throw new TlaSyntaxError('number-too-big', start, `${digits.length} digits`);
    // No negative zero.
    return value + 0;
  }

  name(): string | undefined {
    this.#match(/\s*/y);
    return this.#match(/[\p{L}\p{N}_]+/uy);
  }

  /** What follows an opening quotation mark, with its escapes resolved. */
  restOfString(): string {
    const body = this.#match(/(?:[^"\\]|\\.)*/suy) ?? '';
    if (!this.#text.startsWith('"', this.#at)) {
      this.#at = this.#text.length;
      throw this.unexpected('`"`');
    }
    this.#at += 1;
    return body.replace(/\\(.)/gsu, (_, sign: string) => ESCAPES[sign] ?? sign);
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new TlaSyntaxError('too-deep', this.#at, `more than ${MAX_DEPTH} levels`);
  }

  leave(): void {
    this.#depth -= 1;
  }

  unexpected(wanted: string): TlaSyntaxError {
    this.#match(/\s*/y);
    const problem = this.#at >= this.#text.length ? 'incomplete' : 'unexpected';
    const found = problem === 'incomplete' ? 'the end' : JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
    return new TlaSyntaxError(problem, this.#at, `expected ${wanted}, found ${found}`);
  }
}
