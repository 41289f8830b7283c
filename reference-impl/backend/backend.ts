/**
 * A backend in user space (SoCC'17 §2.4): takes over connections it is handed, serves one request on each, gives them back.
 *
 * Its segments carry its own address; the switch makes them the logical server's. It acknowledges nothing behind the request,
 * ignores FIN, answers nothing on connections it does not own, and reports completion once nothing is un-acknowledged.
 */
import { createHash } from 'node:crypto';
import type { ControlMessage, Failed, FourTuple, Handoff, RequestDescription } from '../control/messages.js';
import type { Micros, RoleEvent, RoleInput, RoleOutput, Stepped } from '../core/core.js';
import type { RemedyName } from '../core/remedies.js';
import { type HostAddresses, receiveFrame, segmentFrame } from '../host/host.js';
import {
  adopt,
  allSent,
  constrain,
  deadline,
  type Endpoint,
  type EndpointStep,
  expire,
  exportSnapshot,
  flush,
  idle,
  read,
  receive,
  rewind,
  send,
} from '../tcp/endpoint.js';
import { resetFor, type Segment } from '../tcp/segment.js';
import { formatIpv4Address, type Ipv4Address, parseIpv4Address } from '../wire/addresses.js';
import { seqAdd } from '../wire/seq.js';
import type { TcpView } from '../wire/tcp.js';
import type { BackendConfig } from './config.js';
import { type Payload, payloadBytes, startPayload, takePayload } from './payload.js';

interface Report {
  readonly message: Extract<ControlMessage, { verb: 'complete' | 'failed' }>;
  readonly at: Micros;
}

/** One handed-off connection. */
interface Service {
  /** `address:port` of the client. */
  readonly key: string;
  readonly client: { readonly ip: Ipv4Address; readonly port: number };
  readonly conn: FourTuple;
  readonly handoff: number;
  readonly request: RequestDescription;
  readonly endpoint: Endpoint;
  readonly payload: Payload;
  /** `reporting`: the connection is given up, the controller has not confirmed yet. */
  readonly phase: 'receiving' | 'delaying' | 'responding' | 'reporting';
  readonly respondAt: Micros | null;
  /** When it gives up by itself. */
  readonly leaseEnds: Micros | null;
  readonly keepAlive: boolean;
  readonly report: Report | null;
  /** The deadline the world was last told. */
  readonly timer: Micros | null;
}

export interface BackendState {
  readonly config: BackendConfig;
  readonly services: ReadonlyMap<string, Service>;
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Numbers of the latest hand-offs that ended, so that a late repetition does not start one again. */
  readonly ended: readonly number[];
  readonly nextId: number;
  readonly ipId: number;
}

const REPORT_INTERVAL: Micros = 1_000_000;
const ENDED_KEPT = 256;
const CONTROLLER = 'controller';

export function initBackend(config: BackendConfig): Stepped<BackendState> {
  return {
    state: { config, services: new Map(), objects: config.objects, ended: [], nextId: 1, ipId: 1 },
    outputs: [],
  };
}

/** Connections taken over and not yet given back with the controller's confirmation. */
export function openServices(state: BackendState): number {
  return state.services.size;
}

export function stepBackend(state: BackendState, input: RoleInput, now: Micros): Stepped<BackendState> {
  const step = new BackendStep(state, now);
  switch (input.kind) {
    case 'frame':
      step.frame(input.bytes);
      break;
    case 'control':
      step.control(input.peer, input.message);
      break;
    case 'control-invalid':
      step.event('ControlRejected', null, { peer: input.peer, reason: input.error });
      break;
    case 'control-up':
      step.controllerUp();
      break;
    case 'control-down':
      step.controllerLost();
      break;
    case 'timer':
      step.timer(input.key);
      break;
  }
  return step.finish();
}

/** One step's scratch pad: the state is copied where it changes, never written. */
class BackendStep {
  readonly #config: BackendConfig;
  readonly #host: HostAddresses;
  readonly #outputs: RoleOutput[] = [];
  #state: BackendState;
  #services: Map<string, Service> | undefined;

  constructor(
    state: BackendState,
    readonly now: Micros,
  ) {
    this.#state = state;
    this.#config = state.config;
    this.#host = { mac: state.config.mac, gatewayMac: state.config.gatewayMac, ips: [state.config.ip] };
  }

