/** What control messages say of a connection, beside what its frames show: hand-offs (HOF-3) and reports (BKD-6). */
import type { ConnectionSnapshot, RequestDescription } from '../../reference-impl/control/messages.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { seqAdd, seqGt, seqLt } from '../../reference-impl/wire/seq.js';
import { type Connection, countBefore, type Exchange, type Negotiated, senderOf } from './connection.js';
import { endOf, isFlagged, optionOf, type Segment } from './decode.js';
import type { HandedExchange, Judged } from './judged.js';
import type { LoggedRequest } from './logged.js';
import type { Packet } from './packets.js';
import { between } from './rules.js';

/** A field of a message that is not what frames show. */
export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  /** By what frames. */
  readonly shownBy: readonly { readonly segment: Segment; readonly note: string }[];
  /** Of which part of a snapshot; absent for what is not in one. */
  readonly field?: keyof ConnectionSnapshot;
}

/** RFC 9112 §9.3: whether the request lets the connection go on behind its response. */
export function goesOn({ connection, request }: Exchange): boolean {
  const text = headerOf(connection, request);
  if (/^connection:.*\bclose\b/im.test(text)) return false;
  return !/ HTTP\/1\.0\r?\n/.test(text) || /^connection:.*\bkeep-alive\b/im.test(text);
}

function headerOf({ clientStream }: Connection, { start, headerEnd }: Exchange['request']): string {
  return Buffer.from(clientStream.read(start, headerEnd - start)).toString('latin1');
}

/** Compares as text. */
class Comparison {
  readonly differences: Difference[] = [];

  expect(
    what: string,
    expected: string | number | boolean,
    seen: string | number | boolean,
    shownBy: Difference['shownBy'] = [],
    field?: keyof ConnectionSnapshot,
  ): void {
    if (`${expected}` !== `${seen}`)
      this.differences.push({ what, expected: `${expected}`, seen: `${seen}`, shownBy, ...(field && { field }) });
  }
}

/** What the handshake settled is the same for every owner. The controller hands on the SYN that it got, whatever became of it on the way (SWT-3). */
function compareSettled(
  compared: Comparison,
  { packets }: Connection,
  start: Negotiated,
  snapshot: ConnectionSnapshot,
): void {
  const { synAck } = start;
  const arrivals = packets.find(({ head }) => head === start.syn)?.arrivals ?? [];
  const syn = arrivals.find(({ vantage }) => vantage === 'controller') ?? start.syn;
  const both = (kind: 'sack-permitted' | 'timestamps'): boolean =>
    optionOf(syn, kind) !== undefined && optionOf(synAck, kind) !== undefined;
  const handshake = [
    { segment: syn, note: 'the SYN' },
    { segment: synAck, note: 'the SYN-ACK' },
  ];
  const mine = optionOf(syn, 'window-scale');
  const theirs = optionOf(synAck, 'window-scale');
  const scales = mine !== undefined && theirs !== undefined ? `${Math.min(mine.shift, 14)}/${theirs.shift}` : 'none';
  const { windowScale: seen } = snapshot;
  compared.expect('client MSS', optionOf(syn, 'mss')?.value ?? 536, snapshot.clientMss, handshake, 'clientMss');
  compared.expect('own MSS', optionOf(synAck, 'mss')?.value ?? 536, snapshot.ownMss, handshake, 'ownMss');
  const scalesSeen = seen === null ? 'none' : `${seen.client}/${seen.own}`;
  compared.expect('window scales', scales, scalesSeen, handshake, 'windowScale');
  compared.expect('SACK-permitted', both('sack-permitted'), snapshot.sackPermitted, handshake, 'sackPermitted');
  compared.expect('timestamps', both('timestamps'), snapshot.timestamps !== null, handshake, 'timestamps');
}

/** The client's window is one that it has told by then; a stale one is a matter of what was lost. */
function compareWindow(
  compared: Comparison,
  connection: Connection,
  start: Negotiated,
  snapshot: ConnectionSnapshot,
  t: number,
): void {
  const { toServer } = connection;
  const told = countBefore(toServer, ({ head }) => head.t <= t);
  const last = toServer[told - 1]?.head;
  for (let i = told - 1; i >= 0; i--) {
    const head = toServer[i]?.head;
    if (head === undefined) break;
    const window = isFlagged(head, 'SYN') ? head.window : head.window * 2 ** start.clientScale;
    if (window === snapshot.clientWindow) return;
  }
  if (last === undefined) return;
  const expected = isFlagged(last, 'SYN') ? last.window : last.window * 2 ** start.clientScale;
  const shownBy = [{ segment: last, note: `window ${last.window}, scaled ${expected}` }];
  compared.expect('client window', expected, snapshot.clientWindow, shownBy, 'clientWindow');
}

