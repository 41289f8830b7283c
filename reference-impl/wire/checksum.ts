/** The Internet checksum, in full (RFC 1071) and by increments (RFC 1624). */
import type { Ipv4Address } from './addresses.js';

/** Adds the carries back in: any sum of fewer than 2^16 words becomes 16 bits. */
function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * The one's complement sum, not complemented, of the big-endian words in `bytes[start, end)`, begun at `initial` (RFC 1071 §1).
 * An odd last byte counts as the high half of a word. `end` behind the array is the array's end. Ranges up to 64 KiB.
 * Over data that includes a correct checksum it is 0xffff.
 */
export function sum16(bytes: Uint8Array, start = 0, end = bytes.length, initial = 0): number {
  const stop = Math.min(end, bytes.length);
  const unrolled = stop - 7;
  // High and low halves apart: one shift at the end instead of one for each word, and small integers throughout.
  let high = 0;
  let low = 0;
  let at = start;
  for (; at < unrolled; at += 8) {
    high += (bytes[at] ?? 0) + (bytes[at + 2] ?? 0) + (bytes[at + 4] ?? 0) + (bytes[at + 6] ?? 0);
    low += (bytes[at + 1] ?? 0) + (bytes[at + 3] ?? 0) + (bytes[at + 5] ?? 0) + (bytes[at + 7] ?? 0);
  }
  for (; at + 1 < stop; at += 2) {
    high += bytes[at] ?? 0;
    low += bytes[at + 1] ?? 0;
  }
  if (at < stop) high += bytes[at] ?? 0;
  return fold(fold(high) * 256 + fold(low) + initial);
}

/** The checksum field's value for `bytes[start, end)`: `sum16` complemented. */
export function checksum(bytes: Uint8Array, start = 0, end = bytes.length, initial = 0): number {
  return ~sum16(bytes, start, end, initial) & 0xffff;
}

/** The `initial` sum of a TCP or UDP checksum: the pseudo-header, `length` being that of header and payload (RFC 9293 §3.1). */
export function pseudoHeaderSum(src: Ipv4Address, dst: Ipv4Address, protocol: number, length: number): number {
  return fold((src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + length);
}

/**
 * The checksum after one 16-bit word that it covers changed: HC' = ~(~HC + ~m + m') (RFC 1624 eqn. 3).
 * A checksum that was wrong stays wrong by the same difference. Of the two zeros of one's complement the result is 0, never 0xffff
 * (the 0xffff added makes the sum anything but +0), as the Linux kernel's is.
 */
export function updateChecksum(checksum: number, oldWord: number, newWord: number): number {
  return ~fold((~checksum & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff) + 0xffff) & 0xffff;
}

/** `updateChecksum` for a 32-bit value at an even distance from the start of what is summed. */
export function updateChecksum32(checksum: number, oldValue: number, newValue: number): number {
  return updateChecksum(updateChecksum(checksum, oldValue >>> 16, newValue >>> 16), oldValue, newValue);
}
