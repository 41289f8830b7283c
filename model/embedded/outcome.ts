/** How a run of the embedded checker ended: what model/tlc/outcome.ts says of TLC, as far as it fits. */
import type { Refusal } from './refusal.js';

/**
 * `ok` with `distinct` 0 has checked nothing: no initial state. `invariant`, `liveness`: the operator's name in the configuration; `property` is
 * null when there was no time left to find out which one of several it is. `evaluation-error`: also an assumption that does not hold.
 * `unsupported`: TLC may well do it.
 */
export type EmbeddedEnd =
  | { readonly kind: 'ok'; readonly distinct: number }
  | { readonly kind: 'invariant'; readonly name: string }
  | { readonly kind: 'liveness'; readonly property: string | null }
  | { readonly kind: 'evaluation-error'; readonly message: string }
  | { readonly kind: 'too-many-states'; readonly maxStates: number }
  | { readonly kind: 'time-out'; readonly timeoutMs: number }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'internal'; readonly message: string }
  | Refusal;

/** `durationMs`: from the request to the answer. */
export type EmbeddedOutcome = { readonly durationMs: number } & EmbeddedEnd;
