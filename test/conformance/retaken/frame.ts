/** Frames of a run as a script takes them to pieces: one capture file in, frames out; frames in, files of many forms out. */
import { readCapture } from '../../../harness/capture/pcapng.js';
import { pseudoHeaderSum, sum16 } from '../../../reference-impl/wire/checksum.js';

/** An Ethernet frame of a plain capture. Time in nanoseconds since the epoch. */
export interface Shot {
  readonly vantage: string;
  readonly at: bigint;
  readonly bytes: Uint8Array;
  /** On the wire. */
  readonly length: number;
}

/** A file to be judged; `vantage` as the user would say it behind an `@`. */
export interface Piece {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly vantage?: string;
}

/** The frames of a pcapng with named interfaces. */
export function shotsOf(bytes: Uint8Array): Shot[] {
  const capture = readCapture(bytes);
  if (!capture.ok) throw new Error(capture.error.detail);
  return capture.frames.map((frame) => ({
    vantage: capture.interfaces[frame.interfaceIndex]?.name ?? '',
    at: frame.timestampNs,
    bytes: frame.bytes,
    length: frame.originalLength,
  }));
}

export const ETHERNET = 14;

/** Where TCP begins in a plain frame; undefined for what is no whole TCP over IPv4 without fragments. */
export function tcpAt(bytes: Uint8Array): number | undefined {
  if (bytes[12] !== 8 || bytes[13] !== 0 || bytes[ETHERNET + 9] !== 6) return undefined;
  if (((bytes[ETHERNET + 6] ?? 0) & 0x3f) !== 0 || bytes[ETHERNET + 7] !== 0) return undefined;
  const at = ETHERNET + ((bytes[ETHERNET] ?? 0) & 15) * 4;
  return at + 20 <= bytes.length ? at : undefined;
}

export function isIpv4(bytes: Uint8Array): boolean {
  return bytes[12] === 8 && bytes[13] === 0;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const u16 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getUint16(at);
export const u32 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getUint32(at);
export const putU16 = (bytes: Uint8Array, at: number, value: number): void => viewOf(bytes).setUint16(at, value);
export const putU32 = (bytes: Uint8Array, at: number, value: number): void => viewOf(bytes).setUint32(at, value);

/** Makes the IP header's checksum right. */
export function sealIp(bytes: Uint8Array): void {
  const end = ETHERNET + ((bytes[ETHERNET] ?? 0) & 15) * 4;
  putU16(bytes, ETHERNET + 10, 0);
  putU16(bytes, ETHERNET + 10, ~sum16(bytes, ETHERNET, end) & 0xffff);
}

/** Makes the TCP checksum right, or what a host leaves to its card: the sum of the pseudo-header. */
export function sealTcp(bytes: Uint8Array, partial = false): void {
  const tcp = tcpAt(bytes);
  if (tcp === undefined) return;
  const end = ETHERNET + u16(bytes, ETHERNET + 2);
  const pseudo = pseudoHeaderSum(u32(bytes, ETHERNET + 12), u32(bytes, ETHERNET + 16), 6, end - tcp);
  putU16(bytes, tcp + 16, 0);
  putU16(bytes, tcp + 16, partial ? pseudo : ~sum16(bytes, tcp, end, pseudo) & 0xffff);
}

/** A frame with other MAC addresses and a TTL lower by `hops`; what is no IPv4 keeps its bytes. */
export function hopped(
  bytes: Uint8Array,
  hops: number,
  macs: { readonly src?: string; readonly dst?: string },
): Uint8Array {
  const made = new Uint8Array(bytes);
  if (macs.dst !== undefined) made.set(Buffer.from(macs.dst.replaceAll(':', ''), 'hex'), 0);
  if (macs.src !== undefined) made.set(Buffer.from(macs.src.replaceAll(':', ''), 'hex'), 6);
  if (hops > 0 && isIpv4(made) && made.length >= ETHERNET + 20) {
    // As a router does it: what was wrong stays wrong.
    const before = u16(made, ETHERNET + 8);
    made[ETHERNET + 8] = Math.max(1, (made[ETHERNET + 8] ?? 0) - hops);
    let sum = (~u16(made, ETHERNET + 10) & 0xffff) + (~before & 0xffff) + u16(made, ETHERNET + 8);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    putU16(made, ETHERNET + 10, ~sum & 0xffff);
  }
  return made;
}

export function macOf(bytes: Uint8Array, at: 0 | 6): string {
  return Buffer.from(bytes.subarray(at, at + 6))
    .toString('hex')
    .replace(/(..)(?!$)/g, '$1:');
}

/** Numbers from 0 to 1, the same for the same seed (xorshift). */
export function numbers(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}
