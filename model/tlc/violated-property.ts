/** Which of several temporal properties is violated, where TLC leaves it open. */
import { hasAlias } from './configuration.js';
import type { TlcOutcome } from './outcome.js';
import { replay } from './replay.js';
import type { TlcRequest, TlcRunOptions } from './request.js';
import { runTlc } from './run.js';
import { moduleTexts } from './work-folder.js';

/**
 * Up to 2.18 TLC says only that "temporal properties" were violated: it looks for a behaviour that violates at least one. So each candidate is
 * checked against that behaviour alone, in the configuration's order; the first that fails becomes `property`, and all else stays the first
 * run's. Costs a start of TLC (a second or two) for each candidate, whatever the model's size. Outcomes that leave nothing open come back as
 * they are, and so does one that cannot be replayed: an ALIAS hides its states, or it is interrupted.
 */
export async function findViolatedProperty(
  request: TlcRequest,
  outcome: TlcOutcome,
  options: TlcRunOptions = {},
): Promise<TlcOutcome> {
  if (outcome.kind !== 'liveness' || outcome.property !== null || hasAlias(request.cfg)) return outcome;
  const again = replay(request.root, request.cfg, outcome.stateTexts, outcome.lasso);
  if (again === undefined) return outcome;
  const { jar, java, heapMegabytes, timeoutMs } = request;
  const texts = { ...moduleTexts(request.modules), ...again.texts };
  for (const property of outcome.candidates) {
    const { kind } = await runTlc(
      {
        ...{ jar, java, heapMegabytes, timeoutMs },
        modules: { texts },
        root: again.root,
        cfg: `${again.cfg}PROPERTY ${property}\n`,
        workers: 1,
        deadlock: false,
        coverage: false,
      },
      options.signal ? { signal: options.signal } : {},
    );
    // A part of it may be no more than an invariant or about steps.
    if (kind === 'liveness' || kind === 'invariant' || kind === 'action-property') return { ...outcome, property };
  }
  return outcome;
}
