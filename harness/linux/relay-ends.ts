/** The sockets of a control relay: towards the peers as the role under test would have them, and towards the role itself. */
import { connect, createServer, type Socket } from 'node:net';
import { MAX_CONTROL_LINE } from '../../reference-impl/control/messages.js';
import { LineCutter } from './lines.js';
import type { ControlRelay, LineEnd } from './relay.js';

interface Address {
  readonly address: string;
  readonly port: number;
}

export interface RelayedPeer {
  readonly peer: string;
  /** On the control network: where the controller is waited for (`from`: its address), or where the peer waits. */
  readonly far:
    | (Address & { readonly kind: 'listen'; readonly from: string })
    | (Address & { readonly kind: 'connect' });
  /** On the loopback interface: where the role waits, or, for a controller, where it finds that peer. */
  readonly near: Address;
}

export interface ControlRim {
  readonly role: string;
  readonly peers: readonly RelayedPeer[];
}

const RETRY_MS = 20;

/** Joins a socket's lines to one side of the relay for as long as it lives. */
function join(socket: Socket, take: (line: string) => void, end: (now: LineEnd | undefined) => void): void {
  socket.setNoDelay(true);
  const cutter = new LineCutter(MAX_CONTROL_LINE, take);
  socket.on('data', (bytes: Buffer) => cutter.push(bytes));
  socket.on('error', () => {});
  const here: LineEnd = {
    send: (line) => {
      if (socket.writable) socket.write(`${line}\n`);
    },
    close: () => socket.destroy(),
  };
  socket.once('close', () => end(undefined));
  end(here);
}

/** Keeps a connection to an address, again and again, until `over`. */
function keepConnected(to: Address, over: () => boolean, met: (socket: Socket) => void): void {
  if (over()) return;
  const socket = connect(to.port, to.address);
  socket.on('error', () => {});
  socket.once('connect', () => met(socket));
  socket.once('close', () => setTimeout(() => keepConnected(to, over, met), RETRY_MS));
}

/** A server that keeps one connection, the newest, from the one address it knows (SEC-3). */
function accept(at: Address, from: string | undefined, met: (socket: Socket) => void): void {
  let present: Socket | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (from !== undefined && socket.remoteAddress !== from) {
      socket.destroy();
      return;
    }
    const before = present;
    present = socket;
    if (!before || before.destroyed) met(socket);
    else {
      // The end of the old one is told before the beginning of the new one.
      before.once('close', () => met(socket));
      before.destroy();
    }
  });
  server.listen(at.port, at.address);
}

/** The side of the peers: waits for the controller, or connects to the controller's peers. */
export function joinPeers(rim: ControlRim, relay: ControlRelay, over: () => boolean): void {
  for (const { peer, far } of rim.peers) {
    const met = (socket: Socket): void =>
      join(
        socket,
        (line) => relay.fromPeer(peer, line),
        (end) => relay.peerEnd(peer, end),
      );
    if (far.kind === 'listen') accept(far, far.from, met);
    else keepConnected(far, over, met);
  }
}

/** The side of a role that speaks TCP: it waits itself, or, a controller, connects. */
export function joinRoleByTcp(rim: ControlRim, relay: ControlRelay, over: () => boolean): void {
  for (const { peer, far, near } of rim.peers) {
    const met = (socket: Socket): void =>
      join(
        socket,
        (line) => relay.fromRole(peer, line),
        (end) => relay.roleEnd(peer, end),
      );
    if (far.kind === 'listen') keepConnected(near, over, met);
    else accept(near, undefined, met);
  }
}

/** What a controller's line on standard output is: `{"peer": NAME, "message": {...}}`. */
function opened(line: string): { peer: string; message: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('peer' in value) || !('message' in value)) return undefined;
  return typeof value.peer === 'string' ? { peer: value.peer, message: JSON.stringify(value.message) } : undefined;
}

/**
 * The side of a role that speaks on its standard output: what to do with each of its lines. A switch and a backend have one peer, whose lines
 * stand as they are; a controller's name their peer. A line that names none is nobody's, and `complain` is told.
 */
export function fromStdio(
  rim: ControlRim,
  relay: ControlRelay,
  complain: (line: string) => void,
): (line: string) => void {
  const [only] = rim.peers;
  if (rim.role !== 'controller') return (line) => only && relay.fromRole(only.peer, line);
  return (line) => {
    const envelope = opened(line);
    if (envelope && rim.peers.some(({ peer }) => peer === envelope.peer))
      relay.fromRole(envelope.peer, envelope.message);
    else complain(line);
  };
}

/** The role's end of each channel, on its standard input. */
export function toStdio(rim: ControlRim, relay: ControlRelay, write: (line: string) => void): void {
  for (const { peer } of rim.peers) {
    const send = (line: string): void =>
      write(rim.role === 'controller' ? `{"peer":${JSON.stringify(peer)},"message":${line}}` : line);
    relay.roleEnd(peer, { send, close: () => {} });
  }
}
