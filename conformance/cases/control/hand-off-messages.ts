/** Hand-off messages that are late, lost or come twice, and what they carry. */
import type { ControlFault } from '../../../harness/world.js';
import type { ConnectionSnapshot } from '../../../reference-impl/control/messages.js';
import { findTcpOption, seqAdd } from '../../../reference-impl/wire/index.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, isSyn, isSynAck, logged, logicalOf, type SeenSegment } from '../evidence.js';
import {
  expectWriteAndRead,
  gets,
  header,
  pause,
  QUIET_MS,
  response,
  runAll,
  script,
  send,
  sendBody,
  writeHeader,
} from '../vocabulary.js';
import { type UnderFault, underFault } from './under-fault.js';

const BODY = { size: 20_000, seed: 51 };

/** A backend completes each hand-off once, however often it is told of it. */
function eachAnsweredOnce({ control, expect }: CaseEvidence): void {
  const ids = new Map<number, Set<string>>();
  for (const { message } of control)
    if (message.verb === 'complete') {
      const known = ids.get(message.handoff) ?? new Set();
      ids.set(message.handoff, known.add(message.id));
    }
  for (const [handoff, { size }] of ids)
    expect(size === 1, `expected hand-off ${handoff} to be completed once, saw ${size} reports with ids of their own`);
}

const match = { verb: 'handoff' } as const;

/** These stories hold a backend to one completion each. */
const story = (id: string, clauses: readonly string[], summary: string, fault: ControlFault, more: UnderFault = {}) =>
  underFault(id, clauses, summary, fault, { afterwards: eachAnsweredOnce, ...more });

export const handoffLost = story(
  'ERR-4.hand-off-lost',
  ['ERR-4', 'HOF-5'],
  'The message that hands a connection off is lost: it is repeated, and the client is served once.',
  { kind: 'drop', match, nth: [1] },
);

export const handoffTwice = story(
  'ERR-4.hand-off-twice',
  ['ERR-4', 'BKD-1'],
  'A hand-off arrives once more while the backend serves it: the response is sent once.',
  { kind: 'repeat', match, nth: [1], ms: 50 },
  { serviceDelayMs: 150 },
);

export const handoffAgainAfterCompletion: ConformanceCase = {
  ...story(
    'ERR-4.hand-off-again-after-completion',
    ['ERR-4', 'HOF-4', 'BKD-9'],
    'A hand-off arrives once more when it has long been completed: the backend takes nothing over and says nothing.',
    { kind: 'repeat', match, nth: [1], ms: 400 },
    { steps: [...gets('/a/8k'), pause(700), ...gets('/b/8k')] },
  ),
  afterwards(evidence) {
    eachAnsweredOnce(evidence);
    const { control, segments, topology, expect, premise } = evidence;
    const [, again] = logged(control, 'handoff', 'received', 'backend0');
    premise(again !== undefined, 'the hand-off did not come again');
    const backend = topology.backends.find(({ name }) => name === 'backend0');
    const said = segments.find(
      ({ vantage, src, t }) =>
        vantage === 'backend0' && src.startsWith(`${backend?.ip}:`) && again !== undefined && t > BigInt(again.t),
    );
    expect(
      said === undefined,
      `expected the backend to say nothing on a hand-off that has ended, frame ${said?.frame} says otherwise`,
      ...(said ? [{ frame: said.frame, note: 'in answer to a hand-off that has ended' }] : []),
    );
  },
};

export const handoffAgainDuringTheNext = story(
  'ERR-4.hand-off-again-during-the-next',
  ['ERR-4', 'HOF-4'],
  'A completed hand-off arrives once more while another backend owns the connection: the first stays out of it.',
  { kind: 'repeat', match, nth: [1], ms: 500 },
  { serviceDelayMs: 300 },
);

export const confirmationOfHandoffLost = story(
  'ERR-4.hand-off-confirmation-lost',
  ['ERR-4'],
  "The backend's answer to a hand-off is lost: whatever is repeated, the request is served once.",
  { kind: 'drop', match: { answers: 'handoff' }, nth: [1] },
  { serviceDelayMs: 1200 },
);

/** TCP payload of the client that a backend saw before it was told to take over. */
function meetsNobody({ control, segments, topology, expect, premise }: CaseEvidence): void {
  const [first] = logged(control, 'handoff', 'received', 'backend0');
  const backend = topology.backends.find(({ name }) => name === 'backend0');
  const told = BigInt(first?.t ?? 0);
  const before = segments.filter(({ vantage, t }) => vantage === 'backend0' && t < told);
  const from = (ip: string | undefined) => before.filter(({ src }) => src.startsWith(`${ip}:`));
  const early = before.filter(({ src, payload }) => !src.startsWith(`${backend?.ip}:`) && payload > 0);
  premise(early.length > 0, 'no segment of the client met the backend before its take-over');
  const said = from(backend?.ip);
  expect(
    said.length === 0,
    `expected the backend to say nothing before its take-over, frame ${said[0]?.frame} says otherwise`,
    ...said.slice(0, 1).map(({ frame }) => ({ frame, note: 'said before its take-over' })),
  );
}

