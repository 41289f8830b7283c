/** Broken switches: the rule table, its answers, and whom they believe. */
import { messagesOut } from './breaker.js';
import { diesOf, ignores, obeysAgain, obeysAnybody, onRepeated, refuses } from './control-faults.js';
import type { Mutant } from './mutant.js';
import { believesSourceAddress, confirmsOnly, lastClientWins } from './switch-faults.js';

const BOTH = ['sim', 'linux'] as const;

export const RULE_MUTANTS: readonly Mutant[] = [
  {
    id: 'ret-1.keeps-rule',
    clause: 'RET-1',
    role: 'switch',
    summary: 'The switch confirms that a rule is removed and keeps it.',
    breaks: { switch: { step: confirmsOnly('remove', () => true) } },
    cases: ['REQ-6.path-hash', 'RET-6.half-close-when-idle'],
    worlds: BOTH,
  },
  {
    id: 'hof-7.last-client-wins',
    clause: 'HOF-7',
    role: 'switch',
    summary: 'While several connections are handed off, what backends send goes to the client port of the latest rule.',
    breaks: { switch: { step: lastClientWins() } },
    cases: ['HOF-7.two-curls'],
  },
  {
    id: 'swt-9.refuses-repetition',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'A repeated request for a rule is refused as conflicting with the rule that it asked for itself.',
    breaks: { switch: { step: onRepeated('add', refuses('conflict')) } },
    cases: ['SWT-9.request-twice', 'SWT-9.confirmation-lost'],
  },
  {
    id: 'swt-9.answers-once',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'A repeated request is not answered, whatever became of the first answer.',
    breaks: { switch: { step: onRepeated('add', ignores) } },
    cases: ['SWT-9.confirmation-lost'],
  },
  {
    id: 'swt-9.refuses-repeated-removal',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'A repeated removal is refused, because the rule is gone.',
    breaks: { switch: { step: onRepeated('remove', refuses('unknown-connection')) } },
    cases: ['RET-1.confirmation-lost'],
  },
  {
    id: 'swt-9.knows-no-capacity',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'A rule beyond the capacity of the table is confirmed and not installed.',
    breaks: {
      switch: {
        step: messagesOut((message) =>
          message.verb === 'refused' && message.code === 'full' ? [{ verb: 'ok', re: message.re }] : [message],
        ),
      },
    },
    cases: ['SWT-9.fewer-rules-than-connections'],
  },
  {
    id: 'err-4.brings-rule-back',
    clause: 'ERR-4',
    role: 'switch',
    summary: 'A late repetition of a request for a rule that was removed brings the rule back.',
    breaks: { switch: { step: onRepeated('add', obeysAgain) } },
    cases: ['ERR-4.late-request-for-a-removed-rule'],
  },
  {
    id: 'err-4.removes-the-next-rule',
    clause: 'ERR-4',
    role: 'switch',
    summary: "A late repetition of a removal takes the connection's next rule away.",
    breaks: { switch: { step: onRepeated('remove', obeysAgain) } },
    cases: ['ERR-4.late-removal-during-the-next-hand-off'],
  },
  {
    id: 'err-4.dies-of-malformed-lines',
    clause: 'ERR-4',
    role: 'switch',
    summary: 'A line that is no message ends the switch.',
    breaks: { switch: { step: diesOf((given) => given.kind === 'control-invalid') } },
    cases: ['ERR-4.malformed-lines-at-the-switch'],
  },
  {
    id: 'sec-3.takes-rules-from-anybody',
    clause: 'SEC-3',
    role: 'switch',
    summary: 'Whoever reaches the control port can install rules.',
    breaks: { switch: { step: obeysAnybody() } },
    cases: ['SEC-3.stranger-at-the-switch'],
  },
  {
    id: 'sec-1.believes-source-address',
    clause: 'SEC-1',
    role: 'switch',
    summary: "A segment with a backend's source address passes for the backend's, whatever link it came from.",
    breaks: { switch: { step: believesSourceAddress() } },
    cases: ['SEC-1.forged-backend'],
  },
];
