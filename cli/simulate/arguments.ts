/** The words of `prism simulate` as values; what cannot be read is refused in one line. */
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../../harness/nearest.js';
import { FAULT_KINDS, type FaultKind, isFaultKind, MOST_CONNECTIONS } from '../../harness/simulate/plan.js';
import type { SeedRange } from '../../harness/simulate/seeds.js';

const HIGHEST_SEED = 0xffffffff;
const MOST_WORKERS = 256;

/** `A..B`, both included, or one seed. */
export function parseSeeds(text: string): SeedRange {
  const found = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(text);
  const from = Number(found?.[1]);
  const to = Number(found?.[2] ?? found?.[1]);
  if (!found || from > HIGHEST_SEED || to > HIGHEST_SEED)
    throw new InvalidArgumentError(`it is A..B, two whole numbers from 0 to ${HIGHEST_SEED}.`);
  if (from > to) throw new InvalidArgumentError(`it goes from ${from} down to ${to}; put the lower seed first.`);
  return { from, to };
}

/** `all`, `none`, or kinds joined by commas. */
export function parseFaults(text: string): FaultKind[] {
  if (text === 'all') return [...FAULT_KINDS];
  if (text === 'none') return [];
  const words = text.split(',');
  for (const word of words)
    if (!isFaultKind(word))
      throw new InvalidArgumentError(
        `no kind of fault is called '${word}'${didYouMean(word, FAULT_KINDS)}; there are: all, none, ${FAULT_KINDS.join(', ')}.`,
      );
  return FAULT_KINDS.filter((kind) => words.includes(kind));
}

const wholeUpTo =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < 1 || value > most)
      throw new InvalidArgumentError(`it is a whole number from 1 to ${most}.`);
    return value;
  };

export const parseWorkers = wholeUpTo(MOST_WORKERS);
export const parseStories = wholeUpTo(1_000_000);
export const parseConnections = wholeUpTo(MOST_CONNECTIONS);
/** In seconds. */
export const parseTimeLimit = wholeUpTo(1_000_000);
