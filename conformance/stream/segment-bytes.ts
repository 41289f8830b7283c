/** What is compared and summed over whole segments, straight from the bytes of a flow's frames. */
import type { FlowFrames } from './frames.js';

/** The one's complement sum of `bytes[at, end)` modulo 0xffff, big-endian words; `at` is a multiple of 4 in `words`. */
function sumOf(words: Uint32Array, bytes: Uint8Array, at: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let index = at >>> 2;
  const last = end >>> 2;
  for (const four = last - 3; index < four; index += 4) {
    a += words[index] ?? 0;
    b += words[index + 1] ?? 0;
    c += words[index + 2] ?? 0;
    d += words[index + 3] ?? 0;
  }
  for (; index < last; index++) a += words[index] ?? 0;
  // In the byte order of this machine; the sum's two halves change places with it (RFC 1071 §2).
  let sum = (a + b + c + d) % 0xffff;
  const rest = last << 2;
  if (LITTLE) {
    if (rest < end) sum += bytes[rest] ?? 0;
    if (rest + 1 < end) sum += (bytes[rest + 1] ?? 0) << 8;
    if (rest + 2 < end) sum += bytes[rest + 2] ?? 0;
    sum %= 0xffff;
    return ((sum & 0xff) << 8) | (sum >>> 8);
  }
  if (rest < end) sum += (bytes[rest] ?? 0) << 8;
  if (rest + 1 < end) sum += bytes[rest + 1] ?? 0;
  if (rest + 2 < end) sum += (bytes[rest + 2] ?? 0) << 8;
  return sum % 0xffff;
}

const LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Views over one flow's bytes for the time of one judgement. */
export class SegmentBytes {
  readonly bytes: Buffer;
  readonly #words: Uint32Array;

  constructor(frames: FlowFrames) {
    const { bytes, words } = frames.store.arena;
    this.bytes = bytes;
    this.#words = words;
  }

  /** `ip`: where the IP header of 20 bytes begins, a multiple of 4. */
  ipChecksumValid(ip: number): boolean {
    const { bytes } = this;
    let sum = 0;
    for (let at = ip; at < ip + 20; at += 2) sum += u16(bytes, at);
    return sum % 0xffff === 0;
  }

  tcpChecksumValid(ip: number): boolean {
    const { bytes } = this;
    const total = u16(bytes, ip + 2);
    const pseudo = sumOf(this.#words, bytes, ip + 12, ip + 20) + 6 + total - 20;
    return (pseudo + sumOf(this.#words, bytes, ip + 20, ip + total)) % 0xffff === 0;
  }

  /**
   * Whether two segments of the same length agree in everything that a hop keeps: service class, don't-fragment, IP id, header length,
   * urgent pointer, options and payload; ports, numbers, flags and window are the caller's.
   */
  agree(a: number, b: number): boolean {
    const { bytes } = this;
    const total = u16(bytes, a + 2);
    if (total !== u16(bytes, b + 2)) return false;
    if ((bytes[a + 1] ?? 0) >>> 2 !== (bytes[b + 1] ?? 0) >>> 2) return false;
    if (u16(bytes, a + 6) !== u16(bytes, b + 6)) return false;
    if ((bytes[a + 32] ?? 0) !== (bytes[b + 32] ?? 0)) return false;
    if (total <= 72) {
      for (let at = 38; at < total; at++) if (bytes[a + at] !== bytes[b + at]) return false;
      return true;
    }
    return bytes.compare(bytes, b + 38, b + total, a + 38, a + total) === 0;
  }

  /** Of two segments that agree, the first of which has a valid checksum: whether the second has one. */
  stillValid(a: number, b: number): boolean {
    return this.#varying(a) === this.#varying(b);
  }

  /** The sum of what a hop may change under the TCP checksum, and of the checksum itself. */
  #varying(ip: number): number {
    const { bytes } = this;
    const addresses = u16(bytes, ip + 12) + u16(bytes, ip + 14) + u16(bytes, ip + 16) + u16(bytes, ip + 18);
    return (addresses + u16(bytes, ip + 32) + u16(bytes, ip + 34) + u16(bytes, ip + 36)) % 0xffff;
  }
}
