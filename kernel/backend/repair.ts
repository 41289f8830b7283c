/**
 * TCP connections of Linux that are made, and looked into, without a segment sent (TCP_REPAIR, Linux 3.5).
 *
 * While a socket is in repair mode its numbers and options can be read and set, and closing it is silent; that takes CAP_NET_ADMIN in the
 * user namespace that the network namespace belongs to.
 */
import koffi from 'koffi';
import { errnoName, libc } from '../../harness/linux/libc.js';
import { WorldError } from '../../harness/world.js';
import type { ConnectionSnapshot } from '../../reference-impl/control/messages.js';
import type { Ipv4Address } from '../../reference-impl/wire/addresses.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_TCP = 6;

// linux/tcp.h
const TCP_MAXSEG = 2;
const TCP_REPAIR = 19;
const TCP_REPAIR_QUEUE = 20;
const TCP_QUEUE_SEQ = 21;
const TCP_REPAIR_OPTIONS = 22;
const TCP_TIMESTAMP = 24;
const TCP_REPAIR_WINDOW = 29;
const REPAIR_ON = 1;
const REPAIR_OFF = 0;
const REPAIR_OFF_SILENTLY = -1;
const RECEIVE_QUEUE = 1;
const SEND_QUEUE = 2;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_PERMITTED = 4;
const OPTION_TIMESTAMPS = 8;

const SIOCOUTQ = 0x5411;
const SIOCOUTQNSD = 0x894b;

export interface Address {
  readonly ip: Ipv4Address;
  readonly port: number;
}

/** The kernel does not take the state: the connection cannot be had here. */
export class RepairRefused extends WorldError {
  constructor(
    what: string,
    /** Such as `EADDRNOTAVAIL`: there is such a connection already. */
    readonly code: string,
  ) {
    super(`${what}: ${code}`);
  }
}

/** struct sockaddr_in */
export function socketAddress({ ip, port }: Address): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port, false);
  view.setUint32(4, ip, false);
  return new Uint8Array(view.buffer);
}

/**
 * struct tcp_repair_opt for each option that was negotiated. The scale is told in any case: a socket that was connected in repair mode
 * has made one up for its own side.
 */
export function repairOptions(snapshot: ConnectionSnapshot): Uint8Array {
  const { clientMss, windowScale, sackPermitted, timestamps } = snapshot;
  const options: (readonly [number, number])[] = [
    [OPTION_MSS, clientMss],
    [OPTION_WINDOW_SCALE, windowScale === null ? 0 : windowScale.client | (windowScale.own << 16)],
  ];
  if (sackPermitted) options.push([OPTION_SACK_PERMITTED, 0]);
  if (timestamps !== null) options.push([OPTION_TIMESTAMPS, 0]);
  return new Uint8Array(Uint32Array.from(options.flat()).buffer);
}

/**
 * What TCP_TIMESTAMP takes so that the next TSval is at least `value`: the kernel's clock of milliseconds. Bit 0 would make it one of microseconds
 * (Linux 6.7), so an odd value goes up by one.
 */
export function importedTimestamp(value: number): number {
  return (value + (value & 1)) >>> 0;
}

/** The lowest TSval that a next owner may send, from what TCP_TIMESTAMP tells: bit 0 is not the clock's. */
export function exportedTimestamp(told: number): number {
  return ((told & ~1) + 1) >>> 0;
}

/** struct tcp_repair_window {snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup}; `receiveWindow`: in bytes, what the client was told by its former owner. */
export function repairWindow(snapshot: ConnectionSnapshot, receiveWindow: number): Uint8Array {
  const { ack, clientWindow } = snapshot;
  return new Uint8Array(Uint32Array.of(ack, clientWindow, Math.max(clientWindow, 1), receiveWindow, ack).buffer);
}

/** TCP_MIN_MSS */
const LEAST_MSS = 88;

/**
 * What TCP_MAXSEG is to be before connect. Linux sends no segment of more than half the largest window it has seen (so that a small window is not waited
 * for in vain), but works that out from acknowledgements only; when a larger window comes it does so again, and from the true MSS.
 */
export function firstSegmentSize({
  clientMss,
  clientWindow,
}: Pick<ConnectionSnapshot, 'clientMss' | 'clientWindow'>): number {
  return Math.min(clientMss, Math.max(clientWindow >> 1, LEAST_MSS));
}

function setInteger(fd: number, level: number, name: number, value: number, what: string): void {
  if (libc().setsockopt(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4) < 0)
    throw new RepairRefused(what, errnoName());
}

/** Takes what may be had where the limits (`net.core.wmem_max`) may not be passed, as in a user namespace; returns how much that is, in bytes. */
function setBuffer(fd: number, name: number, force: number, bytes: number): number {
  const wanted = new Uint8Array(Int32Array.of(bytes).buffer);
  if (libc().setsockopt(fd, SOL_SOCKET, force, wanted, 4) < 0) setInteger(fd, SOL_SOCKET, name, bytes, 'a buffer');
  // The kernel tells twice as much: half is for its own book-keeping.
  const told = new Int32Array(1);
  const length = new Uint32Array([4]);
  if (libc().getsockopt(fd, SOL_SOCKET, name, new Uint8Array(told.buffer), length) < 0)
    throw new RepairRefused('a buffer', errnoName());
  return (told[0] ?? 0) >> 1;
}

function set(fd: number, name: number, value: Uint8Array, what: string): void {
  if (libc().setsockopt(fd, IPPROTO_TCP, name, value, value.length) < 0) throw new RepairRefused(what, errnoName());
}

function get(fd: number, name: number, size: number, what: string): Uint32Array {
  const value = new Uint32Array(size / 4);
  const bytes = new Uint8Array(value.buffer);
  if (libc().getsockopt(fd, IPPROTO_TCP, name, bytes, new Uint32Array([size])) < 0)
    throw new RepairRefused(what, errnoName());
  return value;
}

