/** Frames on their way, one by one: so that somebody can choose which of them is lost, doubled or held up. */
import type { Nanos, VirtualClock } from '../sim/clock.js';

/** One frame on one link. */
export interface Flight {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** When it arrives. */
  at: Nanos;
  readonly arrive: () => void;
  /** Says what became of it; `lost` and its kind are told to whoever counts resets too. */
  readonly struck: (fate: 'lost' | 'doubled' | 'held-up') => void;
}

export class Flights {
  /** In the order in which they left. */
  readonly #flying = new Set<Flight>();

  constructor(readonly clock: VirtualClock) {}

  add(flight: Flight): void {
    this.#flying.add(flight);
    this.#wait(flight);
  }

  /** The one that arrives first. */
  get next(): Flight | undefined {
    let first: Flight | undefined;
    for (const flight of this.#flying) if (first === undefined || flight.at < first.at) first = flight;
    return first;
  }

  lose(flight: Flight): void {
    this.#flying.delete(flight);
    flight.struck('lost');
  }

  /** The second one comes right behind. */
  double(flight: Flight): void {
    flight.struck('doubled');
    this.add({ ...flight });
  }

  /** `time` later than it would have come: others overtake it. */
  holdUp(flight: Flight, time: Nanos): void {
    flight.struck('held-up');
    flight.at += time;
    this.#wait(flight);
  }

  #wait(flight: Flight): void {
    this.clock.at(flight.at, () => {
      if (!this.#flying.has(flight) || flight.at > this.clock.now) return;
      this.#flying.delete(flight);
      flight.arrive();
    });
  }
}
