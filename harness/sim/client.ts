/**
 * The simulated client: a host that behaves as a Linux client does, over the reference's TCP end point.
 * What a Linux socket does beyond TCP itself is here: delayed ACKs, RST for what no socket owns, and how `close` ends a connection.
 */
import { type HostAddresses, receiveFrame, segmentFrame } from '../../reference-impl/host/host.js';
import {
  abort,
  allSent,
  close,
  connect,
  deadline,
  type Endpoint,
  type EndpointStep,
  expire,
  flush,
  read,
  receive,
  send,
} from '../../reference-impl/tcp/endpoint.js';
import { hasFlag, resetFor, type Segment } from '../../reference-impl/tcp/segment.js';
import { BROADCAST_MAC, type Ipv4Address, type MacAddress } from '../../reference-impl/wire/addresses.js';
import { ArpOperation } from '../../reference-impl/wire/arp.js';
import { buildArpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import { createRandom, type Random } from '../random.js';
import type { ClientStart } from '../world.js';
import { MICROSECOND, MILLISECOND, type Nanos, SECOND, type Timer, type VirtualClock } from './clock.js';

/** What a client's stack offers at the handshake, and the room it has. */
export interface ClientProfile {
  readonly mss: number;
  /** Shift 0 to 14; null: not offered. */
  readonly windowScale: number | null;
  readonly sack: boolean;
  readonly timestamps: boolean;
  /** In bytes. */
  readonly receiveBuffer: number;
}

/** Linux's first receive window is 44 segments of 1460 bytes; it fits the SYN's unscaled field. */
export const LINUX_CLIENT: ClientProfile = {
  mss: 1460,
  windowScale: 7,
  sack: true,
  timestamps: true,
  receiveBuffer: 64_240,
};
/** Linux's TCP_DELACK_MIN. */
const DELAYED_ACK: Nanos = 40 * MILLISECOND;
/** Linux's tcp_fin_timeout: how long a closed socket waits for the other side's FIN. */
const ORPHAN_LIFETIME: Nanos = 60 * SECOND;
const ARP_RETRY: Nanos = SECOND;
/** Linux's ip_local_port_range. */
const FIRST_PORT = 32_768;
const PORTS = 28_232;

export interface Remote {
  readonly ip: Ipv4Address;
  readonly port: number;
}

export interface ClientAddresses {
  readonly mac: MacAddress;
  readonly ip: Ipv4Address;
  /** Asked for by ARP; everything goes through it. */
  readonly gateway: Ipv4Address;
}

export class SimClient {
  readonly random: Random;
  readonly #connections = new Map<number, Connection>();
  /** Ports of earlier connections: of those, old segments may still be under way (RFC 9293 §3.4.1). */
  readonly #used = new Set<number>();
  readonly #clockOffset: number;
  #gatewayMac: MacAddress | null = null;
  /** Made once the gateway's MAC address is known. */
  #waiting: ((host: HostAddresses) => Uint8Array)[] = [];
  #ipId: number;

  constructor(
    readonly clock: VirtualClock,
    readonly addresses: ClientAddresses,
    readonly transmit: (bytes: Uint8Array) => void,
    seed: number,
  ) {
    this.random = createRandom(seed, 'client');
    this.#clockOffset = this.random.below(1_000_000_000);
    this.#ipId = this.random.below(0x10000);
  }

  /** The host's own clock, in microseconds. */
  get micros(): number {
    return Math.floor(this.clock.now / MICROSECOND) + this.#clockOffset;
  }

  /** A point of the host's clock on the simulation's. */
  nanos(micros: number): Nanos {
    return (micros - this.#clockOffset) * MICROSECOND;
  }

  /** Connections that still have something to say; TIME-WAIT has not. */
  get live(): number {
    let count = 0;
    for (const connection of this.#connections.values()) if (connection.live) count++;
    return count;
  }

  /** Starts a connection; `changed` is called whenever something arrived or ended. */
  open(
    remote: Remote,
    changed: () => void,
    profile: ClientProfile = LINUX_CLIENT,
    start: ClientStart = {},
  ): Connection {
    let port = 0;
    do port = FIRST_PORT + this.random.below(PORTS);
    while (this.#connections.has(port) || (this.#used.has(port) && this.#used.size < PORTS / 2));
    this.#used.add(port);
    const connection = new Connection(this, remote, port, changed, { ...profile, ...start });
    this.#connections.set(port, connection);
    return connection;
  }

  /** Takes a frame from the link. */
  receive(bytes: Uint8Array): void {
    this.#learn(bytes);
    const input = receiveFrame(this.#host(0), bytes);
    if (input.kind === 'reply') this.transmit(input.bytes);
    if (input.kind !== 'segment') return;
    const { src, tcp } = input;
    const connection = this.#connections.get(tcp.dstPort);
    const remote = { ip: src, port: tcp.srcPort };
    if (connection !== undefined && connection.remote.ip === remote.ip && connection.remote.port === remote.port)
      connection.receive(tcp);
    // RFC 9293 §3.10.7.1: what no connection owns is answered with RST, unless it is one.
    else if (!hasFlag(tcp, 'RST')) this.sendSegment(remote, tcp.dstPort, resetFor(tcp));
  }

  /** Sends a segment, once the gateway is known. */
  sendSegment(remote: Remote, port: number, segment: Segment): void {
    this.#ipId = (this.#ipId + 1) & 0xffff;
    const route = { src: this.addresses.ip, srcPort: port, dst: remote.ip, dstPort: remote.port, id: this.#ipId };
    if (this.#gatewayMac !== null) {
      this.transmit(segmentFrame(this.#host(this.#gatewayMac), route, segment));
      return;
    }
    this.#waiting.push((host) => segmentFrame(host, route, segment));
    if (this.#waiting.length === 1) this.#askForGateway();
  }

  #host(gatewayMac: MacAddress): HostAddresses {
    return { mac: this.addresses.mac, gatewayMac, ips: [this.addresses.ip] };
  }

  #askForGateway(): void {
    if (this.#gatewayMac !== null) return;
    const { mac, ip, gateway } = this.addresses;
    const arp = { operation: ArpOperation.REQUEST, senderMac: mac, senderIp: ip, targetMac: 0, targetIp: gateway };
    this.transmit(buildArpFrame({ ethernet: { dst: BROADCAST_MAC, src: mac }, arp }));
    this.clock.after(ARP_RETRY, () => this.#askForGateway());
  }

  #learn(bytes: Uint8Array): void {
    const parsed = parseFrame(bytes);
    const arp = parsed.ok ? parsed.value.arp : undefined;
    if (arp === undefined || arp.senderIp !== this.addresses.gateway || arp.targetIp !== this.addresses.ip) return;
    this.#gatewayMac = arp.senderMac;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const build of waiting) this.transmit(build(this.#host(arp.senderMac)));
  }

  /** Forgets a connection; what still arrives for it is refused. */
  forget(connection: Connection): void {
    this.#connections.delete(connection.port);
  }
}

/** One connection as a program sees its socket. Writing and closing act at once; nothing here calls back into the program. */
export class Connection {
  #endpoint: Endpoint;
  readonly #timer: Timer;
  readonly #delayedAck: Timer;
  readonly #orphan: Timer;
  #arrived: Uint8Array[] = [];
  /** In-order segments that no ACK covers yet. */
  #unacknowledged = 0;
  /** The program has closed its socket. */
  #abandoned = false;

  constructor(
    readonly client: SimClient,
    readonly remote: Remote,
    readonly port: number,
    readonly changed: () => void,
    profile: ClientProfile & ClientStart,
  ) {
    this.#timer = client.clock.timer(() => this.#expire());
    this.#delayedAck = client.clock.timer(() => this.#flush());
    this.#orphan = client.clock.timer(() => this.#end());
    const milliseconds = Math.floor(client.micros / 1000);
    const iss = client.random.u32();
    const timestampOffset =
      profile.initialTimestamp === undefined ? client.random.u32() : seqAdd(profile.initialTimestamp, -milliseconds);
    const options = {
      iss: profile.initialSequence ?? iss,
      mss: profile.mss,
      windowScale: profile.windowScale,
      sack: profile.sack,
      timestampOffset: profile.timestamps ? timestampOffset : null,
      receiveBuffer: profile.receiveBuffer,
    };
    const step = connect(options, client.micros);
    this.#endpoint = step.endpoint;
    this.#take(step);
  }

  get connected(): boolean {
    return this.#endpoint.state !== 'syn-sent' && this.#endpoint.state !== 'closed';
  }

  get live(): boolean {
    return this.#endpoint.state !== 'closed' && this.#endpoint.state !== 'time-wait';
  }

  /** How the other side, or the network, ended what can be read; null while it may go on. */
  get ended(): 'fin' | 'rst' | 'timeout' | null {
    if (this.#endpoint.closedBy === 'reset') return 'rst';
    if (this.#endpoint.closedBy === 'timeout') return 'timeout';
    return this.#endpoint.peerClosed ? 'fin' : null;
  }

  /** What arrived since the last call. */
  takeArrived(): readonly Uint8Array[] {
    const arrived = this.#arrived;
    this.#arrived = [];
    return arrived;
  }

  /** Sends bytes as one write, without waiting for more (TCP_NODELAY). */
  write(bytes: Uint8Array): void {
    this.#endpoint = send(this.#endpoint, bytes);
    this.#flush();
  }

  /** Sends FIN behind what was written; reading goes on. */
  shutdown(): void {
    if (this.#endpoint.state !== 'established' && this.#endpoint.state !== 'close-wait') return;
    this.#endpoint = close(this.#endpoint);
    this.#flush();
  }

  /** Closes both directions, as `close(2)` does: RST when bytes were left unread, FIN otherwise. */
  close(): void {
    this.#abandoned = true;
    if (this.#arrived.length > 0) this.abort();
    else if (this.#endpoint.state === 'syn-sent') this.#end();
    else {
      this.shutdown();
      this.#settle();
    }
  }

  /** Sends RST. */
  abort(): void {
    this.#abandoned = true;
    this.#take(abort(this.#endpoint, this.client.micros));
    this.#end();
  }

  /** A segment with valid checksums. */
  receive(segment: Segment): void {
    const before = this.#endpoint;
    const step = receive(before, segment, this.client.micros);
    const { endpoint, bytes } = read(step.endpoint);
    this.#take({ endpoint, out: step.out });
    if (bytes.length > 0) {
      // Nobody can read this any more; Linux says so with a RST.
      if (this.#abandoned) {
        this.abort();
        return;
      }
      this.#arrived.push(...bytes);
    }
    if (this.#mayDelayAck(before, segment)) this.#delayedAck.set(this.client.clock.now + DELAYED_ACK);
    else this.#flush();
    this.changed();
  }

  /** An ACK may wait for the next one after a single full segment in order, while there is nothing to send (RFC 9293 §3.8.6.3). */
  #mayDelayAck(before: Endpoint, segment: Segment): boolean {
    const endpoint = this.#endpoint;
    const inOrder =
      segment.payload.length > 0 &&
      seqDiff(endpoint.rcvNxt, before.rcvNxt) === segment.payload.length &&
      endpoint.outOfOrder.length === 0;
    // Linux acknowledges a pushed segment as soon as the program has read it.
    if (!inOrder || hasFlag(segment, 'PSH') || endpoint.peerFin !== null) return false;
    if (!allSent(endpoint) || endpoint.finQueued) return false;
    this.#unacknowledged++;
    return this.#unacknowledged < 2;
  }

  #flush(): void {
    this.#delayedAck.set(null);
    this.#unacknowledged = 0;
    this.#take(flush(this.#endpoint, this.client.micros));
  }

  #expire(): void {
    this.#take(expire(this.#endpoint, this.client.micros));
    this.changed();
  }

  #take(step: EndpointStep): void {
    this.#endpoint = step.endpoint;
    for (const segment of step.out) this.client.sendSegment(this.remote, this.port, segment);
    const due = deadline(step.endpoint);
    this.#timer.set(due === null ? null : this.client.nanos(due));
    this.#settle();
  }

  #settle(): void {
    if (this.#endpoint.state === 'closed') this.#end();
    else if (this.#abandoned && this.#endpoint.state === 'fin-wait-2')
      this.#orphan.set(this.client.clock.now + ORPHAN_LIFETIME);
  }

  #end(): void {
    for (const timer of [this.#timer, this.#delayedAck, this.#orphan]) timer.set(null);
    this.client.forget(this);
  }
}
