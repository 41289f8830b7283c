/** Packets to connections: handshake, byte streams, requests and responses, and who owned the connection when. */
import { type Seq, seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import { Acceptance } from './acceptable.js';
import { endOf, type Hosts, isFlagged, optionOf, type Segment } from './decode.js';
import { type Read, type RequestMessage, type ResponseMessage, readRequest, readResponse } from './http.js';
import type { ControlLog, LoggedRequest } from './logged.js';
import type { Packet } from './packets.js';
import { byTime } from './packets.js';
import { AckRecord, ByteStream, RangeIndex } from './stream.js';

/** What the handshake settled. */
export interface Negotiated {
  readonly syn: Segment;
  readonly synAck: Segment;
  /** Largest segment the client takes: its option, 536 without one (RFC 9293 §3.7.1). */
  readonly clientMss: number;
  /** The shift of the client's windows; 0 unless both offered scaling. */
  readonly clientScale: number;
  readonly timestamps: boolean;
  /** By the client's SYN: whether it may be sent SACK blocks. */
  readonly sackPermitted: boolean;
}

export interface Handoff {
  /** The backend that took over. */
  readonly backend: string;
  /** How it is known. */
  readonly shownBy: 'its segments' | 'the control log' | "the client's segments";
  /** The backend's first segment for this request. */
  readonly first: Segment | undefined;
  /** The first of its segments to reach the client. */
  readonly firstAtClient: Segment | undefined;
  /** Its last one as the owner. */
  readonly last: Segment | undefined;
  /** The acknowledgement of the whole response, as it reached the backend's link. */
  readonly done: Segment | undefined;
  /** When that acknowledgement was first seen anywhere; Infinity when it was not. */
  readonly doneFrom: number;
  /** The controller's first segment after it. */
  readonly takenBack: Segment | undefined;
  /** When the client first heard from the controller again. */
  readonly takenBackAtClient: Segment | undefined;
  /** The first sign that the backend's ownership was cut short or over: a controller's segment, its report, the rules' removal. */
  readonly interrupted: number;
  /** Up to here the backend certainly owned the connection and the rules had to be in force. */
  readonly until: number;
  readonly log: HandoffLog | undefined;
}

export interface HandoffLog {
  readonly handoff: LoggedRequest;
  /** `complete` or `failed`. */
  readonly report: LoggedRequest | undefined;
  /** The first `remove` after it. */
  readonly remove: LoggedRequest | undefined;
}

export interface Exchange {
  readonly connection: Connection;
  /** From 0. */
  readonly index: number;
  readonly request: RequestMessage;
  readonly response: ResponseMessage | undefined;
  /** The segment that completed the header on the controller's link. */
  readonly headerAt: Segment | undefined;
  /** The segment with which the client had sent all of the header. */
  readonly headerSent: Segment | undefined;
  /** Before this nobody can have begun to serve it: header complete, request before it served. */
  readonly begins: number;
  /** What the servers sent for it, in order of sending. */
  readonly packets: readonly Packet[];
  readonly handoff: Handoff | undefined;
}

export interface Connection {
  /** `address:port` of the client, `#2` and so on for later connections of that port. */
  readonly name: string;
  readonly client: string;
  /** Undefined while the start is not in the captures: then nothing is known of its streams. */
  readonly start: Negotiated | undefined;
  /** First and last moment, the latter open-ended when no later connection has the same port. */
  readonly from: number;
  readonly to: number;
  /** All of them. */
  readonly packets: readonly Packet[];
  /** Up to here it is known which request what belongs to. */
  readonly knownTo: number;
  /** Those of the known part, by direction. */
  readonly toServer: readonly Packet[];
  readonly toClient: readonly Packet[];
  readonly exchanges: readonly Exchange[];
  /** Why the requests behind the last exchange cannot be told apart, if there are any. */
  readonly unread: string | undefined;
  readonly clientStream: ByteStream;
  readonly serverStream: ByteStream;
  /** Acknowledgements as the client sent them. */
  readonly acksSent: AckRecord;
  /** Acknowledgements as they reached a server's link. */
  readonly acksAt: ReadonlyMap<string, AckRecord>;
  /** The client's data as it was sent. */
  readonly dataSent: RangeIndex;
  /** The client's data as it reached a server's link. */
  readonly dataAt: ReadonlyMap<string, RangeIndex>;
  /** What the servers sent. */
  readonly serverData: RangeIndex;
  /** What the servers acknowledged. */
  readonly serverAcks: AckRecord;
  /** The client's FIN: its number's offset and the first segment with it. */
  readonly clientFin: { readonly offset: number; readonly segment: Segment } | undefined;
  /** The segment that ended it: a reset, or the acknowledgement of the second FIN. */
  readonly ended: Segment | undefined;
  readonly log: readonly LoggedRequest[];
}

/** The server that sent a packet; undefined when no vantage saw it being sent. */
export function senderOf(packet: Packet): string | undefined {
  const vantage = packet.sent?.vantage;
  return packet.head.towards === 'client' && vantage !== 'client' ? vantage : undefined;
}

export function isBackend(vantage: string | undefined): vantage is string {
  return vantage?.startsWith('backend') === true;
}

/** A receiver takes it for what it says. */
export function isSound(segment: Segment): boolean {
  return segment.checksums !== 'wrong' && segment.acceptable;
}

/** `earlier`: how many connections of a client's port were judged before these. */
export function connectionsOf(
  packets: readonly Packet[],
  hosts: Hosts,
  log: ControlLog | undefined,
  earlier: ReadonlyMap<string, { readonly count: number }> = new Map(),
): Connection[] {
  const groups = new Map<string, Packet[]>();
  for (const packet of packets) {
    const list = groups.get(packet.head.client);
    if (list) list.push(packet);
    else groups.set(packet.head.client, [packet]);
  }
  const connections: Connection[] = [];
  for (const [client, group] of groups) {
    const incarnations = splitIncarnations(group);
    const before = earlier.get(client)?.count ?? 0;
    for (const [index, { syn, synAck, packets: own }] of incarnations.entries()) {
      const name = index + before === 0 ? client : `${client}#${index + before + 1}`;
      const from = own[0]?.head.t ?? 0;
      const to = incarnations[index + 1]?.packets[0]?.head.t ?? Number.POSITIVE_INFINITY;
      // Where the captures begin in the middle of a connection, what was said before belongs to it.
      const since = index + before === 0 && syn === undefined ? Number.NEGATIVE_INFINITY : from;
      const logged = (log?.byClient.get(client) ?? []).filter((request) => request.t >= since && request.t < to);
      const start = negotiate(syn, synAck);
      connections.push(buildConnection({ name, client, start, from, to, packets: own, log: logged }, hosts));
    }
  }
  return connections;
}

interface Incarnation {
  readonly syn: Segment | undefined;
  readonly synAck: Segment | undefined;
  readonly packets: Packet[];
}

/** A SYN with a new initial number begins a new connection when it was answered, or when the one before it had ended. */
function splitIncarnations(group: readonly Packet[]): Incarnation[] {
  const answers = new Map<Seq, Segment>();
  for (const { head } of group) {
    if (head.towards === 'client' && isFlagged(head, 'SYN') && isFlagged(head, 'ACK') && isSound(head)) {
      if (!answers.has(head.ack)) answers.set(head.ack, head);
    }
  }
  const incarnations: Incarnation[] = [];
  let current: Incarnation | undefined;
  let fins = 0;
  let ended = true;
  for (const packet of group) {
    const { head } = packet;
    const opens = head.towards === 'server' && isFlagged(head, 'SYN') && !isFlagged(head, 'ACK') && isSound(head);
    const synAck = answers.get(seqAdd(head.seq, 1));
    if (opens && head.seq !== current?.syn?.seq && (current === undefined || ended || synAck !== undefined)) {
      current = { syn: head, synAck, packets: [] };
      incarnations.push(current);
      fins = 0;
      ended = false;
    } else if (current === undefined) {
      current = { syn: undefined, synAck: undefined, packets: [] };
      incarnations.push(current);
      ended = false;
    }
    if (isFlagged(head, 'RST')) ended = true;
    if (isFlagged(head, 'FIN')) fins |= head.towards === 'server' ? 1 : 2;
    if (fins === 3) ended = true;
    current.packets.push(packet);
  }
  return incarnations;
}

/** A SYN is repeated after more (RFC 6298 §2), and clocks of two files that were brought together differ by less. */
const SYN_APART_NS = 100e6;

function negotiate(syn: Segment | undefined, synAck: Segment | undefined): Negotiated | undefined {
  if (syn === undefined || synAck === undefined) return undefined;
  // The capture began between the two: this SYN is a later one, and what it says was not negotiated.
  if (synAck.t < syn.t - (synAck.file === syn.file ? 0 : SYN_APART_NS)) return undefined;
  const scale = optionOf(syn, 'window-scale');
  const scaling = scale !== undefined && optionOf(synAck, 'window-scale') !== undefined;
  return {
    syn,
    synAck,
    clientMss: optionOf(syn, 'mss')?.value ?? 536,
    clientScale: scaling ? Math.min(scale.shift, 14) : 0,
    timestamps: optionOf(syn, 'timestamps') !== undefined && optionOf(synAck, 'timestamps') !== undefined,
    sackPermitted: optionOf(syn, 'sack-permitted') !== undefined,
  };
}

/** No window is larger (RFC 7323 §2.3); a number further ahead is no progress of the stream. */
const MAX_AHEAD = 1 << 30;

/** Gives every segment its place in the streams. */
function placeSegments(packets: readonly Packet[], start: Negotiated): void {
  const first = { server: seqAdd(start.syn.seq, 1), client: seqAdd(start.synAck.seq, 1) };
  const near = { server: 0, client: 0 };
  const acceptance = new Acceptance();
  const unwrap = (number: Seq, towards: 'server' | 'client'): number =>
    near[towards] + seqDiff(number, seqAdd(first[towards], near[towards]));
  for (const { sent, arrivals } of packets) {
    for (const segment of sent ? [sent, ...arrivals] : arrivals) {
      const { towards } = segment;
      segment.offset = unwrap(segment.seq, towards);
      segment.acked = isFlagged(segment, 'ACK')
        ? unwrap(segment.ack, towards === 'server' ? 'client' : 'server')
        : Number.NaN;
    }
    const head = sent ?? arrivals[0];
    // What was only seen arriving may have been sent before what the server had sent by then.
    if (sent?.vantage === 'client' && !acceptance.accepts(sent))
      for (const segment of [sent, ...arrivals]) segment.acceptable = false;
    else if (head?.towards === 'client') acceptance.accepts(head);
    if (
      head !== undefined &&
      isSound(head) &&
      head.offset > near[head.towards] &&
      head.offset < near[head.towards] + MAX_AHEAD / 16
    ) {
      near[head.towards] = head.offset;
    }
  }
}

function getOrAdd<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

interface Draft {
  readonly name: string;
  readonly client: string;
  readonly start: Negotiated | undefined;
  readonly from: number;
  readonly to: number;
  readonly packets: readonly Packet[];
  readonly log: readonly LoggedRequest[];
}

/** Where a connection stops being readable. */
interface Break {
  readonly reason: string;
  readonly knows: (t: number) => boolean;
  /** The last moment that is known. */
  readonly t: number;
}

function buildConnection(draft: Draft, hosts: Hosts): Connection {
  const { start, packets } = draft;
  if (start !== undefined) placeSegments(packets, start);
  const whole = readConnection(draft, undefined, hosts);
  const broken = start && findBreak(whole);
  return broken === undefined ? whole : readConnection(draft, broken, hosts);
}

function readConnection(draft: Draft, broken: Break | undefined, hosts: Hosts): Connection {
  const { start } = draft;
  const known = broken === undefined ? draft.packets : draft.packets.filter(({ head }) => broken.knows(head.t));
  const toServer = known.filter(({ head }) => head.towards === 'server');
  const toClient = known.filter(({ head }) => head.towards === 'client');
  const clientStream = new ByteStream();
  const serverStream = new ByteStream();
  const acksSent = new AckRecord();
  const acksAt = new Map<string, AckRecord>();
  const dataSent = new RangeIndex();
  const dataAt = new Map<string, RangeIndex>();
  const serverData = new RangeIndex();
  const serverAcks = new AckRecord();
  const exchanges: Exchange[] = [];
  const connection = {
    ...draft,
    knownTo: broken?.t ?? Number.POSITIVE_INFINITY,
    toServer,
    toClient,
    exchanges,
    unread: broken?.reason,
    clientStream,
    serverStream,
    acksSent,
    acksAt,
    dataSent,
    dataAt,
    serverData,
    serverAcks,
    clientFin: undefined as Connection['clientFin'],
    ended: endOfConnection(draft.packets),
  };
  if (start === undefined) return connection;

  const frames = known.flatMap(({ sent, arrivals }) => (sent ? [sent, ...arrivals] : arrivals));
  // As sent before as arrived, so that an altered copy never counts for the original.
  for (const frame of [...frames].sort((a, b) => rank(a) - rank(b) || byTime(a, b))) {
    if (!isSound(frame) || isFlagged(frame, 'SYN') || frame.length === 0) continue;
    (frame.towards === 'server' ? clientStream : serverStream).insert(frame.offset, frame.payload);
  }
  let serverFin: number | undefined;
  for (const frame of frames.sort(byTime)) {
    if (!isSound(frame) || isFlagged(frame, 'SYN')) continue;
    const fin = isFlagged(frame, 'FIN');
    if (frame.towards === 'client') {
      if (fin) serverFin ??= frame.offset + frame.length;
      if (frame.direction === 'sent') {
        serverData.add(frame);
        serverAcks.add(frame);
      }
      continue;
    }
    if (fin && connection.clientFin === undefined) {
      connection.clientFin = { offset: frame.offset + frame.length, segment: frame };
    }
    if (frame.direction === 'sent') {
      acksSent.add(frame);
      dataSent.add(frame);
    } else {
      getOrAdd(acksAt, frame.vantage, () => new AckRecord()).add(frame);
      getOrAdd(dataAt, frame.vantage, () => new RangeIndex()).add(frame);
    }
  }

  const requests: RequestMessage[] = [];
  for (let at: number | undefined = 0; at !== undefined; ) {
    const read: Read<RequestMessage> = readRequest(clientStream, at);
    if (read.kind !== 'message') {
      if (read.kind === 'unreadable') connection.unread ??= read.reason;
      break;
    }
    requests.push(read.message);
    at = read.message.end;
  }
  const responses: (ResponseMessage | undefined)[] = [];
  let from: number | undefined = 0;
  for (const request of requests) {
    const read: Read<ResponseMessage> =
      from === undefined ? { kind: 'none' } : readResponse(serverStream, from, request.method, serverFin);
    const response: ResponseMessage | undefined = read.kind === 'message' ? read.message : undefined;
    responses.push(response);
    from = response?.end;
  }
  exchanges.push(...buildExchanges(connection, requests, responses, hosts));
  return connection;
}

/** The first point from which on requests and responses cannot be matched: bytes that no frame shows, or that were acknowledged and never served. */
function findBreak(connection: Connection): Break | undefined {
  const { exchanges, toServer, toClient, clientStream, serverStream } = connection;
  // What the client acknowledged was sent, whether a frame shows it or not.
  const serverEnd = Math.max(dataEnd(toClient), acknowledgedData(connection));
  let response = 0;
  for (const [index, exchange] of exchanges.entries()) {
    const { begins, connection: own } = exchange;
    const end = exchange.response?.end;
    const hole = serverStream.contiguousEnd(response);
    // A hole that the client waits at is none of the captures'.
    const bridged = acknowledgedFrom(own, hole + 1) < Number.POSITIVE_INFINITY;
    if (end === undefined && hole < serverEnd && bridged && !exchange.response?.untilClose) {
      const reason = `the response to request ${index + 1} of ${own.name} is not whole in the captures`;
      return { reason, knows: (t) => t < begins, t: begins };
    }
    const over = overAcknowledged(exchange);
    const done = end === undefined ? Number.POSITIVE_INFINITY : acknowledgedFrom(own, end);
    if (over !== undefined && done < Number.POSITIVE_INFINITY) {
      const reason = `more than a request was acknowledged in frame ${over.number} of ${over.capture}`;
      return { reason, knows: (t) => t <= done, t: done };
    }
    response = end ?? response;
  }
  const last = exchanges.at(-1);
  const lastEnd = last === undefined ? 0 : last.request.end;
  const unread = lastEnd ?? last?.request.headerEnd ?? 0;
  const hole = clientStream.contiguousEnd(unread) < dataEnd(toServer);
  if (!hole && connection.unread === undefined) return undefined;
  const sign = firstSign(connection, unread);
  const lastResponse = last?.response?.end;
  const done =
    last === undefined
      ? Number.NEGATIVE_INFINITY
      : lastResponse === undefined
        ? Number.POSITIVE_INFINITY
        : acknowledgedFrom(connection, lastResponse);
  if (sign === Number.POSITIVE_INFINITY || done === Number.POSITIVE_INFINITY) return undefined;
  const reason =
    connection.unread ?? `the request at byte ${unread} of the client's stream is not whole in the captures`;
  return { reason, knows: (t) => t <= done || t < sign, t: Math.max(done, sign) };
}

/** Behind the last payload byte on the wire. */
function dataEnd(packets: readonly Packet[]): number {
  let end = 0;
  for (const { head } of packets) {
    if (head.length > 0 && isSound(head) && !isFlagged(head, 'SYN')) end = Math.max(end, head.offset + head.length);
  }
  return end;
}

/** Up to where the client acknowledged the server's data, its FIN left out. */
function acknowledgedData({ toServer, toClient }: Connection): number {
  const fin = toClient.find(({ head }) => isFlagged(head, 'FIN') && isSound(head))?.head;
  let end = 0;
  for (const { head } of toServer) {
    if (head.acked > end && isSound(head) && !isFlagged(head, 'RST')) end = head.acked;
  }
  return fin === undefined ? end : Math.min(end, fin.offset + fin.length);
}

/** When a byte of the client's stream from `offset` on, or its acknowledgement, first shows. */
function firstSign({ toServer, toClient }: Connection, offset: number): number {
  const sent = toServer.find(({ head }) => head.length > 0 && isSound(head) && head.offset + head.length > offset);
  const acked = toClient.find(({ head }) => isSound(head) && head.acked > offset);
  return Math.min(sent?.head.t ?? Number.POSITIVE_INFINITY, acked?.head.t ?? Number.POSITIVE_INFINITY);
}

/**
 * The first segment by which a server acknowledged more than the header, for a write more than the request, while it was handed
 * off. Whoever repeats such an acknowledgement only continues from it.
 */
export function overAcknowledged({ connection, request, handoff, begins }: Exchange): Segment | undefined {
  if (handoff === undefined) return undefined;
  const end = request.kind === 'write' ? (request.end ?? Number.POSITIVE_INFINITY) : request.headerEnd;
  const over = connection.serverAcks.covering(end + (connection.clientFin?.offset === end ? 2 : 1));
  // Without the end of the response nobody knows when the controller may go on, unless it speaks again for good.
  const until = Math.min(handoff.doneFrom, handoff.takenBack?.t ?? Number.POSITIVE_INFINITY);
  return over !== undefined && over.t >= begins && over.t < until ? over : undefined;
}

function rank(segment: Segment): number {
  return segment.direction === 'sent' ? 0 : 1;
}

/** A reset that ended it, or the segment by which both FINs are acknowledged. */
function endOfConnection(packets: readonly Packet[]): Segment | undefined {
  const spoken = packets.findLast(({ head }) => head.towards === 'server' && !isFlagged(head, 'RST'))?.head.t;
  let clientFin: Seq | undefined;
  let serverFin: Seq | undefined;
  let clientFinAcked = false;
  let serverFinAcked = false;
  for (const { head, arrivals } of packets) {
    if (!isSound(head)) continue;
    if (isFlagged(head, 'RST')) {
      // A client that goes on speaking did not take the reset, or did not mean it.
      const taken = head.towards === 'server' ? head : (arrivals.find(({ vantage }) => vantage === 'client') ?? head);
      if (spoken === undefined || spoken <= taken.t) return taken;
      continue;
    }
    const behind = seqAdd(head.seq, head.length + 1);
    const acknowledges = (fin: Seq | undefined): boolean =>
      fin !== undefined && isFlagged(head, 'ACK') && seqDiff(head.ack, fin) >= 0;
    if (head.towards === 'server') {
      if (isFlagged(head, 'FIN')) clientFin ??= behind;
      serverFinAcked ||= acknowledges(serverFin);
    } else {
      if (isFlagged(head, 'FIN')) serverFin ??= behind;
      clientFinAcked ||= acknowledges(clientFin);
    }
    if (clientFinAcked && serverFinAcked) return head;
  }
  return undefined;
}

/** How many of the items, which are in the order of `before`, satisfy it. */
export function countBefore<T>(items: readonly T[], before: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    const item = items[mid];
    if (item !== undefined && before(item)) low = mid + 1;
    else high = mid;
  }
  return low;
}

