/** The explored world: the real cores, the small client, and what is in flight between them, packed into numbers and unpacked again. */
import type { WithoutRemedies } from '../../reference-impl/core/remedies.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { type Seq, seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpOption } from '../../reference-impl/wire/tcp.js';
import type { Token, Values } from '../graph/values.js';
import { Abstraction, type Pools } from './abstraction.js';
import { CLOSED, type Client, type UnitSegment } from './client.js';
import { type Clock, type Cores, exploredRoles, liveRoles, REFERENCE, type Roles } from './roles.js';
import { CLIENT, CLIENT_MSS, CLIENT_PORT, CLIENT_TSVAL, CLIENT_WINDOW_FIELD, NOW } from './scenario.js';
import {
  type Control,
  type FlyingFrame,
  type FlyingMessage,
  type FrameId,
  type History,
  type Net,
  PART,
  type Packed,
  Pool,
  WIDTH,
} from './state.js';

const NO_FRAMES: Net['up'] = { client: [], logical: [], b1: [], b2: [] };
const NO_MESSAGES: Control = { toSwitch: [], fromSwitch: [], 'to b1': [], 'from b1': [], 'to b2': [], 'from b2': [] };

/** A state of the world as its parts. */
export interface Parts {
  client: Client;
  controller: number;
  switch: number;
  b1: number;
  b2: number;
  history: History;
  net: Net;
  control: Control;
  events: number;
}

export interface WorldOptions {
  /** In the place of the reference's. */
  readonly cores?: Cores;
  /** Remedies that are switched off. */
  readonly without?: WithoutRemedies;
  /** Time goes on, and nothing is left out of the cores' states: for going one way, not for exploring. */
  readonly live?: boolean;
}

export class World {
  readonly roles: Roles;
  readonly pools: Pools;
  readonly abstraction: Abstraction;
  readonly initial: Packed;
  readonly clock: Clock = { now: NOW };

  /** `misfortune`: how much of it one behaviour may have (`Events` in MC.tla), 0 or more. */
  constructor(values: Values, misfortune: number, options: WorldOptions = {}) {
    const { cores = REFERENCE, live = false, without = [] } = options;
    const roles = { cores, without };
    this.roles = live ? liveRoles(roles, this.clock) : exploredRoles(roles);
    this.pools = {
      clients: new Pool<Client>(clientText),
      histories: new Pool<History>(historyText),
      nets: new Pool<Net>(netText),
      controls: new Pool<Control>(controlText),
      frames: new Pool<FlyingFrame>(
        ({ bytes, at, link, by, owned, via }) =>
          `${at} ${link} ${by} ${owned} ${via} ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`,
      ),
      messages: new Pool<FlyingMessage>((message) => JSON.stringify(message)),
    };
    this.abstraction = new Abstraction(values, this.roles, this.pools, this.clock, !live);
    const { controller, switch: fabric, backends } = this.roles.initial;
    this.initial = this.pack({
      client: CLOSED,
      controller,
      switch: fabric,
      b1: backends[0] ?? 0,
      b2: backends[1] ?? 0,
      history: {
        req: 1,
        accepted: false,
        served: [],
        decided: false,
        report: { b1: 'none', b2: 'none' },
        last: { b1: 0, b2: 0 },
        done: 0,
        rule: 0,
        answered: 0,
        serverFin: null,
      },
      net: { up: NO_FRAMES, down: NO_FRAMES, late: [], held: [] },
      control: NO_MESSAGES,
      events: misfortune,
    });
  }

  abstract(packed: Packed): Token[] {
    return this.abstraction.state(packed);
  }

  unpack(packed: Packed): Parts {
    const at = (part: keyof typeof PART): number => packed[PART[part]] ?? 0;
    return {
      client: this.pools.clients.value(at('client')),
      controller: at('controller'),
      switch: at('switch'),
      b1: at('b1'),
      b2: at('b2'),
      history: this.pools.histories.value(at('history')),
      net: this.pools.nets.value(at('net')),
      control: this.pools.controls.value(at('control')),
      events: at('events'),
    };
  }

