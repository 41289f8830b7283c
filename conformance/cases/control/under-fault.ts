/** The story that a fault of the control plane is told by: one connection meets it and is served whole all the same. */
import type { ControlFault, ScriptStep } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import type { CaseEvidence } from '../evidence.js';
import { expectObjects, gets, pause, runAll, script } from '../vocabulary.js';

/** What the client asks for unless the story says otherwise: one object of each backend. */
const PATHS = ['/a/8k', '/b/8k'];
const NEIGHBOURS = ['/b/1k', '/a/1k'];

export interface UnderFault {
  /** What the client asks for, in order. */
  readonly paths?: readonly string[];
  /** How it asks; one GET after the other unless given. */
  readonly steps?: readonly ScriptStep[];
  /** How long a backend thinks before it answers, in ms. */
  readonly serviceDelayMs?: number;
  /** A second connection that does not meet the fault is served at the same time. */
  readonly beside?: boolean;
  readonly afterwards?: (evidence: CaseEvidence) => void;
}

/** A case in both worlds: the client finishes, and gets each of its objects once. */
export function underFault(
  id: string,
  clauses: readonly string[],
  summary: string,
  fault: ControlFault,
  { paths = PATHS, steps = gets(...paths), serviceDelayMs = 0, beside = false, afterwards }: UnderFault = {},
): ConformanceCase {
  return {
    id,
    clauses,
    summary,
    worlds: ['sim', 'linux'],
    options: { controlFaults: [fault], serviceDelayMs },
    async run(context) {
      const neighbour = beside ? [script(pause(20), ...gets(...NEIGHBOURS))] : [];
      const [met, other] = await runAll(context, [script(...steps), ...neighbour]);
      if (met) expectObjects(context, met, paths);
      if (other) expectObjects(context, other, NEIGHBOURS);
    },
    ...(afterwards && { afterwards }),
  };
}
