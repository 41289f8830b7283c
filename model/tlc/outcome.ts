/** How a run of TLC ended. */
import type { ActionCoverage, ParseError, TraceState } from './messages.js';

/** What every run tells, as far as it came. */
export interface RunFacts {
  /** Milliseconds from the start of the JVM to its end. */
  readonly durationMs: number;
  /**
   * Null when it ended before TLC counted; `distinct` and `depth` are null in simulations too. `ok` with `distinct` 0 has checked nothing: no
   * initial state. `depth` is exact with one worker only.
   */
  readonly generated: number | null;
  readonly distinct: number | null;
  readonly depth: number | null;
  /** Each value that the module printed, as text. Its order means something with one worker only. */
  readonly prints: readonly string[];
  /** Empty unless asked for and reached; the initial predicate comes first. */
  readonly coverage: readonly ActionCoverage[];
}

export type Trace = readonly TraceState[];

/** Where the counterexample of a liveness property goes on for ever: in a loop back to the state of this index, or not moving at all. */
export type Lasso = { readonly kind: 'back-to'; readonly index: number } | { readonly kind: 'stuttering' };

/**
 * `invariant`: also a PROPERTY `[]P`, and one about the initial state. `action-property`: a PROPERTY `[][A]_v`.
 * `liveness`: `property` is null where TLC does not name it (2.18 never does) and several could be meant, namely `candidates`; `stateTexts` are the
 * states of the trace in TLA+, as printed.
 * `parse-error`: of a module or of the configuration (module `Root.cfg`). `killed`: the JVM, by a signal that is not ours.
 */
export type TlcEnd =
  | { readonly kind: 'ok' }
  | { readonly kind: 'invariant'; readonly name: string; readonly trace: Trace }
  | { readonly kind: 'action-property'; readonly name: string; readonly trace: Trace }
  | {
      readonly kind: 'liveness';
      readonly property: string | null;
      readonly candidates: readonly string[];
      readonly trace: Trace;
      readonly stateTexts: readonly string[];
      readonly lasso: Lasso;
    }
  | { readonly kind: 'deadlock'; readonly trace: Trace }
  | { readonly kind: 'assumption'; readonly message: string }
  | ({ readonly kind: 'parse-error' } & ParseError)
  | {
      readonly kind: 'evaluation-error';
      readonly message: string;
      readonly positions: readonly string[];
      readonly trace: Trace;
    }
  | { readonly kind: 'out-of-memory'; readonly message: string }
  | { readonly kind: 'disk-full'; readonly message: string }
  | { readonly kind: 'time-out'; readonly timeoutMs: number }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'killed'; readonly signal: number }
  | { readonly kind: 'internal'; readonly message: string };

export type TlcOutcome = RunFacts & TlcEnd;

/** What an outcome tells of its run, without how that ended. */
export function factsOf(outcome: TlcOutcome): RunFacts {
  const { durationMs, generated, distinct, depth, prints, coverage } = outcome;
  return { durationMs, generated, distinct, depth, prints, coverage };
}
