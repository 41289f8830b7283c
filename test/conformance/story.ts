/**
 * Captures told as stories: one line a segment, all four vantages, a small switch that does what it should, and hooks to make it or
 * anybody else do what it should not.
 */

import type { Finding } from '../../conformance/checks/check.js';
import { judgeAll } from '../../conformance/checks/index.js';
import { analyse } from '../../conformance/flows/judged.js';
import { encodePcapng } from '../../harness/capture/pcapng.js';
import { defaultTopology, type Topology } from '../../harness/topology.js';
import type { ControlLogEntry } from '../../harness/world.js';
import type { ControlMessage, FourTuple } from '../../reference-impl/control/messages.js';
import { parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpOption } from '../../reference-impl/wire/tcp.js';

export const EPOCH = 1_506_211_200_000_000_000n;
const VANTAGES = ['client', 'controller', 'backend0', 'backend1'] as const;
export type Vantage = (typeof VANTAGES)[number];
export type BackendName = 'backend0' | 'backend1';

const ip = (text: string): number => parseIpv4Address(text) ?? 0;
const mac = (text: string | undefined): number => parseMacAddress(text ?? '') ?? 0;

/** A segment as it stands on a link. */
export interface Wire {
  vantage: Vantage;
  srcMac: number;
  dstMac: number;
  src: number;
  dst: number;
  srcPort: number;
  dstPort: number;
  ttl: number;
  id: number;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  urgentPointer: number;
  options: readonly TcpOption[];
  payload: Uint8Array;
  /** Spoils the TCP checksum. */
  corrupt: boolean;
}

export interface Sending
  extends Partial<Pick<Wire, 'flags' | 'window' | 'options' | 'corrupt' | 'id' | 'urgentPointer'>> {
  /** Offsets in the streams; by default where the speaker is. */
  readonly at?: number;
  readonly ack?: number;
  readonly payload?: string | Uint8Array;
  /** Lost in the fabric. */
  readonly lost?: boolean;
  /** Arrives this much later than usual, in µs. */
  readonly late?: number;
  /** What the fabric makes of it instead. */
  readonly arrives?: (wire: Wire) => Wire;
  /** Its sender's own doing, where it is not what the stream says. */
  readonly leaves?: (wire: Wire) => Wire;
  readonly tsval?: number;
  readonly tsecr?: number;
  readonly noOptions?: boolean;
}

/** A frame of the capture, to be found again once all are numbered. */
export interface Mark {
  readonly id: number;
}

export interface Passage {
  readonly sent: Mark;
  readonly arrived: Mark | undefined;
}

interface Recorded {
  readonly id: number;
  readonly t: number;
  readonly wire: Wire;
}

export interface Rule {
  readonly backend: BackendName;
  readonly zeroWindow: boolean;
}

const HOP_US = 40;

export class Story {
  readonly topology: Topology;
  readonly rules = new Map<number, Rule>();
  readonly entries: { readonly t: number; readonly entry: Omit<ControlLogEntry, 't'> }[] = [];
  /** µs. */
  now = 1_000;
  #frames: Recorded[] = [];
  #ids = { client: 100, controller: 5000, backend0: 20000, backend1: 30000 };

  constructor(topology: Topology = defaultTopology()) {
    this.topology = topology;
  }

  pass(us = 200): void {
    this.now += us;
  }

  host(vantage: Vantage): { ip: number; mac: number } {
    const { clients, controller, backends } = this.topology;
    const found =
      vantage === 'client'
        ? clients?.[0]
        : vantage === 'controller'
          ? controller
          : backends.find((b) => b.name === vantage);
    return { ip: ip(found?.ip ?? ''), mac: mac(found?.mac) };
  }

  get logical(): number {
    return ip(this.topology.logical.ip);
  }

  get fabricMac(): number {
    return mac(this.topology.logical.mac);
  }

  nextId(vantage: Vantage): number {
    return this.#ids[vantage]++;
  }

