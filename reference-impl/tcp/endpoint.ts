/**
 * One end of a TCP connection as a pure state machine (read RFC 9293 §3.10, RFC 7323, RFC 6298 and RFC 5681 first).
 *
 * Beside what every TCP does, an end point can be exported and adopted by another owner, can be told never to acknowledge
 * past a number (`ackLimit`), to advertise a closed window, and to leave a FIN unacknowledged (`holdFin`): what SoCC'17 §2.2
 * to §2.4 asks of controller and backend.
 *
 * Acknowledging is the caller's move: `receive` takes a segment in, `read` gives its bytes, `rewind` refuses some of them,
 * and only `flush` sends. So a request header that ends inside a segment can be acknowledged alone.
 */
import type { Micros } from '../core/core.js';
import { type Seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax } from '../wire/seq.js';
import { findTcpOption, TcpFlag, type TcpOption } from '../wire/tcp.js';
import { hasFlag, type Segment, segmentLength } from './segment.js';
import { dequeue, EMPTY_QUEUE, enqueue, peek, type SendQueue } from './send-queue.js';

export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

export interface Endpoint {
  readonly state: TcpState;
  /** Why it is closed. */
  readonly closedBy: 'reset' | 'timeout' | 'finished' | 'aborted' | null;
  /** The MSS option we sent. */
  readonly ownMss: number;
  /** The peer's MSS option, 536 without one (RFC 9293 §3.7.1). */
  readonly peerMss: number;
  readonly scale: { readonly peer: number; readonly own: number } | null;
  readonly sackPermitted: boolean;
  /** TSval = milliseconds + offset (RFC 7323 §5.4). */
  readonly timestamps: { readonly offset: number; readonly recent: number; readonly lastAckSent: Seq } | null;
  readonly iss: Seq;
  readonly sndUna: Seq;
  readonly sndNxt: Seq;
  /** Highest number ever sent, plus one; ahead of sndNxt after a time-out. */
  readonly sndMax: Seq;
  /** The peer's window in bytes. */
  readonly sndWnd: number;
  readonly sndWl1: Seq;
  readonly sndWl2: Seq;
  /** Unacknowledged and unsent bytes; the head is sndUna. */
  readonly queue: SendQueue;
  /** A FIN follows the queue. */
  readonly finQueued: boolean;
  readonly rcvNxt: Seq;
  /** Window in bytes: what is accepted, and advertised unless `windowClosed`. */
  readonly receiveBuffer: number;
  readonly inbox: readonly Uint8Array[];
  readonly outOfOrder: readonly { readonly seq: Seq; readonly bytes: Uint8Array }[];
  /** The number of the peer's FIN, once seen. */
  readonly peerFin: Seq | null;
  /** The peer's FIN was taken in order. */
  readonly peerClosed: boolean;
  readonly holdFin: boolean;
  readonly ackLimit: Seq | null;
  readonly windowClosed: boolean;
  readonly ackPending: boolean;
  /** Without what is not the protocol's business: no congestion control, and nothing that is out of order is kept (RFC 9293 §3.10.7.4 leaves it open). */
  readonly plain: boolean;
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly duplicateAcks: number;
  /** In fast recovery: the number that ends it (RFC 6582). */
  readonly recover: Seq | null;
  readonly srtt: Micros | null;
  readonly rttvar: Micros;
  readonly rto: Micros;
  readonly retries: number;
  readonly probes: number;
  readonly rttSample: { readonly seq: Seq; readonly at: Micros } | null;
  readonly retransmitAt: Micros | null;
  readonly persistAt: Micros | null;
  readonly timeWaitAt: Micros | null;
}

export interface EndpointStep {
  readonly endpoint: Endpoint;
  readonly out: readonly Segment[];
}

export interface OpenOptions {
  readonly iss: Seq;
  /** MSS option to send. */
  readonly mss: number;
  /** Our window scale shift 0..14, or null to do without. */
  readonly windowScale: number | null;
  readonly sack: boolean;
  /** Offset of our timestamp clock, or null to do without. */
  readonly timestampOffset: number | null;
  /** In bytes. */
  readonly receiveBuffer: number;
  /** As in the end point; false when absent. */
  readonly plain?: boolean;
}

/** What an owner must know to continue; windows in bytes (HOF-3). */
export interface EndpointSnapshot {
  readonly seq: Seq;
  readonly ack: Seq;
  readonly clientWindow: number;
  readonly clientMss: number;
  readonly ownMss: number;
  readonly windowScale: { readonly client: number; readonly own: number } | null;
  readonly sackPermitted: boolean;
  readonly timestamps: { readonly value: number; readonly recent: number } | null;
}

