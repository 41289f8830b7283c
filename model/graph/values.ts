/** TLA+ values under numbers: equal values get equal tokens, whoever wrote them, TLC or the abstraction map. */
import type { Json } from '../tlc/value-json.js';

/** A value's text in which every record is `#n`, sets are sorted, and no space is left. */
export type Token = string;

/** Records as their fields, in the order of their numbers. */
export type StoredValues = readonly (readonly (readonly [name: string, value: Token])[])[];

export class Values {
  readonly #tokens = new Map<string, Token>();
  readonly #records: (readonly (readonly [name: string, value: Token])[])[] = [];
  readonly #decoded: (Json | undefined)[] = [];
  /** Records as TLC wrote them; the same few are met again and again. */
  readonly #written = new Map<string, Token>();

  /** The values that `stored` gave, under the same tokens. */
  static restored(stored: StoredValues): Values {
    const values = new Values();
    for (const fields of stored) values.#intern(fields);
    return values;
  }

  stored(): StoredValues {
    return this.#records;
  }

  record(fields: Readonly<Record<string, Token>>): Token {
    return this.#intern(Object.entries(fields));
  }

  sequence(items: readonly Token[]): Token {
    return `<<${items.join(',')}>>`;
  }

  /** Equal items count once. */
  set(items: readonly Token[]): Token {
    return `{${[...new Set(items)].sort().join(',')}}`;
  }

  string(text: string): Token {
    return `"${text}"`;
  }

  number(value: number): Token {
    return `${value}`;
  }

  boolean(value: boolean): Token {
    return value ? 'TRUE' : 'FALSE';
  }

  /** The token of a value that TLC printed, without white space in its strings; undefined when brackets do not match. */
  parse(text: string): Token | undefined {
    let rest = text.replace(/\s+/g, '');
    while (rest.includes('[')) {
      const before = rest;
      rest = rest.replace(/\[[^[\]]*\]/g, (record) => this.#parseRecord(record));
      if (rest === before) return undefined;
    }
    return rest.includes(']') ? undefined : sorted(rest);
  }

  /** The value behind a token, as `toJson` of `model/tlc` gives it. */
  json(token: Token): Json {
    if (token.startsWith('#')) {
      const index = Number(token.slice(1));
      const known = this.#decoded[index];
      if (known !== undefined) return known;
      const fields = this.#records[index] ?? [];
      const decoded = Object.fromEntries(fields.map(([name, value]) => [name, this.json(value)]));
      this.#decoded[index] = decoded;
      return decoded;
    }
    if (token.startsWith('<<')) return parts(token.slice(2, -2)).map((item) => this.json(item));
    if (token.startsWith('{')) return parts(token.slice(1, -1)).map((item) => this.json(item));
    if (token.startsWith('"')) return token.slice(1, -1);
    if (token === 'TRUE' || token === 'FALSE') return token === 'TRUE';
    return Number(token);
  }

  #parseRecord(record: string): Token {
    const known = this.#written.get(record);
    if (known !== undefined) return known;
    const fields = parts(record.slice(1, -1)).map((part): readonly [string, Token] => {
      const arrow = part.indexOf('|->');
      return [part.slice(0, arrow), sorted(part.slice(arrow + 3))];
    });
    const token = this.#intern(fields);
    this.#written.set(record, token);
    return token;
  }

  #intern(fields: readonly (readonly [string, Token])[]): Token {
    const ordered = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
    const text = ordered.map(([name, value]) => `${name}=${value}`).join();
    const known = this.#tokens.get(text);
    if (known !== undefined) return known;
    const token = `#${this.#records.length}`;
    this.#records.push(ordered);
    this.#tokens.set(text, token);
    return token;
  }
}

/** The items between two brackets. */
function parts(text: string): string[] {
  if (text === '') return [];
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (sign === '<' || sign === '{') depth++;
    else if (sign === '}') depth--;
    // The arrow `|->` has been cut off or stands in front of any bracket.
    else if (sign === '>' && text[i - 1] !== '-') depth--;
    else if (sign === ',' && depth === 0) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  found.push(text.slice(start));
  return found;
}

/** Sets in order, at every depth. */
function sorted(text: string): Token {
  if (text.startsWith('{')) return `{${parts(text.slice(1, -1)).map(sorted).sort().join(',')}}`;
  if (text.startsWith('<<')) return `<<${parts(text.slice(2, -2)).map(sorted).join(',')}>>`;
  return text;
}