/** More than this ahead of any clock is no time stamp of this connection. */
const FAR_AHEAD = 1 << 24;

/** `sent`: the owner's last stamp; `heard`: the client's stamps so far. */
function compareStamps(
  compared: Comparison,
  timestamps: ConnectionSnapshot['timestamps'],
  { sent, heard, first, known }: ReturnType<Stamps['before']>,
  t: number,
): void {
  if (timestamps === null) return;
  const value = sent && optionOf(sent.head, 'timestamps')?.value;
  if (sent !== undefined && value !== undefined) {
    const shownBy = [{ segment: sent.head, note: `TSval ${value}` }];
    // The fastest clock there is ticks in microseconds.
    const most = seqAdd(value, FAR_AHEAD + Math.floor(Math.max(0, t - sent.head.t) / 1000));
    if (seqLt(timestamps.value, value))
      compared.expect('a timestamp of at least', value, timestamps.value, shownBy, 'timestamps');
    else if (seqGt(timestamps.value, most))
      compared.expect('a timestamp near', value, timestamps.value, shownBy, 'timestamps');
  }
  if (heard === undefined || first === undefined) return;
  const { recent } = timestamps;
  const shownBy = [{ segment: heard, note: 'the latest TSval of the client' }];
  const latest = optionOf(heard, 'timestamps')?.value ?? 0;
  if (seqGt(recent, latest) || seqLt(recent, first) || !known(recent))
    compared.expect('latest timestamp of the client', latest, recent, shownBy, 'timestamps');
}

const handoffs = new WeakMap<HandedExchange, readonly Difference[]>();

/** What the hand-off message of an exchange says that frames do not; found once. */
export function handoffDifferences(judged: Judged, exchange: HandedExchange): readonly Difference[] {
  let found = handoffs.get(exchange);
  if (found === undefined) {
    found = compareHandoff(judged, exchange);
    handoffs.set(exchange, found);
  }
  return found;
}

/** The message, if it is one of this exchange's and the start of its connection is known. */
function messageOf({ connection, handoff }: HandedExchange) {
  const told = handoff.log?.handoff;
  const { start } = connection;
  return told?.message.verb === 'handoff' && start !== undefined ? { told, message: told.message, start } : undefined;
}

/** Where a backend was told something else than frames show, what it does with that is not its fault. */
export function misled(judged: Judged, exchange: HandedExchange): LoggedRequest | undefined {
  return handoffDifferences(judged, exchange).length > 0 ? exchange.handoff.log?.handoff : undefined;
}

function compareHandoff(judged: Judged, exchange: HandedExchange): Difference[] {
  const found = messageOf(exchange);
  if (found === undefined) return [];
  const { told, message, start } = found;
  const { connection, request, begins, index } = exchange;
  const { conn, snapshot } = message;
  const compared = new Comparison();
  const { logicalIp, logicalPort } = judged.hosts;
  compared.expect('client', connection.client, `${conn.client.ip}:${conn.client.port}`);
  const logical = `${formatIpv4Address(logicalIp)}:${logicalPort}`;
  compared.expect('logical address', logical, `${conn.logical.ip}:${conn.logical.port}`);
  compareSettled(compared, connection, start, snapshot);
  // What the controller acknowledged wrongly is REQ-2's; it may hand that on.
  const acks = between(connection.toClient, begins, told.t).filter((packet) => senderOf(packet) === 'controller');
  const acknowledged = acks.at(-1)?.head.ack;
  const ack = snapshot.ack === acknowledged ? acknowledged : seqAdd(start.syn.seq, 1 + request.headerEnd);
  const header = exchange.headerAt ? [{ segment: exchange.headerAt, note: 'the header is whole' }] : [];
  const begun = sentBefore(connection, exchange, told.t);
  if (begun !== undefined)
    compared.expect('seq', seqAdd(start.synAck.seq, 1 + begun.offset), snapshot.seq, begun.shownBy, 'seq');
  compared.expect('ack', ack, snapshot.ack, header, 'ack');
  compareWindow(compared, connection, start, snapshot, told.t);
  compareStamps(compared, snapshot.timestamps, stampsOf(connection).before(told.t, judged), told.t);
  compareRequest(compared, exchange, message.request, header);
  const bound = judged.topology.bounds?.handoffMs ?? DEFAULT_BOUND_MS;
  if (message.leaseMs !== undefined && message.leaseMs > bound)
    compared.expect('a lease of at most', bound, message.leaseMs);
  // What the backend before reported is handed on in good faith: that is BKD-6's.
  const misreported = misreportedBefore(judged, connection, index);
  const before = connection.exchanges[index - 1]?.handoff?.log?.report?.message;
  const reported = before?.verb === 'complete' ? before.snapshot : undefined;
  return compared.differences.filter(
    (one) => one.field === undefined || (!misreported && !inherited(one, snapshot, reported)),
  );
}