/** RFC 6298 §2 asks for a first RTO of 1 s; its floor of 1 s is lowered to 200 ms, as the kernels clients run on do. */
const INITIAL_RTO: Micros = 1_000_000;
const MIN_RTO: Micros = 200_000;
const MAX_RTO: Micros = 60_000_000;
/** Consecutive time-outs without progress before the connection is given up (RFC 9293 §3.8.3: R2 of at least 100 s). */
const MAX_RETRIES = 10;
const TIME_WAIT: Micros = 60_000_000;
/** RFC 6928. */
const INITIAL_WINDOW_SEGMENTS = 10;

type Draft = { -readonly [Key in keyof Endpoint]: Endpoint[Key] };

function blank(options: OpenOptions, state: TcpState): Draft {
  return {
    state,
    closedBy: null,
    ownMss: options.mss,
    peerMss: 536,
    scale: null,
    sackPermitted: false,
    timestamps: null,
    iss: options.iss,
    sndUna: options.iss,
    sndNxt: options.iss,
    sndMax: options.iss,
    sndWnd: 0,
    sndWl1: 0,
    sndWl2: 0,
    queue: EMPTY_QUEUE,
    finQueued: false,
    rcvNxt: 0,
    receiveBuffer: options.receiveBuffer,
    inbox: [],
    outOfOrder: [],
    peerFin: null,
    peerClosed: false,
    holdFin: false,
    ackLimit: null,
    windowClosed: false,
    ackPending: false,
    plain: options.plain ?? false,
    cwnd: INITIAL_WINDOW_SEGMENTS * 536,
    ssthresh: 0x7fffffff,
    duplicateAcks: 0,
    recover: null,
    srtt: null,
    rttvar: 0,
    rto: INITIAL_RTO,
    retries: 0,
    probes: 0,
    rttSample: null,
    retransmitAt: null,
    persistAt: null,
    timeWaitAt: null,
  };
}

/** Active open: sends a SYN that offers every option in `options`. */
export function connect(options: OpenOptions, now: Micros): EndpointStep {
  const draft = blank(options, 'syn-sent');
  draft.scale = options.windowScale === null ? null : { peer: 0, own: options.windowScale };
  draft.sackPermitted = options.sack;
  draft.timestamps =
    options.timestampOffset === null ? null : { offset: options.timestampOffset, recent: 0, lastAckSent: 0 };
  const out: Segment[] = [];
  emitSyn(draft, out, now);
  return { endpoint: draft, out };
}

/** Passive open: answers `syn` with a SYN-ACK that carries only the options the client offered (RFC 9293 §3.10.7.2, RFC 7323 §2.2, §3.2). */
export function accept(options: OpenOptions, syn: Segment, now: Micros): EndpointStep {
  const draft = blank(options, 'syn-received');
  negotiate(draft, syn, options);
  draft.rcvNxt = seqAdd(syn.seq, 1);
  const out: Segment[] = [];
  emitSyn(draft, out, now);
  return { endpoint: draft, out };
}

/** Takes over a live connection where `snapshot` left it; congestion state and RTO start afresh. */
export function adopt(
  snapshot: EndpointSnapshot,
  options: { readonly receiveBuffer: number; readonly timestampOffset?: number; readonly plain?: boolean },
  now: Micros,
): Endpoint {
  const draft = blank(
    {
      iss: snapshot.seq,
      mss: snapshot.ownMss,
      windowScale: null,
      sack: false,
      timestampOffset: null,
      receiveBuffer: options.receiveBuffer,
      plain: options.plain ?? false,
    },
    'established',
  );
  draft.peerMss = snapshot.clientMss;
  draft.scale =
    snapshot.windowScale === null ? null : { peer: snapshot.windowScale.client, own: snapshot.windowScale.own };
  draft.sackPermitted = snapshot.sackPermitted;
  if (snapshot.timestamps !== null) {
    const offset = options.timestampOffset ?? (snapshot.timestamps.value - milliseconds(now)) >>> 0;
    draft.timestamps = { offset, recent: snapshot.timestamps.recent, lastAckSent: snapshot.ack };
  }
  draft.sndWnd = snapshot.clientWindow;
  draft.sndWl1 = snapshot.ack;
  draft.sndWl2 = snapshot.seq;
  draft.rcvNxt = snapshot.ack;
  draft.cwnd = draft.plain ? Number.MAX_SAFE_INTEGER : INITIAL_WINDOW_SEGMENTS * maximumPayload(draft);
  return draft;
}

/** What the next owner needs. Only meaningful once everything sent is acknowledged (`idle`). */
export function exportSnapshot(endpoint: Endpoint, now: Micros): EndpointSnapshot {
  return {
    seq: endpoint.sndMax,
    ack: endpoint.rcvNxt,
    clientWindow: endpoint.sndWnd,
    clientMss: endpoint.peerMss,
    ownMss: endpoint.ownMss,
    windowScale: endpoint.scale === null ? null : { client: endpoint.scale.peer, own: endpoint.scale.own },
    sackPermitted: endpoint.sackPermitted,
    timestamps:
      endpoint.timestamps === null
        ? null
        : { value: timestampValue(endpoint, now), recent: endpoint.timestamps.recent },
  };
}

