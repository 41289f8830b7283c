/** The abstraction map: what a state of the explored world is to the specification. */
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { type Seq, seqAdd, seqLt } from '../../reference-impl/wire/seq.js';
import { findTcpOption, type TcpView } from '../../reference-impl/wire/tcp.js';
import type { Token, Values } from '../graph/values.js';
import type { Client, UnitSegment } from './client.js';
import { type Endings, Layout, type Unit } from './layout.js';
import { type Clock, connectionOf, type Roles, serviceOf } from './roles.js';
import { ADDRESSES, type BackendName, backendOfLink, CLIENT_WINDOW, WINDOW } from './scenario.js';
import {
  CONTROL_LINKS,
  type Control,
  CRASHED,
  type FlyingFrame,
  type FlyingMessage,
  type FrameId,
  type History,
  HOSTS,
  type Net,
  PART,
  type Packed,
  type Pool,
} from './state.js';

/** The parts behind the numbers of a packed state. */
export interface Pools {
  readonly clients: Pool<Client>;
  readonly histories: Pool<History>;
  readonly nets: Pool<Net>;
  readonly controls: Pool<Control>;
  readonly frames: Pool<FlyingFrame>;
  readonly messages: Pool<FlyingMessage>;
}

/** What nothing of the specification corresponds to, said in one line. */
export class NoCounterpart extends Error {
  override name = 'NoCounterpart';
}

/** The order of the specification's variables in an abstract state. */
export const VARIABLES = ['backend', 'client', 'control', 'controller', 'events', 'net', 'served', 'switch'] as const;

export class Abstraction {
  readonly #values: Values;
  readonly #roles: Roles;
  readonly #pools: Pools;
  readonly #clock: Clock;
  readonly #standing: boolean;
  readonly #layouts = new Map<string, Layout>();
  readonly #cache = new Map<string, Token>();
  readonly #segments = new Map<string, UnitSegment>();
  #iss: Seq = 0;
  /** TSval of the controller's SYN-ACK. */
  #serverClock = 0;

  /** `standing`: time stands still, so that a time stamp that moves is another owner's. */
  constructor(values: Values, roles: Roles, pools: Pools, clock: Clock, standing: boolean) {
    this.#values = values;
    this.#roles = roles;
    this.#pools = pools;
    this.#clock = clock;
    this.#standing = standing;
  }

  get serverClock(): number {
    return this.#serverClock;
  }

