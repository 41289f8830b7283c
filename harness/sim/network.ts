/** The simulated network: roles and a client around the switch, joined by captured links and by reliable control channels. */
import { decodeControlLine, encodeControlLine } from '../../reference-impl/control/messages.js';
import type {
  Micros,
  RoleEvent,
  RoleInput,
  RoleOutput,
  StepFunction,
  Stepped,
} from '../../reference-impl/core/core.js';
import { type ControlFaults, createControlFaults } from '../control-faults.js';
import type { Impairment } from '../impair.js';
import { createRandom } from '../random.js';
import { createRoleFaults, type RoleFaults } from '../role-faults.js';
import { type ControlLogEntry, type RoleFault, WorldError } from '../world.js';
import { MICROSECOND, MILLISECOND, type Nanos, type Timer, type VirtualClock } from './clock.js';

/** From a link's one end to the other. */
const LINK_DELAY: Nanos = 50 * MICROSECOND;
/** 1 Gbit/s. */
const NANOS_PER_BYTE = 8;
/** Preamble, frame check sequence and gap take their time too (IEEE 802.3). */
const FRAME_OVERHEAD_BYTES = 24;

/** How a role knows somebody who is no configured peer of its. */
export const STRANGER = 'stranger';

/** A role core and its state, without its types. */
export interface Actor {
  /** Takes an input; gives what the core put out. */
  feed(input: RoleInput, now: Micros): readonly RoleOutput[];
  /** What the core put out when it began. */
  readonly initial: readonly RoleOutput[];
}

/** Puts a core behind the one face that the network needs; `state` always gives the core's present state. */
export function actor<State>(
  begun: Stepped<State>,
  step: StepFunction<State>,
): Actor & { readonly state: () => State } {
  let { state } = begun;
  return {
    initial: begun.outputs,
    state: () => state,
    feed(input, now) {
      const stepped = step(state, input, now);
      state = stepped.state;
      return stepped.outputs;
    },
  };
}

/** One direction of a link: frames leave one after the other, and arrive in that order. */
class Wire {
  #busyUntil: Nanos = 0;

  constructor(
    readonly clock: VirtualClock,
    readonly arrive: (bytes: Uint8Array) => void,
  ) {}

  /** When the frame has left. */
  send(bytes: Uint8Array): Nanos {
    const begins = Math.max(this.clock.now, this.#busyUntil);
    this.#busyUntil = begins + (bytes.length + FRAME_OVERHEAD_BYTES) * NANOS_PER_BYTE;
    this.clock.at(this.#busyUntil + LINK_DELAY, () => this.arrive(bytes));
    return this.#busyUntil;
  }
}

export interface SeenFrame {
  readonly at: Nanos;
  readonly vantage: string;
  readonly bytes: Uint8Array;
}

export interface SeenControl {
  readonly at: Nanos;
  readonly entry: Omit<ControlLogEntry, 't'>;
}

export interface SeenEvent {
  readonly at: Nanos;
  readonly role: string;
  readonly event: RoleEvent;
}

interface Role {
  readonly name: string;
  readonly actor: Actor;
  readonly timers: Map<string, Timer>;
  /** Every host has a clock of its own: nobody may take another's time for his. */
  readonly clockOffset: Micros;
}

export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly impairment: Impairment;
  /** None when absent. */
  readonly controlFaults?: ControlFaults;
  readonly roleFaults?: RoleFaults;
  readonly seed: number;
  /** The switch; its ports carry the names of the vantages. */
  readonly fabric: Actor;
  /** Roles that are hosts (`controller`, `backend0`, ...), each at the vantage of its name. */
  readonly hosts: readonly { readonly name: string; readonly actor: Actor }[];
  /** Takes frames that arrive at the vantage `client`. */
  readonly client: (bytes: Uint8Array) => void;
}

export class Network {
  readonly frames: SeenFrame[] = [];
  readonly control: SeenControl[] = [];
  readonly events: SeenEvent[] = [];
  readonly #clock: VirtualClock;
  readonly #impairment: Impairment;
  readonly #controlFaults: ControlFaults;
  readonly #roleFaults: RoleFaults;
  /** Roles that have crashed or fallen silent. */
  readonly #ended = new Map<string, RoleFault['kind']>();
  readonly #roles = new Map<string, Role>();
  /** From each vantage's host to the switch. */
  readonly #up = new Map<string, Wire>();
  /** From the switch to each vantage's host. */
  readonly #down = new Map<string, Wire>();
  readonly #controlDelays = new Map<string, Nanos>();
  #moving = 0;

