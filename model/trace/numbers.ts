/**
 * Numbers of one byte stream as units of the specification: their ranks.
 *
 * Handoff.tla compares numbers and never asks how far apart they are, but for neighbours (SYN and FIN take one number, a probe is one back).
 * Ranks keep every comparison, and since whole numbers that follow each other have neighbouring ranks, those too.
 */
export class Numbers {
  readonly #seen = new Set<number>([-1, 0]);
  readonly #base: number;
  readonly #stream: string;
  #sorted: number[] | undefined;

  /** `base`: the unit of the initial sequence number (0 for the client, ISS of Handoff.tla for the server); `stream`: whose, in words. */
  constructor(base: number, stream: string) {
    this.#base = base;
    this.#stream = stream;
  }

  /** Notes a number, relative to the stream's first byte. Not after `unit` has been asked. */
  add(offset: number): void {
    if (this.#sorted !== undefined) throw new Error('the ranks have been given out');
    if (Number.isSafeInteger(offset)) this.#seen.add(offset);
  }

  /** The unit of a number that was noted; of another one, that of the next lower number. Never below 0. */
  unit(offset: number): number {
    return Math.max(0, this.#base + this.#rank(offset));
  }

  /** `client byte 79`, `behind client byte 79` and the like. */
  words(unit: number): string {
    const order = this.#order();
    const offset = order[unit - this.#base + order.indexOf(-1)];
    if (offset === undefined) return `unit ${unit} of the ${this.#stream} stream`;
    return offset === -1 ? `the ${this.#stream}'s SYN` : `${this.#stream} byte ${offset}`;
  }

  #order(): number[] {
    this.#sorted ??= [...this.#seen].sort((a, b) => a - b);
    return this.#sorted;
  }

  /** 0 for the SYN's number. */
  #rank(offset: number): number {
    const order = this.#order();
    let low = 0;
    let high = order.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((order[mid] ?? 0) <= offset) low = mid + 1;
      else high = mid;
    }
    return low - 1 - order.indexOf(-1);
  }
}
