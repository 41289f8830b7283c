/** Broken backends: the byte stream, acknowledgements, reports and what comes after them. */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { messagesIn, messagesOut } from './breaker.js';
import { obeysAnybody, servesAgain } from './control-faults.js';
import { has, restamped } from './edit.js';
import { byRepetition, segmentsIn, segmentsOut, sendsBeside } from './host-faults.js';
import type { Mutant } from './mutant.js';
import { acknowledgesUnowned, believesInWindow, listens } from './segment-faults.js';

const BOTH = ['sim', 'linux'] as const;

/** In microseconds: later than any doubt about the clocks of log and captures. */
const GIVEN_UP = 20_000;

/** Behind the last byte of a response that has been reported, a segment without payload that ends the connection. */
const endsAfterReport = (flags: number) =>
  sendsBeside(
    'complete',
    ({ seq, payload }) => ({ seq: seqAdd(seq, payload.length), payload: new Uint8Array(0), flags }),
    { after: GIVEN_UP },
  );

export const BACKEND_MUTANTS: readonly Mutant[] = [
  {
    id: 'est-3.leaves-timestamps-out',
    clause: 'EST-3',
    role: 'backend',
    summary: "The backend's segments carry no timestamps, although they were negotiated.",
    breaks: {
      backend: { step: segmentsOut(() => ({ options: [] })) },
    },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'est-3.exceeds-mss',
    clause: 'EST-3',
    role: 'backend',
    summary: "The backend ignores the client's MSS option and fills jumbo frames.",
    breaks: {
      backend: {
        step: messagesIn((message) =>
          message.verb === 'handoff'
            ? [{ ...message, snapshot: { ...message.snapshot, clientMss: 8960, ownMss: 8960 } }]
            : [message],
        ),
      },
    },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'swt-7.takes-fin',
    clause: 'SWT-7',
    role: 'backend',
    summary: "The switch lets the client's FIN through and the backend acknowledges it.",
    breaks: { without: ['fin-suppression'] },
    cases: ['RET-3.fin-behind-write-payload'],
    worlds: BOTH,
  },
  {
    id: 'bkd-1.leaves-gap',
    clause: 'BKD-1',
    role: 'backend',
    summary: 'The response header is followed by a hole of 100 bytes that nobody fills.',
    breaks: {
      backend: {
        step: segmentsOut(({ payload, seq }) => (payload.length > 1000 ? { seq: seqAdd(seq, 100) } : undefined)),
      },
    },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'bkd-1.repeats-other-bytes',
    clause: 'BKD-1',
    role: 'backend',
    summary: 'A retransmission has other bytes than the first transmission had.',
    breaks: {
      backend: {
        step: byRepetition(({ payload }, repeated) =>
          repeated ? { payload: payload.map((byte) => byte ^ 0x20) } : undefined,
        ),
      },
    },
    cases: ['BKD-5.response-segment-lost'],
    worlds: BOTH,
  },
  {
    id: 'bkd-2.acknowledges-next-request',
    clause: 'BKD-2',
    role: 'backend',
    summary: 'The backend of a write acknowledges what follows the payload.',
    breaks: { without: ['backend-ack-limit'] },
    cases: ['BKD-2.next-request-behind-payload'],
    worlds: BOTH,
  },
  {
    id: 'bkd-3.acknowledges-next-request',
    clause: 'BKD-3',
    role: 'backend',
    summary: 'The backend of a read acknowledges the requests that follow.',
    breaks: { without: ['backend-ack-limit'] },
    cases: ['RET-7.pipelined-reads'],
  },
  {
    id: 'bkd-4.acknowledges-fin',
    clause: 'BKD-4',
    role: 'backend',
    summary: "The backend acknowledges the client's FIN and lets it stand behind the response.",
    breaks: { without: ['fin-suppression'] },
    cases: ['RET-3.fin-behind-write-payload'],
  },
  {
    id: 'bkd-5.never-retransmits',
    clause: 'BKD-5',
    role: 'backend',
    summary: 'What is lost is not sent again.',
    breaks: { backend: { step: byRepetition((_, repeated) => (repeated ? null : undefined)) } },
    cases: ['BKD-5.response-segment-lost'],
    worlds: BOTH,
  },
  {
    id: 'bkd-6.completes-when-sent',
    clause: 'BKD-6',
    role: 'backend',
    summary: 'Completion is reported as soon as the last byte is sent.',
    breaks: { without: ['complete-when-acked'] },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'bkd-6.reports-old-seq',
    clause: 'BKD-6',
    role: 'backend',
    summary: "The reported sequence number is one short of the response's end.",
    breaks: {
      backend: {
        step: messagesOut((message) =>
          message.verb === 'complete'
            ? [{ ...message, snapshot: { ...message.snapshot, seq: seqAdd(message.snapshot.seq, -1) } }]
            : [message],
        ),
      },
    },
    cases: ['RET-4.connection-close'],
    worlds: BOTH,
  },
  {
    id: 'bkd-6.reports-ack-beyond',
    clause: 'BKD-6',
    role: 'backend',
    summary: 'The reported acknowledgement number covers bytes that nobody has received.',
    breaks: {
      backend: {
        step: messagesOut((message) =>
          message.verb === 'complete'
            ? [{ ...message, snapshot: { ...message.snapshot, ack: seqAdd(message.snapshot.ack, 10) } }]
            : [message],
        ),
      },
    },
    cases: ['RET-4.connection-close'],
  },
  {
    id: 'bkd-6.reports-no-timestamps',
    clause: 'BKD-6',
    role: 'backend',
    summary: 'Timestamps are left out of the report.',
    breaks: {
      backend: {
        step: messagesOut((message) =>
          message.verb === 'complete'
            ? [{ ...message, snapshot: { ...message.snapshot, timestamps: null } }]
            : [message],
        ),
      },
    },
    cases: ['RET-6.half-close-when-idle'],
  },
  {
    id: 'bkd-8.uses-own-clock',
    clause: 'BKD-8',
    role: 'backend',
    summary: "A new owner's timestamps come from its own clock.",
    breaks: { without: ['timestamp-continuity'] },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'bkd-8.echoes-nonsense',
    clause: 'BKD-8',
    role: 'backend',
    summary: 'The echoed timestamp is none that the client has sent.',
    breaks: {
      backend: {
        step: segmentsOut(({ options }) => ({
          options: restamped(options, ({ echo }) => ({ echo: (echo + 0x100000) >>> 0 })),
        })),
      },
    },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'bkd-9.sends-fin-at-the-end',
    clause: 'BKD-9',
    role: 'backend',
    summary: 'The backend closes the connection when it has reported completion.',
    breaks: { backend: { step: endsAfterReport(TcpFlag.FIN | TcpFlag.ACK) } },
    cases: ['RET-6.half-close-when-idle'],
    worlds: BOTH,
  },
  {
    id: 'bkd-9.resets-at-the-end',
    clause: 'BKD-9',
    role: 'backend',
    summary: 'The backend resets the connection when it has reported completion.',
    breaks: { backend: { step: endsAfterReport(TcpFlag.RST) } },
    cases: ['RET-6.half-close-when-idle'],
    worlds: BOTH,
  },
  {
    id: 'bkd-9.repeats-after-give-up',
    clause: 'BKD-9',
    role: 'backend',
    summary: 'The last segment of the response is sent once more after completion was reported.',
    breaks: { backend: { step: sendsBeside('complete', () => ({}), { after: GIVEN_UP }) } },
    cases: ['RET-6.half-close-when-idle'],
    worlds: BOTH,
  },
  {
    id: 'ret-5.ignores-reset',
    clause: 'RET-5',
    role: 'backend',
    summary: "A client's RST is ignored, and the response goes on.",
    breaks: { backend: { step: segmentsIn((came) => (has(came, 'RST') ? null : undefined)) } },
    cases: ['RET-5.reset-frees-the-rule'],
    worlds: BOTH,
  },
  {
    id: 'hof-5.resets-early-segments',
    clause: 'HOF-5',
    role: 'backend',
    summary: 'A segment that meets the backend before take-over is answered with RST, as by a stock kernel.',
    breaks: { without: ['backend-guard'] },
    cases: ['HOF-5.payload-before-take-over'],
    worlds: BOTH,
  },
  {
    id: 'hof-5.acknowledges-late-segments',
    clause: 'HOF-5',
    role: 'backend',
    summary: 'A segment that meets the backend when it does not own the connection is acknowledged.',
    breaks: { backend: { step: acknowledgesUnowned() } },
    cases: ['HOF-5.request-after-giving-up'],
    worlds: BOTH,
  },
  {
    id: 'bkd-7.fails-silently',
    clause: 'BKD-7',
    role: 'backend',
    summary: 'A backend that cannot serve keeps that to itself.',
    breaks: { backend: { step: messagesOut((message) => (message.verb === 'failed' ? [] : [message])) } },
    cases: ['ERR-1.failure-reported'],
  },
  {
    id: 'err-4.serves-again',
    clause: 'ERR-4',
    role: 'backend',
    summary: 'A hand-off that comes again when it has long ended is served once more.',
    breaks: { backend: { step: servesAgain() } },
    cases: ['ERR-4.hand-off-again-after-completion'],
    worlds: BOTH,
  },
  {
    id: 'sec-3.takes-over-for-anybody',
    clause: 'SEC-3',
    role: 'backend',
    summary: 'Whoever reaches the control port can have the backend speak on any connection.',
    breaks: { backend: { step: obeysAnybody() } },
    cases: ['SEC-3.stranger-at-a-backend'],
  },
  {
    id: 'sec-2.owner-believes-any-reset',
    clause: 'SEC-2',
    role: 'backend',
    summary: 'A RST anywhere in the window ends the connection while the backend owns it.',
    breaks: {
      backend: {
        step: believesInWindow(
          (came) => has(came, 'RST'),
          (_, expected) => ({ seq: expected }),
        ),
      },
    },
    cases: ['SEC-2.rst-in-window-at-the-backend'],
  },
  {
    id: 'sec-1.listens-for-itself',
    clause: 'SEC-1',
    role: 'backend',
    summary: 'The backend accepts connections of whoever addresses it.',
    breaks: { backend: { step: listens() } },
    cases: ['SEC-1.backend-addressed-directly'],
  },
];