/** Nothing queued, nothing un-acknowledged: the connection may change hands (SoCC'17 §2). */
export function idle(endpoint: Endpoint): boolean {
  return endpoint.queue.length === 0 && !endpoint.finQueued && endpoint.sndUna === endpoint.sndMax;
}

/** Everything queued has been sent at least once. */
export function allSent(endpoint: Endpoint): boolean {
  return seqDiff(endpoint.sndMax, endpoint.sndUna) >= endpoint.queue.length;
}

/** Queues bytes; `flush` sends them. */
export function send(endpoint: Endpoint, bytes: Uint8Array): Endpoint {
  return { ...endpoint, queue: enqueue(endpoint.queue, bytes) };
}

/** Queues a FIN behind what was sent; `flush` sends it. */
export function close(endpoint: Endpoint): Endpoint {
  return { ...endpoint, finQueued: true };
}

/** Gives the connection up with a RST (RFC 9293 §3.10.5). */
export function abort(endpoint: Endpoint, now: Micros): EndpointStep {
  const draft: Draft = { ...endpoint };
  const out: Segment[] = [];
  if (draft.state !== 'closed' && draft.state !== 'syn-sent' && draft.state !== 'time-wait')
    emit(draft, out, now, draft.sndNxt, TcpFlag.RST | TcpFlag.ACK, new Uint8Array(0));
  end(draft, 'aborted');
  return { endpoint: draft, out };
}

/** The bytes that arrived in order since the last `read`, in order. */
export function read(endpoint: Endpoint): { readonly endpoint: Endpoint; readonly bytes: readonly Uint8Array[] } {
  if (endpoint.inbox.length === 0) return { endpoint, bytes: [] };
  return { endpoint: { ...endpoint, inbox: [] }, bytes: endpoint.inbox };
}

/**
 * Takes back what `receive` accepted behind `to` and has not been acknowledged yet, and accepts nothing behind it from now on:
 * the peer has to send it again, to whoever owns the connection then (SoCC'17 §2.2).
 */
export function rewind(endpoint: Endpoint, to: Seq): Endpoint {
  return { ...endpoint, rcvNxt: to, ackLimit: to, inbox: [], outOfOrder: [], peerFin: null };
}

/** Changes what is accepted and advertised; absent fields stay. */
export function constrain(
  endpoint: Endpoint,
  change: { readonly ackLimit?: Seq | null; readonly windowClosed?: boolean; readonly holdFin?: boolean },
): Endpoint {
  return { ...endpoint, ...change };
}

/** Marks an ACK as due, so that the next `flush` sends one. */
export function acknowledge(endpoint: Endpoint): Endpoint {
  return { ...endpoint, ackPending: true };
}

/** When `expire` wants to be called next, or null. */
export function deadline(endpoint: Endpoint): Micros | null {
  let earliest: Micros | null = null;
  for (const at of [endpoint.retransmitAt, endpoint.persistAt, endpoint.timeWaitAt])
    if (at !== null && (earliest === null || at < earliest)) earliest = at;
  return earliest;
}

/** A segment of this connection arrives (RFC 9293 §3.10.7). Checksums were verified before. */
export function receive(endpoint: Endpoint, segment: Segment, now: Micros): EndpointStep {
  const out: Segment[] = [];
  if (endpoint.state === 'closed') return { endpoint, out };
  const draft: Draft = { ...endpoint };
  if (draft.state === 'syn-sent') receiveInSynSent(draft, segment, out, now);
  else receiveSynchronized(draft, segment, out, now);
  return { endpoint: draft, out };
}

/** The peer's FIN is next: `flush` takes it. */
export function finDue(endpoint: Endpoint): boolean {
  const { peerFin, rcvNxt, holdFin, peerClosed } = endpoint;
  return peerFin !== null && peerFin === rcvNxt && !holdFin && !peerClosed;
}

/** Sends what may be sent: data, FIN, and an ACK that is due; takes the peer's FIN unless it is held. */
export function flush(endpoint: Endpoint, now: Micros): EndpointStep {
  const draft: Draft = { ...endpoint };
  const out: Segment[] = [];
  if (finDue(draft)) takeFin(draft, now);
  transmit(draft, out, now);
  if (draft.ackPending && draft.state !== 'closed' && draft.state !== 'syn-sent')
    emit(
      draft,
      out,
      now,
      draft.state === 'syn-received' ? draft.sndMax : sendingPoint(draft),
      TcpFlag.ACK,
      new Uint8Array(0),
    );
  return { endpoint: draft, out };
}

