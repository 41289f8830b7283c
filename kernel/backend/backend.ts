/** A backend's side of the control protocol, whoever serves its connections: what reference-impl/backend/backend.ts says to a controller, in the same words. */
import type {
  ConnectionSnapshot,
  ControlMessage,
  Failed,
  FourTuple,
  Handoff,
} from '../../reference-impl/control/messages.js';
import type { Micros, RoleEvent, RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import type { Outcome } from './connection.js';

/** A connection that is being served. */
export interface Live {
  /** Owns the connection from now on: the controller has been told. */
  begin(): void;
  /** Ends it without a word; returns where it stands. */
  giveUp(): ConnectionSnapshot;
}

/** Makes ready to take a connection over; calls `ended` once, and not before `begin`. Throws an Error when it cannot, and then nothing is left of it. */
export type TakeOverConnection = (handoff: Handoff, ended: (outcome: Outcome) => void) => Live;

type Report = Extract<ControlMessage, { verb: 'complete' | 'failed' }>;

interface Service {
  readonly key: string;
  readonly conn: FourTuple;
  readonly handoff: number;
  readonly leaseEnds: Micros | null;
  /** Null once it is given up and reported. */
  live: Live | null;
  report: { readonly message: Report; readonly at: Micros } | null;
}

const REPORT_INTERVAL: Micros = 1_000_000;
const ENDED_KEPT = 256;
const CONTROLLER = 'controller';

export class BackendControl {
  readonly #name: string;
  readonly #takeOver: TakeOverConnection;
  /** Where outputs go that come of no input. */
  readonly #put: (outputs: readonly RoleOutput[]) => void;
  readonly #now: () => Micros;
  /** Does something once the outputs of this step are out. */
  readonly #afterwards: (work: () => void) => void;
  readonly #services = new Map<string, Service>();
  /** Numbers of the latest hand-offs that ended, so that a late repetition does not start one again. */
  readonly #ended: number[] = [];
  #nextId = 1;
  #outputs: RoleOutput[] = [];

  constructor(
    name: string,
    {
      takeOver,
      put,
      now,
      afterwards = setImmediate,
    }: {
      readonly takeOver: TakeOverConnection;
      readonly put: (outputs: readonly RoleOutput[]) => void;
      readonly now: () => Micros;
      readonly afterwards?: (work: () => void) => void;
    },
  ) {
    this.#name = name;
    this.#takeOver = takeOver;
    this.#put = put;
    this.#now = now;
    this.#afterwards = afterwards;
  }

  /** Connections taken over and not yet given back with the controller's confirmation. */
  get open(): number {
    return this.#services.size;
  }

  step(input: RoleInput): readonly RoleOutput[] {
    switch (input.kind) {
      case 'control':
        this.#control(input.peer, input.message);
        break;
      case 'control-invalid':
        this.#reject(input.peer, input.error);
        break;
      case 'control-up':
        for (const { report } of this.#services.values()) if (report !== null) this.#say(CONTROLLER, report.message);
        break;
      case 'control-down':
        // The controller takes a backend without a control connection for dead (ERR-2); so the backend has to be.
        for (const service of this.#services.values()) this.#fail(service, 'controller-lost');
        break;
      case 'timer':
        this.#timer(input.key);
        break;
      case 'frame':
        break;
    }
    return this.#outputs.splice(0);
  }

  /** Gives everything up without a report: the process ends. */
  stop(): void {
    for (const service of this.#services.values()) service.live?.giveUp();
    this.#services.clear();
  }

  #control(peer: string, message: ControlMessage): void {
    // SEC-3. Whoever carries the messages names their sender; a stranger is not even answered.
    if (peer !== CONTROLLER) {
      this.#reject(peer, `${message.verb} from a peer that is not configured`);
      return;
    }
    switch (message.verb) {
      case 'handoff':
        this.#handOff(peer, message);
        break;
      case 'ok':
      case 'refused':
        this.#confirmed(peer, message.re);
        break;
      default: {
        const reason = `a backend takes no ${message.verb}`;
        this.#reject(peer, reason);
        this.#say(peer, { verb: 'refused', re: message.id, code: 'unsupported', reason });
      }
    }
  }

  #handOff(peer: string, message: Handoff): void {
    const { conn, handoff, id } = message;
    const key = `${conn.client.ip}:${conn.client.port}`;
    const present = this.#services.get(key);
    if (present?.handoff === handoff || this.#ended.includes(handoff)) {
      this.#reject(peer, `repeated hand-off ${handoff}`);
      this.#say(peer, { verb: 'ok', re: id });
      return;
    }
    if (present !== undefined && (present.live !== null || present.handoff > handoff)) {
      this.#reject(peer, `hand-off ${handoff} of ${key}, which is handed off already`);
      this.#say(peer, { verb: 'refused', re: id, code: 'conflict', reason: `${key} is handed off already` });
      return;
    }
    const service: Service = {
      key,
      conn,
      handoff,
      leaseEnds: message.leaseMs === undefined ? null : this.#now() + message.leaseMs * 1000,
      live: null,
      report: null,
    };
    try {
      service.live = this.#takeOver(message, (outcome) => {
        this.#finished(service, outcome);
        this.#put(this.#outputs.splice(0));
      });
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      this.#reject(peer, `hand-off ${handoff} of ${key}: ${reason}`);
      this.#say(peer, { verb: 'refused', re: id, code: 'unsupported', reason });
      return;
    }
    this.#services.set(key, service);
    this.#arm(service);
    this.#event('TakeOver', key, { handoff, seq: message.snapshot.seq, ack: message.snapshot.ack });
    this.#say(peer, { verb: 'ok', re: id });
    // A segment that meets it before the controller is told draws nothing (HOF-5).
    this.#afterwards(() => service.live?.begin());
  }

  #finished(service: Service, outcome: Outcome): void {
    if (service.live === null) return;
    const { key, handoff, conn } = service;
    const { snapshot } = outcome;
    service.live = null;
    if (outcome.kind === 'complete') this.#event('Complete', key, { handoff, seq: snapshot.seq, ack: snapshot.ack });
    else this.#event('Fail', key, { handoff, reason: outcome.reason });
    const id = `${this.#name}-${this.#nextId++}/${key}`;
    const message: Report =
      outcome.kind === 'complete'
        ? { verb: 'complete', id, handoff, conn, snapshot, keepAlive: outcome.keepAlive }
        : { verb: 'failed', id, handoff, conn, reason: outcome.reason, snapshot };
    this.#ended.push(handoff);
    if (this.#ended.length > ENDED_KEPT) this.#ended.shift();
    service.report = { message, at: this.#now() + REPORT_INTERVAL };
    this.#say(CONTROLLER, message);
    this.#arm(service);
  }

  #fail(service: Service, reason: Failed['reason']): void {
    if (service.live === null) return;
    this.#finished(service, { kind: 'failed', reason, snapshot: service.live.giveUp() });
  }

  #timer(key: string): void {
    const service = this.#services.get(key);
    if (service === undefined) return;
    const now = this.#now();
    if (service.report !== null && service.report.at <= now) {
      this.#say(CONTROLLER, service.report.message);
      service.report = { ...service.report, at: now + REPORT_INTERVAL };
    }
    if (service.leaseEnds !== null && service.leaseEnds <= now) this.#fail(service, 'lease-expired');
    this.#arm(service);
  }

  #arm({ key, live, leaseEnds, report }: Service): void {
    this.#outputs.push({ kind: 'timer', key, at: live === null ? (report?.at ?? null) : leaseEnds });
  }

  #confirmed(peer: string, id: string): void {
    const key = id.slice(id.indexOf('/') + 1);
    const service = this.#services.get(key);
    if (service?.report?.message.id !== id) {
      this.#reject(peer, `answer to nothing asked: ${id}`);
      return;
    }
    this.#services.delete(key);
    this.#outputs.push({ kind: 'timer', key, at: null });
  }

  #say(peer: string, message: ControlMessage): void {
    this.#outputs.push({ kind: 'control', peer, message });
  }

  #event(action: string, conn: string | null, fields: Omit<RoleEvent, 'action' | 'conn'>): void {
    this.#outputs.push({ kind: 'event', event: { action, conn, ...fields } });
  }

  /** A control message that changes nothing is reported (ERR-4). */
  #reject(peer: string, reason: string): void {
    this.#event('ControlRejected', null, { peer, reason });
  }
}
