/**
 * The rim of a role's process: gives a sans-IO core its frames (AF_PACKET), its timers (the monotonic clock) and its control peers
 * (NDJSON over TCP), and writes down its control messages and events.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  type ControlMessage,
  decodeControlLine,
  encodeControlLine,
  MAX_CONTROL_LINE,
} from '../../reference-impl/control/messages.js';
import type { Micros, RoleInput, RoleOutput, StepFunction, Stepped } from '../../reference-impl/core/core.js';
import type { ControlFaults } from '../control-faults.js';
import type { TravellingMessage } from '../control-match.js';
import { type ControlFault, type ControlLogEntry, WorldError } from '../world.js';
import { interfaceMtu, realtimeNs } from './libc.js';
import { LineFile } from './line-file.js';
import { LineCutter } from './lines.js';
import { News } from './news.js';
import { OffloadSocket } from './offload-socket.js';
import { PacketSocket } from './packet-socket.js';
import type { RoleEnds } from './role-ender.js';

export interface RoleCore<State> {
  readonly initial: Stepped<State>;
  readonly step: StepFunction<State>;
  /** No connection and no rule is left. */
  idle(state: State): boolean;
}

/** Decides what becomes of a frame that leaves the switch: one entry per copy, with its delay; none drops it. */
export type Admit = (frame: { from: string; to: string; bytes: Uint8Array }) => {
  readonly copies: readonly { readonly delayMs: number }[];
};

export interface RoleRim {
  readonly role: string;
  /** Interface of each port of the core. */
  readonly ports: Readonly<Record<string, string>>;
  /** The EtherTypes that the core is given, of what a program at tc ingress let through; every frame when absent. */
  readonly behindTc?: readonly number[];
  /** The interfaces' offloads are on: a switch's, whose core passes on what it is given. No faults are done then. */
  readonly offloads?: boolean;
  /** Where this role waits for the controller. */
  readonly listen?: {
    readonly address: string;
    readonly port: number;
    readonly peer: string;
    readonly peerAddress: string;
  };
  /** Peers this role connects to. */
  readonly connect: readonly { readonly peer: string; readonly address: string; readonly port: number }[];
  readonly controlLog: string;
  readonly trace: string;
  /** What is done to control messages. The controller's, at whose end all channels meet, so that they are counted together. */
  readonly controlFaults?: readonly ControlFault[];
  /** What this role watches for to end others, or itself. */
  readonly ends?: RoleEnds;
  /** This role may be ended at any moment: it keeps no line of its logs back. */
  readonly mayEnd?: boolean;
}

/** What the harness does to this role's outputs and inputs on their way. */
export interface RimFaults {
  /** Asked of every frame that comes in; every one comes at once and alone when absent. */
  readonly enter?: (frame: { from: string; bytes: Uint8Array }) => ReturnType<Admit>;
  readonly admit?: Admit;
  readonly control?: ControlFaults;
  /** Told of every control message, sent or received, before anything is done to it. */
  readonly onControl?: (travelling: TravellingMessage) => void;
}

/** Slots of 2 KiB: a full window's burst from every host fits while the core is busy. */
const RING_SLOTS = 4096;
/** Frames taken from one port before timers and control peers get their turn. */
const BATCH = 64;
const RECONNECT_MS = 20;

export class RunningRole<State> {
  readonly #core: RoleCore<State>;
  readonly #rim: RoleRim;
  readonly #faults: RimFaults;
  /** The first of a port's is the one that sends. */
  readonly #sockets = new Map<string, readonly PacketSocket[]>();
  readonly #offloads = new Map<string, OffloadSocket>();
  readonly #peers = new Map<string, Socket>();
  readonly #timers = new Map<string, Micros>();
  readonly #controlLog: LineFile;
  readonly #trace: LineFile;
  readonly #news = new News();
  #server: Server | undefined;
  #state: State;
  #alarm: { readonly at: Micros; readonly timer: NodeJS.Timeout } | undefined;
  #stopped = false;

  /** Opens the ports; the control peers are met in `start`. */
  constructor(core: RoleCore<State>, rim: RoleRim, faults: RimFaults = {}) {
    this.#core = core;
    this.#rim = rim;
    this.#faults = faults;
    this.#state = core.initial.state;
    this.#controlLog = new LineFile(rim.controlLog, rim.mayEnd);
    this.#trace = new LineFile(rim.trace, rim.mayEnd);
    for (const [port, interfaceName] of Object.entries(rim.ports)) {
      if (rim.offloads) {
        this.#offloads.set(port, new OffloadSocket(interfaceName));
        continue;
      }
      const options = { interfaceName, outgoing: false, slots: RING_SLOTS, mtu: interfaceMtu(interfaceName) };
      const sockets = rim.behindTc?.map((etherType) => new PacketSocket({ ...options, etherType }));
      this.#sockets.set(port, sockets ?? [new PacketSocket(options)]);
    }
  }