function buildExchanges(
  connection: Connection,
  requests: readonly RequestMessage[],
  responses: readonly (ResponseMessage | undefined)[],
  hosts: Hosts,
): Exchange[] {
  const controllerData = connection.dataAt.get('controller');
  const drafts = requests.map((request, index) => ({
    request,
    index,
    response: responses[index],
    headerAt: controllerData?.completes(request.start, request.headerEnd),
    headerSent: connection.dataSent.completes(request.start, request.headerEnd),
    begins: Number.NEGATIVE_INFINITY,
    packets: [] as Packet[],
  }));
  let served = Number.NEGATIVE_INFINITY;
  for (const draft of drafts) {
    const header = draft.headerAt?.t ?? draft.headerSent?.t ?? Number.NEGATIVE_INFINITY;
    draft.begins = Math.max(served, header);
    const end = draft.response?.end;
    served = end === undefined ? Number.POSITIVE_INFINITY : acknowledgedFrom(connection, end);
  }
  for (const packet of connection.toClient) {
    const { head } = packet;
    if (isFlagged(head, 'SYN')) continue;
    const answered =
      head.length > 0
        ? countBefore(drafts, ({ response }) => response !== undefined && response.start <= head.offset)
        : 0;
    const carries = head.offset < (drafts[answered - 1]?.response?.end ?? Number.POSITIVE_INFINITY);
    let begun = countBefore(drafts, ({ begins }) => begins <= head.t);
    // Who owns the connection for a request acknowledges its header at least.
    while (begun > 1 && head.acked < (drafts[begun - 1]?.request.headerEnd ?? 0)) begun--;
    drafts[Math.max(carries ? answered : 0, begun, 1) - 1]?.packets.push(packet);
  }
  const logs = handoffLogs(connection, requests);
  const fromController = connection.toClient.filter((packet) => senderOf(packet) === 'controller');
  return drafts.map((draft, index): Exchange => {
    const next = drafts[index + 1]?.begins ?? Number.POSITIVE_INFINITY;
    const handoff = findHandoff(connection, draft, next, fromController, logs.get(index), hosts);
    return { connection, ...draft, handoff };
  });
}

