/** What a passive check is: a clause judged over evidence, with nothing known of the implementation. */

import type { Judged } from '../flows/judged.js';
import type { EvidenceFrame, Verdict } from '../verdict.js';

export interface Finding {
  readonly verdict: Extract<Verdict, 'pass' | 'fail' | 'inconclusive' | 'unsupported'>;
  readonly exercised: number;
  /** For a fail: what was expected and what was seen. For an inconclusive: why. For a pass: what was counted. */
  readonly message: string;
  readonly evidence: readonly EvidenceFrame[];
}

export interface Check {
  readonly clause: string;
  /** One sentence: how frames show it. */
  readonly method: string;
  /** Whether captures alone can ever decide it. */
  readonly needs: 'captures' | 'control-log' | 'topology-policy';
  judge(judged: Judged): Finding;
}