/** The declared bound where the topology has none (ERR-2). */
const DEFAULT_BOUND_MS = 60_000;

interface Reports {
  /** Exchanges before this one have been looked at. */
  readonly checked: number;
  readonly wrong: boolean;
}

const reportsByConnection = new WeakMap<Connection, Reports>();

/** Whether an earlier report said something else than frames: from there on the controller goes by it. */
function misreportedBefore(judged: Judged, connection: Connection, index: number): boolean {
  let { checked, wrong } = reportsByConnection.get(connection) ?? { checked: 0, wrong: false };
  for (; checked < index && !wrong; checked++) {
    const exchange = connection.exchanges[checked];
    wrong = exchange !== undefined && isHanded(exchange) && reportDifferences(judged, exchange).length > 0;
  }
  reportsByConnection.set(connection, { checked, wrong });
  return wrong && checked <= index;
}

function isHanded(exchange: Exchange): exchange is HandedExchange {
  return exchange.handoff !== undefined;
}

function inherited({ field }: Difference, own: ConnectionSnapshot, before: ConnectionSnapshot | undefined): boolean {
  return field !== undefined && before !== undefined && JSON.stringify(own[field]) === JSON.stringify(before[field]);
}

/** The offset at which an owner that is told at `t` goes on: behind all that was sent to the client by then. */
function sentBefore(
  connection: Connection,
  { response, handoff }: HandedExchange,
  t: number,
): { readonly offset: number; readonly shownBy: Difference['shownBy'] } | undefined {
  const steps = progressOf(connection);
  const last = steps[countBefore(steps, (segment) => segment.t <= t) - 1];
  const offset = last === undefined ? 0 : endOf(last);
  // A frame that the captures missed shows in where the response begins.
  if (response !== undefined && response.start > offset) return { offset: response.start, shownBy: [] };
  const first = handoff.first;
  const shownBy = [
    ...(last ? [{ segment: last, note: 'the last bytes before' }] : []),
    ...(first ? [{ segment: first, note: `${handoff.backend} goes on` }] : []),
  ];
  return { offset, shownBy };
}

const progress = new WeakMap<Connection, readonly Segment[]>();

/** The segments that brought the servers' stream further, in order. */
function progressOf(connection: Connection): readonly Segment[] {
  const known = progress.get(connection);
  if (known !== undefined) return known;
  const steps: Segment[] = [];
  for (const { head } of connection.toClient) {
    if (head.length === 0 || isFlagged(head, 'SYN') || Number.isNaN(head.offset)) continue;
    const last = steps.at(-1);
    if (last === undefined || endOf(head) > endOf(last)) steps.push(head);
  }
  progress.set(connection, steps);
  return steps;
}

