/** Verdicts and results, as every command reports them. */
export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'unsupported' | 'error';

/** A frame of a capture; `frame` counts over the whole file from 1, as Wireshark does (for a control log: the line). */
export interface EvidenceFrame {
  readonly capture: string;
  readonly frame: number;
  readonly note: string;
  /** Nothing is wrong with it: what it says is broken later. */
  readonly background?: true;
}

/** Begins the message of a case that nobody ran. */
export const NOT_RUN = 'not run: ';

/** The note of the frame that a failure names where what went wrong is in no single one: the first of the run. */
export const NO_SINGLE_FRAME = 'first frame of the run; no single frame decides it';

/** One of the things that went wrong where a case failed. */
export interface Offence {
  /** The clause it is charged to; null for an expectation that no clause is charged with. */
  readonly clause: string | null;
  /** `check`: frames or control messages show it. `case`: the story expected something else. */
  readonly by: 'check' | 'case';
  readonly message: string;
  /** Its earliest evidence; absent where no single frame shows it. `vantage`: of a frame; absent for a line of a control log. */
  readonly at?: { readonly capture: string; readonly frame: number; readonly vantage?: string };
}

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
  /** Of a case that failed: what led to the rest (`cause.ts`). */
  readonly leading?: Offence;
  /** Of a case that failed: what else is wrong, the likelier causes first; absent when nothing is. */
  readonly beside?: readonly Offence[];
  /** The target's declaration that excuses this result; it is `unsupported` then, and strictness does not count it. */
  readonly waiver?: { readonly reason: string; readonly link: string; readonly expires: string };
}