/** Does what is due by `now`: retransmission (RFC 6298 §5), window probe, end of TIME-WAIT. Early calls change nothing. */
export function expire(endpoint: Endpoint, now: Micros): EndpointStep {
  const draft: Draft = { ...endpoint };
  const out: Segment[] = [];
  if (draft.timeWaitAt !== null && draft.timeWaitAt <= now) end(draft, 'finished');
  if (draft.retransmitAt !== null && draft.retransmitAt <= now) retransmissionTimeout(draft, out, now);
  if (draft.persistAt !== null && draft.persistAt <= now) {
    // A probe without data, one number back: the peer must answer it with its window (RFC 9293 §3.8.6.1), and no byte goes beyond the window.
    emit(draft, out, now, seqAdd(draft.sndUna, -1), TcpFlag.ACK, new Uint8Array(0));
    draft.probes++;
    draft.persistAt = now + Math.min(draft.rto * 2 ** Math.min(draft.probes, 16), MAX_RTO);
  }
  return { endpoint: draft, out };
}

/**
 * Largest payload of a segment to the peer: its MSS, or what our own link carries if that is less (RFC 9293 §3.7.1), less our options
 * (RFC 6691). A client on a link of 9000 bytes offers an MSS that ours does not carry.
 */
export function maximumPayload(endpoint: Endpoint): number {
  return Math.max(1, Math.min(endpoint.peerMss, endpoint.ownMss) - (endpoint.timestamps === null ? 0 : 12));
}

/** The TSval a segment sent at `now` carries, or 0 without timestamps. */
export function timestampValue(endpoint: Endpoint, now: Micros): number {
  return endpoint.timestamps === null ? 0 : (milliseconds(now) + endpoint.timestamps.offset) >>> 0;
}

function milliseconds(now: Micros): number {
  return Math.floor(now / 1000) >>> 0;
}

function negotiate(
  draft: Draft,
  syn: Segment,
  own: { windowScale: number | null; sack: boolean; timestampOffset: number | null },
): void {
  draft.peerMss = Math.max(findTcpOption(syn.options, 'mss')?.value ?? 536, 64);
  const scale = findTcpOption(syn.options, 'window-scale');
  // RFC 7323 §2.3: a shift above 14 counts as 14.
  draft.scale =
    scale === undefined || own.windowScale === null ? null : { peer: Math.min(scale.shift, 14), own: own.windowScale };
  draft.sackPermitted = own.sack && findTcpOption(syn.options, 'sack-permitted') !== undefined;
  const timestamps = findTcpOption(syn.options, 'timestamps');
  draft.timestamps =
    timestamps === undefined || own.timestampOffset === null
      ? null
      : { offset: own.timestampOffset, recent: timestamps.value, lastAckSent: 0 };
  draft.cwnd = INITIAL_WINDOW_SEGMENTS * maximumPayload(draft);
  // The window of a SYN is never scaled (RFC 7323 §2.2).
  draft.sndWnd = syn.window;
  draft.sndWl1 = syn.seq;
  draft.sndWl2 = draft.iss;
}

function receiveInSynSent(draft: Draft, segment: Segment, out: Segment[], now: Micros): void {
  const hasAck = hasFlag(segment, 'ACK');
  if (hasAck && segment.ack !== draft.sndMax) {
    if (!hasFlag(segment, 'RST')) out.push(reset(segment.ack));
    return;
  }
  if (hasFlag(segment, 'RST')) {
    if (hasAck) end(draft, 'reset');
    return;
  }
  // A simultaneous open needs two clients; nobody here is one.
  if (!hasFlag(segment, 'SYN') || !hasAck) return;
  negotiate(draft, segment, {
    windowScale: draft.scale?.own ?? null,
    sack: draft.sackPermitted,
    timestampOffset: draft.timestamps?.offset ?? null,
  });
  draft.rcvNxt = seqAdd(segment.seq, 1);
  draft.sndUna = segment.ack;
  draft.sndWl2 = segment.ack;
  if (draft.rttSample !== null) measureRtt(draft, now - draft.rttSample.at);
  draft.rttSample = null;
  draft.retransmitAt = null;
  draft.retries = 0;
  draft.state = 'established';
  draft.ackPending = true;
}

