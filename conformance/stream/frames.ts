/** The frames of one client's port while it may still be spoken about: what the judge compares in columns, the bytes beside them. */
import { readU16, readU32 } from '../../reference-impl/wire/octets.js';
import { Arena, ColumnPool, type Piece } from './arena.js';

/** Words of a frame in `words`. */
export const Word = {
  /** Counted over the whole file from 1. */
  NUMBER: 0,
  SEQ: 1,
  ACK: 2,
  /** The 16-bit window; IP id in the upper half. */
  WINDOW_ID: 3,
  /** Payload bytes by the IP length; the TCP flags from bit 16; `Place` from bit 24. */
  LENGTH_FLAGS_PLACE: 4,
  /** Where its bytes begin in the arena. */
  START: 5,
  /** How many were captured; the file from bit 20. */
  CAPTURED_FILE: 6,
  /** Where the IP header begins in the frame. */
  IP: 7,
} as const;

export const STRIDE = 8;

/** Bits of a frame's place. The rest is the vantage's number: 0 the client, 1 the controller, backends from 2. */
export const Place = { VANTAGE: 0x3f, SENT: 0x40, TO_SERVER: 0x80 } as const;

const FIRST_ROWS = 16;

/** Where all flows of a run keep their frames. */
export class FrameStore {
  readonly arena = new Arena();
  readonly columns = new ColumnPool(STRIDE);
}

export class FlowFrames {
  count = 0;
  /** Nanoseconds; in order unless `sorted` is false. */
  t: Float64Array;
  words: Uint32Array;
  sorted = true;
  /** Some frame is no plain, whole TCP segment over plain IPv4: only the checks can say what it means. */
  odd = false;
  /** Bytes of memory that it holds. */
  held: number;
  readonly #pieces: Piece[] = [];
  /** Frames larger than any piece, by index. */
  readonly #large = new Map<number, Uint8Array>();
  #at = 0;
  #end = 0;

  constructor(readonly store: FrameStore) {
    const { t, words } = store.columns.take(FIRST_ROWS);
    this.t = t;
    this.words = words;
    this.held = t.byteLength + words.byteLength;
  }

  /** Keeps a frame's bytes where its IP header lies on a word boundary; answers their place. */
  #keep(source: Uint8Array, start: number, end: number, ip: number): number {
    const { arena } = this.store;
    const length = end - start;
    let at = ((this.#at + ip + 3) & ~3) - ip;
    if (at + length > this.#end) {
      const piece = arena.take(this.#pieces.length, length + 4);
      this.#pieces.push(piece);
      this.held += Arena.sizeOf(piece);
      this.#end = piece.at + Arena.sizeOf(piece);
      at = ((piece.at + ip + 3) & ~3) - ip;
    }
    this.#at = at + length;
    if (source instanceof Buffer) source.copy(arena.bytes, at, start, end);
    else arena.bytes.set(source.subarray(start, end), at);
    return at;
  }

  #grow(): void {
    const { columns } = this.store;
    const old = { t: this.t, words: this.words };
    const { t, words } = columns.take(2 * old.t.length);
    t.set(old.t);
    words.set(old.words);
    columns.give(old);
    this.t = t;
    this.words = words;
    this.held += old.t.byteLength + old.words.byteLength;
  }

  /** A frame of `source[start, end)`; `ip` is where its IP header begins, counted from `start`. */
  add(
    t: number,
    number: number,
    file: number,
    place: number,
    source: Uint8Array,
    start: number,
    end: number,
    ip: number,
  ): void {
    const index = this.count;
    if (index === this.t.length) this.#grow();
    const tcp = start + ip + ((source[start + ip] ?? 0) & 15) * 4;
    const total = ((source[start + ip + 2] ?? 0) << 8) | (source[start + ip + 3] ?? 0);
    const length = total - (tcp - start - ip) - ((source[tcp + 12] ?? 0) >>> 4) * 4;
    const { words } = this;
    const w = index * STRIDE;
    words[w] = number;
    words[w + 1] = readU32(source, tcp + 4);
    words[w + 2] = readU32(source, tcp + 8);
    words[w + 3] = (readU16(source, start + ip + 4) << 16) | readU16(source, tcp + 14);
    words[w + 4] = (length & 0xffff) | ((source[tcp + 13] ?? 0) << 16) | (place << 24);
    if (end - start + 4 > Arena.LARGEST) {
      this.#large.set(index, source.slice(start, end));
      this.held += end - start;
      this.odd = true;
    } else words[w + 5] = this.#keep(source, start, end, ip);
    words[w + 6] = (end - start) | (file << 20);
    words[w + 7] = ip;
    this.t[index] = t;
    if (index > 0 && t < (this.t[index - 1] ?? 0)) this.sorted = false;
    this.count = index + 1;
  }

  /** Puts the frames into order of time, then of file and number. */
  sort(): void {
    if (this.sorted || this.odd) return;
    const { t, words, count } = this;
    const order = Array.from({ length: count }, (_, i) => i);
    const file = (i: number): number => (words[i * STRIDE + Word.CAPTURED_FILE] ?? 0) >>> 20;
    const number = (i: number): number => words[i * STRIDE + Word.NUMBER] ?? 0;
    order.sort((a, b) => (t[a] ?? 0) - (t[b] ?? 0) || file(a) - file(b) || number(a) - number(b));
    const times = t.slice();
    const columns = words.slice();
    for (const [to, from] of order.entries()) {
      t[to] = times[from] ?? 0;
      words.set(columns.subarray(from * STRIDE, from * STRIDE + STRIDE), to * STRIDE);
    }
    this.sorted = true;
  }

  /** A view of a frame's bytes. */
  frame(index: number): Uint8Array {
    const large = this.#large.get(index);
    if (large !== undefined) return large;
    const { bytes } = this.store.arena;
    const w = index * STRIDE;
    const start = this.words[w + Word.START] ?? 0;
    const length = (this.words[w + Word.CAPTURED_FILE] ?? 0) & 0xfffff;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
  }

  /** Gives the storage back; the frames are gone. */
  release(): void {
    const { arena, columns } = this.store;
    if (this.t.length > 0) columns.give({ t: this.t, words: this.words });
    for (const piece of this.#pieces.splice(0)) arena.give(piece);
    this.#large.clear();
    this.t = new Float64Array(0);
    this.words = new Uint32Array(0);
    this.count = 0;
    this.held = 0;
  }
}
