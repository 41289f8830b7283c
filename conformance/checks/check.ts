/** What a passive check is: a clause judged over evidence, with nothing known of the implementation. */

import type { Topology } from '../../harness/topology.js';
import type { Judged } from '../flows/judged.js';
import type { RegularConnection } from '../stream/regular-connection.js';
import type { EvidenceFrame, Verdict } from '../verdict.js';

export interface Finding {
  readonly verdict: Extract<Verdict, 'pass' | 'fail' | 'inconclusive' | 'unsupported'>;
  readonly exercised: number;
  /** For a fail: what was expected and what was seen. For an inconclusive: why. For a pass: what was counted. */
  readonly message: string;
  readonly evidence: readonly EvidenceFrame[];
}

export interface ClauseFinding {
  readonly clause: string;
  readonly finding: Finding;
  /** As its check says. */
  readonly incidental?: true;
}

/** Whether the rule of another connection than this one was certainly in force at a moment. */
export type OthersRules = (t: number) => boolean;

export interface Check {
  readonly clause: string;
  /** One sentence: how frames show it. */
  readonly method: string;
  /** Whether captures alone can ever decide it. */
  readonly needs: 'captures' | 'control-log' | 'topology-policy';
  /** An offence shows whatever the order of frames: clocks that cannot be trusted do not touch it. */
  readonly timeless?: true;
  /**
   * Frames show it only where its premise came about by itself, and then in part. A case that makes it come about judges the rest: what this
   * check leaves open is not held against it.
   */
  readonly incidental?: true;
  judge(judged: Judged): Finding;
  /**
   * How often the clause's premise occurred, and it held, in a connection of which nothing else is to be said (`stream/regular.ts`):
   * what `judge` would count. Undefined where `judge` has to look; without this method it always has to.
   */
  regular?(connection: RegularConnection, topology: Topology): number | undefined;
  /** What `judge` would count beyond that because other connections were handed off at the time. */
  beside?(connection: RegularConnection, others: OthersRules): number;
}