/** When the client's acknowledgement of everything before `offset` was first seen anywhere. */
function acknowledgedFrom(connection: Connection, offset: number): number {
  let t = connection.acksSent.covering(offset)?.t ?? Number.POSITIVE_INFINITY;
  for (const record of connection.acksAt.values())
    t = Math.min(t, record.covering(offset)?.t ?? Number.POSITIVE_INFINITY);
  return t;
}

/** The hand-offs of the log, each to the next request whose header it carries. */
function handoffLogs(connection: Connection, requests: readonly RequestMessage[]): Map<number, HandoffLog> {
  const found = new Map<number, HandoffLog>();
  const reports = new Map<number, LoggedRequest>();
  for (const logged of connection.log) {
    const { message } = logged;
    const reported = message.verb === 'complete' || message.verb === 'failed';
    if (reported && !reports.has(message.handoff)) reports.set(message.handoff, logged);
  }
  let next = 0;
  for (const [position, logged] of connection.log.entries()) {
    const { message } = logged;
    if (message.verb !== 'handoff') continue;
    const header = Buffer.from(message.request.header, 'base64');
    if (logged.t > connection.knownTo) break;
    let index: number | undefined;
    for (let candidate = Math.max(0, next - 1); candidate < requests.length; candidate++) {
      const request = requests[candidate];
      const taken = found.get(candidate);
      if (request === undefined || (taken !== undefined && taken.handoff.answer?.ok !== false)) continue;
      const bytes = connection.clientStream.read(request.start, request.headerEnd - request.start);
      if (Buffer.compare(header, bytes) !== 0) continue;
      // Of equal requests the one that its acknowledgement number names: the controller may have answered others itself.
      const { start } = connection;
      const exact = start !== undefined && message.snapshot.ack === seqAdd(start.syn.seq, 1 + request.headerEnd);
      if (exact) index = candidate;
      else index ??= candidate;
      if (exact) break;
    }
    // One whose header differs is HOF-3's; its acknowledgement number says whose it is.
    if (index === undefined) {
      const { start } = connection;
      const next = requests.findIndex(
        ({ headerEnd }, at) =>
          !found.has(at) && start !== undefined && message.snapshot.ack === seqAdd(start.syn.seq, 1 + headerEnd),
      );
      if (next >= 0) index = next;
    }
    if (index === undefined) continue;
    let remove: LoggedRequest | undefined;
    for (let at = position + 1; at < connection.log.length && remove === undefined; at++) {
      const later = connection.log[at];
      if (later?.message.verb === 'handoff') break;
      if (later?.message.verb === 'remove') remove = later;
    }
    const report = reports.get(message.handoff);
    found.set(index, { handoff: logged, report, remove });
    next = index + 1;
  }
  return found;
}

