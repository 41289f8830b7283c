/**
 * A backend in user space (SoCC'17 §2.4): takes over connections it is handed, serves one request on each, gives them back.
 *
 * Its segments carry its own address; the switch makes them the logical server's. It acknowledges nothing behind the request,
 * ignores FIN, answers nothing on connections it does not own, and reports completion once nothing is un-acknowledged.
 */
import { createHash } from 'node:crypto';
import type { ControlMessage, Failed, FourTuple, Handoff, RequestDescription } from '../control/messages.js';
import type { Micros, RoleInput, Stepped } from '../core/core.js';
import { type Client, type Entry, HostStep } from '../host/host-step.js';
import {
  adopt,
  allSent,
  constrain,
  deadline,
  expire,
  exportSnapshot,
  flush,
  idle,
  read,
  receive,
  rewind,
  send,
} from '../tcp/endpoint.js';
import { resetFor } from '../tcp/segment.js';
import { parseIpv4Address } from '../wire/addresses.js';
import { seqAdd } from '../wire/seq.js';
import type { TcpView } from '../wire/tcp.js';
import type { BackendConfig, Content } from './config.js';
import { type Payload, payloadBytes, startPayload, takePayload } from './payload.js';

interface Report {
  readonly message: Extract<ControlMessage, { verb: 'complete' | 'failed' }>;
  readonly at: Micros;
}

/** One handed-off connection. */
interface Service extends Entry {
  readonly conn: FourTuple;
  readonly handoff: number;
  readonly request: RequestDescription;
  readonly payload: Payload;
  /** `reporting`: the connection is given up, the controller has not confirmed yet. */
  readonly phase: 'receiving' | 'delaying' | 'responding' | 'reporting';
  readonly respondAt: Micros | null;
  /** When it gives up by itself. */
  readonly leaseEnds: Micros | null;
  readonly keepAlive: boolean;
  readonly report: Report | null;
}

export interface BackendState {
  readonly config: BackendConfig;
  readonly services: ReadonlyMap<string, Service>;
  readonly objects: ReadonlyMap<string, Content>;
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
  step.run(input);
  return { state: step.finish(), outputs: step.outputs };
}

class BackendStep extends HostStep<Service> {
  readonly #config: BackendConfig;
  #state: BackendState;

  constructor(state: BackendState, now: Micros) {
    const { mac, gatewayMac, ip, port, without } = state.config;
    super({
      now,
      host: { mac, gatewayMac, ips: [ip] },
      origin: { ip, port },
      without,
      table: state.services,
      ipId: state.ipId,
    });
    this.#state = state;
    this.#config = state.config;
  }

