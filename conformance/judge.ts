/** Evidence in, findings out: the one door through which commands use the passive checks. */

import type { Topology } from '../harness/topology.js';
import type { ControlLogEntry } from '../harness/world.js';
import type { ClauseFinding } from './checks/check.js';
import { judgeAll } from './checks/index.js';
import { analyse } from './flows/judged.js';

export type { ClauseFinding };

/** Captures of one run on one network, what it is judged against, and the control messages where they are known. */
export interface JudgeInput {
  readonly captures: readonly { readonly name: string; readonly bytes: Uint8Array; readonly vantage?: string }[];
  readonly topology: Topology;
  readonly controlLog?: { readonly name: string; readonly entries: readonly ControlLogEntry[] };
  /** Nothing but the switch can have lost a frame: then one that did not come out of it is enough. */
  readonly lossless?: boolean;
}

export type JudgeOutcome =
  | { readonly ok: true; readonly findings: readonly ClauseFinding[] }
  /** One line: which file, where in it, and why it cannot be read. */
  | { readonly ok: false; readonly error: string };

export type JudgeEvidence = (input: JudgeInput) => JudgeOutcome;

export const judgeEvidence: JudgeEvidence = (input) => {
  const analysed = analyse(input);
  return analysed.ok ? { ok: true, findings: judgeAll(analysed.judged) } : { ok: false, error: analysed.error };
};