function findHandoff(
  connection: Connection,
  draft: Pick<Exchange, 'request' | 'response' | 'headerAt' | 'begins' | 'packets'>,
  next: number,
  fromController: readonly Packet[],
  log: HandoffLog | undefined,
  hosts: Hosts,
): Handoff | undefined {
  const { packets } = draft;
  const byBackends = packets.filter((packet) => isBackend(senderOf(packet)) && !isFlagged(packet.head, 'RST'));
  // Whoever sent response bytes first; a former owner's stray acknowledgement makes nobody an owner.
  const speaking =
    byBackends.find(({ head }) => head.length > 0 && head.offset >= (draft.response?.start ?? 0)) ?? byBackends[0];
  let backend = speaking === undefined ? undefined : senderOf(speaking);
  let shownBy: Handoff['shownBy'] = 'its segments';
  if (backend === undefined && log !== undefined && log.handoff.answer?.ok !== false) {
    backend = backendNamed(connection, log);
    shownBy = 'the control log';
  }
  // A log that shows this connection's hand-offs would show this one.
  const logged = connection.log.some(({ message }) => message.verb === 'handoff');
  if (backend === undefined && draft.headerAt !== undefined && !logged) {
    backend = reachedBackend(connection, draft, next, hosts);
    shownBy = "the client's segments";
  }
  if (backend === undefined) return undefined;
  const owned = byBackends.filter((packet) => senderOf(packet) === backend && isSound(packet.head));
  const first = owned[0]?.sent;
  const end = draft.response?.end;
  const doneFrom = end === undefined ? Number.POSITIVE_INFINITY : acknowledgedFrom(connection, end);
  const done = end === undefined ? undefined : connection.acksAt.get(backend)?.covering(end);
  const asOwner = owned.filter(({ head }) => head.t < doneFrom);
  const last = (asOwner.at(-1) ?? owned[0])?.sent;
  // Before the backend's report it is an intrusion, no take-back.
  const reported = log?.report?.t ?? Number.NEGATIVE_INFINITY;
  const indexAfter = (segment: Segment, since = Number.NEGATIVE_INFINITY): number =>
    countBefore(fromController, ({ head }) => head.t <= Math.max(segment.t, since));
  const takenBack = last && fromController[indexAfter(last, reported)]?.sent;
  const intrusion = first && fromController[indexAfter(first)]?.sent;
  const known = doneFrom === Number.POSITIVE_INFINITY ? (last?.t ?? Number.NEGATIVE_INFINITY) : doneFrom;
  const interrupted = Math.min(
    intrusion?.t ?? Number.POSITIVE_INFINITY,
    log?.report?.t ?? Number.POSITIVE_INFINITY,
    log?.remove?.t ?? Number.POSITIVE_INFINITY,
  );
  const atClient = owned.flatMap(({ arrivals }) => arrivals).filter(({ vantage }) => vantage === 'client');
  return {
    backend,
    shownBy,
    first,
    firstAtClient: atClient.sort(byTime)[0],
    last,
    done,
    doneFrom,
    takenBack,
    takenBackAtClient: last && heardFrom(fromController, indexAfter(last, reported)),
    interrupted,
    until: Math.min(known, interrupted),
    log,
  };
}

