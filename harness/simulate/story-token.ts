/** The replay token of a story in the simulated world, kind `story1`: its seed, remedies off, which invariant failed, and the choices. */
import { isRemedyName } from '../../reference-impl/core/remedies.js';
import { MOST_CHOICES, readChoices, writeChoices } from '../replay/choices.js';
import { readToken, type TokenParts, writeToken } from '../replay/token.js';
import { type InvariantName, isInvariantName } from './invariants.js';
import type { SimulatedStory } from './story.js';

export const STORY_TOKEN = 'story1';

export interface StoryToken {
  readonly story: SimulatedStory;
  /** What failed when the token was written; null when nothing did. */
  readonly invariant: InvariantName | null;
}

const NONE = 'none';
const HIGHEST_SEED = 0xffffffff;

/** Fields in this order, joined by dots. Throws a RangeError for a story that is too long for a token. */
export function writeStoryToken({ story, invariant }: StoryToken): string {
  const { seed, without, choices } = story;
  const off = without.length === 0 ? NONE : without.join('+');
  const body = [seed, off, invariant ?? NONE, writeChoices(choices)].join('.');
  const word = writeToken({ kind: STORY_TOKEN, body });
  if (choices.length > MOST_CHOICES || !readToken(word).ok) throw new RangeError('too long a story for a token');
  return word;
}

export type ReadStoryToken =
  | { readonly ok: true; readonly token: StoryToken }
  | { readonly ok: false; readonly error: string };

/** Reads the body of a token of this kind. Total. */
export function readStoryBody({ kind, body }: TokenParts): ReadStoryToken {
  const fields = body.split('.');
  const [seedText = '', off = '', invariantText = '', choiceText = ''] = fields;
  if (kind !== STORY_TOKEN || fields.length !== 4) return wrong('the number of its fields');
  const seed = Number(seedText);
  if (!/^(0|[1-9]\d{0,9})$/.test(seedText) || seed > HIGHEST_SEED) return wrong('the seed');
  const words = off === NONE ? [] : off.split('+');
  const without = words.filter(isRemedyName);
  if (without.length !== words.length || new Set(words).size !== words.length) return wrong('a remedy');
  const invariant = invariantText === NONE ? null : invariantText;
  if (invariant !== null && !isInvariantName(invariant)) return wrong('the invariant');
  const choices = readChoices(choiceText);
  if (choices === undefined) return wrong('a choice');
  return { ok: true, token: { story: { seed, without, choices }, invariant } };
}

/** Total. */
export function readStoryToken(text: string): ReadStoryToken {
  const read = readToken(text);
  return read.ok ? readStoryBody(read.parts) : read;
}

function wrong(what: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error: `this version does not know ${what} in it` };
}
