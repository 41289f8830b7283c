/** Numbers of the capture formats: block types and option codes of draft-ietf-opsawg-pcapng, limits, and time stamps' clocks. */

export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE_DESCRIPTION = 1;
export const OBSOLETE_PACKET = 2;
export const SIMPLE_PACKET = 3;
export const ENHANCED_PACKET = 6;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const OPT_COMMENT = 1;
export const IF_NAME = 2;
export const IF_TSRESOL = 9;
export const IF_TSOFFSET = 14;

/** Tcpdump's and Wireshark's own limit of a frame. */
export const MAX_SNAP_LENGTH = 262_144;
/** No block that any tool writes is longer; a longer length field is damage, not a file cut short. */
export const MAX_BLOCK_LENGTH = 64 * 1024 * 1024;

export const padded = (length: number): number => (length + 3) & ~3;

/** How the two words of a time stamp become nanoseconds since the epoch. */
export class StampClock {
  #origin: bigint | undefined;
  #high = 0;
  #low = 0;
  #base = 0;
  readonly #highStep: number;
  readonly #lowStep: number;

  /** `high`, `low`: what one unit of each word is in nanoseconds, as a fraction. */
  private constructor(
    private readonly highNs: { readonly times: bigint; readonly divisor: bigint },
    private readonly lowNs: { readonly times: bigint; readonly divisor: bigint },
    private readonly offsetNs: bigint,
  ) {
    this.#highStep = Number(highNs.times);
    this.#lowStep = Number(lowNs.times);
  }

  /** pcapng: 64 bits of units; `resolution` is `if_tsresol`, a negative power of 10, or of 2 when the top bit is set. */
  static ofUnits(resolution: number, offsetSeconds: bigint): StampClock {
    const exponent = BigInt(resolution & 0x7f);
    const perSecond = resolution & 0x80 ? 1n << exponent : 10n ** exponent;
    const unit = simplified(1_000_000_000n, perSecond);
    return new StampClock({ times: unit.times << 32n, divisor: unit.divisor }, unit, offsetSeconds * 1_000_000_000n);
  }

  /** Classic pcap: seconds and a fraction of `unitNs` each. */
  static ofSeconds(unitNs: bigint): StampClock {
    return new StampClock({ times: 1_000_000_000n, divisor: 1n }, { times: unitNs, divisor: 1n }, 0n);
  }

  ns(high: number, low: number): bigint {
    const { times, divisor } = this.lowNs;
    const sum = BigInt(high) * this.highNs.times + BigInt(low) * times;
    return sum / divisor + this.offsetNs;
  }

  /** Nanoseconds since `origin`, exact within 104 days of it. Without big integers for one stamp after the other. */
  since(origin: bigint, high: number, low: number): number {
    if (this.lowNs.divisor !== 1n) return Number(this.ns(high, low) - origin);
    if (this.#origin !== origin) {
      this.#origin = origin;
      this.#high = high;
      this.#low = low;
      this.#base = Number(this.ns(high, low) - origin);
    }
    return this.#base + (high - this.#high) * this.#highStep + (low - this.#low) * this.#lowStep;
  }
}

function simplified(times: bigint, divisor: bigint): { times: bigint; divisor: bigint } {
  let [a, b] = [times, divisor];
  while (b > 0n) [a, b] = [b, a % b];
  return { times: times / a, divisor: divisor / a };
}