function receiveSynchronized(draft: Draft, segment: Segment, out: Segment[], now: Micros): void {
  const length = segmentLength(segment);
  const isReset = hasFlag(segment, 'RST');
  if (draft.state === 'syn-received' && hasFlag(segment, 'SYN') && seqAdd(segment.seq, 1) === draft.rcvNxt) {
    // EST-4: the same SYN again gets the same SYN-ACK.
    emitSyn(draft, out, now);
    return;
  }
  const timestamps = findTcpOption(segment.options, 'timestamps');
  if (draft.timestamps !== null && !isReset) {
    // RFC 7323 §3.2: once negotiated, a segment without the option is dropped.
    if (timestamps === undefined) return;
    // PAWS, RFC 7323 §5.3 R1.
    if (seqLt(timestamps.value, draft.timestamps.recent)) {
      draft.ackPending = true;
      return;
    }
  }
  if (!acceptable(draft, segment.seq, length)) {
    if (!isReset) draft.ackPending = true;
    if (draft.state === 'time-wait' && hasFlag(segment, 'FIN')) draft.timeWaitAt = now + TIME_WAIT;
    return;
  }
  if (isReset) {
    // RFC 5961 §3.2: only an exact number resets, another one in the window draws a challenge.
    if (segment.seq === draft.rcvNxt) end(draft, 'reset');
    else draft.ackPending = true;
    return;
  }
  if (hasFlag(segment, 'SYN')) {
    // RFC 5961 §4.2.
    draft.ackPending = true;
    return;
  }
  if (!hasFlag(segment, 'ACK')) return;
  if (draft.timestamps !== null && timestamps !== undefined && seqLe(segment.seq, draft.timestamps.lastAckSent))
    draft.timestamps = { ...draft.timestamps, recent: timestamps.value };
  if (draft.state === 'syn-received') {
    if (segment.ack !== draft.sndMax) {
      out.push(reset(segment.ack));
      return;
    }
    draft.state = 'established';
    draft.sndUna = segment.ack;
    draft.sndWl1 = segment.seq;
    draft.sndWl2 = segment.ack;
    draft.sndWnd = segment.window << (draft.scale?.peer ?? 0);
    if (draft.rttSample !== null) measureRtt(draft, now - draft.rttSample.at);
    draft.rttSample = null;
    draft.retransmitAt = null;
    draft.retries = 0;
  } else if (!receiveAck(draft, segment, out, now)) return;
  receiveData(draft, segment);
}

/** RFC 9293 §3.10.7.4, first check. The window that was ever offered counts, not the one advertised now: a closed window was open once. */
function acceptable(draft: Draft, seq: Seq, length: number): boolean {
  const fromNext = seqDiff(seq, draft.rcvNxt);
  if (length === 0) return fromNext >= 0 && fromNext <= draft.receiveBuffer;
  return fromNext < draft.receiveBuffer && fromNext + length > 0;
}

/** False when the segment is to be dropped. */
function receiveAck(draft: Draft, segment: Segment, out: Segment[], now: Micros): boolean {
  if (seqGt(segment.ack, draft.sndMax)) {
    draft.ackPending = true;
    return false;
  }
  const window = segment.window << (draft.scale?.peer ?? 0);
  const acked = seqDiff(segment.ack, draft.sndUna);
  // RFC 5961 §5.2: nobody who had our data acknowledges so little; the largest window that the peer can have offered stands for MAX.SND.WND.
  if (acked < -(0xffff << (draft.scale?.peer ?? 0))) {
    draft.ackPending = true;
    return false;
  }
  if (acked < 0) return true;
  const inFlight = seqDiff(draft.sndMax, draft.sndUna);
  if (
    acked === 0 &&
    inFlight > 0 &&
    segment.payload.length === 0 &&
    window === draft.sndWnd &&
    !hasFlag(segment, 'FIN')
  )
    duplicateAck(draft, out, now, inFlight);
  if (
    seqLt(draft.sndWl1, segment.seq) ||
    (draft.sndWl1 === segment.seq && seqLe(draft.sndWl2, segment.ack)) ||
    acked > 0
  ) {
    draft.sndWnd = window;
    draft.sndWl1 = segment.seq;
    draft.sndWl2 = segment.ack;
    if (window > 0) {
      draft.persistAt = null;
      draft.probes = 0;
    }
  }
  if (acked > 0) newAck(draft, segment, acked, out, now);
  return true;
}

function newAck(draft: Draft, segment: Segment, acked: number, out: Segment[], now: Micros): void {
  const { ack } = segment;
  const bytes = Math.min(acked, draft.queue.length);
  const finAcked = acked > bytes;
  draft.queue = dequeue(draft.queue, bytes);
  draft.sndUna = ack;
  draft.sndNxt = seqMax(draft.sndNxt, ack);
  draft.retries = 0;
  if (draft.rttSample !== null && seqGe(ack, draft.rttSample.seq)) {
    measureRtt(draft, now - draft.rttSample.at);
    draft.rttSample = null;
  } else if (draft.rttSample === null) measureByTimestamp(draft, segment, now);
  // RFC 6298 §5.2, §5.3.
  draft.retransmitAt = ack === draft.sndMax ? null : now + draft.rto;
  const mss = maximumPayload(draft);
  if (draft.recover !== null) {
    if (seqGe(ack, draft.recover)) {
      draft.recover = null;
      draft.duplicateAcks = 0;
      draft.cwnd = draft.ssthresh;
    } else {
      // RFC 6582 §3.2 step 3: a partial acknowledgement names the next hole.
      draft.cwnd = Math.max(draft.cwnd - acked + mss, mss);
      retransmitHead(draft, out, now);
    }
  } else if (!draft.plain) {
    draft.duplicateAcks = 0;
    draft.cwnd +=
      draft.cwnd < draft.ssthresh ? Math.min(acked, 2 * mss) : Math.max(1, Math.floor((mss * mss) / draft.cwnd));
  }
  if (finAcked) {
    draft.finQueued = false;
    if (draft.state === 'fin-wait-1') draft.state = 'fin-wait-2';
    else if (draft.state === 'closing') enterTimeWait(draft, now);
    else if (draft.state === 'last-ack') end(draft, 'finished');
  }
}

