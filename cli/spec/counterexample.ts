/** A violation as a ladder of roles and segments. */
import { ladder } from '../../model/ladder/ladder.js';
import { LADDER_LEGEND, ladderText } from '../../model/ladder/text.js';
import type { TlcOutcome } from '../../model/tlc/outcome.js';

/** Columns: what a code fence shows without scrolling. */
const WIDTH = 118;

/** The lines of the ladder, and what its signs mean. */
export function counterexample(outcome: Extract<TlcOutcome, { trace: unknown }>): string[] {
  const lasso = outcome.kind === 'liveness' ? outcome.lasso : null;
  return [...ladderText(ladder(outcome.trace, lasso), { width: WIDTH }), '', ...LADDER_LEGEND];
}
