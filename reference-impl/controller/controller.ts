/**
 * The controller (SoCC'17 §2): accepts connections to the logical address, reads request headers, hands each request's
 * connection to a backend and takes it back.
 *
 * Steps of a hand-off, as numbered in SoCC'17 Figure 1: header received (2), acknowledged alone (3), rules installed (4), backend told (5),
 * completion reported (9), rules removed (10), window reopened (11), close (12).
 */
import { createHash } from 'node:crypto';
import type { Complete, ConnectionSnapshot, ControlMessage, Failed, FourTuple, Rule } from '../control/messages.js';
import type { Micros, RoleInput, Stepped } from '../core/core.js';
import { type Client, HostStep } from '../host/host-step.js';
import {
  abort,
  accept,
  acknowledge,
  adopt,
  close,
  constrain,
  expire,
  exportSnapshot,
  finDue,
  flush,
  read,
  receive,
  rewind,
  send,
} from '../tcp/endpoint.js';
import { hasFlag, resetFor, segmentLength } from '../tcp/segment.js';
import { formatIpv4Address, formatMacAddress } from '../wire/addresses.js';
import { seqAdd, seqGt } from '../wire/seq.js';
import { TcpFlag, type TcpView } from '../wire/tcp.js';
import type { ControllerConfig } from './config.js';
import { type AfterRemoval, type Call, type Connection, connectionDeadline, type HandedRequest } from './connection.js';
import { selectBackend } from './policy.js';
import { isRead, type RequestHead, readRequestHead } from './request.js';

export interface ControllerState {
  readonly config: ControllerConfig;
  readonly connections: ReadonlyMap<string, Connection>;
  /** Control peers that are known to be gone. */
  readonly down: readonly string[];
  readonly nextId: number;
  readonly nextHandoff: number;
  /** Hand-offs so far, for round robin. */
  readonly turn: number;
  readonly ipId: number;
}

/** Ethernet's 1500 less IP and TCP headers. */
const OWN_MSS = 1460;
const WINDOW_SCALE = 7;
/** Room for the largest header and then some. */
const RECEIVE_BUFFER = 256 * 1024;
const CALL_INTERVAL: Micros = 1_000_000;
/** Unanswered repetitions of `add` before the request is answered without a backend (ERR-3). */
const ADD_TRIES = 5;
/** Linux answers an unacceptable segment at most twice a second (tcp_invalid_ratelimit). */
const RESET_INTERVAL: Micros = 600_000;
const RESET_TRIES = 10;
const HELD_FRAMES = 16;
/** Connections whose handshake is not complete; a flood of SYNs pushes its own oldest out (EST-5, RFC 4987 §3.4), a thousand clients at once do not. */
const MOST_HALF_OPEN = 2048;
/** The part of the hand-off's time that the backend may use: it must have stopped when the controller gives it up, whatever their clocks drift. */
const LEASE_SHARE = 0.9;

export function initController(config: ControllerConfig): Stepped<ControllerState> {
  return {
    state: { config, connections: new Map(), down: [], nextId: 1, nextHandoff: 1, turn: 0, ipId: 1 },
    outputs: [],
  };
}

/** Connections that are not finished; one in TIME-WAIT or after a reset is, and one whose client never completed the handshake has not begun. */
export function openConnections(state: ControllerState): number {
  let count = 0;
  for (const { endpoint, phase } of state.connections.values())
    if (endpoint.state !== 'time-wait' && endpoint.state !== 'syn-received' && phase.kind !== 'resetting') count++;
  return count;
}

export function stepController(state: ControllerState, input: RoleInput, now: Micros): Stepped<ControllerState> {
  const step = new ControllerStep(state, now);
  step.run(input);
  return { state: step.finish(), outputs: step.outputs };
}

class ControllerStep extends HostStep<Connection> {
  readonly #config: ControllerConfig;
  #state: ControllerState;

