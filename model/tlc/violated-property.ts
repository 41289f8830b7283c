/** Which of several temporal properties is violated, where TLC leaves it open. */
import { withProperty } from './configuration.js';
import type { TlcOutcome } from './outcome.js';
import type { TlcRequest, TlcRunOptions } from './request.js';
import { runTlc } from './run.js';

/**
 * Up to 2.18 TLC says only that "temporal properties" were violated: it looks for a behaviour that violates at least one. So each candidate is
 * checked alone, in the configuration's order, until one fails; the outcome is that run's, with its own counterexample. Costs at most one
 * more run for each candidate, each within the request's time limit. Outcomes that leave nothing open come back as they are.
 */
export async function findViolatedProperty(
  request: TlcRequest,
  outcome: TlcOutcome,
  options: TlcRunOptions = {},
): Promise<TlcOutcome> {
  if (outcome.kind !== 'liveness' || outcome.property !== null) return outcome;
  // What is dumped or kept is the first run's.
  const { dump: _dump, keepFolder: _keepFolder, ...again } = request;
  for (const property of outcome.candidates) {
    const alone = await runTlc({ ...again, cfg: withProperty(request.cfg, property) }, options);
    if (alone.kind !== 'ok') return alone;
  }
  return outcome;
}
