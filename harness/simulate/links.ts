/** The links of a run: frames cross them one after the other, and faults strike them on their way. */
import { createRandom, type Random } from '../random.js';
import { MICROSECOND, MILLISECOND, type Nanos, type VirtualClock } from '../sim/clock.js';
import type { FaultCounts, FaultSchedule } from './faults.js';
import type { Flights } from './flights.js';
import type { Recorder } from './recorder.js';
import { readSegmentHeader, type SegmentHeader } from './segment-header.js';

/** From a link's one end to the other. */
const LINK_DELAY: Nanos = 50 * MICROSECOND;
/** 1 Gbit/s, with preamble, frame check sequence and gap (IEEE 802.3). */
const NANOS_PER_BYTE = 8;
const FRAME_OVERHEAD_BYTES = 24;
const ETHERNET_HEADER = 14;
const DOUBLED_WITHIN: Nanos = 2 * MILLISECOND;
const REORDERED_WITHIN: Nanos = 5 * MILLISECOND;
/** Less than the second for which the switch remembers a removed rule (`drainMs`): longer than that no frame lives. */
const DELAYED_WITHIN: Nanos = 300 * MILLISECOND;

export interface LinkOptions {
  readonly clock: VirtualClock;
  readonly schedule: FaultSchedule;
  readonly counts: FaultCounts;
  readonly vantage: string;
  /** `up`: towards the switch. */
  readonly direction: 'up' | 'down';
  readonly seed: number;
  readonly arrive: (bytes: Uint8Array, corrupt: boolean) => void;
  /** A fault has made it vanish. */
  readonly vanished: (header: SegmentHeader | undefined) => void;
  readonly recorder: Recorder | null;
  /** Where each frame can be struck while it is under way; null where only the schedule strikes. */
  readonly flights: Flights | null;
}

/** One direction of a link. */
export class Link {
  readonly #options: LinkOptions;
  readonly #random: Random;
  readonly #impaired: boolean;
  readonly #narrowings: FaultSchedule['narrowings'];
  #busyUntil: Nanos = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { schedule, vantage, direction, seed } = options;
    this.#random = createRandom(seed, `link ${vantage} ${direction}`);
    this.#narrowings = schedule.narrowings.filter((narrowing) => narrowing.vantage === vantage);
    this.#impaired =
      this.#narrowings.length > 0 ||
      [schedule.loss, schedule.duplication, schedule.reordering, schedule.delay, schedule.corruption].some(
        (r) => r > 0,
      );
  }

  /** `corrupt`: it was changed on its way here already. */
  send(bytes: Uint8Array, corrupt: boolean): void {
    const { clock, schedule } = this.#options;
    const begins = Math.max(clock.now, this.#busyUntil);
    this.#busyUntil = begins + (bytes.length + FRAME_OVERHEAD_BYTES) * NANOS_PER_BYTE;
    const arrives = this.#busyUntil + LINK_DELAY;
    if (this.#impaired && clock.now < schedule.until) this.#strike(bytes, corrupt, arrives);
    else this.#deliver(bytes, corrupt, arrives);
  }

  #deliver(bytes: Uint8Array, corrupt: boolean, at: Nanos): void {
    const { clock, flights, arrive, vantage, direction, counts } = this.#options;
    if (flights === null) {
      clock.at(at, () => arrive(bytes, corrupt));
      return;
    }
    const [from, to] = direction === 'up' ? [vantage, 'switch'] : ['switch', vantage];
    flights.add({
      from,
      to,
      bytes,
      at,
      arrive: () => arrive(bytes, corrupt),
      struck: (fate) => {
        counts[fate === 'lost' ? 'loss' : fate === 'doubled' ? 'duplication' : 'delay']++;
        if (fate === 'lost') this.#vanish(bytes, corrupt);
        else this.#tell(bytes, fate);
      },
    });
  }

  #strike(bytes: Uint8Array, corrupt: boolean, arrives: Nanos): void {
    const { schedule, counts, clock } = this.#options;
    const random = this.#random;
    const strikes = (rate: number): boolean => rate > 0 && random.fraction() < rate;
    const narrow = this.#narrowings.find(
      ({ from, to, mtu }) => from <= clock.now && clock.now < to && bytes.length - ETHERNET_HEADER > mtu,
    );
    if (narrow !== undefined) {
      counts.mtu++;
      this.#vanish(bytes, corrupt);
      return;
    }
    if (strikes(schedule.loss)) {
      counts.loss++;
      this.#vanish(bytes, corrupt);
      return;
    }
    let frame = bytes;
    let changed = corrupt;
    if (strikes(schedule.corruption)) {
      const altered = this.#alter(bytes);
      // ARP has no checksum: nobody could tell.
      if (altered !== undefined && !corrupt) {
        counts.corruption++;
        frame = altered;
        changed = true;
        this.#tell(frame, 'corrupted');
        this.#options.vanished(readSegmentHeader(bytes));
      }
    }
    if (strikes(schedule.duplication)) {
      counts.duplication++;
      this.#tell(frame, 'doubled');
      this.#deliver(frame, changed, arrives + random.below(DOUBLED_WITHIN));
    }
    let late = 0;
    if (strikes(schedule.reordering)) {
      counts.reordering++;
      late += 1 + random.below(REORDERED_WITHIN);
    }
    if (strikes(schedule.delay)) {
      counts.delay++;
      late += 1 + random.below(DELAYED_WITHIN);
    }
    if (late > 0) this.#tell(frame, 'held-up');
    this.#deliver(frame, changed, arrives + late);
  }

  #vanish(bytes: Uint8Array, corrupt: boolean): void {
    if (!corrupt) this.#options.vanished(readSegmentHeader(bytes));
    this.#tell(bytes, 'lost');
  }

  #tell(bytes: Uint8Array, fate: 'lost' | 'doubled' | 'held-up' | 'corrupted'): void {
    const { recorder, clock, vantage, direction } = this.#options;
    const [from, to] = direction === 'up' ? [vantage, 'switch'] : ['switch', vantage];
    recorder?.({ kind: 'frame', at: clock.now, from, to, bytes, fate });
  }

  /** One 16-bit word behind the Ethernet header is another: every checksum that covers it must notice (RFC 1071). */
  #alter(bytes: Uint8Array): Uint8Array | undefined {
    const header = readSegmentHeader(bytes);
    if (header === undefined) return undefined;
    const words = (header.end - ETHERNET_HEADER) >>> 1;
    const at = ETHERNET_HEADER + 2 * this.#random.below(words);
    const flip = 1 + this.#random.below(0xfffe);
    const altered = bytes.slice();
    altered[at] = (altered[at] ?? 0) ^ (flip >>> 8);
    altered[at + 1] = (altered[at + 1] ?? 0) ^ (flip & 0xff);
    // 0x0000 and 0xffff are the same in one's complement; another length of the IP header moves what is summed up.
    const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (word + (((altered[at] ?? 0) << 8) | (altered[at + 1] ?? 0)) === 0xffff && (word === 0 || word === 0xffff))
      return undefined;
    return altered;
  }
}
