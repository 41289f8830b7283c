/** Broken controllers that tell a backend or the switch something else than they know, and those that err with later requests only. */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { messagesOut } from './breaker.js';
import { snapshotsWith } from './controller-faults.js';
import { isBareAck } from './edit.js';
import { segmentsOut } from './host-faults.js';
import { messagesServing, segmentsServing, takesReports } from './later.js';
import type { Mutant } from './mutant.js';

/** Two requests on a connection, at two backends. */
const TWO_REQUESTS = ['REQ-6.path-hash'];

const BOTH = ['sim', 'linux'] as const;

type Told = Pick<Mutant, 'id' | 'summary'> & Partial<Pick<Mutant, 'clause' | 'cases' | 'worlds'>>;

const tells = (mutant: Told, step: NonNullable<Mutant['breaks']['controller']>['step']): Mutant => ({
  clause: 'HOF-3',
  role: 'controller',
  cases: TWO_REQUESTS,
  ...mutant,
  breaks: { controller: { ...(step && { step }) } },
});

export const MUTANTS_IN_MESSAGES: readonly Mutant[] = [
  tells(
    { id: 'hof-3.doubles-the-window', summary: "The client's window is handed over twice as wide as it is." },
    snapshotsWith(({ clientWindow }) => ({ clientWindow: clientWindow * 2 })),
  ),
  tells(
    {
      id: 'hof-3.forgets-to-scale-the-window',
      summary: "The client's window is handed over as it stands in the header.",
    },
    snapshotsWith(({ clientWindow, windowScale }) => ({ clientWindow: clientWindow >> (windowScale?.client ?? 0) })),
  ),
  tells(
    { id: 'hof-3.scale-off-by-one', worlds: BOTH, summary: "The client's window scale is handed over one too small." },
    snapshotsWith(({ windowScale }) =>
      windowScale === null ? {} : { windowScale: { ...windowScale, client: Math.max(0, windowScale.client - 1) } },
    ),
  ),
  tells(
    {
      id: 'hof-3.another-own-mss',
      worlds: BOTH,
      summary: 'The MSS that is handed over as sent to the client is another.',
    },
    snapshotsWith(({ ownMss }) => ({ ownMss: ownMss + 40 })),
  ),
  tells(
    { id: 'hof-3.flips-sack', worlds: BOTH, summary: 'SACK-permitted is handed over as its opposite.' },
    snapshotsWith(({ sackPermitted }) => ({ sackPermitted: !sackPermitted })),
  ),
  tells(
    { id: 'hof-3.forgets-what-to-echo', worlds: BOTH, summary: 'The time stamp to be echoed is handed over as zero.' },
    snapshotsWith(({ timestamps }) => ({ timestamps: timestamps && { ...timestamps, recent: 0 } })),
  ),
  tells(
    {
      id: 'hof-3.stamps-far-ahead',
      worlds: BOTH,
      summary: 'The time stamp that is handed over lies weeks ahead of the clock.',
    },
    snapshotsWith(({ timestamps }) => ({
      timestamps: timestamps && { ...timestamps, value: seqAdd(timestamps.value, 0x70000000) },
    })),
  ),
  tells(
    { id: 'hof-3.seq-one-ahead-later', summary: 'From the second hand-off on the sequence number is one too high.' },
    messagesServing('handoff', (message, { handoffs }) =>
      handoffs < 2 ? message : { ...message, snapshot: { ...message.snapshot, seq: seqAdd(message.snapshot.seq, 1) } },
    ),
  ),
  tells(
    {
      id: 'hof-3.says-get-for-head',
      summary: 'A HEAD is handed over as a GET.',
      cases: ['BKD-1.curl-head-and-missing'],
    },
    messagesServing('handoff', (message) =>
      message.request.method === 'HEAD' ? { ...message, request: { ...message.request, method: 'GET' } } : message,
    ),
  ),
  tells(
    {
      id: 'hof-3.payload-one-short',
      summary: 'The payload that is announced is one byte short.',
      cases: ['REQ-4.post'],
    },
    messagesServing('handoff', (message) => {
      const { payload } = message.request;
      if (payload.kind !== 'length' || payload.bytes < 2) return message;
      return { ...message, request: { ...message.request, payload: { kind: 'length', bytes: payload.bytes - 1 } } };
    }),
  ),
  tells(
    {
      id: 'hof-3.ends-connections',
      worlds: BOTH,
      summary: 'Every hand-off says that the connection ends with its response.',
    },
    messagesServing('handoff', (message) => ({ ...message, request: { ...message.request, keepAlive: false } })),
  ),
  tells(
    {
      id: 'hof-3.leases-beyond-the-bound',
      worlds: BOTH,
      summary: 'A backend may keep a connection for longer than the declared bound.',
    },
    messagesServing('handoff', (message) => ({ ...message, leaseMs: 10_000_000 })),
  ),
  tells(
    {
      id: 'hof-3.leases-for-a-moment',
      summary: 'A backend may keep a connection for a millisecond.',
      cases: ['REQ-4.expect-and-wait', 'REQ-4.post'],
    },
    messagesServing('handoff', (message) => ({ ...message, leaseMs: 1 })),
  ),
  tells(
    { id: 'hof-3.names-another-port', summary: "The hand-off has another client's port." },
    messagesServing('handoff', (message) => ({
      ...message,
      conn: { ...message.conn, client: { ...message.conn.client, port: message.conn.client.port ^ 1 } },
    })),
  ),
  tells(
    { id: 'hof-3.keeps-later-requests', summary: 'From the second request on nobody is told to take over.' },
    messagesServing('handoff', (message, { handoffs }) => (handoffs < 2 ? message : null)),
  ),
  tells(
    {
      id: 'hof-1.rule-to-another-mac',
      worlds: BOTH,
      clause: 'HOF-1',
      summary: 'The rule that is asked for has a MAC address that no backend has.',
    },
    messagesOut((message) =>
      message.verb === 'add'
        ? [{ ...message, rule: { ...message.rule, backend: { ...message.rule.backend, mac: '02:00:00:00:00:99' } } }]
        : [message],
    ),
  ),
  tells(
    {
      id: 'req-2.one-byte-more-later',
      clause: 'REQ-2',
      summary: 'From the second request on one byte more than the header is acknowledged.',
    },
    segmentsServing((sent, { handoffs }) =>
      handoffs >= 1 && isBareAck(sent) && sent.window === 0 ? { ack: seqAdd(sent.ack, 1) } : undefined,
    ),
  ),
  tells(
    {
      id: 'req-3.leaves-a-window-of-one',
      clause: 'REQ-3',
      summary: 'The window of a read is closed to all but a little.',
    },
    segmentsOut((sent) => (isBareAck(sent) && sent.window === 0 ? { window: 1 } : undefined)),
  ),
  tells(
    {
      id: 'ret-1.overlooks-later-reports',
      clause: 'RET-1',
      summary: "From the second hand-off on the backend's report is not taken notice of.",
    },
    takesReports((message, { handoffs }) => (handoffs < 2 ? message : null)),
  ),
  tells(
    {
      id: 'ret-4.closes-every-connection',
      clause: 'RET-4',
      summary: 'The connection is closed behind every response, although nobody asked for it.',
    },
    takesReports((message) => ({ ...message, keepAlive: false })),
  ),
];
