/** One direction's byte stream as captures show it: its bytes, what arrived where and when, what was acknowledged when. */

import { isFlagged, type Segment } from './decode.js';
import { firstDifference } from './packets.js';

interface Chunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The bytes of a stream, offset 0 being the first behind the SYN; the first capture of a byte counts. */
export class ByteStream {
  readonly #chunks: Chunk[] = [];

  /** Index of the first chunk that ends behind `offset`. */
  #search(offset: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      const chunk = this.#chunks[mid];
      if (chunk !== undefined && chunk.offset + chunk.bytes.length <= offset) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** Adds what is not known yet; returns the offset of the first byte that contradicts what is known. */
  insert(offset: number, bytes: Uint8Array): number | undefined {
    let start = offset;
    let rest = bytes;
    if (start < 0) {
      rest = rest.subarray(-start);
      start = 0;
    }
    let conflict: number | undefined;
    let index = this.#search(start);
    while (rest.length > 0) {
      const chunk = this.#chunks[index];
      if (chunk === undefined || chunk.offset >= start + rest.length) {
        this.#chunks.splice(index, 0, { offset: start, bytes: rest });
        break;
      }
      if (chunk.offset > start) {
        const gap = chunk.offset - start;
        this.#chunks.splice(index, 0, { offset: start, bytes: rest.subarray(0, gap) });
        start += gap;
        rest = rest.subarray(gap);
        index++;
      } else {
        const skip = Math.min(rest.length, chunk.offset + chunk.bytes.length - start);
        const at = firstDifference(chunk.bytes.subarray(start - chunk.offset), rest, skip);
        if (at !== undefined) conflict ??= start + at;
        start += skip;
        rest = rest.subarray(skip);
        index++;
      }
    }
    return conflict;
  }

  /** The known bytes from `offset` without a hole, at most `limit`. */
  read(offset: number, limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = offset;
    for (let index = this.#search(offset); at < offset + limit; index++) {
      const chunk = this.#chunks[index];
      if (chunk === undefined || chunk.offset > at) break;
      const part = chunk.bytes.subarray(at - chunk.offset, at - chunk.offset + (offset + limit - at));
      parts.push(part);
      at += part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Uint8Array.from(Buffer.concat(parts));
  }

  /** Where the bytes known from `offset` on without a hole end. */
  contiguousEnd(offset: number): number {
    let at = offset;
    for (let index = this.#search(offset); ; index++) {
      const chunk = this.#chunks[index];
      if (chunk === undefined || chunk.offset > at) return at;
      at = chunk.offset + chunk.bytes.length;
    }
  }
}

/** Segments of one stream that one vantage sent or got, by offset. */
export class RangeIndex {
  #segments: Segment[] = [];
  #sorted = true;
  #longest = 0;

  add(segment: Segment): void {
    if (segment.length === 0 || Number.isNaN(segment.offset)) return;
    const last = this.#segments.at(-1);
    if (last !== undefined && last.offset > segment.offset) this.#sorted = false;
    this.#longest = Math.max(this.#longest, segment.length);
    this.#segments.push(segment);
  }

  /** Those that carry bytes of [from, to), in order of offset. */
  overlapping(from: number, to: number): Segment[] {
    if (!this.#sorted) {
      this.#segments.sort((a, b) => a.offset - b.offset || a.t - b.t);
      this.#sorted = true;
    }
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#segments[mid]?.offset ?? 0) < from - this.#longest) low = mid + 1;
      else high = mid;
    }
    const found: Segment[] = [];
    for (let index = low; index < this.#segments.length; index++) {
      const segment = this.#segments[index];
      if (segment === undefined || segment.offset >= to) break;
      if (segment.offset + segment.length > from) found.push(segment);
    }
    return found;
  }

  /** The segment with which the last byte of [from, to) came in, or undefined while one is missing. */
  completes(from: number, to: number): Segment | undefined {
    const covered: [number, number][] = [];
    for (const segment of this.overlapping(from, to).sort((a, b) => a.t - b.t)) {
      covered.push([segment.offset, segment.offset + segment.length]);
      if (missing(covered, from, to) === undefined) return segment;
    }
    return undefined;
  }

  /** The first byte of [from, to) that no segment up to `t` carried. */
  missing(from: number, to: number, t: number): number | undefined {
    const covered = this.overlapping(from, to)
      .filter((segment) => segment.t <= t)
      .map((segment): [number, number] => [segment.offset, segment.offset + segment.length]);
    return missing(covered, from, to);
  }
}

function missing(covered: [number, number][], from: number, to: number): number | undefined {
  covered.sort((a, b) => a[0] - b[0]);
  let at = from;
  for (const [start, end] of covered) {
    if (start > at) break;
    at = Math.max(at, end);
  }
  return at >= to ? undefined : at;
}

/** The progress of acknowledgement at one point of the network: each entry acknowledges more than all before it. */
export class AckRecord {
  readonly #steps: Segment[] = [];
  #last: Segment | undefined;

  /** In order of time. */
  add(segment: Segment): void {
    if (Number.isNaN(segment.acked) || isFlagged(segment, 'RST')) return;
    const highest = this.#steps.at(-1);
    if (highest === undefined || segment.acked > highest.acked) this.#steps.push(segment);
    this.#last = segment;
  }

  /** The first that acknowledges everything before `offset`. */
  covering(offset: number): Segment | undefined {
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#steps[mid]?.acked ?? 0) < offset) low = mid + 1;
      else high = mid;
    }
    return this.#steps[low];
  }

  /** The highest up to and including time `t`. */
  highest(t: number = Number.POSITIVE_INFINITY): Segment | undefined {
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#steps[mid]?.t ?? 0) <= t) low = mid + 1;
      else high = mid;
    }
    return this.#steps[low - 1];
  }

  /** The last segment with an acknowledgement, whether it acknowledged anything new or not. */
  get last(): Segment | undefined {
    return this.#last;
  }
}
