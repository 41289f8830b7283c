/** One piece of memory for the bytes of all frames that are held: handed out in small pieces and taken back, so that nothing is allocated twice. */

/** Sizes of pieces: a connection's first is small, since many stay so; a frame that fits in none is kept elsewhere. */
const SIZES = [2048, 8192, 16384] as const;
const FIRST_BYTES = 8 * 1024 * 1024;

export interface Piece {
  /** Where it begins; a multiple of 4. */
  readonly at: number;
  readonly class: number;
}

export class Arena {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** The same memory in words of 32 bits, in this machine's order. */
  words = new Uint32Array(this.bytes.buffer);
  #used = 0;
  readonly #free: Piece[][] = SIZES.map(() => []);

  static readonly LARGEST = SIZES[SIZES.length - 1] ?? 0;

  static sizeOf(piece: Piece): number {
    return SIZES[piece.class] ?? 0;
  }

  /** The `nth` piece of somebody, of at least `size` bytes, which is not more than `LARGEST`. */
  take(nth: number, size: number): Piece {
    let kind = Math.min(nth, SIZES.length - 1);
    while ((SIZES[kind] ?? 0) < size) kind++;
    const free = this.#free[kind]?.pop();
    if (free !== undefined) return free;
    const length = SIZES[kind] ?? Arena.LARGEST;
    if (this.#used + length > this.bytes.length) this.#grow();
    const piece = { at: this.#used, class: kind };
    this.#used += length;
    return piece;
  }

  give(piece: Piece): void {
    this.#free[piece.class]?.push(piece);
  }

  #grow(): void {
    const grown = Buffer.allocUnsafeSlow(2 * this.bytes.length);
    this.bytes.copy(grown, 0, 0, this.#used);
    this.bytes = grown;
    this.words = new Uint32Array(grown.buffer);
  }
}

/** The columns of a flow, of a power of two rows. */
export interface Columns {
  readonly t: Float64Array;
  readonly words: Uint32Array;
}

/** Columns that were used and can be used again: making typed arrays costs more than filling them. */
export class ColumnPool {
  readonly #free = new Map<number, Columns[]>();

  constructor(private readonly stride: number) {}

  take(rows: number): Columns {
    return this.#free.get(rows)?.pop() ?? { t: new Float64Array(rows), words: new Uint32Array(rows * this.stride) };
  }

  give(columns: Columns): void {
    const rows = columns.t.length;
    const list = this.#free.get(rows);
    if (list === undefined) this.#free.set(rows, [columns]);
    else if (list.length * rows < MOST_SPARE_ROWS) list.push(columns);
  }
}

const MOST_SPARE_ROWS = 1 << 17;