  record(t: number, wire: Wire): Mark {
    const id = this.#frames.length;
    this.#frames.push({ id, t, wire });
    return { id };
  }

  /** What a right switch makes of a segment. */
  forward(wire: Wire): Wire {
    const out = { ...wire, srcMac: this.fabricMac, ttl: wire.ttl - 1 };
    const client = this.host('client');
    if (wire.dst === client.ip) {
      const rule = this.rules.get(wire.dstPort);
      const ruled = rule !== undefined && wire.src === this.host(rule.backend).ip;
      const rewritten = ruled ? { src: this.logical, window: rule.zeroWindow ? 0 : wire.window } : {};
      return { ...out, ...rewritten, vantage: 'client', dstMac: client.mac };
    }
    const rule = wire.dst === this.logical && wire.dstPort === 80 ? this.rules.get(wire.srcPort) : undefined;
    if (rule !== undefined) return this.toBackend(out, rule.backend);
    return { ...out, vantage: 'controller', dstMac: this.host('controller').mac };
  }

  toBackend(wire: Wire, backend: BackendName): Wire {
    const { ip: dst, mac: dstMac } = this.host(backend);
    return { ...wire, vantage: backend, dst, dstMac, srcMac: this.fabricMac, flags: wire.flags & ~TcpFlag.FIN };
  }

  /** One segment on its way; time goes on. */
  carry(
    told: Wire,
    { lost, late = 0, arrives, leaves }: Pick<Sending, 'lost' | 'late' | 'arrives' | 'leaves'> = {},
  ): Passage {
    const wire = leaves ? leaves(told) : told;
    const sent = this.record(this.now, wire);
    const out = this.forward(wire);
    const arrived = lost ? undefined : this.record(this.now + HOP_US + late, arrives ? arrives(out) : out);
    this.pass();
    return { sent, arrived };
  }

  log(at: string, direction: 'sent' | 'received', peer: string, message: ControlMessage): void {
    this.entries.push({ t: this.now, entry: { at, direction, peer, message } });
  }

  /** A message as both its ends log it; time goes on. */
  say(from: string, to: string, message: ControlMessage): void {
    this.log(from, 'sent', to, message);
    this.pass(100);
    this.log(to, 'received', from, message);
  }

  /** Line of the first entry that fits, from 1. */
  line(fits: (message: ControlMessage) => boolean): number {
    return this.sortedEntries().findIndex((entry) => fits(entry.message)) + 1;
  }

  sortedEntries(): ControlLogEntry[] {
    return [...this.entries]
      .sort((a, b) => a.t - b.t)
      .map(({ t, entry }) => ({ t: `${EPOCH + BigInt(t) * 1000n}`, ...entry }));
  }