  constructor(state: ControllerState, now: Micros) {
    const { mac, gatewayMac, logical, without } = state.config;
    super({
      now,
      host: { mac, gatewayMac, ips: [logical.ip] },
      origin: logical,
      without,
      table: state.connections,
      ipId: state.ipId,
    });
    this.#state = state;
    this.#config = state.config;
  }

  finish(): ControllerState {
    return { ...this.#state, connections: this.table, ipId: this.ipId };
  }

  // --- inputs ---------------------------------------------------------------------------------------------------------------

  protected override segment(key: string, client: Client, tcp: TcpView, bytes: Uint8Array): void {
    if (tcp.dstPort !== this.#config.logical.port) {
      this.#refuse(client, tcp.dstPort, tcp);
      return;
    }
    const connection = this.find(key);
    if (connection === undefined) {
      if (isPlainSyn(tcp)) this.#accept(key, client, tcp);
      else this.#refuse(client, this.#config.logical.port, tcp);
      return;
    }
    switch (connection.phase.kind) {
      case 'handed-off':
        // A former owner says nothing (HOF-4).
        break;
      case 'removing':
        this.put({ ...connection, held: [...connection.held, bytes].slice(-HELD_FRAMES) });
        break;
      case 'resetting':
        // Its ACK tells the number that it expects; its RST, that it knows no such connection any more.
        // A SYN may be an old one: only who has the connection no more is a new client (RFC 5961 §4.2).
        if (isPlainSyn(tcp)) this.#probe(connection);
        else if (tcp.rst) this.#forget(connection);
        else this.#refuse(client, this.#config.logical.port, tcp);
        break;
      case 'reading':
      case 'installing':
      case 'closing':
        this.#ownSegment(connection, tcp);
        break;
    }
  }

  protected override control(peer: string, message: ControlMessage): void {
    switch (message.verb) {
      case 'ok':
      case 'refused': {
        const connection = this.find(message.re.slice(message.re.indexOf('/') + 1));
        const call = connection?.calls.find((pending) => pending.id === message.re && pending.peer === peer);
        if (connection === undefined || call === undefined) this.reject(peer, `answer to nothing asked: ${message.re}`);
        else
          this.#answered(
            { ...connection, calls: connection.calls.filter((other) => other !== call) },
            call,
            message.verb === 'ok',
          );
        break;
      }
      case 'complete':
      case 'failed':
        this.#reported(peer, message);
        break;
      default:
        this.reject(peer, `the controller takes no ${message.verb}`);
        this.say(peer, {
          verb: 'refused',
          re: message.id,
          code: 'unsupported',
          reason: `the controller takes no ${message.verb}`,
        });
    }
  }

  protected override peerUp(peer: string): void {
    this.#state = { ...this.#state, down: this.#state.down.filter((other) => other !== peer) };
    for (const connection of [...this.table.values()])
      for (const call of connection.calls) if (call.peer === peer) this.say(peer, call.message);
  }

