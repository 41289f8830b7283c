/** Remedies of the reference as words of a command line. */
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../harness/nearest.js';
import { isRemedyName, REMEDY_NAMES, type RemedyName } from '../reference-impl/core/remedies.js';

/** Joined by commas, or one after the other; `before` is what came before. */
export function parseRemedies(text: string, before: readonly RemedyName[] = []): RemedyName[] {
  const words = text.split(',');
  for (const word of words)
    if (!isRemedyName(word))
      throw new InvalidArgumentError(
        `no remedy is called '${word}'${didYouMean(word, REMEDY_NAMES)}; see prism list remedies.`,
      );
  return REMEDY_NAMES.filter((name) => words.includes(name) || before.includes(name));
}
