/** Clauses that no capture shows, each with the reason: a report lists every clause, judged or not. */
import type { ClauseFinding } from '../judge.js';

const REASONS: readonly (readonly [clause: string, why: string])[] = [
  ['EST-5', 'frames do not tell which SYNs were a flood; prism test makes one'],
  ['REQ-7', 'frames do not tell the limits that the controller declares; prism test sends such requests'],
  ['HOF-5', 'whether a backend had taken over is certain in a test only; what it sent is judged by HOF-4'],
  ['SWT-10', 'frames do not tell whether the switch lives; prism test sends such traffic'],
  ['BKD-7', 'that a backend could not serve is not seen in frames'],
  ['RET-4', 'why the controller closes is not seen in frames'],
  ['RET-5', 'what a reset freed inside of the roles is not seen in frames'],
  ['RET-7', 'whether a request was executed twice is not seen in frames'],
  ['ERR-1', 'that a backend failed is not seen in frames'],
  ['ERR-2', 'that a backend fell silent for good is certain in a test only'],
  ['ERR-3', 'that the switch refused a rule is not seen in frames'],
  ['ERR-4', 'frames carry no control messages'],
  ['SEC-1', 'nobody tried to reach a backend in the captures'],
  ['SEC-2', 'which segments were forged is known in a test only'],
  ['SEC-3', 'who may send control messages is configured, not captured'],
];

export const UNSEEN: readonly ClauseFinding[] = REASONS.map(([clause, message]) => ({
  clause,
  finding: { verdict: 'inconclusive', exercised: 0, message, evidence: [] },
}));