function queueSequence(fd: number, queue: number): number {
  setInteger(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue, 'TCP_REPAIR_QUEUE');
  return get(fd, TCP_QUEUE_SEQ, 4, 'TCP_QUEUE_SEQ')[0] ?? 0;
}

function setQueueSequence(fd: number, queue: number, seq: number): void {
  setInteger(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue, 'TCP_REPAIR_QUEUE');
  setInteger(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, seq | 0, 'TCP_QUEUE_SEQ');
}

const count = koffi.alloc('int', 1);
const counted = new Int32Array(koffi.view(count, 4));

function ask(fd: number, request: number, what: string): number {
  if (libc().ioctl(fd, request, count) < 0) throw new RepairRefused(what, errnoName());
  return counted[0] ?? 0;
}

/** Bytes that the client has not acknowledged, those not yet sent among them. */
export function unacknowledged(fd: number): number {
  return ask(fd, SIOCOUTQ, 'SIOCOUTQ');
}

function enterRepair(fd: number): void {
  setInteger(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_ON, 'TCP_REPAIR');
}

/** Whether this process may repair connections here. Throws a WorldError that says what is missing. */
export function probeRepair(): void {
  const fd = libc().socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new WorldError(`socket: ${errnoName()}`);
  try {
    enterRepair(fd);
    get(fd, TCP_REPAIR_WINDOW, 20, 'TCP_REPAIR_WINDOW');
  } catch (error) {
    if (!(error instanceof RepairRefused)) throw error;
    const why =
      error.code === 'EPERM'
        ? 'this process may not: it needs CAP_NET_ADMIN in this network namespace (root, or unshare -Urn)'
        : `the kernel does not: ${error.message} (Linux 4.8 with CONFIG_CHECKPOINT_RESTORE or later)`;
    throw new WorldError(`TCP_REPAIR: ${why}`);
  } finally {
    libc().close(fd);
  }
}

export interface ImportPlan {
  readonly local: Address;
  readonly client: Address;
  readonly snapshot: ConnectionSnapshot;
  /** Of the socket's buffers, in bytes, where the kernel gives so much. */
  readonly buffer: number;
}

/**
 * A socket that continues the connection where the snapshot left it; nothing has been sent by it. Returns its descriptor, non-blocking. Throws a
 * RepairRefused, and leaves nothing, when the kernel has such a connection already, no route to the client, or does not take the options.
 */
export function importConnection({ local, client, snapshot, buffer }: ImportPlan): number {
  const c = libc();
  const fd = c.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new RepairRefused('socket', errnoName());
  try {
    const receiving = setBuffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, buffer);
    setBuffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, buffer);
    enterRepair(fd);
    if (c.bind(fd, socketAddress(local), 16) < 0) throw new RepairRefused('bind', errnoName());
    // Before connect: without it the socket would begin with segments of 524 bytes.
    const mss = firstSegmentSize(snapshot);
    setInteger(fd, IPPROTO_TCP, TCP_MAXSEG, mss, `a maximum segment of ${mss} bytes`);
    setQueueSequence(fd, SEND_QUEUE, snapshot.seq);
    setQueueSequence(fd, RECEIVE_QUEUE, snapshot.ack);
    if (c.connect(fd, socketAddress(client), 16) < 0) throw new RepairRefused('connect', errnoName());
    set(fd, TCP_REPAIR_OPTIONS, repairOptions(snapshot), 'TCP_REPAIR_OPTIONS');
    if (snapshot.timestamps !== null)
      setInteger(fd, IPPROTO_TCP, TCP_TIMESTAMP, importedTimestamp(snapshot.timestamps.value) | 0, 'TCP_TIMESTAMP');
    const own = snapshot.windowScale?.own ?? 0;
    set(fd, TCP_REPAIR_WINDOW, repairWindow(snapshot, Math.min(receiving, 0xffff << own)), 'TCP_REPAIR_WINDOW');
    setInteger(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_SILENTLY, 'TCP_REPAIR');
    return fd;
  } catch (error) {
    // In repair mode, or never connected: silent.
    c.close(fd);
    throw error;
  }
}

/** Closes without a word to the client. */
export function closeSilently(fd: number): void {
  enterRepair(fd);
  libc().close(fd);
}

/** Makes the kernel send a segment of no bytes, one number back (RFC 9293 §3.8.4), with its latest acknowledgement. */
export function promptSegment(fd: number): void {
  enterRepair(fd);
  setInteger(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF, 'TCP_REPAIR');
}

/**
 * Where the connection stands: `handed` is how it was taken over, `ack` the next number expected of the client, `recent` the TSval to echo. The
 * socket stays in repair mode, so that closing it is silent. The flow has to be blocked: a socket in repair mode still takes segments in.
 */
export function exportConnection(
  fd: number,
  handed: ConnectionSnapshot,
  { ack, recent }: { readonly ack: number; readonly recent: number },
): ConnectionSnapshot {
  enterRepair(fd);
  const unsent = ask(fd, SIOCOUTQNSD, 'SIOCOUTQNSD');
  const [, clientWindow = 0] = get(fd, TCP_REPAIR_WINDOW, 20, 'TCP_REPAIR_WINDOW');
  return {
    ...handed,
    // The queue's end is what was written, sent or not.
    seq: seqAdd(queueSequence(fd, SEND_QUEUE), -unsent),
    ack,
    clientWindow,
    timestamps:
      handed.timestamps === null
        ? null
        : { value: exportedTimestamp(get(fd, TCP_TIMESTAMP, 4, 'TCP_TIMESTAMP')[0] ?? 0), recent },
  };
}