  /** The controller's own numbers, when it has accepted: where time stands still, the same in every behaviour. */
  learn(iss: Seq, serverClock: number): void {
    if (iss === this.#iss && serverClock === this.#serverClock) return;
    this.#iss = iss;
    this.#serverClock = serverClock;
    this.#layouts.clear();
    this.#cache.clear();
    this.#segments.clear();
  }

  /** The layout of the numbers in a state with this client and history. */
  layout(client: Client, history: History): Layout {
    const endings: Endings = {
      clientFin: client.fin,
      serverFin: history.serverFin,
      answered: history.answered,
    };
    const key = `${endings.clientFin} ${endings.serverFin} ${endings.answered}`;
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      layout = new Layout(this.#iss, endings);
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** Tokens in the order of `VARIABLES`. Throws NoCounterpart. */
  state(packed: Packed): Token[] {
    const part = (name: keyof typeof PART): number => packed[PART[name]] ?? 0;
    const client = this.#pools.clients.value(part('client'));
    const history = this.#pools.histories.value(part('history'));
    const layout = this.layout(client, history);
    const endings = `${layout.endings.clientFin} ${layout.endings.serverFin} ${layout.endings.answered}`;
    const cached = (key: string, make: () => Token): Token => {
      let token = this.#cache.get(key);
      if (token === undefined) {
        token = make();
        this.#cache.set(key, token);
      }
      return token;
    };
    const values = this.#values;
    const h = part('history');
    return [
      cached(`b ${part('b1')} ${part('b2')} ${h} ${endings}`, () =>
        values.record({
          b1: this.#backend('b1', part('b1'), history, layout),
          b2: this.#backend('b2', part('b2'), history, layout),
        }),
      ),
      cached(`c ${part('client')}`, () => this.#client(client)),
      cached(`m ${part('control')} ${endings}`, () =>
        this.#control(this.#pools.controls.value(part('control')), layout),
      ),
      cached(`o ${part('controller')} ${h} ${endings}`, () => this.#controller(part('controller'), history, layout)),
      values.number(part('events')),
      cached(`n ${part('net')} ${endings}`, () => this.#net(this.#pools.nets.value(part('net')), layout, endings)),
      cached(`v ${h}`, () => values.sequence(history.served.map((request) => values.number(request)))),
      cached(`s ${part('switch')} ${h}`, () => this.#switch(part('switch'), history)),
    ];
  }

  /** What a frame says, in units. Throws NoCounterpart. */
  segment(id: FrameId, layout: Layout): UnitSegment {
    const { clientFin, serverFin, answered } = layout.endings;
    const key = `${id} ${clientFin} ${serverFin} ${answered}`;
    let segment = this.#segments.get(key);
    if (segment === undefined) {
      segment = this.#read(this.#pools.frames.value(id), layout);
      this.#segments.set(key, segment);
    }
    return segment;
  }

  /** The specification's segment that a frame is; equal tokens, equal segments. Throws NoCounterpart. */
  frame(id: FrameId, layout: Layout): Token {
    const { at, by, owned, via } = this.#pools.frames.value(id);
    const { bytes } = this.#pools.frames.value(id);
    const segment = this.segment(id, layout);
    const values = this.#values;
    return values.record({
      at: values.string(at),
      src: values.string(segment.src),
      dst: values.string(addressOf(bytes).dst),
      seq: values.number(segment.seq),
      ack: values.number(segment.ack),
      data: values.sequence(segment.data.map((unit) => values.number(unit))),
      wnd: values.number(segment.wnd),
      syn: values.boolean(segment.syn),
      fin: values.boolean(segment.fin),
      rst: values.boolean(segment.rst),
      ts: values.number(segment.ts),
      by: values.string(by),
      owned: values.boolean(owned),
      via: values.number(via),
    });
  }

  #read({ bytes, by }: FlyingFrame, layout: Layout): UnitSegment {
    const parsed = parseFrame(bytes);
    const tcp = parsed.ok ? parsed.value.tcp : undefined;
    const ipv4 = parsed.ok ? parsed.value.ipv4 : undefined;
    if (tcp === undefined || ipv4 === undefined) throw new NoCounterpart(`${by} sends what is no TCP segment`);
    if (!ipv4.checksumValid() || !tcp.checksumValid(ipv4))
      throw new NoCounterpart(`a segment of ${by} has a wrong checksum`);
    const { src } = addressOf(bytes);
    const fromClient = by === 'client';
    const direction = fromClient ? 'client' : 'server';
    const own = (seq: Seq): Unit | undefined => (fromClient ? layout.clientUnit(seq) : layout.serverUnit(seq));
    const other = (seq: Seq): Unit | undefined => (fromClient ? layout.serverUnit(seq) : layout.clientUnit(seq));
    const { payload, syn, fin, rst } = tcp;
    const empty = payload.length === 0 && !syn && !fin;
    // A probe goes one number back, whatever a unit takes.
    const back = empty ? own(seqAdd(tcp.seq, 1)) : undefined;
    const seq = own(tcp.seq) ?? (back === undefined ? undefined : back - 1);
    if (seq === undefined) throw new NoCounterpart(misfit(by, 'sequence', tcp.seq));
    const hasAck = tcp.hasAck && !(rst && !fromClient);
    const ack = hasAck && !(fromClient && tcp.ack === 0) ? other(tcp.ack) : 0;
    if (ack === undefined) throw new NoCounterpart(misfit(by, 'acknowledgement', tcp.ack));
    const data = layout.units(direction, tcp.seq, payload);
    if (typeof data === 'string') throw new NoCounterpart(`a segment of ${by}: ${data}`);
    const wnd = fromClient ? CLIENT_WINDOW : rst || tcp.window === 0 ? 0 : WINDOW;
    return { src, seq, ack, data, wnd, syn, fin, rst, ts: fromClient ? 0 : this.#tick(by, tcp) };
  }

  #tick(by: string, tcp: TcpView): number {
    const option = findTcpOption(tcp.options, 'timestamps');
    // A RST need not have the option, and what it says is not looked at (RFC 7323 §3.2).
    if (tcp.rst) return 1;
    if (option === undefined)
      throw new NoCounterpart(`a segment of ${by} without the time stamps that were negotiated`);
    return this.#told(option.value);
  }

  #client(client: Client): Token {
    const values = this.#values;
    return values.record({
      st: values.string(client.st),
      want: values.number(client.want),
      una: values.number(client.una),
      nxt: values.number(client.nxt),
      fin: values.number(client.fin),
      wnd: values.number(client.wnd),
      wl1: values.number(client.wl1),
      wl2: values.number(client.wl2),
      rcv: values.number(client.rcv),
      eof: values.boolean(client.eof),
      got: values.sequence(client.got.map((unit) => values.number(unit))),
      ts: values.number(client.ts),
    });
  }

  #controller(id: number, history: History, layout: Layout): Token {
    const values = this.#values;
    const connection = connectionOf(this.#roles.controller.state(id));
    const common = { req: values.number(history.req), decided: values.boolean(history.decided) };
    if (connection === undefined)
      return values.record({
        ...common,
        phase: values.string(history.accepted ? 'gone' : 'listen'),
        una: '0',
        nxt: '0',
        rcv: '0',
        open: 'TRUE',
        eof: 'FALSE',
        // biome-ignore lint/suspicious/noThenProperty: the specification's name.
        then: values.string('none'),
        ts: '1',
      });
    const { endpoint, phase } = connection;
    return values.record({
      ...common,
      phase: values.string(phaseOf(phase.kind, endpoint.state)),
      una: this.#serverNumber('controller', endpoint.sndUna, layout),
      nxt: this.#serverNumber('controller', endpoint.sndMax, layout),
      rcv: this.#clientNumber('controller', endpoint.rcvNxt, layout),
      open: values.boolean(!endpoint.windowClosed),
      eof: values.boolean(endpoint.peerClosed),
      // biome-ignore lint/suspicious/noThenProperty: the specification's name for what comes after the removal.
      then: values.string(phase.kind === 'removing' ? phase.then.kind : 'none'),
      ts: values.number(this.#ownTick(endpoint.timestamps)),
    });
  }

  /** Whether a segment sent now would carry a clock that stands, or one that went back. */
  #ownTick(timestamps: { readonly offset: number } | null): number {
    if (timestamps === null) return 1;
    return this.#told((timestamps.offset + Math.floor(this.#clock.now / 1000)) >>> 0);
  }

  /** 1 for the clock that the connection began with, 0 for one that is behind it, or that another owner has. */
  #told(value: number): 0 | 1 {
    if (this.#standing) return value === this.#serverClock ? 1 : 0;
    return seqLt(value, this.#serverClock) ? 0 : 1;
  }

  #backend(name: BackendName, id: number, history: History, layout: Layout): Token {
    const values = this.#values;
    const idle = {
      handoff: '0',
      una: '0',
      nxt: '0',
      rcv: '0',
      ts: '0',
      last: values.number(history.last[name]),
      report: values.string(history.report[name]),
    };
    if (id === CRASHED) return values.record({ ...idle, st: values.string('crashed') });
    const state = this.#roles.backends[name].state(id);
    const service = serviceOf(state);
    const last = values.number(Math.max(0, ...state.ended));
    if (service === undefined || service.phase === 'reporting')
      return values.record({ ...idle, last, st: values.string('idle') });
    const { endpoint } = service;
    return values.record({
      st: values.string('serving'),
      handoff: values.number(service.handoff),
      una: this.#serverNumber(name, endpoint.sndUna, layout),
      nxt: this.#serverNumber(name, endpoint.sndMax, layout),
      rcv: this.#clientNumber(name, endpoint.rcvNxt, layout),
      ts: values.number(this.#ownTick(endpoint.timestamps)),
      last,
      report: values.string(history.report[name]),
    });
  }

  #switch(id: number, history: History): Token {
    const values = this.#values;
    const { installed, drains } = this.#roles.switch.state(id).rules;
    const rules = [...installed.values()].flat();
    if (rules.length > 1) throw new NoCounterpart('the switch has two rules for one connection');
    const [entry] = rules;
    const backend = entry === undefined ? 'none' : (backendOfLink(entry.rule.backend.name) ?? '?');
    if (entry !== undefined && !entry.rule.clearFin) throw new NoCounterpart('a rule that does not clear FIN');
    const drained = [...drains.values()].flat().map(({ rule }) => backendOfLink(rule.rule.backend.name) ?? '?');
    return values.record({
      rule: values.record({
        handoff: values.number(entry === undefined ? 0 : history.rule),
        backend: values.string(backend),
        zero: values.boolean(entry?.rule.zeroWindow ?? false),
      }),
      done: values.number(history.done),
      drained: values.set(drained.map((name) => values.string(name))),
    });
  }

  #net({ up, down, late, held }: Net, layout: Layout, endings: string): Token {
    const values = this.#values;
    const token = (id: FrameId): Token => {
      const key = `f ${id} ${endings}`;
      let known = this.#cache.get(key);
      if (known === undefined) {
        known = this.frame(id, layout);
        this.#cache.set(key, known);
      }
      return known;
    };
    const keeps = held.filter((frame) => !frame.late).map(({ frame }) => frame);
    const links = (side: Net['up'], front: readonly FrameId[]): Token =>
      values.record(
        Object.fromEntries(
          HOSTS.map((host) => [
            host,
            values.sequence([...(host === 'logical' ? front : []), ...side[host]].map(token)),
          ]),
        ),
      );
    return values.record({
      up: links(up, []),
      down: links(down, keeps),
      late: values.set([...late, ...held.filter((frame) => frame.late).map(({ frame }) => frame)].map(token)),
    });
  }

  #control(control: Control, layout: Layout): Token {
    const messages = CONTROL_LINKS.flatMap((link) => control[link]).map((id) => this.#pools.messages.value(id));
    return this.#values.set(
      messages.filter(({ type }) => type !== 'answer').map((message) => this.#message(message, layout)),
    );
  }

  /** The specification's message. Throws NoCounterpart. */
  #message({ type, message, peer, handoff, una, copy }: FlyingMessage, layout: Layout): Token {
    const values = this.#values;
    const common = { type: values.string(type), handoff: values.number(handoff) };
    switch (message.verb) {
      case 'add':
        return values.record({
          ...common,
          backend: values.string(backendOfLink(message.rule.backend.name) ?? '?'),
          zero: values.boolean(message.rule.zeroWindow),
          copy: values.boolean(copy),
        });
      case 'remove':
        return values.record({ ...common, copy: values.boolean(copy) });
      case 'handoff':
      case 'complete':
      case 'failed': {
        const { snapshot } = message;
        if (snapshot === null) throw new NoCounterpart('a report without the numbers of the connection');
        if (message.handoff !== handoff) throw new NoCounterpart(`hand-off ${handoff} is called ${message.handoff}`);
        const who = `the ${type} of hand-off ${handoff}`;
        const numbers = {
          ...common,
          seq: this.#serverNumber(who, snapshot.seq, layout),
          ack: this.#clientNumber(who, snapshot.ack, layout),
          una: this.#serverNumber(who, una ?? snapshot.seq, layout),
          ts: values.number(snapshot.timestamps === null ? 1 : this.#told(snapshot.timestamps.value)),
        };
        if (message.verb === 'handoff') return values.record({ ...numbers, backend: values.string(peer ?? '?') });
        const clientReset = message.verb === 'failed' && message.reason === 'client-reset';
        return values.record({
          ...numbers,
          from: values.string(peer ?? '?'),
          clientReset: values.boolean(clientReset),
        });
      }
      default:
        return values.record(common);
    }
  }

  #serverNumber(who: string, seq: Seq, layout: Layout): Token {
    const unit = layout.serverUnit(seq);
    if (unit === undefined) throw new NoCounterpart(misfit(who, 'sequence', seq));
    return this.#values.number(unit);
  }

  #clientNumber(who: string, seq: Seq, layout: Layout): Token {
    const unit = layout.clientUnit(seq);
    if (unit === undefined) throw new NoCounterpart(misfit(who, 'acknowledgement', seq));
    return this.#values.number(unit);
  }
}

/** Which host a frame is from and to, as the specification names them; `?` of an address that nobody has. */
function addressOf(bytes: Uint8Array): { readonly src: string; readonly dst: string } {
  const parsed = parseFrame(bytes);
  const ipv4 = parsed.ok ? parsed.value.ipv4 : undefined;
  return {
    src: (ipv4 && ADDRESSES.get(ipv4.src)) ?? '?',
    dst: (ipv4 && ADDRESSES.get(ipv4.dst)) ?? '?',
  };
}

function phaseOf(phase: string, tcp: string): string {
  switch (phase) {
    case 'reading':
      return tcp === 'syn-received' ? 'synReceived' : 'reading';
    case 'handed-off':
      return 'handedOff';
    case 'closing':
      if (tcp === 'time-wait') return 'closed';
      return tcp === 'last-ack' || tcp === 'close-wait' ? 'lastAck' : 'closing';
    default:
      return phase;
  }
}

function misfit(who: string, kind: string, seq: Seq): string {
  return `${who}: ${kind} number ${seq} falls within a unit, or behind the last`;
}
