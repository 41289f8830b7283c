/**
 * Covering arrays of strength 2: few rows in which every pair of levels that may meet does meet. Greedy, row by row, in the manner of AETG
 * (Cohen, Dalal, Fredman, Patton: The AETG System, IEEE TSE 23(7), 1997), but without chance: the same factors give the same rows.
 */

/** A factor's name to its levels, the first being the usual one. */
export type Factors = Readonly<Record<string, readonly string[]>>;

/** One level of each factor. */
export type Row = Readonly<Record<string, string>>;

/** Two levels of two factors that one row may hold; the factors in the order in which they are given. */
export interface Pair {
  readonly left: { readonly factor: string; readonly level: string };
  readonly right: { readonly factor: string; readonly level: string };
}

/** Whether two levels may stand in one row. Asked once for each pair, its factors in the order given. */
export type Allowed = (pair: Pair) => boolean;

interface Cell {
  readonly factor: number;
  readonly level: number;
}

/** Levels are numbered through all factors; `free` says which two may meet, `open` which have not met yet. */
class Table {
  readonly names: readonly string[];
  readonly levels: readonly (readonly string[])[];
  readonly #first: readonly number[];
  readonly #size: number;
  readonly #free: Uint8Array;
  readonly #open: Uint8Array;
  openPairs = 0;

  constructor(factors: Factors, allowed: Allowed) {
    this.names = Object.keys(factors);
    this.levels = Object.values(factors);
    const first: number[] = [];
    let size = 0;
    for (const levels of this.levels) {
      first.push(size);
      size += levels.length;
    }
    this.#first = first;
    this.#size = size;
    this.#free = new Uint8Array(size * size);
    this.#open = new Uint8Array(size * size);
    for (const pair of this.pairs(allowed)) {
      const a = this.#number(pair.a);
      const b = this.#number(pair.b);
      this.#free[a * size + b] = this.#free[b * size + a] = 1;
      this.#open[a * size + b] = this.#open[b * size + a] = 1;
      this.openPairs++;
    }
  }

  *pairs(allowed: Allowed): Generator<{ a: Cell; b: Cell; pair: Pair }> {
    for (const [f, left] of this.names.entries())
      for (let g = f + 1; g < this.names.length; g++)
        for (const [i, leftLevel] of (this.levels[f] ?? []).entries())
          for (const [j, rightLevel] of (this.levels[g] ?? []).entries()) {
            const right = this.names[g] ?? '';
            const pair: Pair = {
              left: { factor: left, level: leftLevel },
              right: { factor: right, level: rightLevel },
            };
            if (allowed(pair)) yield { a: { factor: f, level: i }, b: { factor: g, level: j }, pair };
          }
  }

  #number(cell: Cell): number {
    return (this.#first[cell.factor] ?? 0) + cell.level;
  }

  free(a: Cell, b: Cell): boolean {
    return this.#free[this.#number(a) * this.#size + this.#number(b)] === 1;
  }

  open(a: Cell, b: Cell): boolean {
    return this.#open[this.#number(a) * this.#size + this.#number(b)] === 1;
  }

  /** Pairs of this level that have not met yet. */
  openOf(cell: Cell): number {
    const from = this.#number(cell) * this.#size;
    return this.#open.subarray(from, from + this.#size).reduce((sum, one) => sum + one, 0);
  }

  close(a: Cell, b: Cell): void {
    if (!this.open(a, b)) return;
    const [i, j] = [this.#number(a), this.#number(b)];
    this.#open[i * this.#size + j] = this.#open[j * this.#size + i] = 0;
    this.openPairs--;
  }
}

/** The open pair whose levels are the most wanted: the row has to hold it. */
function hardestOpen(table: Table, pairs: readonly { a: Cell; b: Cell }[]): { a: Cell; b: Cell } | undefined {
  let best: { a: Cell; b: Cell } | undefined;
  let wanted = -1;
  for (const { a, b } of pairs) {
    if (!table.open(a, b)) continue;
    const score = table.openOf(a) + table.openOf(b);
    if (score > wanted) {
      best = { a, b };
      wanted = score;
    }
  }
  return best;
}

/** In how many rows so far two levels have met. */
type Met = (a: Cell, b: Cell) => number;

/** Fills a row factor by factor, the one with the fewest levels left first; goes back when nothing fits. Where nothing is gained, what was rare. */
function complete(table: Table, cells: readonly Cell[], met: Met): readonly Cell[] | undefined {
  let narrowest: readonly Cell[] | undefined;
  for (const factor of table.names.keys()) {
    if (cells.some((cell) => cell.factor === factor)) continue;
    const fitting = (table.levels[factor] ?? [])
      .map((_, level): Cell => ({ factor, level }))
      .filter((cell) => cells.every((other) => table.free(cell, other)));
    if (fitting.length === 0) return undefined;
    if (narrowest === undefined || fitting.length < narrowest.length) narrowest = fitting;
  }
  if (narrowest === undefined) return cells;
  const gain = (cell: Cell): number => cells.filter((other) => table.open(cell, other)).length;
  const ranked = narrowest
    .map((cell) => ({
      cell,
      gain: gain(cell),
      wanted: table.openOf(cell),
      used: cells.reduce((sum, other) => sum + met(cell, other), 0),
    }))
    .sort((x, y) => y.gain - x.gain || y.wanted - x.wanted || x.used - y.used);
  for (const { cell } of ranked) {
    const row = complete(table, [...cells, cell], met);
    if (row !== undefined) return row;
  }
  return undefined;
}

/** Every pair of levels that `allowed` lets meet. */
export function pairsOf(factors: Factors, allowed: Allowed): Pair[] {
  return [...new Table(factors, () => false).pairs(allowed)].map(({ pair }) => pair);
}

/** Whether a row holds both levels. */
export function holds(row: Row, { left, right }: Pair): boolean {
  return row[left.factor] === left.level && row[right.factor] === right.level;
}

/**
 * Rows that hold every allowed pair, none that is not allowed. Throws a RangeError when an allowed pair fits into no row: its levels exclude
 * each other by way of a third factor, which has to be said in `allowed`.
 */
export function coveringArray(factors: Factors, allowed: Allowed): Row[] {
  const table = new Table(factors, allowed);
  const pairs = [...table.pairs(allowed)];
  const rows: Row[] = [];
  const chosen: (readonly Cell[])[] = [];
  const has = (row: readonly Cell[], { factor, level }: Cell): boolean =>
    row.some((cell) => cell.factor === factor && cell.level === level);
  const met: Met = (a, b) => chosen.filter((row) => has(row, a) && has(row, b)).length;
  while (table.openPairs > 0) {
    const seed = hardestOpen(table, pairs);
    if (seed === undefined) break;
    const cells = complete(table, [seed.a, seed.b], met);
    if (cells === undefined) {
      const name = ({ factor, level }: Cell): string => `${table.names[factor]}=${table.levels[factor]?.[level]}`;
      throw new RangeError(`${name(seed.a)} with ${name(seed.b)} fits into no row`);
    }
    for (const a of cells) for (const b of cells) table.close(a, b);
    chosen.push(cells);
    const ordered = [...cells].sort((x, y) => x.factor - y.factor);
    rows.push(
      Object.fromEntries(
        ordered.map(({ factor, level }) => [table.names[factor], table.levels[factor]?.[level] ?? '']),
      ),
    );
  }
  return rows;
}