  /** A backend whose control connection breaks is taken for dead (ERR-2). */
  protected override peerDown(peer: string): void {
    if (!this.#state.down.includes(peer)) this.#state = { ...this.#state, down: [...this.#state.down, peer] };
    for (const connection of [...this.table.values()])
      if (connection.phase.kind === 'handed-off' && connection.phase.handed.backend === peer)
        this.#backendLost(connection, 'control connection lost');
  }

  protected override deadline(connection: Connection): Micros | null {
    return connectionDeadline(connection);
  }

  protected override timer(row: Connection): void {
    let connection = row;
    for (const call of connection.calls) {
      if (call.at > this.now) continue;
      if (call.message.verb === 'add' && call.tries >= ADD_TRIES) {
        this.event('SwitchSilent', row.key, { verb: 'add' });
        this.#removeRules({ ...connection, calls: [] }, { kind: 'answer', status: 503 });
        return;
      }
      this.say(call.peer, call.message);
      const again: Call = { ...call, at: this.now + CALL_INTERVAL, tries: call.tries + 1 };
      connection = { ...connection, calls: connection.calls.map((other) => (other === call ? again : other)) };
    }
    const { phase } = connection;
    switch (phase.kind) {
      case 'handed-off':
        if (phase.deadline <= this.now) {
          this.#backendLost(connection, 'time-out');
          return;
        }
        break;
      case 'resetting':
        if (phase.at <= this.now) {
          this.#repeatReset(connection, phase.tries);
          return;
        }
        break;
      case 'removing':
        break;
      case 'reading':
      case 'installing':
      case 'closing':
        connection = this.apply(connection, expire(connection.endpoint, this.now));
        if (connection.endpoint.state === 'closed') {
          this.#ended(connection);
          return;
        }
        if (connection.idleAt <= this.now && connection.endpoint.state !== 'time-wait') {
          this.event('IdleTimeout', connection.key, {});
          this.#sendReset(connection);
          return;
        }
        break;
    }
    this.put(connection);
  }

  // --- TCP as the owner -----------------------------------------------------------------------------------------------------

  #accept(key: string, client: Client, syn: TcpView): void {
    const digest = createHash('sha256').update(`${this.#config.secret} ${key}`).digest();
    // RFC 6528: ISN = M + F(four-tuple, secret), M ticking every 4 microseconds.
    const iss = this.#config.initialSequence ?? seqAdd(digest.readUInt32BE(0), Math.floor(this.now / 4));
    const timestampOffset = digest.readUInt32BE(4);
    const options = {
      iss,
      mss: this.#config.mss ?? OWN_MSS,
      windowScale: WINDOW_SCALE,
      sack: true,
      timestampOffset,
      receiveBuffer: RECEIVE_BUFFER,
      plain: this.#config.plainTcp ?? false,
    };
    this.#makeRoom();
    const opened = accept(options, syn, this.now);
    const connection: Connection = {
      key,
      client,
      endpoint: opened.endpoint,
      phase: { kind: 'reading' },
      calls: [],
      header: new Uint8Array(0),
      timestampOffset,
      finished: 0,
      held: [],
      idleAt: this.now + this.#config.idleMs * 1000,
      timer: null,
    };
    this.event('AcceptSyn', key, { seq: syn.seq, iss });
    this.put(this.apply(connection, opened));
  }