/** RFC 5681 §3.2. */
function duplicateAck(draft: Draft, out: Segment[], now: Micros, inFlight: number): void {
  if (draft.plain) return;
  const mss = maximumPayload(draft);
  draft.duplicateAcks++;
  if (draft.recover !== null) draft.cwnd += mss;
  else if (draft.duplicateAcks === 3) {
    draft.ssthresh = Math.max(Math.floor(inFlight / 2), 2 * mss);
    draft.cwnd = draft.ssthresh + 3 * mss;
    draft.recover = draft.sndMax;
    retransmitHead(draft, out, now);
  }
}

function receiveData(draft: Draft, segment: Segment): void {
  if (draft.state !== 'established' && draft.state !== 'fin-wait-1' && draft.state !== 'fin-wait-2') {
    if (segmentLength(segment) > 0) draft.ackPending = true;
    return;
  }
  if (segment.payload.length === 0 && !hasFlag(segment, 'FIN')) return;
  const start = Math.max(0, -seqDiff(segment.seq, draft.rcvNxt));
  const limit =
    draft.ackLimit === null
      ? draft.receiveBuffer
      : Math.min(seqDiff(draft.ackLimit, draft.rcvNxt), draft.receiveBuffer);
  const fromNext = seqDiff(segment.seq, draft.rcvNxt);
  const stop = Math.min(segment.payload.length, limit - fromNext);
  const whole = stop === segment.payload.length;
  if (hasFlag(segment, 'FIN') && whole) draft.peerFin = seqAdd(segment.seq, segment.payload.length);
  // Also for what is not taken, a FIN that is held for one: the answer says what was taken before it.
  draft.ackPending = true;
  if (segment.payload.length === 0) return;
  if (stop <= start) return;
  const seq = seqAdd(segment.seq, start);
  // Copied: the frame's buffer belongs to the world.
  const bytes = segment.payload.slice(start, stop);
  if (seq === draft.rcvNxt) {
    draft.inbox = [...draft.inbox, bytes];
    draft.rcvNxt = seqAdd(draft.rcvNxt, bytes.length);
    if (draft.outOfOrder.length > 0) takeOutOfOrder(draft);
  } else if (!draft.plain) {
    draft.outOfOrder = [
      { seq, bytes },
      ...draft.outOfOrder.filter((held) => held.seq !== seq || held.bytes.length > bytes.length),
    ];
  }
}

function takeOutOfOrder(draft: Draft): void {
  for (;;) {
    const next = draft.outOfOrder.find(
      (held) => seqLe(held.seq, draft.rcvNxt) && seqGt(seqAdd(held.seq, held.bytes.length), draft.rcvNxt),
    );
    if (next === undefined) break;
    const bytes = next.bytes.subarray(seqDiff(draft.rcvNxt, next.seq));
    draft.inbox = [...draft.inbox, bytes];
    draft.rcvNxt = seqAdd(draft.rcvNxt, bytes.length);
  }
  draft.outOfOrder = draft.outOfOrder.filter((held) => seqGt(seqAdd(held.seq, held.bytes.length), draft.rcvNxt));
}

function takeFin(draft: Draft, now: Micros): void {
  draft.rcvNxt = seqAdd(draft.rcvNxt, 1);
  draft.peerClosed = true;
  draft.ackPending = true;
  if (draft.state === 'established') draft.state = 'close-wait';
  else if (draft.state === 'fin-wait-1') draft.state = 'closing';
  else if (draft.state === 'fin-wait-2') enterTimeWait(draft, now);
}

function enterTimeWait(draft: Draft, now: Micros): void {
  draft.state = 'time-wait';
  draft.timeWaitAt = now + TIME_WAIT;
  draft.retransmitAt = null;
  draft.persistAt = null;
}

function end(draft: Draft, why: NonNullable<Endpoint['closedBy']>): void {
  draft.state = 'closed';
  draft.closedBy = why;
  draft.retransmitAt = null;
  draft.persistAt = null;
  draft.timeWaitAt = null;
  draft.queue = EMPTY_QUEUE;
  draft.outOfOrder = [];
  draft.ackPending = false;
}

