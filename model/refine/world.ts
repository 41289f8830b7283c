/** The explored world: the real cores, the small client, and what is in flight between them, packed into numbers and unpacked again. */
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { type Seq, seqAdd } from '../../reference-impl/wire/seq.js';
import { findTcpOption, TcpFlag, type TcpOption } from '../../reference-impl/wire/tcp.js';
import type { Token, Values } from '../graph/values.js';
import { Abstraction, type Pools } from './abstraction.js';
import { CLOSED, type Client, type UnitSegment } from './client.js';
import { type Cores, exploredRoles, REFERENCE, type Roles } from './roles.js';
import { CLIENT, CLIENT_ISN, CLIENT_MSS, CLIENT_PORT, CLIENT_TSVAL, CLIENT_WINDOW_FIELD } from './scenario.js';
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

export class World {
  readonly roles: Roles;
  readonly pools: Pools;
  readonly abstraction: Abstraction;
  readonly initial: Packed;
  readonly #clock: number;

  /** `misfortune`: how much of it one behaviour may have (`Events` in MC.tla), 0 or more. */
  constructor(values: Values, misfortune: number, cores: Cores = REFERENCE) {
    this.roles = exploredRoles(cores);
    this.pools = {
      clients: new Pool<Client>(),
      histories: new Pool<History>(),
      nets: new Pool<Net>(),
      controls: new Pool<Control>(),
      frames: new Pool<FlyingFrame>(
        ({ bytes, at, link, by, owned, via }) =>
          `${at} ${link} ${by} ${owned} ${via} ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`,
      ),
      messages: new Pool<FlyingMessage>(),
    };
    const { iss, clock } = this.#greet();
    this.#clock = clock;
    this.abstraction = new Abstraction(values, this.roles, this.pools, iss, clock);
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

  /** The controller's own numbers, which are the same in every behaviour. */
  #greet(): { iss: Seq; clock: number } {
    const syn = this.clientFrame({ seq: CLIENT_ISN, ack: 0, flags: TcpFlag.SYN, echo: 0, payload: new Uint8Array(0) });
    const { switch: fabric, controller } = this.roles;
    const [routed] = fabric.input(this.roles.initial.switch, 'greeting', {
      kind: 'frame',
      port: 'client',
      bytes: syn,
    }).frames;
    const answer = controller.input(this.roles.initial.controller, 'greeting', {
      kind: 'frame',
      port: 'link',
      bytes: routed?.bytes ?? syn,
    });
    const parsed = answer.frames[0] === undefined ? undefined : parseFrame(answer.frames[0].bytes);
    const tcp = parsed?.ok ? parsed.value.tcp : undefined;
    if (tcp === undefined) throw new Error('the controller does not answer a SYN');
    return { iss: tcp.seq, clock: findTcpOption(tcp.options, 'timestamps')?.value ?? 0 };
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
      echo: segment.syn ? 0 : this.#clock,
      payload: layout.clientBytes(segment.seq, segment.data.length),
    });
    return this.pools.frames.id({ bytes, at: 'fabric', link: 'client', by: 'client', owned: true, via: 0 });
  }
}