  finish(): BackendState {
    return { ...this.#state, services: this.table, ipId: this.ipId };
  }

  // --- inputs ---------------------------------------------------------------------------------------------------------------

  protected override segment(key: string, client: Client, tcp: TcpView): void {
    const service = this.find(key);
    if (service === undefined || service.phase === 'reporting' || tcp.dstPort !== this.#config.port)
      this.#unowned(key, client, tcp);
    else this.#ownSegment(service, tcp);
  }

  protected override control(peer: string, message: ControlMessage): void {
    // SEC-3. Whoever carries the messages names their sender; a stranger is not even answered.
    if (peer !== CONTROLLER) {
      this.reject(peer, `${message.verb} from a peer that is not configured`);
      return;
    }
    switch (message.verb) {
      case 'handoff':
        this.#takeOver(peer, message);
        break;
      case 'ok':
      case 'refused':
        this.#confirmed(peer, message.re);
        break;
      default:
        this.reject(peer, `a backend takes no ${message.verb}`);
        this.say(peer, {
          verb: 'refused',
          re: message.id,
          code: 'unsupported',
          reason: `a backend takes no ${message.verb}`,
        });
    }
  }

  protected override peerUp(): void {
    for (const service of this.table.values())
      if (service.report !== null) this.say(CONTROLLER, service.report.message);
  }

  /** The controller takes a backend without a control connection for dead (ERR-2); so the backend has to be. */
  protected override peerDown(): void {
    if (this.without('hand-off-lease')) return;
    for (const service of [...this.table.values()])
      if (service.phase !== 'reporting') this.#fail(service, 'controller-lost');
  }

  protected override deadline(service: Service): Micros | null {
    return serviceDeadline(service);
  }

  protected override timer(row: Service): void {
    let service = row;
    if (service.phase === 'reporting') {
      if (service.report !== null && service.report.at <= this.now) {
        this.say(CONTROLLER, service.report.message);
        service = { ...service, report: { ...service.report, at: this.now + REPORT_INTERVAL } };
      }
      this.put(service);
      return;
    }
    if (service.leaseEnds !== null && service.leaseEnds <= this.now) {
      this.#fail(service, 'lease-expired');
      return;
    }
    service = this.apply(service, expire(service.endpoint, this.now));
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
    const present = this.find(key);
    const ip = parseIpv4Address(conn.client.ip);
    if (present?.handoff === message.handoff || this.#state.ended.includes(message.handoff)) {
      this.reject(peer, `repeated hand-off ${message.handoff}`);
      this.say(peer, { verb: 'ok', re: message.id });
      return;
    }
    if (
      ip === undefined ||
      (present !== undefined && (present.phase !== 'reporting' || present.handoff > message.handoff))
    ) {
      this.reject(peer, `hand-off ${message.handoff} of ${key}, which is handed off already`);
      this.say(peer, { verb: 'refused', re: message.id, code: 'conflict', reason: `${key} is handed off already` });
      return;
    }
    const adopted = adopt(
      snapshot,
      {
        receiveBuffer: this.#config.receiveBuffer,
        plain: this.#config.plainTcp ?? false,
        ...(this.without('timestamp-continuity') ? { timestampOffset: 0 } : {}),
      },
      this.now,
    );
    const payload = startPayload(request.payload);
    const limit = request.payload.kind === 'length' ? seqAdd(snapshot.ack, request.payload.bytes) : null;
    const endpoint = constrain(adopted, {
      ackLimit: this.without('backend-ack-limit') ? null : limit,
      holdFin: !this.without('fin-suppression'),
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
    this.say(peer, { verb: 'ok', re: message.id });
    if (payload.status === 'complete') service = this.#requestComplete(service);
    else if (request.expectContinue)
      service = { ...service, endpoint: send(service.endpoint, Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')) };
    this.#progress(service);
  }

  #ownSegment(before: Service, segment: TcpView): void {
    let service = this.apply(before, receive(before.endpoint, segment, this.now));
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
      if (!this.without('backend-ack-limit'))
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
    const length = contentLength(response.body);
    const head = `HTTP/1.1 ${response.status}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${length}\r\n${etag}${connection}\r\n`;
    let endpoint = send(service.endpoint, Buffer.from(head, 'latin1'));
    if (service.request.method !== 'HEAD') endpoint = sendContent(endpoint, response.body);
    this.event('Respond', service.key, {
      handoff: service.handoff,
      status: Number.parseInt(response.status, 10),
      bytes: length,
      end: seqAdd(endpoint.sndUna, endpoint.queue.length),
    });
    return { ...service, endpoint, keepAlive, phase: 'responding', respondAt: null };
  }

  #serve(service: Service): { status: string; body: Content; etag?: string } {
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
    const service = this.apply(before, flush(before.endpoint, this.now));
    const done = this.without('complete-when-acked') ? allSent(service.endpoint) : idle(service.endpoint);
    if (service.phase !== 'responding' || !done) {
      this.put(service);
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
    this.say(CONTROLLER, report.message);
    this.put({ ...service, phase: 'reporting', report, payload: startPayload({ kind: 'length', bytes: 0 }) });
  }

  #confirmed(peer: string, id: string): void {
    const service = this.find(id.slice(id.indexOf('/') + 1));
    if (service?.report?.message.id !== id) {
      this.reject(peer, `answer to nothing asked: ${id}`);
      return;
    }
    this.drop(service);
  }

  /** HOF-5: a segment of a connection that is not, or no longer, ours draws nothing. */
  #unowned(key: string, client: Client, segment: TcpView): void {
    this.event('IgnoreSegment', key, { seq: segment.seq });
    if (!this.without('backend-guard') || segment.rst) return;
    // What a stock kernel does (RFC 9293 §3.10.7.1).
    this.emit(client, resetFor(segment));
  }
}

function serviceDeadline(service: Service): Micros | null {
  if (service.phase === 'reporting') return service.report?.at ?? null;
  const due = [deadline(service.endpoint), service.respondAt, service.leaseEnds].filter((at) => at !== null);
  return due.length === 0 ? null : Math.min(...due);
}

function contentLength(content: Content): number {
  return 'unit' in content ? content.unit.length * content.times : content.length;
}

/** The queue refers to a unit as often as it comes, and copies nothing. */
function sendContent(endpoint: Service['endpoint'], content: Content): Service['endpoint'] {
  if (!('unit' in content)) return send(endpoint, content);
  let sent = endpoint;
  for (let i = 0; i < content.times; i++) sent = send(sent, content.unit);
  return sent;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