  finish(): Stepped<BackendState> {
    const state = this.#services === undefined ? this.#state : { ...this.#state, services: this.#services };
    return { state, outputs: this.#outputs };
  }

  // --- inputs ---------------------------------------------------------------------------------------------------------------

  frame(bytes: Uint8Array): void {
    const received = receiveFrame(this.#host, bytes);
    if (received.kind === 'reply') this.#outputs.push({ kind: 'frame', port: 'link', bytes: received.bytes });
    if (received.kind !== 'segment') return;
    const { tcp, src } = received;
    const service = this.#find(`${formatIpv4Address(src)}:${tcp.srcPort}`);
    if (service === undefined || service.phase === 'reporting' || tcp.dstPort !== this.#config.port) {
      this.#unowned({ ip: src, port: tcp.srcPort }, tcp);
      return;
    }
    this.#segment(service, tcp);
  }

  control(peer: string, message: ControlMessage): void {
    switch (message.verb) {
      case 'handoff':
        this.#takeOver(peer, message);
        break;
      case 'ok':
      case 'refused':
        this.#confirmed(peer, message.re);
        break;
      default:
        this.#reject(peer, `a backend takes no ${message.verb}`);
        this.#say(peer, {
          verb: 'refused',
          re: message.id,
          code: 'unsupported',
          reason: `a backend takes no ${message.verb}`,
        });
    }
  }