  constructor(options: NetworkOptions) {
    this.#clock = options.clock;
    this.#impairment = options.impairment;
    this.#controlFaults = options.controlFaults ?? createControlFaults([]);
    this.#roleFaults = options.roleFaults ?? createRoleFaults([]);
    const random = createRandom(options.seed, 'network');
    for (const { name, actor } of [{ name: 'switch', actor: options.fabric }, ...options.hosts]) {
      this.#roles.set(name, { name, actor, timers: new Map(), clockOffset: random.below(1_000_000_000) });
    }
    this.#addLink('client', options.client);
    for (const { name } of options.hosts)
      this.#addLink(name, (bytes) => this.#feed(name, { kind: 'frame', port: 'link', bytes }));
    for (const { name } of options.hosts.filter((host) => host.name !== 'controller'))
      this.#controlDelays.set(name, controlDelay(random.fraction()));
    this.#controlDelays.set('switch', controlDelay(random.fraction()));
  }

  /** Starts the roles and brings the control channels up, at the present instant. */
  start(): void {
    for (const role of this.#roles.values()) this.#perform(role, role.actor.initial, 'switch');
    for (const peer of this.#controlDelays.keys()) {
      this.#feed('controller', { kind: 'control-up', peer });
      this.#feed(peer, { kind: 'control-up', peer: 'controller' });
    }
  }

  /** Sends a frame from the client. */
  sendFromClient(bytes: Uint8Array): void {
    this.#leave('client', bytes);
  }

  /** Roles that have crashed or fallen silent: they do nothing any more. */
  get ended(): ReadonlyMap<string, RoleFault['kind']> {
    return this.#ended;
  }

  /** A line from somebody who is no configured peer: it reaches the role under that name, and no log of the control protocol. */
  sendFromStranger(to: string, line: string): void {
    if (to !== 'controller' && !this.#controlDelays.has(to))
      throw new WorldError(`no role ${to} takes control messages`);
    const decoded = decodeControlLine(line);
    this.#feed(
      to,
      decoded.ok
        ? { kind: 'control', peer: STRANGER, message: decoded.message }
        : { kind: 'control-invalid', peer: STRANGER, error: decoded.error },
    );
  }

  /** No frame and no control message is on its way. */
  get still(): boolean {
    return this.#moving === 0;
  }

  #addLink(vantage: string, deliver: (bytes: Uint8Array) => void): void {
    const arriveAtSwitch = (bytes: Uint8Array): void => {
      this.#moving--;
      const feed = (): void => this.#feed('switch', { kind: 'frame', port: vantage, bytes });
      for (const { delayMs } of this.#impairment.enter({ from: vantage, bytes }).copies) {
        if (delayMs === 0) feed();
        else {
          this.#moving++;
          this.#clock.after(Math.round(delayMs * MILLISECOND), () => {
            this.#moving--;
            feed();
          });
        }
      }
    };
    const arriveAtHost = (bytes: Uint8Array): void => {
      this.#moving--;
      this.frames.push({ at: this.#clock.now, vantage, bytes });
      deliver(bytes);
    };
    this.#up.set(vantage, new Wire(this.#clock, arriveAtSwitch));
    this.#down.set(vantage, new Wire(this.#clock, arriveAtHost));
  }

  #leave(vantage: string, sent: Uint8Array): void {
    const wire = this.#up.get(vantage);
    if (wire === undefined) throw new WorldError(`no link at ${vantage}`);
    const bytes = this.#impairment.spoils({ from: vantage, bytes: sent }) ? spoiled(sent) : sent;
    this.#moving++;
    this.frames.push({ at: wire.send(bytes), vantage, bytes });
  }

