/** Verdicts and results, as every command reports them. */
export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'unsupported' | 'error';

/** A frame of a capture; `frame` counts over the whole file from 1, as Wireshark does (for a control log: the line). */
export interface EvidenceFrame {
  readonly capture: string;
  readonly frame: number;
  readonly note: string;
}

/** The note of the frame that a failure names where what went wrong is in no single one: the first of the run. */
export const NO_SINGLE_FRAME = 'first frame of the run; no single frame decides it';

export interface Result {
  /** A case id, or `check.CLAUSE` for a passive check. */
  readonly id: string;
  readonly clauses: readonly string[];
  readonly verdict: Verdict;
  /** How often the clause's premise occurred. A pass has at least 1. */
  readonly exercised: number;
  readonly message: string;
  readonly evidence: readonly EvidenceFrame[];
  /** One command that runs it again; empty where there is nothing to rerun. */
  readonly replay: string;
  /** The target's declaration that excuses this result; it is `unsupported` then, and strictness does not count it. */
  readonly waiver?: { readonly reason: string; readonly link: string; readonly expires: string };
}