  get frames(): { readonly id: number; readonly t: number; readonly vantage: Vantage; readonly bytes: Uint8Array }[] {
    return [...this.#frames]
      .sort((a, b) => a.t - b.t || a.id - b.id)
      .map(({ id, t, wire }) => ({ id, t, vantage: wire.vantage, bytes: frameBytes(wire) }));
  }

  capture(
    frames: readonly { readonly t: number; readonly vantage: Vantage; readonly bytes: Uint8Array }[] = this.frames,
  ): Uint8Array {
    return encodePcapng(
      VANTAGES,
      frames.map(({ t, vantage, bytes }) => ({
        interfaceName: vantage,
        timestampNs: EPOCH + BigInt(Math.round(t * 1000)),
        bytes,
        originalLength: bytes.length,
      })),
    );
  }

  judge({ log = true, lossless = false }: { readonly log?: boolean; readonly lossless?: boolean } = {}): Verdicts {
    const numbers = new Map(this.frames.map(({ id }, index) => [id, index + 1]));
    const verdicts = judgeBytes(this.capture(), this.topology, log ? this.sortedEntries() : undefined, lossless);
    return { ...verdicts, number: (mark) => numbers.get(mark?.id ?? -1) ?? -1 };
  }
}

function frameBytes(wire: Wire): Uint8Array {
  const { srcMac, dstMac, src, dst, ttl, id, payload, corrupt, ...tcp } = wire;
  const bytes = buildTcpFrame({
    ethernet: { src: srcMac, dst: dstMac },
    ipv4: { src, dst, ttl, id },
    tcp: { ...tcp, payload },
  });
  if (corrupt) bytes[50] = (bytes[50] ?? 0) ^ 0x55;
  return bytes;
}

export interface Verdicts {
  readonly findings: ReadonlyMap<string, Finding>;
  readonly fails: readonly string[];
  readonly passes: readonly string[];
  readonly number: (mark: Mark | undefined) => number;
}

export function judgeBytes(
  bytes: Uint8Array,
  topology: Topology,
  entries: readonly ControlLogEntry[] | undefined,
  lossless = false,
): Verdicts {
  const outcome = analyse({
    captures: [{ name: 'story.pcapng', bytes }],
    topology,
    lossless,
    ...(entries ? { controlLog: { name: 'story.control.ndjson', entries } } : {}),
  });
  if (!outcome.ok) throw new Error(outcome.error);
  const findings = new Map(judgeAll(outcome.judged).map(({ clause, finding }) => [clause, finding]));
  const of = (verdict: string): string[] =>
    [...findings].filter(([, f]) => f.verdict === verdict).map(([clause]) => clause);
  return { findings, fails: of('fail'), passes: of('pass'), number: () => -1 };
}

const CLIENT_ISN = 0xffffff00;
const SERVER_ISN = 0xfffff800;
const NEGOTIATED: readonly TcpOption[] = [
  { kind: 'mss', value: 1460 },
  { kind: 'sack-permitted' },
  { kind: 'window-scale', shift: 7 },
];

/** One client connection. Offsets count from 0, the first byte behind the SYN. */
export class Talk {
  client = { next: 0, ack: 0 };
  server = { next: 0, ack: 0 };
  #received: [number, number][] = [];
  /** What the client told last, scaled. */
  #clientWindow = 64_128;
  #clientTs = 5000;
  #serverTs = 9000;
  #calls = 0;
  handoffs = 0;
  /** The client's window, unscaled by 7. */
  window = 501;

  constructor(
    readonly story: Story,
    readonly port = 40000,
  ) {}

