/** A property as one assertion of a test. */
import fc from 'fast-check';
import type { Test } from 'tap';

/** The seed comes from PRISM_SEED where that is set; a failure prints it with the counterexample. */
export function holds<Ts>(t: Test, property: fc.IProperty<Ts>, numRuns = 200): void {
  const seed = process.env.PRISM_SEED;
  const details = fc.check(property, { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  if (details.failed) t.fail(fc.defaultReportMessage(details) ?? 'does not hold');
  else t.pass(`holds in ${details.numRuns} runs (seed ${details.seed})`);
}
