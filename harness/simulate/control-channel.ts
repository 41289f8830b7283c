/** The control connections of a run: in order, and reliable until a fault says otherwise. */
import { type ControlMessage, decodeControlLine, encodeControlLine } from '../../reference-impl/control/messages.js';
import type { RoleInput } from '../../reference-impl/core/core.js';
import { createRandom, type Random } from '../random.js';
import { MICROSECOND, MILLISECOND, type Nanos, type VirtualClock } from '../sim/clock.js';
import type { FaultCounts, FaultSchedule } from './faults.js';
import type { Recorder } from './recorder.js';

export interface ChannelOptions {
  readonly clock: VirtualClock;
  readonly schedule: FaultSchedule;
  readonly counts: FaultCounts;
  readonly peer: string;
  readonly seed: number;
  /** Gives `role` its input, if it is there. */
  readonly feed: (role: string, input: RoleInput) => void;
  readonly recorder: Recorder | null;
}

/** Between the controller and one peer. */
export class ControlChannel {
  readonly #options: ChannelOptions;
  readonly #random: Random;
  readonly #delay: Nanos;
  /** When the last message of each direction arrives: a later one does not overtake it. */
  readonly #arrives = new Map<string, Nanos>();
  #up = false;
  /** Counts connections: what was on its way when one broke never arrives. */
  #generation = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed, `control ${options.peer}`);
    this.#delay = Math.round((50 + 200 * this.#random.fraction()) * MICROSECOND);
  }

  get up(): boolean {
    return this.#up;
  }

  /** Makes the connection and tells both sides. */
  connect(): void {
    const { feed, peer } = this.#options;
    this.#up = true;
    this.#generation++;
    feed('controller', { kind: 'control-up', peer });
    feed(peer, { kind: 'control-up', peer: 'controller' });
  }

  /** Breaks it: each side is told after its lag, unless it has gone too. */
  break(controllerLag: Nanos, peerLag: Nanos | null): void {
    const { clock, feed, peer } = this.#options;
    this.#up = false;
    this.#generation++;
    clock.after(controllerLag, () => feed('controller', { kind: 'control-down', peer }));
    if (peerLag !== null) clock.after(peerLag, () => feed(peer, { kind: 'control-down', peer: 'controller' }));
  }

  send(from: string, message: ControlMessage): void {
    const { clock, schedule, counts, peer, feed, recorder } = this.#options;
    const to = from === 'controller' ? peer : 'controller';
    const tell = (fate: 'sent' | 'arrives' | 'lost'): void =>
      recorder?.({ kind: 'control', at: clock.now, from, to, message, fate });
    // Nobody reads what is written into a broken connection.
    if (!this.#up) {
      tell('lost');
      return;
    }
    const faulty = clock.now < schedule.until;
    if (faulty && schedule.controlLoss > 0 && this.#random.fraction() < schedule.controlLoss) {
      counts['control-loss']++;
      tell('lost');
      return;
    }
    tell('sent');
    let late = 0;
    const { rate, most } = schedule.controlDelay;
    if (faulty && rate > 0 && this.#random.fraction() < rate) {
      counts['control-delay']++;
      late = this.#random.below(most + MILLISECOND);
    }
    const at = Math.max(clock.now + this.#delay + late, this.#arrives.get(to) ?? 0);
    this.#arrives.set(to, at);
    const generation = this.#generation;
    // As text and back, as on a real connection: what does not survive that is not a message.
    const decoded = decodeControlLine(encodeControlLine(message).trimEnd());
    clock.at(at, () => {
      if (generation !== this.#generation) {
        tell('lost');
        return;
      }
      tell('arrives');
      if (decoded.ok) feed(to, { kind: 'control', peer: from, message: decoded.message });
      else feed(to, { kind: 'control-invalid', peer: from, error: decoded.error });
    });
  }
}
