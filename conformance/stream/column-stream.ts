/** A byte stream whose segments came in order, read out of a flow's frames without copying them first. */

export class ColumnStream {
  readonly #offsets: number[] = [];
  readonly #starts: number[] = [];
  /** Behind the last byte. */
  end = 0;

  constructor(private readonly bytes: Buffer) {}

  /** `length` bytes at `start`, which follow what is there. */
  append(start: number, length: number): void {
    this.#offsets.push(this.end);
    this.#starts.push(start);
    this.end += length;
  }

  /** At most `limit` bytes from `offset`. */
  read(offset: number, limit: number): Uint8Array {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#offsets[mid + 1] ?? this.end) <= offset) low = mid + 1;
      else high = mid;
    }
    const parts: Uint8Array[] = [];
    const until = Math.min(offset + limit, this.end);
    for (let at = offset; at < until; low++) {
      const begin = this.#offsets[low] ?? this.end;
      const next = Math.min(this.#offsets[low + 1] ?? this.end, until);
      const start = (this.#starts[low] ?? 0) + at - begin;
      parts.push(this.bytes.subarray(start, start + next - at));
      at = next;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }
}
