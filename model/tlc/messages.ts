/** What TLC says, as types. */
import type { Json } from './value-json.js';

/** Lines and columns count from 1; the end is inclusive. */
export interface Location {
  readonly module: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** States found so far; null where TLC does not say (`distinct`, `queue` and `depth` of a simulation). Rates are states in a minute. */
export interface Progress {
  readonly depth: number | null;
  readonly generated: number;
  readonly distinct: number | null;
  readonly queue: number | null;
  readonly generatedPerMinute: number | null;
  readonly distinctPerMinute: number | null;
}

/** Variables and their values; one that cannot be parsed is the text that TLC printed. */
export type State = Readonly<Record<string, Json>>;

/** `index` counts from 1. `action`: null for the initial state and for a step of no named action. */
export interface TraceState {
  readonly index: number;
  readonly action: string | null;
  readonly location: Location | null;
  readonly state: State;
}

/**
 * How often an action was taken: the steps that it generated, and those of them that led to new states. The initial predicate is one too.
 * Several disjuncts without names have the name of what holds them, and differ by location.
 */
export interface ActionCoverage {
  readonly action: string;
  readonly location: Location;
  readonly distinct: number;
  readonly generated: number;
}

/** `line` and `column` are null where TLC names none (a missing module, most errors of a configuration). */
export interface ParseError {
  readonly module: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

export type TlcMessage =
  | { readonly kind: 'version'; readonly text: string }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'initial-states'; readonly distinct: number }
  /** `state`: the initial state that violates it, for which TLC prints no trace. */
  | { readonly kind: 'invariant'; readonly name: string; readonly state: State | null }
  /** `name`: the PROPERTY's, or `line 12, col 16 to line 12, col 27 of module M` when the action is only a conjunct of it. */
  | { readonly kind: 'action-property'; readonly name: string }
  /** `names`: empty up to TLC 2.18, which does not say which. */
  | { readonly kind: 'temporal'; readonly names: readonly string[] }
  | { readonly kind: 'deadlock' }
  | { readonly kind: 'assumption'; readonly message: string }
  /** `text`: the state in TLA+, as printed. */
  | { readonly kind: 'trace-state'; readonly state: TraceState; readonly text: string }
  | { readonly kind: 'stuttering'; readonly index: number }
  | { readonly kind: 'back-to-state'; readonly index: number }
  | { readonly kind: 'parse-error'; readonly error: ParseError }
  | { readonly kind: 'evaluation-error'; readonly message: string; readonly state: State | null }
  /** Where it was evaluated, outermost first. */
  | { readonly kind: 'positions'; readonly positions: readonly string[] }
  | { readonly kind: 'out-of-memory'; readonly message: string }
  | { readonly kind: 'disk-full'; readonly message: string }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'statistics'; readonly generated: number; readonly distinct: number | null }
  | { readonly kind: 'depth'; readonly depth: number }
  | { readonly kind: 'coverage-start' }
  | { readonly kind: 'coverage'; readonly coverage: ActionCoverage }
  /** Of the server of the distributed mode: workers can come. */
  | { readonly kind: 'server-ready' }
  | { readonly kind: 'worker'; readonly came: boolean }
  | { readonly kind: 'success' }
  | { readonly kind: 'finished'; readonly durationMs: number | null }
  | { readonly kind: 'warning'; readonly code: number; readonly text: string }
  | { readonly kind: 'bug'; readonly code: number; readonly text: string }
  | { readonly kind: 'other'; readonly code: number; readonly text: string };
