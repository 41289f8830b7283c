/** The frames of one client's port while it may still be spoken about: what the judge compares in columns, the bytes beside them. */
import { readU16, readU32 } from '../../reference-impl/wire/octets.js';

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
  /** Where its bytes begin in `bytes`. */
  START: 5,
  /** How many were captured; the file from bit 20. */
  CAPTURED_FILE: 6,
  /** Where the IP header begins in the frame. */
  IP: 7,
} as const;

export const STRIDE = 8;

/** Bits of a frame's place. The rest is the vantage's number: 0 the client, 1 the controller, backends from 2. */
export const Place = { VANTAGE: 0x3f, SENT: 0x40, TO_SERVER: 0x80 } as const;

const FIRST_FRAMES = 32;
const FIRST_BYTES = 1 << 14;

/** Storage that was used and can be used again: making typed arrays costs more than filling them. */
interface Store {
  t: Float64Array;
  words: Uint32Array;
  bytes: Buffer;
}

const spare: Store[] = [];
const MOST_SPARE = 256;
/** Larger ones are left to the collector. */
const LARGEST_SPARE = 1 << 20;

export class FlowFrames {
  count = 0;
  /** Bytes in use. */
  size = 0;
  /** Nanoseconds; in order unless `sorted` is false. */
  t: Float64Array;
  words: Uint32Array;
  bytes: Buffer;
  sorted = true;
  /** Some frame is no plain, whole TCP segment over plain IPv4: only the checks can say what it means. */
  odd = false;

  constructor() {
    const store = spare.pop();
    this.t = store?.t ?? new Float64Array(FIRST_FRAMES);
    this.words = store?.words ?? new Uint32Array(FIRST_FRAMES * STRIDE);
    this.bytes = store?.bytes ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Bytes of memory that it holds. */
  get held(): number {
    return this.t.byteLength + this.words.byteLength + this.bytes.length;
  }

  /** Copies a frame's bytes to where its IP header lies on a word boundary; answers their place. */
  #keep(source: Uint8Array, start: number, end: number, ip: number): number {
    const at = ((this.size + ip + 3) & ~3) - ip;
    const needed = at + end - start;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, (needed + 4095) & ~4095));
      this.bytes.copy(grown, 0, 0, this.size);
      this.bytes = grown;
    }
    if (source instanceof Buffer) source.copy(this.bytes, at, start, end);
    else this.bytes.set(source.subarray(start, end), at);
    this.size = needed;
    return at;
  }

  #grow(): void {
    const t = new Float64Array(2 * this.t.length);
    t.set(this.t);
    this.t = t;
    const words = new Uint32Array(2 * this.words.length);
    words.set(this.words);
    this.words = words;
  }

  /** A frame of `source[start, end)`; `ip` and `tcp` are places in it, counted from `start`. */
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
    words[w + 5] = this.#keep(source, start, end, ip);
    words[w + 6] = (end - start) | (file << 20);
    words[w + 7] = ip;
    this.t[index] = t;
    if (index > 0 && t < (this.t[index - 1] ?? 0)) this.sorted = false;
    this.count = index + 1;
  }

  /** Puts the frames into order of time, then of file and number. */
  sort(): void {
    if (this.sorted) return;
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

  /** A copy of a frame's bytes. */
  frame(index: number): Uint8Array {
    const w = index * STRIDE;
    const start = this.words[w + Word.START] ?? 0;
    return Uint8Array.prototype.slice.call(
      this.bytes,
      start,
      start + ((this.words[w + Word.CAPTURED_FILE] ?? 0) & 0xfffff),
    );
  }

  /** Gives the storage back; the frames are gone. */
  release(): void {
    if (spare.length < MOST_SPARE && this.bytes.length <= LARGEST_SPARE)
      spare.push({ t: this.t, words: this.words, bytes: this.bytes });
    this.t = new Float64Array(0);
    this.words = new Uint32Array(0);
    this.bytes = Buffer.alloc(0);
    this.count = 0;
    this.size = 0;
  }
}