/** The first arrival at the client of a packet from `index` on; a few may have been lost. */
function heardFrom(packets: readonly Packet[], index: number): Segment | undefined {
  for (let at = index; at < packets.length; at++) {
    const arrival = packets[at]?.arrivals.find(({ vantage }) => vantage === 'client');
    if (arrival !== undefined) return arrival;
  }
  return undefined;
}

function backendNamed(connection: Connection, log: HandoffLog): string | undefined {
  let name: string | undefined;
  for (const { message, t } of connection.log) {
    if (message.verb !== 'add') continue;
    if (name === undefined || t <= log.handoff.t) name = message.rule.backend.name;
  }
  return name;
}

/** The backend at whose address the client's segments arrived while this request was the one being served. */
function reachedBackend(
  connection: Connection,
  draft: { request: RequestMessage; begins: number },
  next: number,
  hosts: Hosts,
): string | undefined {
  const { toServer } = connection;
  for (let at = countBefore(toServer, ({ head }) => head.t < draft.begins); at < toServer.length; at++) {
    const packet = toServer[at];
    if (packet === undefined || packet.head.t >= next) break;
    const { sent, arrivals, head } = packet;
    if (sent === undefined || !isSound(head)) continue;
    // Bytes of this request's payload, or of what follows it: nothing else is certain to be this hand-off's.
    if (head.length === 0 || head.t <= draft.begins || endOf(head) <= draft.request.headerEnd) continue;
    const found = arrivals.find(({ vantage, dst }) => isBackend(vantage) && hosts.backends.get(vantage)?.ip === dst);
    if (found !== undefined) return found.vantage;
  }
  return undefined;
}
