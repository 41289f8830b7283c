/**
 * Replay tokens: one word that says which run failed, `KIND-BODY-CHECK`. It needs no quotes in any shell. The kind says who reads the
 * body and ends in the version of its format; the check sum tells a word that was cut or mistyped from one of another version.
 */
import { createHash } from 'node:crypto';

export interface TokenParts {
  readonly kind: string;
  readonly body: string;
}

const KIND = /^[a-z]+\d+$/;
const BODY = /^[a-z0-9.+_-]+$/;
const CHECK_DIGITS = 8;
/** Longest word that is read as a token. */
const LONGEST = 2000;

/** `kind` is letters and a number, `body` of `a` to `z`, `0` to `9` and `.+_-`; throws a RangeError for others. */
export function writeToken({ kind, body }: TokenParts): string {
  if (!KIND.test(kind) || !BODY.test(body)) throw new RangeError(`not fit for a token: ${kind} ${body}`);
  const word = `${kind}-${body}`;
  return `${word}-${checkOf(word)}`;
}

export type ReadToken =
  | { readonly ok: true; readonly parts: TokenParts }
  | { readonly ok: false; readonly error: string };

/** Total: any text gives the parts, or one line that says what is wrong with it. */
export function readToken(text: string): ReadToken {
  const first = text.indexOf('-');
  const last = text.lastIndexOf('-');
  if (text.length > LONGEST || first <= 0 || last <= first + 1)
    return { ok: false, error: 'a replay token is KIND-BODY-CHECK, as prism prints it' };
  const [kind, body] = [text.slice(0, first), text.slice(first + 1, last)];
  if (!KIND.test(kind) || !BODY.test(body)) return { ok: false, error: 'there is a sign in it that no token has' };
  if (text.slice(last + 1) !== checkOf(text.slice(0, last)))
    return { ok: false, error: 'its check sum does not fit: it was cut or mistyped' };
  return { ok: true, parts: { kind, body } };
}

function checkOf(word: string): string {
  return createHash('sha256').update(word).digest('hex').slice(0, CHECK_DIGITS);
}