  #stamps(value: number, echo: number): TcpOption[] {
    return [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value, echo }];
  }

  fromClient(sending: Sending = {}): Passage {
    const { story } = this;
    const payload = bytesOf(sending.payload);
    const flags = sending.flags ?? (payload.length > 0 ? TcpFlag.ACK | TcpFlag.PSH : TcpFlag.ACK);
    const at = sending.at ?? this.client.next;
    this.#clientTs = Math.max(this.#clientTs, 5000 + Math.floor(story.now / 1000));
    const stamps = this.#stamps(
      sending.tsval ?? this.#clientTs,
      sending.tsecr ?? (flags & TcpFlag.ACK ? this.#serverTs : 0),
    );
    if (!(flags & TcpFlag.SYN)) this.#clientWindow = (sending.window ?? this.window) * 128;
    const host = story.host('client');
    const end = at + payload.length + (flags & TcpFlag.FIN ? 1 : 0);
    if (end > this.client.next) this.client.next = end;
    return story.carry(
      {
        vantage: 'client',
        srcMac: host.mac,
        dstMac: story.fabricMac,
        src: host.ip,
        dst: story.logical,
        srcPort: this.port,
        dstPort: 80,
        ttl: 64,
        id: sending.id ?? story.nextId('client'),
        seq: seqAdd(CLIENT_ISN + this.port, at + 1),
        ack: flags & TcpFlag.ACK ? seqAdd(SERVER_ISN, (sending.ack ?? this.client.ack) + 1) : 0,
        flags,
        window: sending.window ?? this.window,
        urgentPointer: sending.urgentPointer ?? 0,
        options: sending.noOptions ? [] : (sending.options ?? stamps),
        payload,
        corrupt: sending.corrupt ?? false,
      },
      sending,
    );
  }

  fromServer(vantage: Exclude<Vantage, 'client'>, sending: Sending = {}): Passage {
    const { story } = this;
    const payload = bytesOf(sending.payload);
    const flags = sending.flags ?? (payload.length > 0 ? TcpFlag.ACK | TcpFlag.PSH : TcpFlag.ACK);
    const at = sending.at ?? this.server.next;
    this.#serverTs = Math.max(this.#serverTs, 9000 + Math.floor(story.now / 1000));
    const stamps = this.#stamps(sending.tsval ?? this.#serverTs, sending.tsecr ?? this.#clientTs);
    const host = story.host(vantage);
    const end = at + payload.length + (flags & TcpFlag.FIN ? 1 : 0);
    if (end > this.server.next) this.server.next = end;
    if (!sending.lost && end > at && !sending.corrupt) this.#receive(at, end);
    return story.carry(
      {
        vantage,
        srcMac: host.mac,
        dstMac: story.fabricMac,
        src: vantage === 'controller' ? story.logical : host.ip,
        dst: story.host('client').ip,
        srcPort: 80,
        dstPort: this.port,
        ttl: 64,
        id: sending.id ?? story.nextId(vantage),
        seq: seqAdd(SERVER_ISN, at + 1),
        ack: seqAdd(CLIENT_ISN + this.port, (sending.ack ?? this.server.ack) + 1),
        flags,
        window: sending.window ?? 512,
        urgentPointer: sending.urgentPointer ?? 0,
        options: sending.noOptions ? [] : (sending.options ?? stamps),
        payload,
        corrupt: sending.corrupt ?? false,
      },
      sending,
    );
  }

  #receive(from: number, to: number): void {
    this.#received.push([from, to]);
    this.#received.sort((a, b) => a[0] - b[0]);
    for (const [start, end] of this.#received)
      if (start <= this.client.ack && end > this.client.ack) this.client.ack = end;
  }

  /** The three-way handshake with the controller. */
  connect({
    synOptions = NEGOTIATED,
    synAckOptions = NEGOTIATED,
    synAck = {},
  }: {
    synOptions?: readonly TcpOption[];
    synAckOptions?: readonly TcpOption[];
    synAck?: Sending;
  } = {}): { syn: Passage; synAck: Passage; ack: Passage } {
    const client: TcpOption[] = [...synOptions, { kind: 'timestamps', value: 5000, echo: 0 }];
    const server: TcpOption[] = [...synAckOptions, { kind: 'timestamps', value: 9000, echo: 5000 }];
    const syn = this.fromClient({ at: -1, flags: TcpFlag.SYN, options: client, window: 64240 });
    const answer = this.fromServer('controller', {
      at: -1,
      ack: 0,
      flags: TcpFlag.SYN | TcpFlag.ACK,
      options: server,
      window: 65535,
      ...synAck,
    });
    return { syn, synAck: answer, ack: this.fromClient() };
  }

  get tuple(): FourTuple {
    const { clients, logical } = this.story.topology;
    return { client: { ip: clients?.[0]?.ip ?? '', port: this.port }, logical: { ip: logical.ip, port: logical.port } };
  }

  snapshot(): Extract<ControlMessage, { verb: 'complete' }>['snapshot'] {
    return {
      seq: seqAdd(SERVER_ISN, this.server.next + 1),
      ack: seqAdd(CLIENT_ISN + this.port, this.server.ack + 1),
      clientWindow: this.#clientWindow,
      clientMss: 1460,
      ownMss: 1460,
      windowScale: { client: 7, own: 7 },
      sackPermitted: true,
      timestamps: { value: this.#serverTs, recent: this.#clientTs },
    };
  }

  #id(): string {
    this.#calls++;
    return `${this.#calls}/${this.port}`;
  }

  /** The rule is asked for, installed and confirmed. */
  install(backend: BackendName, zeroWindow: boolean): void {
    const { story } = this;
    const id = this.#id();
    const to = story.topology.backends.find(({ name }) => name === backend);
    const rule = {
      conn: this.tuple,
      backend: { name: backend, ip: to?.ip ?? '', mac: to?.mac ?? '' },
      zeroWindow,
      clearFin: true,
    };
    story.say('controller', 'switch', { verb: 'add', id, rule });
    story.rules.set(this.port, { backend, zeroWindow });
    story.say('switch', 'controller', { verb: 'ok', re: id });
  }

  handOff(backend: BackendName, header: string): void {
    const { story } = this;
    this.handoffs++;
    const method = (/^(GET|HEAD|PUT|POST) /.exec(header)?.[1] ?? 'GET') as 'GET' | 'HEAD' | 'PUT' | 'POST';
    const id = this.#id();
    story.say('controller', backend, {
      verb: 'handoff',
      id,
      handoff: this.handoffs + this.port * 100,
      conn: this.tuple,
      snapshot: this.snapshot(),
      request: {
        method,
        target: header.split(' ')[1] ?? '/',
        header: Buffer.from(header).toString('base64'),
        payload: /^transfer-encoding: *chunked/im.test(header)
          ? { kind: 'chunked' }
          : { kind: 'length', bytes: Number(/^content-length: *(\d+)/im.exec(header)?.[1] ?? 0) },
        expectContinue: /^expect: *100-continue/im.test(header),
        keepAlive: !/^connection: *close/im.test(header),
        minorVersion: / HTTP\/1\.0/.test(header) ? 0 : 1,
      },
    });
    story.say(backend, 'controller', { verb: 'ok', re: id });
  }

  complete(backend: BackendName, snapshot = this.snapshot()): void {
    const id = this.#id();
    this.story.say(backend, 'controller', {
      verb: 'complete',
      id,
      handoff: this.handoffs + this.port * 100,
      conn: this.tuple,
      snapshot,
      keepAlive: true,
    });
    this.story.say('controller', backend, { verb: 'ok', re: id });
  }

  /** The rule is removed, and that is confirmed, or refused although it is gone. */
  remove(refused?: 'unknown-connection'): void {
    const id = this.#id();
    this.story.say('controller', 'switch', { verb: 'remove', id, conn: this.tuple });
    this.story.rules.delete(this.port);
    const answer: ControlMessage =
      refused === undefined
        ? { verb: 'ok', re: id }
        : { verb: 'refused', re: id, code: refused, reason: 'no such rule' };
    this.story.say('switch', 'controller', answer);
  }

  /** The client's FIN, the controller's, and the last acknowledgement. */
  close(): void {
    this.fromClient({ flags: TcpFlag.FIN | TcpFlag.ACK });
    this.server.ack = this.client.next;
    this.fromServer('controller', { flags: TcpFlag.FIN | TcpFlag.ACK });
    this.fromClient();
  }
}

