/** One step of a role that speaks TCP: a scratch pad over an immutable table of connections. What changes is copied, nothing is written. */
import type { ControlMessage } from '../control/messages.js';
import type { Micros, RoleEvent, RoleInput, RoleOutput } from '../core/core.js';
import type { RemedyName, WithoutRemedies } from '../core/remedies.js';
import type { EndpointStep } from '../tcp/endpoint.js';
import type { Segment } from '../tcp/segment.js';
import { formatIpv4Address, type Ipv4Address } from '../wire/addresses.js';
import type { TcpView } from '../wire/tcp.js';
import { type HostAddresses, receiveFrame, segmentFrame } from './host.js';

export interface Client {
  readonly ip: Ipv4Address;
  readonly port: number;
}

/** A row of the table: a client's connection. */
export interface Entry {
  /** `address:port` of the client; the key of its timer too. */
  readonly key: string;
  readonly client: Client;
  readonly endpoint: EndpointStep['endpoint'];
  /** The deadline the world was last told. */
  readonly timer: Micros | null;
}

export interface HostStepContext<Row extends Entry> {
  readonly now: Micros;
  readonly host: HostAddresses;
  /** What our segments come from. */
  readonly origin: Client;
  readonly without: WithoutRemedies;
  readonly table: ReadonlyMap<string, Row>;
  /** IP identification of the next segment. */
  readonly ipId: number;
}

export abstract class HostStep<Row extends Entry> {
  readonly now: Micros;
  readonly outputs: RoleOutput[] = [];
  readonly #context: HostStepContext<Row>;
  #table: Map<string, Row> | undefined;
  #ipId: number;

  constructor(context: HostStepContext<Row>) {
    this.#context = context;
    this.now = context.now;
    this.#ipId = context.ipId;
  }

  /** The table as it is now; the one that was given while nothing changed in it. */
  get table(): ReadonlyMap<string, Row> {
    return this.#table ?? this.#context.table;
  }

  get ipId(): number {
    return this.#ipId;
  }

  run(input: RoleInput): void {
    switch (input.kind) {
      case 'frame':
        this.frame(input.bytes);
        break;
      case 'control':
        this.control(input.peer, input.message);
        break;
      case 'control-invalid':
        this.reject(input.peer, input.error);
        break;
      case 'control-up':
        this.peerUp(input.peer);
        break;
      case 'control-down':
        this.peerDown(input.peer);
        break;
      case 'timer': {
        const row = this.find(input.key);
        if (row !== undefined) this.timer({ ...row, timer: null });
        break;
      }
    }
  }

  /** A whole segment with valid checksums for one of our addresses; `bytes` is its frame. */
  protected abstract segment(key: string, client: Client, tcp: TcpView, bytes: Uint8Array): void;
  protected abstract control(peer: string, message: ControlMessage): void;
  protected abstract peerUp(peer: string): void;
  protected abstract peerDown(peer: string): void;
  /** Its deadline has come, or it is woken early: then nothing is due. */
  protected abstract timer(row: Row): void;
  /** The earliest moment at which something of the row is due. */
  protected abstract deadline(row: Row): Micros | null;

  protected frame(bytes: Uint8Array): void {
    const received = receiveFrame(this.#context.host, bytes);
    if (received.kind === 'reply') this.outputs.push({ kind: 'frame', port: 'link', bytes: received.bytes });
    if (received.kind !== 'segment') return;
    const { src, tcp } = received;
    this.segment(`${formatIpv4Address(src)}:${tcp.srcPort}`, { ip: src, port: tcp.srcPort }, tcp, bytes);
  }

  protected find(key: string): Row | undefined {
    return this.table.get(key);
  }

  protected put(row: Row): void {
    this.#table ??= new Map(this.#context.table);
    const at = this.deadline(row);
    if (at !== row.timer) this.outputs.push({ kind: 'timer', key: row.key, at });
    this.#table.set(row.key, at === row.timer ? row : { ...row, timer: at });
  }

  protected drop(row: Row): void {
    this.#table ??= new Map(this.#context.table);
    this.#table.delete(row.key);
    this.outputs.push({ kind: 'timer', key: row.key, at: null });
  }

  /** Sends what an end point's step sent, and keeps its new state. */
  protected apply(row: Row, step: EndpointStep): Row {
    for (const segment of step.out) this.emit(row.client, segment);
    return { ...row, endpoint: step.endpoint };
  }

  protected emit(client: Client, segment: Segment, fromPort = this.#context.origin.port): void {
    const { host, origin } = this.#context;
    const route = { src: origin.ip, srcPort: fromPort, dst: client.ip, dstPort: client.port, id: this.#ipId };
    this.#ipId = (this.#ipId + 1) & 0xffff;
    this.outputs.push({ kind: 'frame', port: 'link', bytes: segmentFrame(host, route, segment) });
  }

  protected say(peer: string, message: ControlMessage): void {
    this.outputs.push({ kind: 'control', peer, message });
  }

  protected event(action: string, conn: string | null, fields: Omit<RoleEvent, 'action' | 'conn'>): void {
    this.outputs.push({ kind: 'event', event: { action, conn, ...fields } });
  }

  /** A control message that changes nothing is reported (ERR-4). */
  protected reject(peer: string, reason: string): void {
    this.event('ControlRejected', null, { peer, reason });
  }

  /** Whether a remedy is switched off. */
  protected without(remedy: RemedyName): boolean {
    return this.#context.without.includes(remedy);
  }
}
