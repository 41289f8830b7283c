/** Reruns a simulated run by its token (kind `sim1`). */
import type { InvariantName } from '../../harness/simulate/invariants.js';
import type { FailureReport } from '../../harness/simulate/report-schema.js';
import { referenceCores } from '../../harness/simulate/roles.js';
import { runPlan } from '../../harness/simulate/run.js';
import { readSimulationBody } from '../../harness/simulate/token.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { replayDocument } from '../replay-document.js';
import type { ReplayKind } from '../replay-kinds.js';
import { printFailure, reportFailure } from './failure-report.js';

export const replaySimulation: ReplayKind = async (token, parts, { output, folder }) => {
  const startedAt = new Date();
  const read = readSimulationBody(parts);
  if (!read.ok) throw new Failure(2, `not a replay token: ${read.error}`);
  const { plan, invariant } = read.token;
  const { failure } = runPlan(plan, referenceCores);
  const report = failure === null ? null : reportFailure({ plan, failure }, referenceCores, folder);
  return concludeReplay(output, { token, startedAt, seed: plan.seed, invariant, report });
};

interface Replayed {
  readonly token: string;
  readonly startedAt: Date;
  readonly seed: number;
  /** What the token says that fails. */
  readonly invariant: InvariantName | null;
  readonly report: FailureReport | null;
}

/** How a replayed run went, in lines and as the document; answers the exit code. */
export function concludeReplay(output: Output, { token, startedAt, seed, invariant, report }: Replayed): number {
  const again = invariant === null || report?.invariant === invariant;
  if (report !== null) printFailure(output, report, false);
  if (report === null)
    output.line(`pass: seed ${seed} does not fail${invariant === null ? '' : ` by ${invariant} any more`}`);
  else if (again) output.line('fails again, the same way');
  else output.problem(`fails otherwise: the token says ${invariant}`);
  const verdict = report === null ? 'pass' : again ? 'fails' : 'fails-otherwise';
  output.document(replayDocument({ token, startedAt, verdict, expected: invariant, failure: report }));
  return report === null ? 0 : 1;
}