  /** Starts the core and resolves when every control peer it connects to is there, and when it listens itself. */
  async start(): Promise<void> {
    this.#apply(this.#core.initial.outputs, '');
    for (const [port, sockets] of this.#sockets)
      for (const socket of sockets)
        socket.onReadable(() => {
          socket.receive(BATCH, ({ bytes }) => this.#enter(port, bytes));
        });
    for (const [port, socket] of this.#offloads) socket.onReadable(() => this.#passOn(port, socket));
    await this.#listen();
    await Promise.all(this.#rim.connect.map((peer) => new Promise<void>((resolve) => this.#connect(peer, resolve))));
  }

  /** Puts out what comes of none of its inputs. */
  put(outputs: readonly RoleOutput[]): void {
    if (!this.#stopped) this.#apply(outputs, '');
  }

  /** One batch, so that timers and control peers get their turn: what is sent of it leaves before the next is received into its place. */
  #passOn(port: string, socket: OffloadSocket): void {
    socket.receive(({ bytes, offload }) => this.#input({ kind: 'frame', port, bytes, offload }, port));
    for (const out of this.#offloads.values()) out.flush();
  }

  #enter(port: string, bytes: Uint8Array): void {
    const { enter } = this.#faults;
    if (enter === undefined) {
      this.#input({ kind: 'frame', port, bytes }, port);
      return;
    }
    for (const { delayMs } of enter({ from: port, bytes }).copies) {
      if (delayMs <= 0) this.#input({ kind: 'frame', port, bytes }, port);
      else {
        const late = bytes.slice();
        setTimeout(() => this.#input({ kind: 'frame', port, bytes: late }, port), delayMs);
      }
    }
  }

  idle(): boolean {
    return this.#core.idle(this.#state);
  }

  /** Ends everything and closes the logs; returns the frames that were lost at this role's own ports. */
  stop(): number {
    this.#stopped = true;
    let lost = 0;
    for (const socket of [...[...this.#sockets.values()].flat(), ...this.#offloads.values()]) {
      lost += socket.drops() + socket.sendFailures;
      socket.close();
    }
    clearTimeout(this.#alarm?.timer);
    this.#server?.close();
    for (const socket of this.#peers.values()) socket.destroy();
    this.#controlLog.close();
    this.#trace.close();
    return lost;
  }

  #now(): Micros {
    return Number(process.hrtime.bigint() / 1000n);
  }

  #input(input: RoleInput, from: string): void {
    if (this.#stopped) return;
    const { state, outputs } = this.#core.step(this.#state, input, this.#now());
    this.#state = state;
    this.#apply(outputs, from);
  }

  /** `from`: the port of the frame that caused the outputs, for faults that match by origin; empty for other causes. */
  #apply(outputs: readonly RoleOutput[], from: string): void {
    for (const output of outputs)
      switch (output.kind) {
        case 'frame':
          this.#sendFrame(from, output);
          break;
        case 'control':
          this.#sendControl(output.peer, output.message);
          break;
        case 'timer':
          this.#setTimer(output.key, output.at);
          break;
        case 'event':
          this.#trace.append({ t: realtimeNs().toString(), role: this.#rim.role, ...output.event });
          break;
      }
  }

  #sendFrame(from: string, { port, bytes, offload }: Extract<RoleOutput, { kind: 'frame' }>): void {
    const passing = this.#offloads.get(port);
    if (passing) {
      passing.send(bytes, offload);
      return;
    }
    const [socket] = this.#sockets.get(port) ?? [];
    if (!socket) throw new WorldError(`${this.#rim.role} sends through a port ${port} that it does not have`);
    if (!this.#faults.admit) {
      socket.send(bytes);
      return;
    }
    for (const copy of this.#faults.admit({ from, to: port, bytes }).copies) {
      if (copy.delayMs <= 0) {
        socket.send(bytes);
        continue;
      }
      const late = bytes.slice();
      setTimeout(() => {
        if (!this.#stopped) socket.send(late);
      }, copy.delayMs);
    }
  }

  #setTimer(key: string, at: Micros | null): void {
    if (at === null) this.#timers.delete(key);
    else {
      this.#timers.set(key, at);
      this.#wakeAt(at);
    }
  }

  /** Keeps one alarm, for the earliest deadline; one that was cancelled meanwhile only costs a look. */
  #wakeAt(at: Micros): void {
    if (this.#alarm && this.#alarm.at <= at) return;
    clearTimeout(this.#alarm?.timer);
    const delayMs = Math.min(Math.max(Math.ceil((at - this.#now()) / 1000), 0), 0x7fffffff);
    this.#alarm = { at, timer: setTimeout(() => this.#fire(), delayMs) };
  }

  #fire(): void {
    this.#alarm = undefined;
    const now = this.#now();
    const due = [...this.#timers].filter(([, at]) => at <= now).sort(([, a], [, b]) => a - b);
    for (const [key, at] of due) {
      // An earlier one of this round may have cancelled or postponed it.
      if (this.#timers.get(key) !== at) continue;
      this.#timers.delete(key);
      this.#input({ kind: 'timer', key }, '');
    }
    let next = Number.POSITIVE_INFINITY;
    for (const at of this.#timers.values()) next = Math.min(next, at);
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
  }

  /** How many control messages were no repetition. */
  get news(): number {
    return this.#news.count;
  }

  #log(direction: ControlLogEntry['direction'], peer: string, message: ControlMessage): void {
    this.#news.note(`${direction} ${peer} ${JSON.stringify(message)}`);
    const entry: ControlLogEntry = { t: realtimeNs().toString(), at: this.#rim.role, direction, peer, message };
    this.#controlLog.append(entry);
  }

  #sendControl(peer: string, message: ControlMessage): void {
    const socket = this.#peers.get(peer);
    // The core repeats what stays unanswered; a peer that is away gets it then.
    if (!socket?.writable) return;
    this.#log('sent', peer, message);
    this.#carry({ from: this.#rim.role, to: peer, message }, socket, (line) => socket.write(`${line}\n`));
  }

  /** Takes a message, sent or received, the rest of its way; `hand` passes a line on. What is delayed does not outlive its channel. */
  #carry(travelling: TravellingMessage, socket: Socket, hand: (line: string) => void): void {
    const { control, onControl } = this.#faults;
    onControl?.(travelling);
    if (control === undefined) {
      hand(encodeControlLine(travelling.message).trimEnd());
      return;
    }
    const { deliver, answer } = control.admit(travelling);
    for (const { delayMs, line } of deliver) {
      if (delayMs <= 0) hand(line);
      else
        setTimeout(() => {
          if (!this.#stopped && socket.writable) hand(line);
        }, delayMs);
    }
    if (answer === undefined) return;
    const { from, to } = travelling;
    // An answer to this role comes when its step is done.
    if (from === this.#rim.role) setImmediate(() => this.#take(to, encodeControlLine(answer).trimEnd()));
    else socket.write(encodeControlLine(answer));
  }

  async #listen(): Promise<void> {
    const { listen } = this.#rim;
    if (!listen) return;
    const server = createServer((socket) => {
      // SEC-3: configured peers only.
      if (socket.remoteAddress === listen.peerAddress) this.#meet(listen.peer, socket);
      else socket.destroy();
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new WorldError(
            error.code === 'EADDRINUSE'
              ? `port ${listen.port} of ${listen.address} is in use by another program`
              : `listening on ${listen.address} port ${listen.port}: ${error.message}`,
          ),
        ),
      );
      server.listen(listen.port, listen.address, resolve);
    });
  }

  #connect(peer: RoleRim['connect'][number], connected: () => void): void {
    const socket = connect(peer.port, peer.address);
    socket.once('connect', () => {
      this.#meet(peer.peer, socket);
      connected();
    });
    // A refused connection (the peer is not listening yet) shows as error, then close, like any other end.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (!this.#stopped) setTimeout(() => this.#stopped || this.#connect(peer, connected), RECONNECT_MS);
    });
  }

  #meet(peer: string, socket: Socket): void {
    this.#peers.get(peer)?.destroy();
    this.#peers.set(peer, socket);
    socket.setNoDelay(true);
    // A line that is too long ends at its newline, not the channel (ERR-4).
    const cutter = new LineCutter(MAX_CONTROL_LINE, (line) => this.#receiveLine(peer, socket, line));
    socket.on('data', (bytes: Buffer) => cutter.push(bytes));
    socket.on('error', () => {});
    socket.once('close', () => {
      // A connection that was replaced is not the peer's end.
      if (this.#peers.get(peer) !== socket) return;
      this.#peers.delete(peer);
      this.#input({ kind: 'control-down', peer }, '');
    });
    this.#input({ kind: 'control-up', peer }, '');
  }

  #receiveLine(peer: string, socket: Socket, line: string): void {
    const decoded = decodeControlLine(line);
    if (decoded.ok)
      this.#carry({ from: peer, to: this.#rim.role, message: decoded.message }, socket, (text) =>
        this.#take(peer, text),
      );
    else this.#take(peer, line);
  }

  #take(peer: string, line: string): void {
    if (this.#stopped) return;
    const decoded = decodeControlLine(line);
    if (!decoded.ok) {
      this.#input({ kind: 'control-invalid', peer, error: decoded.error }, '');
      return;
    }
    this.#log('received', peer, decoded.message);
    this.#input({ kind: 'control', peer, message: decoded.message }, '');
  }
}