  controllerUp(): void {
    for (const service of this.#state.services.values())
      if (service.report !== null) this.#say(CONTROLLER, service.report.message);
  }

  /** The controller takes a backend without a control connection for dead (ERR-2); so the backend has to be. */
  controllerLost(): void {
    if (this.#without('hand-off-lease')) return;
    for (const service of [...this.#state.services.values()])
      if (service.phase !== 'reporting') this.#fail(service, 'controller-lost');
  }

  timer(key: string): void {
    let service = this.#find(key);
    if (service === undefined) return;
    service = { ...service, timer: null };
    if (service.phase === 'reporting') {
      if (service.report !== null && service.report.at <= this.now) {
        this.#say(CONTROLLER, service.report.message);
        service = { ...service, report: { ...service.report, at: this.now + REPORT_INTERVAL } };
      }
      this.#put(service);
      return;
    }
    if (service.leaseEnds !== null && service.leaseEnds <= this.now) {
      this.#fail(service, 'lease-expired');
      return;
    }
    service = this.#apply(service, expire(service.endpoint, this.now));
    if (service.endpoint.state === 'closed') {
      this.#fail(service, 'client-timeout');
      return;
    }
    if (service.phase === 'delaying' && service.respondAt !== null && service.respondAt <= this.now)
      service = this.#respond(service);
    this.#progress(service);
  }

  // --- take-over and serving ------------------------------------------------------------------------------------------------

  #takeOver(peer: string, message: Handoff): void {
    const { conn, snapshot, request } = message;
    const key = `${conn.client.ip}:${conn.client.port}`;
    const present = this.#find(key);
    const ip = parseIpv4Address(conn.client.ip);
    if (present?.handoff === message.handoff || this.#state.ended.includes(message.handoff)) {
      this.#reject(peer, `repeated hand-off ${message.handoff}`);
      this.#say(peer, { verb: 'ok', re: message.id });
      return;
    }
    if (
      ip === undefined ||
      (present !== undefined && (present.phase !== 'reporting' || present.handoff > message.handoff))
    ) {
      this.#reject(peer, `hand-off ${message.handoff} of ${key}, which is handed off already`);
      this.#say(peer, { verb: 'refused', re: message.id, code: 'conflict', reason: `${key} is handed off already` });
      return;
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const adopted = adopt(
      snapshot,
      {
        receiveBuffer: this.#config.receiveBuffer,
        ...(this.#without('timestamp-continuity') ? { timestampOffset: 0 } : {}),
      },
      this.now,
    );
    const payload = startPayload(request.payload);
    const limit = request.payload.kind === 'length' ? seqAdd(snapshot.ack, request.payload.bytes) : null;
    const endpoint = constrain(adopted, {
      ackLimit: this.#without('backend-ack-limit') ? null : limit,
      windowClosed: isRead && !this.#without('window-closing'),
      holdFin: !this.#without('fin-suppression'),
    });
    let service: Service = {
      key,
      client: { ip, port: conn.client.port },
      conn,
      handoff: message.handoff,
      request,
      endpoint,
      payload,
      phase: 'receiving',
      respondAt: null,
      leaseEnds: message.leaseMs === undefined ? null : this.now + message.leaseMs * 1000,
      keepAlive: request.keepAlive,
      report: null,
      timer: null,
    };
    this.event('TakeOver', key, { handoff: message.handoff, seq: snapshot.seq, ack: snapshot.ack });
    this.#say(peer, { verb: 'ok', re: message.id });
    if (payload.status === 'complete') service = this.#requestComplete(service);
    else if (request.expectContinue)
      service = { ...service, endpoint: send(service.endpoint, Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')) };
    this.#progress(service);
  }

  #segment(before: Service, segment: TcpView): void {
    let service = this.#apply(before, receive(before.endpoint, segment, this.now));
    if (service.endpoint.state === 'closed') {
      this.#fail(service, 'client-reset');
      return;
    }
    const taken = read(service.endpoint);
    service = { ...service, endpoint: taken.endpoint };
    for (let i = 0; i < taken.bytes.length; i++) {
      const bytes = taken.bytes[i];
      if (bytes === undefined || service.phase !== 'receiving') continue;
      const part = takePayload(service.payload, bytes);
      service = { ...service, payload: part.payload };
      if (part.payload.status === 'incomplete') continue;
      const behind = taken.bytes.slice(i + 1).reduce((sum, more) => sum + more.length, bytes.length - part.taken);
      if (!this.#without('backend-ack-limit'))
        service = { ...service, endpoint: rewind(service.endpoint, seqAdd(service.endpoint.rcvNxt, -behind)) };
      service = this.#requestComplete(service);
    }
    this.#progress(service);
  }

  #requestComplete(service: Service): Service {
    if (this.#config.serviceDelayMs === 0) return this.#respond(service);
    return { ...service, phase: 'delaying', respondAt: this.now + this.#config.serviceDelayMs * 1000 };
  }

  #respond(service: Service): Service {
    const response = this.#serve(service);
    const keepAlive = service.keepAlive && service.payload.status !== 'malformed';
    const connection = keepAlive
      ? service.request.minorVersion === 0
        ? 'Connection: keep-alive\r\n'
        : ''
      : 'Connection: close\r\n';
    const etag = response.etag === undefined ? '' : `ETag: "${response.etag}"\r\n`;
    const head = `HTTP/1.1 ${response.status}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${response.body.length}\r\n${etag}${connection}\r\n`;
    let endpoint = send(service.endpoint, Buffer.from(head, 'latin1'));
    if (service.request.method !== 'HEAD') endpoint = send(endpoint, response.body);
    this.event('Respond', service.key, {
      handoff: service.handoff,
      status: Number.parseInt(response.status, 10),
      bytes: response.body.length,
    });
    return { ...service, endpoint, keepAlive, phase: 'responding', respondAt: null };
  }

  #serve(service: Service): { status: string; body: Uint8Array; etag?: string } {
    const path = service.request.target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '/';
    const present = this.#state.objects.get(path);
    if (service.payload.status === 'malformed') return { status: '400 Bad Request', body: new Uint8Array(0) };
    switch (service.request.method) {
      case 'GET':
      case 'HEAD':
        if (present === undefined) return { status: '404 Not Found', body: Buffer.from('not found\n') };
        return { status: '200 OK', body: present };
      case 'PUT': {
        const stored = payloadBytes(service.payload);
        this.#state = { ...this.#state, objects: new Map(this.#state.objects).set(path, stored) };
        return {
          status: present === undefined ? '201 Created' : '200 OK',
          body: new Uint8Array(0),
          etag: sha256(stored),
        };
      }
      case 'POST': {
        const echoed = payloadBytes(service.payload);
        return { status: '200 OK', body: echoed, etag: sha256(echoed) };
      }
    }
  }

  /** Sends what can be sent, and gives the connection back once it is time to (SoCC'17 §2.4, step 9). */
  #progress(before: Service): void {
    const service = this.#apply(before, flush(before.endpoint, this.now));
    const done = this.#without('complete-when-acked') ? allSent(service.endpoint) : idle(service.endpoint);
    if (service.phase !== 'responding' || !done) {
      this.#put(service);
      return;
    }
    const snapshot = exportSnapshot(service.endpoint, this.now);
    this.event('Complete', service.key, { handoff: service.handoff, seq: snapshot.seq, ack: snapshot.ack });
    this.#report(service, (id) => ({
      verb: 'complete',
      id,
      handoff: service.handoff,
      conn: service.conn,
      snapshot,
      keepAlive: service.keepAlive,
    }));
  }

  #fail(service: Service, reason: Failed['reason']): void {
    this.event('Fail', service.key, { handoff: service.handoff, reason });
    const snapshot = exportSnapshot(service.endpoint, this.now);
    this.#report(service, (id) => ({
      verb: 'failed',
      id,
      handoff: service.handoff,
      conn: service.conn,
      reason,
      snapshot,
    }));
  }

  #report(service: Service, message: (id: string) => Report['message']): void {
    const id = `${this.#config.name}-${this.#state.nextId}/${service.key}`;
    const report: Report = { message: message(id), at: this.now + REPORT_INTERVAL };
    this.#state = {
      ...this.#state,
      nextId: this.#state.nextId + 1,
      ended: [...this.#state.ended, service.handoff].slice(-ENDED_KEPT),
    };
    this.#say(CONTROLLER, report.message);
    this.#put({ ...service, phase: 'reporting', report, payload: startPayload({ kind: 'length', bytes: 0 }) });
  }

  #confirmed(peer: string, id: string): void {
    const service = this.#find(id.slice(id.indexOf('/') + 1));
    if (service?.report?.message.id !== id) {
      this.#reject(peer, `answer to nothing asked: ${id}`);
      return;
    }
    this.#services ??= new Map(this.#state.services);
    this.#services.delete(service.key);
    this.#outputs.push({ kind: 'timer', key: service.key, at: null });
  }

  /** HOF-5: a segment of a connection that is not, or no longer, ours draws nothing. */
  #unowned(client: Service['client'], segment: TcpView): void {
    this.event('IgnoreSegment', `${formatIpv4Address(client.ip)}:${client.port}`, { seq: segment.seq });
    if (!this.#without('backend-guard') || segment.rst) return;
    // What a stock kernel does (RFC 9293 §3.10.7.1).
    this.#emit(client, resetFor(segment));
  }

  // --- book-keeping ---------------------------------------------------------------------------------------------------------

  event(action: string, conn: string | null, fields: Omit<RoleEvent, 'action' | 'conn'>): void {
    this.#outputs.push({ kind: 'event', event: { action, conn, ...fields } });
  }

  #reject(peer: string, reason: string): void {
    this.event('ControlRejected', null, { peer, reason });
  }

  #without(remedy: RemedyName): boolean {
    return this.#config.without.includes(remedy);
  }

  #find(key: string): Service | undefined {
    return (this.#services ?? this.#state.services).get(key);
  }

  #put(service: Service): void {
    this.#services ??= new Map(this.#state.services);
    const at = serviceDeadline(service);
    if (at !== service.timer) this.#outputs.push({ kind: 'timer', key: service.key, at });
    this.#services.set(service.key, at === service.timer ? service : { ...service, timer: at });
  }

  #apply(service: Service, step: EndpointStep): Service {
    for (const segment of step.out) this.#emit(service.client, segment);
    return { ...service, endpoint: step.endpoint };
  }

  #emit(client: Service['client'], segment: Segment): void {
    const route = {
      src: this.#config.ip,
      srcPort: this.#config.port,
      dst: client.ip,
      dstPort: client.port,
      id: this.#state.ipId,
    };
    this.#state = { ...this.#state, ipId: (this.#state.ipId + 1) & 0xffff };
    this.#outputs.push({ kind: 'frame', port: 'link', bytes: segmentFrame(this.#host, route, segment) });
  }

  #say(peer: string, message: ControlMessage): void {
    this.#outputs.push({ kind: 'control', peer, message });
  }
}

function serviceDeadline(service: Service): Micros | null {
  if (service.phase === 'reporting') return service.report?.at ?? null;
  const due = [deadline(service.endpoint), service.respondAt, service.leaseEnds].filter((at) => at !== null);
  return due.length === 0 ? null : Math.min(...due);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