function sendingPoint(draft: Draft): Seq {
  // A pure ACK carries SND.NXT (RFC 9293 §3.10.7.4); after a time-out that is what was sent, not where sending resumed.
  return draft.sndMax;
}

function transmit(draft: Draft, out: Segment[], now: Micros): void {
  const mayCarryData =
    draft.state === 'established' ||
    draft.state === 'close-wait' ||
    draft.state === 'fin-wait-1' ||
    draft.state === 'closing' ||
    draft.state === 'last-ack';
  if (!mayCarryData) return;
  const mss = maximumPayload(draft);
  for (;;) {
    const flight = seqDiff(draft.sndNxt, draft.sndUna);
    const remaining = draft.queue.length - flight;
    const usable = Math.min(draft.cwnd, draft.sndWnd) - flight;
    if (remaining < 0 || usable <= 0 || (remaining === 0 && !draft.finQueued)) break;
    const count = Math.min(mss, remaining, usable);
    // Sender's silly window avoidance (RFC 9293 §3.8.6.2.1): a window's crumb waits while something is in flight.
    if (count < mss && count < remaining && flight > 0) break;
    const last = count === remaining;
    const fin = last && draft.finQueued && usable > count;
    if (count === 0 && !fin) break;
    sendFrom(draft, out, now, flight, count, fin);
  }
  const unsent = draft.queue.length + (draft.finQueued ? 1 : 0) - seqDiff(draft.sndMax, draft.sndUna);
  if (unsent > 0 && draft.sndUna === draft.sndMax && draft.retransmitAt === null) draft.persistAt ??= now + draft.rto;
}

/** Sends `count` bytes of the queue at `offset` from sndUna as new data. */
function sendFrom(draft: Draft, out: Segment[], now: Micros, offset: number, count: number, fin: boolean): void {
  const last = offset + count === draft.queue.length;
  const flags = TcpFlag.ACK | (last && count > 0 ? TcpFlag.PSH : 0) | (fin ? TcpFlag.FIN : 0);
  const seq = draft.sndNxt;
  emit(draft, out, now, seq, flags, peek(draft.queue, offset, count));
  draft.sndNxt = seqAdd(seq, count + (fin ? 1 : 0));
  if (seqGt(draft.sndNxt, draft.sndMax)) {
    draft.sndMax = draft.sndNxt;
    draft.rttSample ??= { seq: draft.sndNxt, at: now };
  }
  draft.retransmitAt ??= now + draft.rto;
  draft.persistAt = null;
  if (fin) {
    if (draft.state === 'established') draft.state = 'fin-wait-1';
    else if (draft.state === 'close-wait') draft.state = 'last-ack';
  }
}

/** One segment from sndUna, of what was sent before; a window that has been shrunk since does not stop it. */
function retransmitHead(draft: Draft, out: Segment[], now: Micros): number {
  const sent = seqDiff(draft.sndMax, draft.sndUna);
  const count = Math.min(maximumPayload(draft), draft.queue.length, sent);
  const fin = draft.finQueued && count === draft.queue.length && sent > count;
  if (count === 0 && !fin) return 0;
  const flags = TcpFlag.ACK | (count > 0 ? TcpFlag.PSH : 0) | (fin ? TcpFlag.FIN : 0);
  emit(draft, out, now, draft.sndUna, flags, peek(draft.queue, 0, count));
  // Karn's algorithm (RFC 6298 §3).
  draft.rttSample = null;
  draft.retransmitAt = now + draft.rto;
  return count + (fin ? 1 : 0);
}

function retransmissionTimeout(draft: Draft, out: Segment[], now: Micros): void {
  draft.retries++;
  if (draft.retries > MAX_RETRIES) {
    end(draft, 'timeout');
    return;
  }
  draft.rto = Math.min(draft.rto * 2, MAX_RTO);
  if (draft.state === 'syn-sent' || draft.state === 'syn-received') {
    emitSyn(draft, out, now);
    draft.rttSample = null;
    return;
  }
  const mss = maximumPayload(draft);
  // RFC 5681 §3.1 equation 4; only the first time-out of a loss lowers ssthresh.
  if (!draft.plain && draft.retries === 1)
    draft.ssthresh = Math.max(Math.floor(seqDiff(draft.sndMax, draft.sndUna) / 2), 2 * mss);
  if (!draft.plain) draft.cwnd = mss;
  draft.recover = null;
  draft.duplicateAcks = 0;
  draft.retransmitAt = null;
  draft.sndNxt = seqAdd(draft.sndUna, retransmitHead(draft, out, now));
}

