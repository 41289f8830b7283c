/** Many seeds one after the other: what a worker does with its share, and what is kept of it. */
import { createHash } from 'node:crypto';
import { addFigures, type Figures, noFigures } from './figures.js';
import { type Choice, planOf } from './plan.js';
import type { SimulatedRoles } from './roles.js';
import { runPlan } from './run.js';
import type { Failing } from './shrink.js';

/** Both ends included. */
export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

export interface SeedsResult {
  readonly figures: Figures;
  /** 32 hex digits: a sum over the digests of the runs, the same in whatever order and portions they were run. */
  readonly digest: string;
  /** The first run that failed; those behind it were not run. */
  readonly failing: Failing | null;
}

const DIGEST_BITS = 128n;

export const EMPTY_DIGEST = '0'.repeat(32);

export function addDigests(a: string, b: string): string {
  const sum = (BigInt(`0x${a}`) + BigInt(`0x${b}`)) % (1n << DIGEST_BITS);
  return sum.toString(16).padStart(32, '0');
}

/** Runs the seeds of a range up to the first that fails. @throws WorldError when the simulation itself is broken. */
export function runSeeds({ from, to }: SeedRange, choice: Choice, roles: SimulatedRoles): SeedsResult {
  const figures = noFigures();
  let digest = EMPTY_DIGEST;
  for (let seed = from; seed <= to; seed++) {
    const plan = planOf(seed, choice);
    const result = runPlan(plan, roles);
    addFigures(figures, result.figures);
    const own = createHash('sha256').update(`${seed} ${result.digest}`).digest('hex').slice(0, 32);
    digest = addDigests(digest, own);
    if (result.failure !== null) return { figures, digest, failing: { plan, failure: result.failure } };
  }
  return { figures, digest, failing: null };
}