export function bytesOf(payload: string | Uint8Array | undefined): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload, 'latin1') : (payload ?? new Uint8Array(0));
}

/** Bytes that are told apart wherever they are cut. */
export function body(size: number, seed = 1): Uint8Array {
  let x = seed * 2654435761 + 12345;
  return Uint8Array.from({ length: size }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x >>> 24;
  });
}

export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: prism\r\n\r\n`;
export const put = (path: string, size: number): string =>
  `PUT ${path} HTTP/1.1\r\nHost: prism\r\nContent-Length: ${size}\r\n\r\n`;
export const ok = (size: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
export const SEGMENT = 1400;

/** The steps of a hand-off, each of which a story can tell otherwise. */
export interface Steps {
  readonly request: () => void;
  /** The controller's acknowledgement of the header. */
  readonly headerAck: () => void;
  readonly install: () => void;
  readonly handOff: () => void;
  /** A write's payload and its acknowledgements. */
  readonly payload: () => void;
  readonly respond: () => void;
  readonly complete: () => void;
  readonly remove: () => void;
  readonly reopen: () => void;
}

/** Sends `bytes` as the backend, each segment acknowledged by the client. */
export function respondWith(
  talk: Talk,
  backend: BackendName,
  head: string,
  bytes: Uint8Array,
  ackWindow?: number,
): void {
  talk.fromServer(backend, { payload: head });
  for (let at = 0; at < bytes.length; at += SEGMENT) {
    talk.fromServer(backend, { payload: bytes.subarray(at, at + SEGMENT) });
    talk.fromClient(ackWindow === undefined ? {} : { window: ackWindow });
  }
  if (bytes.length === 0) talk.fromClient();
}

/** A right read; `otherwise` replaces steps. */
export function read(
  talk: Talk,
  path: string,
  size: number,
  otherwise: Partial<Steps> = {},
  backend: BackendName = path.startsWith('/b') ? 'backend1' : 'backend0',
): void {
  const header = get(path);
  const content = body(size, path.length + size);
  const steps: Steps = {
    request: () => {
      talk.fromClient({ payload: header });
    },
    headerAck: () => {
      talk.server.ack = requestEnd(talk, header);
      talk.fromServer('controller', { window: 0, flags: TcpFlag.ACK | TcpFlag.PSH });
    },
    install: () => talk.install(backend, true),
    handOff: () => talk.handOff(backend, header),
    payload: () => {},
    respond: () => respondWith(talk, backend, ok(size), content),
    complete: () => talk.complete(backend),
    remove: () => talk.remove(),
    reopen: () => {
      talk.fromServer('controller');
    },
    ...otherwise,
  };
  tell(talk, header, steps);
}

/** A right write whose first `early` payload bytes come with the header, and again to the backend. */
export function write(
  talk: Talk,
  path: string,
  size: number,
  early = 0,
  otherwise: Partial<Steps> = {},
  backend: BackendName = path.startsWith('/b') ? 'backend1' : 'backend0',
): void {
  const header = put(path, size);
  const content = body(size, path.length);
  const steps: Steps = {
    request: () => {
      talk.fromClient({ payload: Buffer.concat([Buffer.from(header), content.subarray(0, early)]) });
    },
    headerAck: () => {
      talk.server.ack = requestEnd(talk, header);
      talk.fromServer('controller', { flags: TcpFlag.ACK | TcpFlag.PSH });
    },
    install: () => talk.install(backend, false),
    handOff: () => talk.handOff(backend, header),
    payload: () => {
      const start = requestEnd(talk, header);
      for (let at = 0; at < size; at += SEGMENT) {
        talk.fromClient({ at: start + at, payload: content.subarray(at, at + SEGMENT) });
        talk.server.ack = start + Math.min(size, at + SEGMENT);
        talk.fromServer(backend);
      }
    },
    respond: () => respondWith(talk, backend, 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n', new Uint8Array(0)),
    complete: () => talk.complete(backend),
    remove: () => talk.remove(),
    reopen: () => {
      talk.fromServer('controller');
    },
    ...otherwise,
  };
  tell(talk, header, steps);
}

const starts = new WeakMap<Talk, number>();

function tell(talk: Talk, _header: string, steps: Steps): void {
  starts.set(talk, talk.client.next);
  steps.request();
  steps.headerAck();
  steps.install();
  steps.handOff();
  steps.payload();
  steps.respond();
  steps.complete();
  steps.remove();
  steps.reopen();
}

/** Offset behind the header of the request that is being told. */
export function requestEnd(talk: Talk, header: string): number {
  return (starts.get(talk) ?? 0) + header.length;
}