  #makeRoom(): void {
    let halfOpen = 0;
    let oldest: Connection | undefined;
    for (const connection of this.table.values()) {
      if (connection.endpoint.state !== 'syn-received') continue;
      oldest ??= connection;
      halfOpen++;
    }
    if (halfOpen >= MOST_HALF_OPEN && oldest !== undefined) this.#forget(oldest);
  }

  #ownSegment(before: Connection, segment: TcpView): void {
    if (before.endpoint.state === 'time-wait' && isPlainSyn(segment) && seqGt(segment.seq, before.endpoint.rcvNxt)) {
      // RFC 6191: a new connection may reuse a four-tuple in TIME-WAIT.
      this.#accept(before.key, before.client, segment);
      return;
    }
    if (this.without('answer-probes') && before.phase.kind === 'reading' && isProbe(before, segment)) return;
    let connection: Connection = { ...before, idleAt: this.now + this.#config.idleMs * 1000 };
    connection = this.apply(connection, receive(connection.endpoint, segment, this.now));
    if (before.endpoint.state === 'syn-received' && connection.endpoint.state === 'established')
      this.event('Establish', before.key, {});
    if (connection.endpoint.state === 'closed') {
      if (connection.endpoint.closedBy === 'reset') this.event('ClientReset', connection.key, {});
      this.#ended(connection);
      return;
    }
    const taken = read(connection.endpoint);
    connection = { ...connection, endpoint: taken.endpoint };
    if (connection.phase.kind === 'reading') {
      if (taken.bytes.length > 0) connection = { ...connection, header: join(connection.header, taken.bytes) };
      if (connection.header.length > 0) {
        const head = readRequestHead(connection.header, this.#config.headerLimit);
        if (head.kind === 'complete') {
          this.#requestReceived(connection, head);
          return;
        }
        if (head.kind === 'refused') {
          this.event('RefuseRequest', connection.key, { status: head.status, reason: head.reason });
          this.#answerAndClose(connection, head.status);
          return;
        }
      }
    }
    // The client is first to close: one segment acknowledges its FIN and bears ours.
    if (connection.phase.kind === 'reading' && finDue(connection.endpoint)) {
      this.event('ClientFin', connection.key, { seq: connection.endpoint.peerFin });
      connection = { ...connection, phase: { kind: 'closing' }, endpoint: close(connection.endpoint) };
    }
    connection = this.#flush(connection);
    if (connection.endpoint.state === 'closed') this.#ended(connection);
    else this.put(connection);
  }

  /** RFC 9293 §3.10.7.1: a segment of no connection is answered with RST. */
  #refuse(client: Client, port: number, segment: TcpView): void {
    if (segment.rst) return;
    this.emit(client, resetFor(segment), port);
  }

  #answerAndClose(connection: Connection, status: number): void {
    // The request's own bytes are acknowledged; whatever follows is discarded.
    let endpoint = constrain(connection.endpoint, { ackLimit: null, windowClosed: false, holdFin: false });
    endpoint = send(
      endpoint,
      Buffer.from(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
    );
    const closing = this.#flush({
      ...connection,
      phase: { kind: 'closing' },
      header: new Uint8Array(0),
      endpoint: close(endpoint),
    });
    this.put(closing);
  }

  /** The end point is closed: nothing of the connection stays, here or at the switch (RET-6). */
  #ended(connection: Connection): void {
    if (connection.phase.kind === 'installing') this.#removeRules({ ...connection, calls: [] }, { kind: 'forget' });
    else this.#forget(connection);
  }

  // --- hand-off -------------------------------------------------------------------------------------------------------------

  #requestReceived(connection: Connection, head: Extract<RequestHead, { kind: 'complete' }>): void {
    const names = this.#config.backends.map((backend) => backend.name);
    const backend = selectBackend(this.#config.policy, names, head.path, this.#state.turn);
    const endSeq = seqAdd(connection.endpoint.rcvNxt, head.end - connection.header.length);
    let endpoint = connection.endpoint;
    // SoCC'17 §2.2: the header only; the client must send the rest again, to the backend.
    endpoint = this.without('header-only-ack')
      ? constrain(endpoint, { ackLimit: endpoint.rcvNxt })
      : rewind(endpoint, endSeq);
    const closeWindow = isRead(head.request.method) && !this.without('window-closing');
    endpoint = constrain(endpoint, { windowClosed: closeWindow, holdFin: true });
    this.event('ReceiveRequest', connection.key, {
      method: head.request.method,
      target: head.request.target,
      backend,
      seq: seqAdd(endSeq, -head.end),
      ack: endpoint.rcvNxt,
      closeWindow,
    });
    if (this.#state.down.includes(backend) || !names.includes(backend)) {
      this.#answerAndClose({ ...connection, endpoint }, 503);
      return;
    }
    const acknowledged = flush(acknowledge(endpoint), this.now);
    // "It sends PUSH/ACK" (SoCC'17 §2.2).
    const out = acknowledged.out.map((segment) => ({ ...segment, flags: segment.flags | TcpFlag.PSH }));
    const handed: HandedRequest = { request: head.request, backend, handoff: this.#state.nextHandoff };
    this.#state = { ...this.#state, nextHandoff: this.#state.nextHandoff + 1, turn: this.#state.turn + 1 };
    let next = this.apply(
      { ...connection, header: new Uint8Array(0), phase: { kind: 'installing', handed } },
      { endpoint: acknowledged.endpoint, out },
    );
    this.event('InstallRule', connection.key, { backend });
    next = this.#call(next, 'switch', (id) => ({ verb: 'add', id, rule: this.#rule(next, handed) }));
    if (this.without('confirm-before-handoff')) this.#handOff(next, handed);
    else this.put(next);
  }

  #rule(connection: Connection, handed: HandedRequest): Rule {
    const backend = this.#config.backends.find((candidate) => candidate.name === handed.backend);
    if (backend === undefined) throw new Error(`no backend ${handed.backend}`);
    return {
      conn: this.#fourTuple(connection),
      backend: { name: backend.name, ip: formatIpv4Address(backend.ip), mac: formatMacAddress(backend.mac) },
      zeroWindow: isRead(handed.request.method),
      clearFin: true,
    };
  }

  #handOff(connection: Connection, handed: HandedRequest): void {
    const snapshot = exportSnapshot(connection.endpoint, this.now) satisfies ConnectionSnapshot;
    this.event('HandOff', connection.key, {
      backend: handed.backend,
      handoff: handed.handoff,
      seq: snapshot.seq,
      ack: snapshot.ack,
    });
    const deadline = this.now + this.#config.handoffMs * 1000;
    this.put(
      this.#call({ ...connection, phase: { kind: 'handed-off', handed, deadline } }, handed.backend, (id) => ({
        verb: 'handoff',
        id,
        handoff: handed.handoff,
        conn: this.#fourTuple(connection),
        snapshot,
        request: handed.request,
        ...(this.without('hand-off-lease')
          ? {}
          : { leaseMs: Math.max(1, Math.floor(this.#config.handoffMs * LEASE_SHARE)) }),
      })),
    );
  }

  /** An answer to one of our own requests; `connection` has the call taken off. */
  #answered(connection: Connection, call: Call, ok: boolean): void {
    const { phase } = connection;
    switch (call.message.verb) {
      case 'add':
        if (phase.kind !== 'installing') this.put(connection);
        else if (ok) this.#handOff(connection, phase.handed);
        else {
          this.event('RuleRefused', connection.key, { backend: phase.handed.backend });
          this.#answerAndClose(connection, 503);
        }
        break;
      case 'handoff':
        if (ok || phase.kind !== 'handed-off') this.put(connection);
        else {
          // It never took over: the numbers are still ours.
          this.event('HandOffRefused', connection.key, { backend: phase.handed.backend });
          this.#removeRules(connection, { kind: 'answer', status: 503 });
        }
        break;
      case 'remove':
        if (phase.kind === 'removing') this.#rulesRemoved(connection, phase.then);
        else this.put(connection);
        break;
      default:
        this.put(connection);
    }
  }

  /** `complete` or `failed` from a backend (SoCC'17 §2.4, step 9). */
  #reported(peer: string, message: Complete | Failed): void {
    const key = `${message.conn.client.ip}:${message.conn.client.port}`;
    const connection = this.find(key);
    if (connection !== undefined && connection.finished === message.handoff) {
      this.say(peer, { verb: 'ok', re: message.id });
      this.reject(peer, `repeated report of hand-off ${message.handoff}`);
      return;
    }
    if (
      connection === undefined ||
      connection.phase.kind !== 'handed-off' ||
      connection.phase.handed.handoff !== message.handoff ||
      connection.phase.handed.backend !== peer
    ) {
      this.say(peer, {
        verb: 'refused',
        re: message.id,
        code: 'stale',
        reason: `no such hand-off ${message.handoff}`,
      });
      this.reject(peer, `report of no hand-off in force: ${message.handoff}`);
      return;
    }
    this.say(peer, { verb: 'ok', re: message.id });
    const read = isRead(connection.phase.handed.request.method);
    const taken: Connection = {
      ...connection,
      finished: message.handoff,
      calls: connection.calls.filter((call) => call.message.verb !== 'handoff'),
    };
    const { snapshot } = message;
    if (message.verb === 'complete') {
      const { seq, ack } = message.snapshot;
      this.event('TakeBack', key, { backend: peer, handoff: message.handoff, seq, ack });
      const endpoint = this.#adopt(connection, message.snapshot, read);
      this.#removeRules({ ...taken, endpoint }, { kind: 'resume', keepAlive: message.keepAlive, reopen: read });
      return;
    }
    this.event('BackendFailed', key, { backend: peer, handoff: message.handoff, reason: message.reason });
    const { endpoint } = connection;
    this.#removeRules(
      // What the client has acknowledged to the controller stays known: the probe goes back behind that.
      {
        ...taken,
        endpoint:
          snapshot === null
            ? endpoint
            : { ...endpoint, sndNxt: snapshot.seq, sndMax: snapshot.seq, rcvNxt: snapshot.ack },
      },
      { kind: message.reason === 'client-reset' ? 'forget' : 'reset' },
    );
  }

  #adopt(connection: Connection, snapshot: ConnectionSnapshot, windowClosed: boolean): Connection['endpoint'] {
    const own = (Math.floor(this.now / 1000) + connection.timestampOffset) >>> 0;
    const keepOwnClock =
      this.without('timestamp-continuity') || (snapshot.timestamps !== null && seqGt(own, snapshot.timestamps.value));
    const endpoint = adopt(
      snapshot,
      {
        receiveBuffer: RECEIVE_BUFFER,
        plain: this.#config.plainTcp ?? false,
        ...(keepOwnClock ? { timestampOffset: connection.timestampOffset } : {}),
      },
      this.now,
    );
    return constrain(endpoint, {
      windowClosed: windowClosed && !this.without('window-closing'),
      ackLimit: snapshot.ack,
      holdFin: true,
    });
  }

  #removeRules(connection: Connection, then: AfterRemoval): void {
    this.event('RemoveRule', connection.key, {});
    const removing = this.#call({ ...connection, phase: { kind: 'removing', then } }, 'switch', (id) => ({
      verb: 'remove',
      id,
      conn: this.#fourTuple(connection),
    }));
    if (this.without('rules-before-reopen')) this.#rulesRemoved(removing, then);
    else this.put(removing);
  }

  #rulesRemoved(connection: Connection, then: AfterRemoval): void {
    const held = connection.held;
    const owner: Connection = {
      ...connection,
      held: [],
      phase: { kind: 'reading' },
      idleAt: this.now + this.#config.idleMs * 1000,
    };
    switch (then.kind) {
      case 'resume':
        this.#resume(owner, then);
        break;
      case 'answer':
        this.#answerAndClose(owner, then.status);
        break;
      case 'reset':
        this.event('ResetClient', owner.key, { seq: owner.endpoint.sndNxt });
        this.#sendReset(owner);
        break;
      case 'probe':
        this.event('ResetClient', owner.key, { seq: null });
        this.#repeatReset(owner, 0);
        break;
      case 'forget':
        this.#forget(owner);
        break;
    }
    for (const bytes of held) this.frame(bytes);
  }

  /** Steps 11 and 12: the window reopens, or the connection closes. */
  #resume(connection: Connection, then: Extract<AfterRemoval, { kind: 'resume' }>): void {
    let endpoint = constrain(connection.endpoint, { windowClosed: false, ackLimit: null, holdFin: false });
    if (!then.keepAlive) {
      this.event('CloseConnection', connection.key, {});
      this.put(this.#flush({ ...connection, phase: { kind: 'closing' }, endpoint: close(endpoint) }));
      return;
    }
    this.event('ReopenWindow', connection.key, { seq: endpoint.sndMax, ack: endpoint.rcvNxt, wasClosed: then.reopen });
    if (then.reopen) endpoint = acknowledge(endpoint);
    this.put(this.#flush({ ...connection, endpoint }));
  }

  // --- failures -------------------------------------------------------------------------------------------------------------

  #backendLost(connection: Connection, reason: string): void {
    if (connection.phase.kind !== 'handed-off') return;
    const { handed } = connection.phase;
    this.event('BackendLost', connection.key, { backend: handed.backend, handoff: handed.handoff, reason });
    const calls = connection.calls.filter((call) => call.message.verb !== 'handoff');
    this.#removeRules(
      { ...connection, calls, finished: handed.handoff },
      { kind: this.without('exact-reset') ? 'reset' : 'probe' },
    );
  }

  /** The number that the client expects is known. Nobody acknowledges a RST, so it is repeated until the client has been heard to be gone. */
  #sendReset(connection: Connection): void {
    for (const segment of abort(connection.endpoint, this.now).out) this.emit(connection.client, segment);
    if (this.without('repeat-reset')) this.#forget(connection);
    else this.#resetting(connection, 0);
  }

  #repeatReset(connection: Connection, tries: number): void {
    if (tries >= RESET_TRIES) {
      this.#forget(connection);
      return;
    }
    if (this.without('exact-reset')) {
      for (const segment of abort(connection.endpoint, this.now).out) this.emit(connection.client, segment);
    } else {
      this.event('ProbeClient', connection.key, { tries });
      this.#probe(connection);
    }
    this.#resetting(connection, tries + 1);
  }

  /**
   * A segment one number back from what the client is known to have: it is not acceptable, so the client answers with the number it expects, or with
   * a RST when it knows no such connection (RFC 9293 §3.10.7.4, §3.10.7.1).
   */
  #probe(connection: Connection): void {
    const back = { ...connection.endpoint, sndMax: seqAdd(connection.endpoint.sndUna, -1) };
    for (const segment of flush(acknowledge(back), this.now).out) this.emit(connection.client, segment);
  }

  #resetting(connection: Connection, tries: number): void {
    this.put({ ...connection, calls: [], phase: { kind: 'resetting', at: this.now + RESET_INTERVAL, tries } });
  }

  // --- book-keeping ---------------------------------------------------------------------------------------------------------

  #forget(connection: Connection): void {
    this.drop(connection);
    this.event('Forget', connection.key, {});
  }

  #flush(connection: Connection): Connection {
    return this.apply(connection, flush(connection.endpoint, this.now));
  }

  #call(connection: Connection, peer: string, message: (id: string) => ControlMessage): Connection {
    const id = `${this.#state.nextId}/${connection.key}`;
    this.#state = { ...this.#state, nextId: this.#state.nextId + 1 };
    const call: Call = { id, peer, message: message(id), at: this.now + CALL_INTERVAL, tries: 1 };
    this.say(peer, call.message);
    return { ...connection, calls: [...connection.calls, call] };
  }

  #fourTuple(connection: Connection): FourTuple {
    const { logical } = this.#config;
    return {
      client: { ip: formatIpv4Address(connection.client.ip), port: connection.client.port },
      logical: { ip: formatIpv4Address(logical.ip), port: logical.port },
    };
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
};

function isPlainSyn(segment: TcpView): boolean {
  return segment.syn && !segment.hasAck && !segment.rst && !segment.fin;
}

/** A window probe: nothing new, only meant to be answered (RFC 9293 §3.8.6.1). */
function isProbe(connection: Connection, segment: TcpView): boolean {
  return (
    connection.endpoint.state === 'established' &&
    segmentLength(segment) <= 1 &&
    !hasFlag(segment, 'FIN') &&
    seqAdd(segment.seq, 1) === connection.endpoint.rcvNxt
  );
}

function join(head: Uint8Array, tail: readonly Uint8Array[]): Uint8Array {
  const [only] = tail;
  if (head.length === 0 && tail.length === 1 && only !== undefined) return only;
  return Uint8Array.from(Buffer.concat([head, ...tail]));
}