export const earlyPayload: ConformanceCase = {
  id: 'HOF-5.payload-before-take-over',
  clauses: ['HOF-5', 'REQ-4', 'BKD-2'],
  summary:
    "A write's payload meets the backend before it is told to take over: it draws nothing, and arrives in the end.",
  worlds: ['sim', 'linux'],
  options: { controlFaults: [{ kind: 'delay', match, nth: [1], ms: 500 }] },
  async run(context) {
    await expectWriteAndRead(context, [send(writeHeader(BODY)), pause(QUIET_MS), sendBody(BODY)], BODY);
  },
  afterwards: meetsNobody,
};

export const earlyPipelinedRequest = underFault(
  'HOF-5.pipelined-request-before-take-over',
  ['HOF-5', 'RET-7', 'BKD-3'],
  'A pipelined request is sent again and meets the backend before take-over: it draws nothing and is served later.',
  { kind: 'delay', match, nth: [1], ms: 1000 },
  {
    steps: [send(header('GET', '/a/8k') + header('GET', '/b/8k')), response(), response()],
    afterwards: meetsNobody,
  },
);

/** What a hand-off says of the negotiated options that the handshake does not: SYN and SYN-ACK, as the client saw them. */
function differences(snapshot: ConnectionSnapshot, syn: SeenSegment, answer: SeenSegment): string[] {
  const wrong: string[] = [];
  const compare = (what: string, got: unknown, wanted: unknown): void => {
    if (got !== wanted) wrong.push(`${what} ${got} instead of ${wanted}`);
  };
  // RFC 9293 §3.7.1: 536 without the option.
  compare('clientMss', snapshot.clientMss, findTcpOption(syn.options, 'mss')?.value ?? 536);
  compare('ownMss', snapshot.ownMss, findTcpOption(answer.options, 'mss')?.value ?? 536);
  const [theirs, ours] = [syn, answer].map(({ options }) => findTcpOption(options, 'window-scale')?.shift);
  const scaled = theirs !== undefined && ours !== undefined;
  compare("the client's window scale", snapshot.windowScale?.client, scaled ? theirs : undefined);
  compare('the own window scale', snapshot.windowScale?.own, scaled ? ours : undefined);
  compare('sackPermitted', snapshot.sackPermitted, findTcpOption(answer.options, 'sack-permitted') !== undefined);
  const stamped = findTcpOption(answer.options, 'timestamps') !== undefined;
  compare('timestamps', snapshot.timestamps !== null, stamped);
  return wrong;
}

export const handoffCarriesTheHandshake: ConformanceCase = {
  id: 'HOF-3.hand-off-says-what-the-wire-says',
  clauses: ['HOF-3'],
  summary: 'Addresses, ports, numbers and the request of every hand-off are those that the capture shows.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const results = await runAll(context, [
      script(...gets('/a/8k', '/b/8k', '/a/1k')),
      script(...gets('/b/64k', '/a/1')),
    ]);
    context.expectOk(results);
  },
  afterwards({ control, segments, topology, expect }) {
    const logical = logicalOf(topology);
    const handoffs = logged(control, 'handoff', 'sent', 'controller');
    expect(handoffs.length === 5, `expected five hand-offs in the control log, saw ${handoffs.length}`);
    for (const { t, message } of handoffs) {
      if (message.verb !== 'handoff') continue;
      const { conn, snapshot, request, handoff } = message;
      const client = `${conn.client.ip}:${conn.client.port}`;
      const which = `hand-off ${handoff}`;
      expect(
        `${conn.logical.ip}:${conn.logical.port}` === logical,
        `${which}: expected the logical address ${logical}`,
      );
      const own = segments.filter(
        ({ vantage, src, dst }) => vantage === 'client' && (src === client || dst === client),
      );
      const syn = own.find(isSyn);
      expect(syn !== undefined, `${which}: expected ${client} to be a client of the capture`);
      const sent = own.filter((s) => s.src === client && s.payload > 0 && s.t < BigInt(t));
      const header = Buffer.from(request.header, 'base64');
      // The client sends nothing behind its header here: what it expects to be acknowledged is where its stream ends.
      const last = sent.at(-1);
      const end = last === undefined ? undefined : seqAdd(last.seq, last.payload);
      expect(snapshot.ack === end, `${which}: expected ack ${end}, behind the header, got ${snapshot.ack}`);
      expect(
        header.length === last?.payload,
        `${which}: expected the ${last?.payload} bytes of the header, got ${header.length}`,
      );
      const behind = own.find((s) => s.dst === client && s.payload > 0 && s.t > BigInt(t));
      expect(
        behind?.seq === snapshot.seq,
        `${which}: expected seq ${behind?.seq}, where the response begins, got ${snapshot.seq}`,
      );
      const answer = own.find(isSynAck);
      if (syn === undefined || answer === undefined) continue;
      const wrong = differences(snapshot, syn, answer);
      const frames = [syn, answer].map(({ frame }) => ({ frame, note: 'the handshake' }));
      expect(
        wrong.length === 0,
        `${which}: expected what the handshake negotiated, got ${wrong.join(', ')}`,
        ...frames,
      );
    }
  },
};