  pack(state: Parts): Packed {
    const packed = new Int32Array(WIDTH);
    packed[PART.client] = this.pools.clients.id(state.client);
    packed[PART.controller] = state.controller;
    packed[PART.switch] = state.switch;
    packed[PART.b1] = state.b1;
    packed[PART.b2] = state.b2;
    packed[PART.history] = this.pools.histories.id(state.history);
    packed[PART.net] = this.pools.nets.id(state.net);
    packed[PART.control] = this.pools.controls.id(state.control);
    packed[PART.events] = state.events;
    return packed;
  }

  clientFrame(fields: { seq: Seq; ack: Seq; flags: number; echo: number; payload: Uint8Array }): Uint8Array {
    const stamps: TcpOption[] = [
      { kind: 'nop' },
      { kind: 'nop' },
      { kind: 'timestamps', value: CLIENT_TSVAL, echo: fields.echo },
    ];
    const isSyn = (fields.flags & TcpFlag.SYN) !== 0;
    return buildTcpFrame({
      ethernet: { src: CLIENT.mac, dst: CLIENT.gatewayMac },
      ipv4: { src: CLIENT.ip, dst: CLIENT.logical, id: 1 },
      tcp: {
        srcPort: CLIENT_PORT,
        dstPort: CLIENT.port,
        seq: fields.seq,
        ack: fields.ack,
        flags: fields.flags,
        window: CLIENT_WINDOW_FIELD,
        options: isSyn
          ? [{ kind: 'mss', value: CLIENT_MSS }, ...stamps, { kind: 'nop' }, { kind: 'window-scale', shift: 2 }]
          : stamps,
        payload: fields.payload,
      },
    });
  }

  /** The client's segment on the wire. */
  frameOf(segment: UnitSegment, client: Client, history: History): FrameId {
    const layout = this.abstraction.layout(client, history);
    // A probe goes one number back, not one unit.
    const probe = segment.data.length === 0 && !segment.syn && !segment.fin && segment.seq === client.una - 1;
    const seq = probe ? seqAdd(layout.clientSeq(client.una), -1) : layout.clientSeq(segment.seq);
    const hasAck = segment.ack > 0;
    const flags =
      (segment.syn ? TcpFlag.SYN : 0) |
      (segment.fin ? TcpFlag.FIN : 0) |
      (segment.rst ? TcpFlag.RST : 0) |
      (hasAck ? TcpFlag.ACK : 0) |
      (segment.data.length > 0 ? TcpFlag.PSH : 0);
    const bytes = this.clientFrame({
      seq,
      ack: hasAck ? layout.serverSeq(segment.ack) : 0,
      flags,
      echo: segment.syn ? 0 : this.abstraction.serverClock,
      payload: layout.clientBytes(segment.seq, segment.data.length),
    });
    return this.pools.frames.id({ bytes, at: 'fabric', link: 'client', by: 'client', owned: true, via: 0 });
  }
}

// Texts that tell equal parts from others; they are made for every transition, so they are short.

function clientText(c: Client): string {
  return `${c.st} ${c.want} ${c.una} ${c.nxt} ${c.fin} ${c.wnd} ${c.wl1} ${c.wl2} ${c.rcv} ${c.eof} ${c.got} ${c.ts}`;
}

function historyText(h: History): string {
  return `${h.req} ${h.accepted} ${h.served} ${h.decided} ${h.report.b1} ${h.report.b2} ${h.last.b1} ${h.last.b2} ${h.done} ${h.rule} ${h.answered} ${h.serverFin}`;
}

function netText({ up, down, late, held }: Net): string {
  const keeps = held.length === 0 ? '' : held.map((each) => `${each.frame}${each.late}`).join();
  return `${up.client};${up.b1};${up.b2};${up.logical};${down.client};${down.logical};${down.b1};${down.b2};${late};${keeps}`;
}

function controlText(control: Control): string {
  return `${control.toSwitch};${control.fromSwitch};${control['to b1']};${control['from b1']};${control['to b2']};${control['from b2']}`;
}
