/** The replay token of a way through the explored world, kind `refine1`: its bounds, whether time goes on, remedies off, and the choices. */
import { MOST_CHOICES, readChoices, writeChoices } from '../../harness/replay/choices.js';
import { readToken, type TokenParts, writeToken } from '../../harness/replay/token.js';
import { isRemedyName, type RemedyName } from '../../reference-impl/core/remedies.js';
import { BOUNDS } from './bounds.js';

export const REFINE_TOKEN = 'refine1';

export interface RefineToken {
  /** As the bounds have it: 0, 1 or 2. */
  readonly misfortune: number;
  /** Time goes on; otherwise it stands still, as it does while everything is explored. */
  readonly live: boolean;
  /** Remedies of the reference that are switched off. */
  readonly without: readonly RemedyName[];
  /** Which of the possible transitions it was each time, from 0. */
  readonly choices: readonly number[];
}

const NONE = 'none';
const LIVE = 'live';
const STANDING = 'standing';

/** Fields in this order, joined by dots; null where the way is too long for a token. */
export function writeRefineToken({ misfortune, live, without, choices }: RefineToken): string | null {
  if (choices.length > MOST_CHOICES) return null;
  const off = without.length === 0 ? NONE : without.join('+');
  const body = [misfortune, live ? LIVE : STANDING, off, writeChoices(choices)].join('.');
  const word = writeToken({ kind: REFINE_TOKEN, body });
  return readToken(word).ok ? word : null;
}

export type ReadRefineToken =
  | { readonly ok: true; readonly token: RefineToken }
  | { readonly ok: false; readonly error: string };

/** Reads the body of a token of this kind. Total. */
export function readRefineBody({ kind, body }: TokenParts): ReadRefineToken {
  const fields = body.split('.');
  const [misfortuneText, time, off = '', choiceText = ''] = fields;
  if (kind !== REFINE_TOKEN || fields.length !== 4) return wrong('the number of its fields');
  const bounds = BOUNDS.find(({ misfortune }) => `${misfortune}` === misfortuneText);
  if (bounds === undefined) return wrong('the bounds');
  if (time !== LIVE && time !== STANDING) return wrong('the time');
  const words = off === NONE ? [] : off.split('+');
  const without = words.filter(isRemedyName);
  if (without.length !== words.length || new Set(words).size !== words.length) return wrong('a remedy');
  const choices = readChoices(choiceText);
  if (choices === undefined) return wrong('a choice');
  return { ok: true, token: { misfortune: bounds.misfortune, live: time === LIVE, without, choices } };
}

/** Total. */
export function readRefineToken(text: string): ReadRefineToken {
  const read = readToken(text);
  return read.ok ? readRefineBody(read.parts) : read;
}

function wrong(what: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error: `this version does not know ${what} in it` };
}