  #feed(name: string, input: RoleInput): void {
    const role = this.#roles.get(name);
    if (role === undefined) throw new WorldError(`no role ${name}`);
    if (this.#ended.has(name)) return;
    const now = Math.floor(this.#clock.now / MICROSECOND) + role.clockOffset;
    let outputs: readonly RoleOutput[];
    try {
      outputs = role.actor.feed(input, now);
    } catch (cause) {
      if (cause instanceof WorldError) throw cause;
      throw new WorldError(`${name} failed at ${input.kind}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
    this.#perform(role, outputs, input.kind === 'frame' ? input.port : 'switch');
  }

  /** `from`: the port that the frame came in by which the switch reacts to. */
  #perform(role: Role, outputs: readonly RoleOutput[], from: string): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'frame':
          if (role.name === 'switch') this.#forward(from, output.port, output.bytes);
          else this.#leave(role.name, output.bytes);
          break;
        case 'control':
          this.#sendControl(role.name, output.peer, output.message);
          break;
        case 'timer':
          this.#setTimer(role, output.key, output.at);
          break;
        case 'event':
          this.events.push({ at: this.#clock.now, role: role.name, event: output.event });
          break;
      }
    }
  }

  #forward(from: string, to: string, bytes: Uint8Array): void {
    const wire = this.#down.get(to);
    if (wire === undefined) throw new WorldError(`the switch sends to a port ${to} that it does not have`);
    this.#strike(this.#roleFaults.onFrame({ from, to, bytes }));
    for (const { delayMs } of this.#impairment.admit({ from, to, bytes }).copies) {
      this.#moving++;
      if (delayMs === 0) wire.send(bytes);
      else this.#clock.after(Math.round(delayMs * MILLISECOND), () => wire.send(bytes));
    }
  }

  #sendControl(from: string, to: string, message: ControlLogEntry['message']): void {
    // An answer to a stranger goes to nobody, and a broken channel carries nothing.
    if (to === STRANGER || this.#ended.get(to) === 'crash') return;
    const delay = this.#controlDelays.get(from === 'controller' ? to : from);
    if (delay === undefined || (from !== 'controller' && to !== 'controller'))
      throw new WorldError(`${from} has no control channel to ${to}`);
    this.control.push({ at: this.#clock.now, entry: { at: from, direction: 'sent', peer: to, message } });
    const travelling = { from, to, message };
    this.#strike(this.#roleFaults.onControl(travelling));
    const { deliver, answer } = this.#controlFaults.admit(travelling);
    // One delay for the whole run keeps a channel's messages in order.
    for (const { delayMs, line } of deliver)
      this.#arrive(from, to, line, delay + Math.round(delayMs * MILLISECOND), delayMs > 0);
    if (answer !== undefined) this.#arrive(to, from, encodeControlLine(answer).trimEnd(), 2 * delay, false);
  }

  /** As text, as on a real channel: what does not survive that is not a message. What is `late` does not outlive its channel. */
  #arrive(from: string, to: string, line: string, delay: Nanos, late: boolean): void {
    this.#moving++;
    this.#clock.after(delay, () => {
      this.#moving--;
      if (this.#ended.has(to) || (late && this.#ended.get(from) === 'crash')) return;
      const decoded = decodeControlLine(line);
      if (!decoded.ok) {
        this.#feed(to, { kind: 'control-invalid', peer: from, error: decoded.error });
        return;
      }
      const { message } = decoded;
      this.control.push({ at: this.#clock.now, entry: { at: to, direction: 'received', peer: from, message } });
      this.#feed(to, { kind: 'control', peer: from, message });
    });
  }

  #strike(due: readonly RoleFault[]): void {
    for (const fault of due)
      this.#clock.after(Math.round((fault.afterMs ?? 0) * MILLISECOND), () => this.#end(fault.role, fault.kind));
  }

  /** A crash breaks the role's control connections, which its peers hear of behind what it had sent; silence is not heard of. */
  #end(name: string, kind: RoleFault['kind']): void {
    if (!this.#roles.has(name)) throw new WorldError(`no role ${name} to end`);
    if (this.#ended.has(name)) return;
    this.#ended.set(name, kind);
    if (kind === 'silence') return;
    for (const [peer, delay] of this.#controlDelays) {
      if (name !== 'controller' && name !== peer) continue;
      const other = name === 'controller' ? peer : 'controller';
      this.#clock.after(delay, () => this.#feed(other, { kind: 'control-down', peer: name }));
    }
  }

  #setTimer(role: Role, key: string, at: Micros | null): void {
    let timer = role.timers.get(key);
    if (timer === undefined) {
      if (at === null) return;
      timer = this.#clock.timer(() => this.#feed(role.name, { kind: 'timer', key }));
      role.timers.set(key, timer);
    }
    timer.set(at === null ? null : (at - role.clockOffset) * MICROSECOND);
  }
}

/** 50 to 250 µs: sometimes faster than the links, sometimes slower. */
function controlDelay(fraction: number): Nanos {
  return Math.round((50 + 200 * fraction) * MICROSECOND);
}

/** With its last octet turned over. */
function spoiled(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) ^ 0xff;
  return copy;
}
