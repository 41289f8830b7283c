/** Broken controllers, from the return on: reopening, closing, failures, forged segments and messages. */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { messagesIn } from './breaker.js';
import { missesBrokenConnections, takesAnyReport, takesRefusalForOk, takesSilenceForOk } from './control-faults.js';
import { forgetsNextRequest, forgetsRulesOfReset, pretends } from './controller-faults.js';
import { has, isBareAck } from './edit.js';
import { segmentsIn, segmentsOut } from './host-faults.js';
import type { Mutant } from './mutant.js';
import { believesInWindow } from './segment-faults.js';

const BOTH = ['sim', 'linux'] as const;

export const MUTANTS_FROM_RETURN: readonly Mutant[] = [
  {
    id: 'ret-1.reopens-before-removal',
    clause: 'RET-1',
    role: 'controller',
    summary: 'The window reopens at once, without waiting for the switch to confirm that the rules are gone.',
    breaks: { without: ['rules-before-reopen'] },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'ret-1.never-removes-rules',
    clause: 'RET-1',
    role: 'controller',
    summary: 'The controller takes connections back and leaves their rules in the switch.',
    breaks: { controller: { step: pretends('remove') } },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'ret-2.never-reopens',
    clause: 'RET-2',
    role: 'controller',
    summary: "After a read the controller's window stays zero, in answers to probes too.",
    breaks: {
      controller: { step: segmentsOut((sent) => (isBareAck(sent) ? { window: 0 } : undefined)) },
    },
    cases: ['RET-7.pipelined-reads'],
  },
  {
    id: 'ret-2.ignores-probes',
    clause: 'RET-2',
    role: 'controller',
    summary: 'The reopening ACK is sent once and window probes are not answered.',
    breaks: { without: ['answer-probes'] },
    cases: ['RET-2.reopening-ack-lost'],
  },
  {
    id: 'ret-3.forgets-fin',
    clause: 'RET-3',
    role: 'controller',
    summary: "A client's FIN is never taken notice of, whenever it comes.",
    breaks: { controller: { step: segmentsIn(({ flags }) => ({ flags: flags & ~TcpFlag.FIN })) } },
    cases: ['RET-3.fin-behind-write-payload'],
  },
  {
    id: 'ret-4.resets-instead-of-closing',
    clause: 'RET-4',
    role: 'controller',
    summary: 'Where the controller has to close, it resets.',
    breaks: {
      controller: {
        step: segmentsOut((sent) => (has(sent, 'FIN') ? { flags: TcpFlag.RST | TcpFlag.ACK } : undefined)),
      },
    },
    cases: ['RET-4.connection-close', 'RET-4.http-1.0'],
    worlds: BOTH,
  },
  {
    id: 'ret-4.never-closes',
    clause: 'RET-4',
    role: 'controller',
    summary: 'The controller keeps every connection open, although the response said that it ends.',
    breaks: {
      controller: {
        step: messagesIn((message) => (message.verb === 'complete' ? [{ ...message, keepAlive: true }] : [message])),
      },
    },
    cases: ['RET-4.connection-close'],
  },
  {
    id: 'ret-5.keeps-rule-of-reset-client',
    clause: 'RET-5',
    role: 'controller',
    summary: 'The rules of a connection that its client reset are never removed.',
    breaks: {
      controller: {
        step: forgetsRulesOfReset(),
      },
    },
    cases: ['RET-5.reset-frees-the-rule'],
  },
  {
    id: 'ret-6.never-answers-fin',
    clause: 'RET-6',
    role: 'controller',
    summary: "A client's FIN is acknowledged and never answered by one of the controller's own.",
    breaks: {
      controller: {
        step: segmentsOut((sent) => (has(sent, 'FIN') ? { flags: sent.flags & ~TcpFlag.FIN } : undefined)),
      },
    },
    cases: ['RET-6.half-close-when-idle'],
  },
  {
    id: 'ret-7.forgets-next-request',
    clause: 'RET-7',
    role: 'controller',
    summary: 'The request that follows the first one is acknowledged and forgotten.',
    breaks: { controller: { step: forgetsNextRequest() } },
    cases: ['RET-7.pipelined-reads'],
  },
  {
    id: 'err-1.never-resets',
    clause: 'ERR-1',
    role: 'controller',
    summary: "On a backend's report of failure the controller forgets the connection and says nothing to its client.",
    breaks: { controller: { step: segmentsOut((sent) => (has(sent, 'RST') ? null : undefined)) } },
    cases: ['ERR-1.failure-reported'],
  },
  {
    id: 'err-1.resets-with-stale-number',
    clause: 'ERR-1',
    role: 'controller',
    summary: 'The RST has the number that was known before the hand-off, less what the client has got since.',
    breaks: {
      controller: {
        step: segmentsOut((sent) => (has(sent, 'RST') ? { seq: seqAdd(sent.seq, -100_000) } : undefined)),
      },
    },
    cases: ['ERR-1.failure-reported'],
  },
  {
    id: 'err-2.waits-for-ever',
    clause: 'ERR-2',
    role: 'controller',
    summary: 'A backend that falls silent is waited for without end.',
    breaks: {
      controller: { config: (config) => ({ ...config, handoffMs: 3_600_000 }), step: missesBrokenConnections() },
    },
    cases: ['ERR-2.backend-falls-silent-before-the-first-byte'],
  },
  {
    id: 'err-2.resets-with-old-number',
    clause: 'ERR-2',
    role: 'controller',
    summary:
      'The client of a dead backend is reset with a number from before the hand-off, however often it says what it expects.',
    breaks: {
      controller: {
        step: segmentsOut((sent) => (has(sent, 'RST') ? { seq: seqAdd(sent.seq, -100_000) } : undefined)),
      },
    },
    cases: ['ERR-2.backend-crashes-within-the-response'],
  },
  {
    id: 'err-3.takes-refusal-for-consent',
    clause: 'ERR-3',
    role: 'controller',
    summary: 'A rule that the switch refuses is taken for installed.',
    breaks: { controller: { step: takesRefusalForOk() } },
    cases: ['ERR-3.rule-refused-table-full'],
  },
  {
    id: 'err-3.takes-silence-for-consent',
    clause: 'ERR-3',
    role: 'controller',
    summary: 'A rule that the switch does not confirm within a second is taken for installed.',
    breaks: { controller: { step: takesSilenceForOk('add') } },
    cases: ['ERR-3.rule-never-confirmed', 'ERR-3.switch-falls-silent'],
  },
  {
    id: 'err-4.takes-any-report',
    clause: 'ERR-4',
    role: 'controller',
    summary: 'An old report of completion is taken for one of the hand-off that is in force.',
    breaks: { controller: { step: takesAnyReport() } },
    cases: ['ERR-4.report-again-during-the-next-hand-off'],
  },
  {
    id: 'sec-2.believes-any-reset',
    clause: 'SEC-2',
    role: 'controller',
    summary: 'A RST anywhere in the window ends the connection.',
    breaks: {
      controller: {
        step: believesInWindow(
          (came) => has(came, 'RST'),
          (_, expected) => ({ seq: expected }),
        ),
      },
    },
    cases: ['SEC-2.rst-in-window-at-the-controller'],
  },
  {
    id: 'sec-2.believes-syn',
    clause: 'SEC-2',
    role: 'controller',
    summary: 'A SYN in the window of a connection ends it.',
    breaks: {
      controller: {
        step: believesInWindow(
          (came) => has(came, 'SYN') && !has(came, 'ACK'),
          (_, expected) => ({ seq: expected, flags: TcpFlag.RST }),
        ),
      },
    },
    cases: ['SEC-2.syn-in-window-at-the-controller'],
  },
];
