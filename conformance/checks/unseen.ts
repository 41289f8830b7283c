/** Clauses that no capture shows, each with the reason: a report lists every clause, judged or not. */
import type { ClauseFinding } from '../judge.js';

const REASONS: readonly (readonly [clause: string, why: string])[] = [
  ['EST-5', 'frames do not tell which SYNs were a flood; prism test makes one'],
  ['SWT-10', 'frames do not tell whether the switch lives; prism test sends such traffic'],
  [
    'ERR-4',
    'that a message is late or repeated shows in a control log, what it must not change in HOF-4, RET-1 and SWT-2: those clauses judge it',
  ],
  ['SEC-2', 'which segments were forged is known in a test only'],
  ['SEC-3', 'who may send control messages is configured, not captured'],
];

export const UNSEEN: readonly ClauseFinding[] = REASONS.map(([clause, message]) => ({
  clause,
  finding: { verdict: 'inconclusive', exercised: 0, message, evidence: [] },
}));
