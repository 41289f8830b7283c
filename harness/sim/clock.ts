/** Virtual time: a queue of events that run in order of time, those of the same instant in the order in which they were asked for. */
import TinyQueue from 'tinyqueue';
import { WorldError } from '../world.js';

/** Whole nanoseconds since the simulation began. */
export type Nanos = number;

export const MICROSECOND: Nanos = 1000;
export const MILLISECOND: Nanos = 1_000_000;
export const SECOND: Nanos = 1_000_000_000;

interface Event {
  readonly at: Nanos;
  readonly order: number;
  readonly run: () => void;
}

/** Events at one instant, after which time is taken to stand still for ever. */
const MOST_AT_ONE_INSTANT = 100_000;

/** Somebody asks to be woken at once, for ever. */
export class TimeStandsStill extends WorldError {}

export class VirtualClock {
  #now: Nanos = 0;
  #order = 0;
  #atThisInstant = 0;
  #steps = 0;
  readonly #queue = new TinyQueue<Event>([], (a, b) => a.at - b.at || a.order - b.order);

  get now(): Nanos {
    return this.#now;
  }

  /** How many events have run. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs `run` at `at`, or at once (behind what is due already) when that has passed. */
  at(at: Nanos, run: () => void): void {
    this.#queue.push({ at: Math.max(at, this.#now), order: this.#order++, run });
  }

  after(delay: Nanos, run: () => void): void {
    this.at(this.#now + delay, run);
  }

  /** When the next event is due; undefined when nothing is left to happen. */
  get next(): Nanos | undefined {
    return this.#queue.peek()?.at;
  }

  /**
   * Runs the next event; false when there is none.
   * @throws TimeStandsStill when events follow one another without time passing.
   */
  step(): boolean {
    const event = this.#queue.pop();
    if (event === undefined) return false;
    this.#atThisInstant = event.at > this.#now ? 1 : this.#atThisInstant + 1;
    if (this.#atThisInstant > MOST_AT_ONE_INSTANT)
      throw new TimeStandsStill(`virtual time stands still at ${this.#now} ns after ${MOST_AT_ONE_INSTANT} events`);
    this.#now = event.at;
    this.#steps++;
    event.run();
    return true;
  }

  /** Lets time pass up to `to` in which nothing happens; `to` must not be behind the next event. */
  idle(to: Nanos): void {
    if (to > this.#now) this.#now = to;
  }

  /** A timer that runs `run` once for each deadline that it reaches. */
  timer(run: () => void): Timer {
    return new Timer(this, run);
  }
}

/** One deadline that can be moved and cancelled; moving it later costs nothing, as a retransmission timer does with every ACK. */
export class Timer {
  #deadline: Nanos | null = null;
  /** When the one event in the queue that is still wanted wakes up. */
  #wakes: Nanos | null = null;
  #generation = 0;

  constructor(
    readonly clock: VirtualClock,
    readonly run: () => void,
  ) {}

  /** Sets the deadline, or cancels it (null). */
  set(deadline: Nanos | null): void {
    this.#deadline = deadline;
    if (deadline === null || (this.#wakes !== null && this.#wakes <= deadline)) return;
    this.#wakes = deadline;
    const generation = ++this.#generation;
    this.clock.at(deadline, () => this.#wake(generation));
  }

  #wake(generation: number): void {
    if (generation !== this.#generation) return;
    this.#wakes = null;
    const deadline = this.#deadline;
    if (deadline === null) return;
    if (deadline > this.clock.now) {
      this.set(deadline);
      return;
    }
    this.#deadline = null;
    this.run();
  }
}