function compareRequest(
  compared: Comparison,
  exchange: HandedExchange,
  told: RequestDescription,
  shownBy: Difference['shownBy'],
): void {
  const { connection, request } = exchange;
  const text = headerOf(connection, request);
  compared.expect('method', request.method, told.method, shownBy);
  compared.expect('target', request.target, told.target, shownBy);
  if (Buffer.from(told.header, 'base64').toString('latin1') !== text) {
    const length = Buffer.from(told.header, 'base64').length;
    compared.expect('request header', `the ${text.length} bytes of the client's`, `${length} others`, shownBy);
  }
  const length = /^content-length:\s*(\d+)/im.exec(text)?.[1] ?? '0';
  const { payload } = told;
  const saidPayload = payload.kind === 'chunked' ? 'chunked' : `${payload.bytes} bytes`;
  compared.expect('payload', request.chunked ? 'chunked' : `${Number(length)} bytes`, saidPayload, shownBy);
  compared.expect('expectContinue', request.expectContinue, told.expectContinue, shownBy);
  compared.expect('keepAlive', goesOn(exchange), told.keepAlive, shownBy);
  compared.expect('HTTP minor version', / HTTP\/1\.0\r?\n/.test(text) ? 0 : 1, told.minorVersion, shownBy);
}

/** What a report of completion says beside its numbers that frames do not. */
export function reportDifferences(judged: Judged, exchange: HandedExchange): readonly Difference[] {
  const report = exchange.handoff.log?.report;
  const { connection, response, handoff } = exchange;
  const { start } = connection;
  if (report?.message.verb !== 'complete' || start === undefined || misled(judged, exchange)) return [];
  const { snapshot, keepAlive } = report.message;
  const compared = new Comparison();
  compareSettled(compared, connection, start, snapshot);
  compareWindow(compared, connection, start, snapshot, report.t);
  compareStamps(compared, snapshot.timestamps, stampsOf(connection).before(report.t, judged), report.t);
  const last = handoff.last ? [{ segment: handoff.last, note: 'the response' }] : [];
  // HTTP/1.0 ends without saying so.
  if (response !== undefined && (response.close || goesOn(exchange)))
    compared.expect('keepAlive', !response.close, keepAlive, last);
  const told = handoff.log?.handoff.message;
  const given = told?.verb === 'handoff' ? told.snapshot : undefined;
  return compared.differences.filter((one) => !inherited(one, snapshot, given));
}

/** Time stamps of a connection by time, found once: a connection may be handed off thousands of times. */
class Stamps {
  readonly #sent: readonly Packet[];
  /** When a later stamp of the client than any before was seen first, in order. */
  readonly #heard: Segment[] = [];
  readonly #values = new Set<number>();
  readonly #first: number | undefined;

  constructor({ toClient, toServer }: Connection) {
    this.#sent = toClient.filter(({ head }) => optionOf(head, 'timestamps') !== undefined);
    for (const { head } of toServer) {
      const stamp = optionOf(head, 'timestamps')?.value;
      if (stamp === undefined) continue;
      this.#values.add(stamp);
      this.#first ??= stamp;
      const last = this.#heard.at(-1);
      if (last === undefined || seqGt(stamp, optionOf(last, 'timestamps')?.value ?? 0)) this.#heard.push(head);
    }
  }

  /** What was sent to the client last, and the client's stamps, at `t`. */
  before(t: number, judged: Judged) {
    const complete = !judged.missedFrames('client');
    return {
      sent: this.#sent[countBefore(this.#sent, (packet) => packet.head.t <= t) - 1],
      heard: this.#heard[countBefore(this.#heard, (one) => one.t <= t) - 1],
      first: this.#first,
      known: (stamp: number): boolean => !complete || this.#values.has(stamp),
    };
  }
}

const stampsByConnection = new WeakMap<Connection, Stamps>();

function stampsOf(connection: Connection): Stamps {
  const stamps = stampsByConnection.get(connection) ?? new Stamps(connection);
  stampsByConnection.set(connection, stamps);
  return stamps;
}

/** The connection whose header and numbers a hand-off carries under another client's name; undefined where it names its own. */
export function meantBy(judged: Judged, named: Connection | undefined, told: LoggedRequest): Connection | undefined {
  const { message } = told;
  if (message.verb !== 'handoff' || named?.exchanges.some(({ handoff }) => handoff?.log?.handoff === told))
    return undefined;
  const header = Buffer.from(message.request.header, 'base64').toString('latin1');
  return judged.connections.find(
    (connection) =>
      connection !== named &&
      connection.exchanges.some(
        ({ request }) =>
          connection.start !== undefined &&
          message.snapshot.ack === seqAdd(connection.start.syn.seq, 1 + request.headerEnd) &&
          headerOf(connection, request) === header,
      ),
  );
}