/** Behind a retransmission only the timestamp tells the round trip, and so ends the back-off (RFC 7323 §4.1, RFC 6298 §3, §5.7). */
function measureByTimestamp(draft: Draft, segment: Segment, now: Micros): void {
  const echo = findTcpOption(segment.options, 'timestamps')?.echo ?? 0;
  if (draft.timestamps === null || echo === 0) return;
  const rtt = seqDiff(timestampValue(draft, now), echo) * 1000;
  // An echo of another owner's clock may be far off.
  if (rtt >= 0 && rtt < MAX_RTO) measureRtt(draft, Math.max(rtt, 1000));
}

function measureRtt(draft: Draft, rtt: Micros): void {
  // RFC 6298 §2.2, §2.3.
  if (draft.srtt === null) {
    draft.srtt = rtt;
    draft.rttvar = rtt / 2;
  } else {
    draft.rttvar = 0.75 * draft.rttvar + 0.25 * Math.abs(draft.srtt - rtt);
    draft.srtt = 0.875 * draft.srtt + 0.125 * rtt;
  }
  draft.rto = Math.round(Math.min(MAX_RTO, Math.max(MIN_RTO, draft.srtt + Math.max(1000, 4 * draft.rttvar))));
}

function advertisedWindow(draft: Draft): number {
  if (draft.windowClosed) return 0;
  return Math.min(draft.receiveBuffer >>> (draft.scale?.own ?? 0), 0xffff);
}

function emitSyn(draft: Draft, out: Segment[], now: Micros): void {
  const options: TcpOption[] = [{ kind: 'mss', value: draft.ownMss }];
  if (draft.sackPermitted) options.push({ kind: 'sack-permitted' });
  if (draft.timestamps !== null)
    options.push({ kind: 'timestamps', value: timestampValue(draft, now), echo: draft.timestamps.recent });
  if (draft.scale !== null) options.push({ kind: 'nop' }, { kind: 'window-scale', shift: draft.scale.own });
  const answers = draft.state === 'syn-received';
  out.push({
    seq: draft.iss,
    ack: answers ? draft.rcvNxt : 0,
    flags: TcpFlag.SYN | (answers ? TcpFlag.ACK : 0),
    window: Math.min(draft.receiveBuffer, 0xffff),
    options,
    payload: new Uint8Array(0),
  });
  draft.sndNxt = seqAdd(draft.iss, 1);
  draft.sndMax = draft.sndNxt;
  draft.rttSample ??= { seq: draft.sndNxt, at: now };
  draft.retransmitAt = now + draft.rto;
  if (answers && draft.timestamps !== null) draft.timestamps = { ...draft.timestamps, lastAckSent: draft.rcvNxt };
}

function emit(draft: Draft, out: Segment[], now: Micros, seq: Seq, flags: number, payload: Uint8Array): void {
  const options: TcpOption[] = [];
  if (draft.timestamps !== null)
    options.push(
      { kind: 'nop' },
      { kind: 'nop' },
      { kind: 'timestamps', value: timestampValue(draft, now), echo: draft.timestamps.recent },
    );
  // SACK blocks go on pure ACKs only, so that a full segment stays within the peer's MSS (RFC 2018 §3).
  if (draft.sackPermitted && draft.outOfOrder.length > 0 && payload.length === 0 && (flags & TcpFlag.RST) === 0)
    options.push(
      { kind: 'nop' },
      { kind: 'nop' },
      { kind: 'sack', blocks: sackBlocks(draft, draft.timestamps === null ? 4 : 3) },
    );
  out.push({ seq, ack: draft.rcvNxt, flags, window: advertisedWindow(draft), options, payload });
  draft.ackPending = false;
  if (draft.timestamps !== null && draft.timestamps.lastAckSent !== draft.rcvNxt)
    draft.timestamps = { ...draft.timestamps, lastAckSent: draft.rcvNxt };
}

/** RFC 2018 §4: the block with the latest segment first; neighbours joined. */
function sackBlocks(draft: Draft, most: number): { left: Seq; right: Seq }[] {
  const blocks: { left: Seq; right: Seq }[] = [];
  for (const held of draft.outOfOrder) {
    let left = held.seq;
    let right = seqAdd(held.seq, held.bytes.length);
    for (let grown = true; grown; ) {
      grown = false;
      for (const other of draft.outOfOrder) {
        const end = seqAdd(other.seq, other.bytes.length);
        if (seqLe(other.seq, right) && seqGe(end, left) && (seqLt(other.seq, left) || seqGt(end, right))) {
          if (seqLt(other.seq, left)) left = other.seq;
          if (seqGt(end, right)) right = end;
          grown = true;
        }
      }
    }
    if (!blocks.some((b) => b.left === left && b.right === right)) blocks.push({ left, right });
    if (blocks.length === most) break;
  }
  return blocks;
}

function reset(seq: Seq): Segment {
  return { seq, ack: 0, flags: TcpFlag.RST, window: 0, options: [], payload: new Uint8Array(0) };
}
