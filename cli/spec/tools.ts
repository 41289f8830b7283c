/** From options to what the model checker needs: the specification's folder, models, remedies, Java and the jar. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../../harness/nearest.js';
import { misfortunesOf } from '../../model/spec/check.js';
import { findToolbox, type ToolboxFinding } from '../../model/spec/toolbox.js';
import { JarError } from '../../model/tlc/jar-error.js';
import {
  type Model,
  readSpecification,
  type Specification,
  SpecificationError,
  shippedSpecification,
} from '../../spec/formal.js';
import { operatorsOf } from '../../spec/operators.js';
import { Failure } from '../failure.js';

/** The shipped specification, or the one in a folder of the user's. */
export function openSpecification(folder: string | undefined): Specification {
  try {
    return readSpecification(folder === undefined ? shippedSpecification() : resolve(folder));
  } catch (error) {
    if (error instanceof SpecificationError) throw new Failure(2, error.message);
    throw error;
  }
}

export function chosenModels(specification: Specification, ids: readonly string[]): Model[] {
  const known = specification.models.map(({ id }) => id);
  return [...new Set(ids)].map((id) => {
    const model = specification.models.find((candidate) => candidate.id === id);
    if (model === undefined)
      throw new Failure(2, `no model is called '${id}'${didYouMean(id, known)}; there are: ${known.join(', ')}`);
    return model;
  });
}

/** Constants of remedies, by their own names or by the reference's (`backend-guard`). */
export function chosenRemedies(specification: Specification, words: readonly string[]): string[] {
  const found = words.flatMap((word) => {
    const same = specification.remedies.filter(({ id, reference }) => id === word || reference === word);
    if (same.length > 0) return same.map(({ id }) => id);
    const known = specification.remedies.map(({ id }) => id);
    throw new Failure(
      2,
      `no remedy of the specification is called '${word}'${didYouMean(word, known)}; there are: ${known.join(', ')}`,
    );
  });
  return [...new Set(found)];
}

/** Operators, by name or by clause (`HOF-5`). */
export function chosenOperators(specification: Specification, words: readonly string[]): string[] {
  const known = operatorsOf(specification).map(({ name }) => name);
  const found = words.flatMap((word) => {
    const name = word.replace('-', '_');
    const same = known.filter((operator) => operator === name || operator.startsWith(`${name}_`));
    if (same.length > 0) return same;
    throw new Failure(2, `no operator is called '${word}'${didYouMean(word, known)}; there are: ${known.join(', ')}`);
  });
  return [...new Set(found)];
}

/** Kinds of misfortune; `none` alone is none. */
export function chosenMisfortune(specification: Specification, words: readonly string[]): string[] {
  if (words.length === 1 && words[0] === 'none') return [];
  const known = misfortunesOf(specification);
  for (const word of words)
    if (!known.includes(word))
      throw new Failure(
        2,
        `no misfortune is called '${word}'${didYouMean(word, known)}; there are: ${known.join(', ')}`,
      );
  return [...words];
}

/** Java and the jar. A jar of the user's that is none is his mistake (2), all else the environment's (4). */
export async function openToolbox(signal: AbortSignal): Promise<ToolboxFinding> {
  try {
    return await findToolbox(signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof JarError)) throw error;
    const mistake = error.problem.kind === 'unreadable' || error.problem.kind === 'not-tlc';
    throw new Failure(mistake ? 2 : 4, error.message);
  }
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (!/^\d{1,7}$/.test(text) || value < 1) throw new InvalidArgumentError('it is a whole number from 1 to 9999999.');
  return value;
}

export function processors(): number {
  return availableParallelism();
}

/** Repeats a line with the seconds that have gone by, so that long work is seen to be alive; answers how to end it. */
export function ticking(say: (text: string) => void, text: () => string): () => void {
  const started = Date.now();
  const tick = (): void => say(`${text()} ${Math.round((Date.now() - started) / 1000)} s`);
  tick();
  const timer = setInterval(tick, 1000);
  return () => clearInterval(timer);
}
