/** The errors of SANY, TLA+'s parser, which TLC prints as bare lines. */
import type { ParseError } from './messages.js';

const POSITION = /line (\d+), col(?:umn)? (\d+)/;

/** The first error in what SANY printed; null where it names none. `root` is the module that it was given. */
export function parseSany(lines: readonly string[], root: string): ParseError | null {
  return semanticError(lines) ?? syntaxError(lines, root) ?? abort(lines, root);
}

/** Below `*** Errors: 2`: a location, an empty line, the message up to the next empty line. */
function semanticError(lines: readonly string[]): ParseError | null {
  const start = lines.findIndex((line) => /^\*\*\* Errors: \d+/.test(line));
  if (start < 0) return null;
  const rest = lines.slice(start + 1);
  const at = rest.findIndex((line) => line.trim() !== '');
  const [, line, column] = POSITION.exec(rest[at] ?? '') ?? [];
  const module = / of module (\w+)/.exec(rest[at] ?? '')?.[1];
  const body = rest.slice(line === undefined ? at : at + 1);
  const from = body.findIndex((text) => text.trim() !== '');
  const to = body.findIndex((text, i) => i > from && text.trim() === '');
  const message = body
    .slice(Math.max(0, from), to < 0 ? undefined : to)
    .map((text) => text.trim())
    .join(' ');
  return { module: module ?? null, ...position(line, column), message };
}

/** `***Parse Error***` or `Lexical error at line 5, column 29. ...`, in the module whose file was opened last. */
function syntaxError(lines: readonly string[], root: string): ParseError | null {
  const start = lines.findIndex((line) => line.startsWith('***Parse Error***') || line.startsWith('Lexical error at'));
  if (start < 0) return null;
  const first = lines[start] ?? '';
  const from = first.startsWith('***') ? start + 1 : start;
  const to = lines.findIndex((line, i) => i > from && line.trim() === '');
  const message = lines
    .slice(from, to < 0 ? undefined : to)
    .map((line) => line.trim())
    .join(' ');
  const [, line, column] = POSITION.exec(message) ?? [];
  const opened = lines.slice(0, start).flatMap((text) => /^Parsing file .*?(\w+)\.tla$/.exec(text)?.[1] ?? []);
  return { module: opened.at(-1) ?? root, ...position(line, column), message };
}

/** `*** Abort messages: 1`: the last paragraph says why. */
function abort(lines: readonly string[], root: string): ParseError | null {
  const start = lines.findIndex((line) => /^(\*\*\* Abort messages|Fatal errors while parsing)/.test(line));
  if (start < 0) return null;
  const said = lines.slice(start).filter((line) => line.trim() !== '');
  const message = said.at(-1)?.trim() ?? '';
  // SANY's own exception about a file that holds no module explains nothing.
  return message.startsWith('java.') ? null : { module: root, line: null, column: null, message };
}

function position(line: string | undefined, column: string | undefined): Pick<ParseError, 'line' | 'column'> {
  return { line: line === undefined ? null : Number(line), column: column === undefined ? null : Number(column) };
}
