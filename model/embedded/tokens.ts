/** The signs of a TLA+ module with where they stand, and its text without comments. */

/** `other`: operators, brackets and lines (`----`, `====`). Lines and columns count from 1, `offset` and `end` (UTF-16 units) from 0. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'other';
  readonly text: string;
  readonly offset: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

const STRING = /"(?:\\.|[^"\\\n])*"/;

/** Longer signs first: `<<>>` is two, `[][Next]_v` begins with `[]`, and `-----` is a line. */
const SIGN = new RegExp(
  [
    `(?<string>${STRING.source})`,
    '(?<name>\\w*[A-Za-z]\\w*)',
    '(?<number>\\d+)',
    '(?<other>-{4,}|={4,}|\\\\[A-Za-z]+|<=>|\\|->|-\\+->|/\\\\|\\\\/|<<|>>|<>|<-|<=|=<|=>|==|>=|/=|->|:>|@@|~>|\\[\\]|\\.\\.|\\S)',
  ].join('|'),
  'gu',
);

const OUTSIDE = new RegExp(`${STRING.source}|\\(\\*|\\\\\\*.*|[\\s\\S]`, 'y');
const INSIDE = /\(\*|\*\)|[\s\S]/y;

/** The text with every comment (`\*` to the end of the line; `(* *)`, nested or not) replaced by blanks: all else stays in its column. */
export function withoutComments(text: string): string {
  let result = '';
  let depth = 0;
  for (let at = 0; at < text.length; ) {
    const pattern = depth === 0 ? OUTSIDE : INSIDE;
    pattern.lastIndex = at;
    const part = pattern.exec(text)?.[0] ?? '';
    if (part === '(*') depth += 1;
    result += depth > 0 || part.startsWith('\\*') ? blank(part) : part;
    if (part === '*)' && depth > 0) depth -= 1;
    at += part.length;
  }
  return result;
}

/** As many blanks, with the line breaks where they were. */
export function blank(text: string): string {
  return text.replace(/[^\r\n]/g, ' ');
}

/** The signs of a text without comments. What is no sign of TLA+ is `other`, one character each. */
export function tokens(text: string): Token[] {
  const lines = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  let line = 1;
  return [...text.matchAll(SIGN)].map(({ groups = {}, index: offset }) => {
    while ((lines[line] ?? Number.POSITIVE_INFINITY) <= offset) line += 1;
    const kind = (['name', 'number', 'string'] as const).find((one) => groups[one] !== undefined) ?? 'other';
    const sign = groups[kind] ?? '';
    return { kind, text: sign, offset, end: offset + sign.length, line, column: offset - (lines[line - 1] ?? 0) + 1 };
  });
}
