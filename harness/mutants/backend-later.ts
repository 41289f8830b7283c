/** Broken backends that err with later requests or certain methods only, or in what they report. */
import type { ConnectionSnapshot } from '../../reference-impl/control/messages.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { diesOf } from './control-faults.js';
import { has } from './edit.js';
import { messagesServing, segmentsServing, takesHandoffs } from './later.js';
import type { Mutant } from './mutant.js';

/** Three requests on a connection, of which one backend gets two. */
const THREE_REQUESTS = ['RET-7.pipelined-reads', 'REQ-6.absolute-form', 'RET-2.reopening-ack-lost'];

const BOTH = ['sim', 'linux'] as const;

type Told = Pick<Mutant, 'id' | 'clause' | 'summary'> & Partial<Pick<Mutant, 'cases' | 'worlds'>>;

const errs = (mutant: Told, step: NonNullable<Mutant['breaks']['backend']>['step']): Mutant => ({
  role: 'backend',
  cases: THREE_REQUESTS,
  ...mutant,
  breaks: { backend: { ...(step && { step }) } },
});

const reports = (change: (snapshot: ConnectionSnapshot) => Partial<ConnectionSnapshot>) =>
  messagesServing('complete', (message) => ({
    ...message,
    snapshot: { ...message.snapshot, ...change(message.snapshot) },
  }));

export const LATER_BACKEND_MUTANTS: readonly Mutant[] = [
  errs(
    { id: 'bkd-1.flips-a-byte', clause: 'BKD-1', summary: 'One byte in the middle of a response is another.' },
    segmentsServing(({ payload }) =>
      payload.length > 900 ? { payload: payload.map((byte, i) => (i === 800 ? byte ^ 1 : byte)) } : undefined,
    ),
  ),
  errs(
    { id: 'bkd-1.serves-another-object', clause: 'BKD-1', summary: 'The response is an object of the same size.' },
    takesHandoffs((message) => ({
      ...message,
      request: { ...message.request, target: message.request.target.replace('/b/', '/a/') },
    })),
  ),
  errs(
    {
      id: 'bkd-1.answers-head-with-a-body',
      clause: 'BKD-1',
      summary: 'The answer to a HEAD has a body.',
      cases: ['BKD-1.curl-head-and-missing'],
    },
    takesHandoffs((message) =>
      message.request.method === 'HEAD' ? { ...message, request: { ...message.request, method: 'GET' } } : message,
    ),
  ),
  errs(
    {
      id: 'bkd-1.says-nothing-later',
      clause: 'BKD-1',
      summary: 'From the second hand-off of a client on nothing is sent.',
    },
    segmentsServing((_, { handoffs }) => (handoffs < 2 ? undefined : null)),
  ),
  errs(
    { id: 'bkd-1.ends-the-stream', clause: 'BKD-1', summary: 'The last segment of a response has a FIN.' },
    segmentsServing((sent, { method }) =>
      method === 'GET' && has(sent, 'PSH') && sent.payload.length > 0 ? { flags: sent.flags | TcpFlag.FIN } : undefined,
    ),
  ),
  errs(
    {
      id: 'bkd-6.reports-nothing-for-head',
      clause: 'BKD-6',
      summary: 'The completion of a HEAD is not reported.',
      cases: ['BKD-1.curl-head-and-missing'],
    },
    messagesServing('complete', (message, { method }) => (method === 'HEAD' ? null : message)),
  ),
  errs(
    {
      id: 'bkd-6.reports-another-number',
      clause: 'BKD-6',
      summary: 'Completion is reported of a hand-off that nobody made.',
    },
    messagesServing('complete', (message) => ({ ...message, handoff: message.handoff + 1000 })),
  ),
  errs(
    { id: 'bkd-6.reports-a-closed-window', clause: 'BKD-6', summary: "The client's window is reported as closed." },
    reports(() => ({ clientWindow: 0 })),
  ),
  errs(
    {
      id: 'bkd-6.reports-no-scale',
      worlds: BOTH,
      clause: 'BKD-6',
      summary: 'The window scale is missing in the report.',
    },
    reports(() => ({ windowScale: null })),
  ),
  errs(
    {
      id: 'bkd-6.reports-nothing-to-echo',
      worlds: BOTH,
      clause: 'BKD-6',
      summary: 'The time stamp to be echoed is reported as zero.',
    },
    reports(({ timestamps }) => ({ timestamps: timestamps && { ...timestamps, recent: 0 } })),
  ),
  errs(
    {
      id: 'bkd-6.ends-every-connection',
      worlds: BOTH,
      clause: 'BKD-6',
      summary: 'The report says that the connection ends; the response does not.',
    },
    messagesServing('complete', (message) => ({ ...message, keepAlive: false })),
  ),
  errs(
    { id: 'bkd-7.refuses-later-hand-offs', clause: 'BKD-7', summary: 'The second hand-off of a client is refused.' },
    takesHandoffs((message, { handoffs }) => (handoffs < 2 ? message : null)),
  ),
  errs(
    { id: 'bkd-7.resets-the-client', clause: 'BKD-7', summary: 'The client is reset in the place of a response.' },
    segmentsServing(({ payload, flags, seq }, { handoffs }) =>
      handoffs >= 2 && payload.length > 0
        ? { seq: seqAdd(seq, 0), flags: (flags & ~TcpFlag.PSH) | TcpFlag.RST, payload: new Uint8Array(0) }
        : undefined,
    ),
  ),
  errs(
    {
      id: 'err-4.backend-dies-of-malformed-lines',
      clause: 'ERR-4',
      summary: 'A line that is no message ends the backend.',
      cases: ['ERR-4.malformed-lines-at-a-backend'],
    },
    diesOf((input) => input.kind === 'control-invalid'),
  ),
];
