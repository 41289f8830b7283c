/** The fields of a TCP segment that the invariants look at, read straight from a frame's bytes and by no codec of the roles'. */

export interface SegmentHeader {
  readonly bytes: Uint8Array;
  /** MAC addresses as numbers. */
  readonly macDst: number;
  readonly macSrc: number;
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** The field, not scaled. */
  readonly window: number;
  /** Where the TCP header and the payload begin, and where the segment ends. */
  readonly tcp: number;
  readonly payload: number;
  readonly end: number;
}

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

const IP = 14;
const TCP_PROTOCOL = 6;

/** Of a whole, unfragmented IPv4 frame that carries TCP; undefined for every other one. Checksums are not looked at. */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < IP + 40) return undefined;
  const view = viewOf(bytes);
  if (view.getUint16(12) !== 0x0800 || view.getUint8(IP) >>> 4 !== 4) return undefined;
  const tcp = IP + 4 * (view.getUint8(IP) & 15);
  const end = IP + view.getUint16(IP + 2);
  if (view.getUint8(IP + 9) !== TCP_PROTOCOL || (view.getUint16(IP + 6) & 0x3fff) !== 0) return undefined;
  if (tcp < IP + 20 || end > bytes.length || tcp + 20 > end) return undefined;
  const payload = tcp + 4 * (view.getUint8(tcp + 12) >>> 4);
  if (payload < tcp + 20 || payload > end) return undefined;
  return {
    bytes,
    macDst: view.getUint16(0) * 0x1_0000_0000 + view.getUint32(2),
    macSrc: view.getUint16(6) * 0x1_0000_0000 + view.getUint32(8),
    src: view.getUint32(IP + 12),
    dst: view.getUint32(IP + 16),
    srcPort: view.getUint16(tcp),
    dstPort: view.getUint16(tcp + 2),
    seq: view.getUint32(tcp + 4),
    ack: view.getUint32(tcp + 8),
    flags: view.getUint8(tcp + 13),
    window: view.getUint16(tcp + 14),
    tcp,
    payload,
    end,
  };
}

/** TSval and TSecr, when the segment carries them (RFC 7323 §3.2). */
export function timestampsOf(header: SegmentHeader): { readonly value: number; readonly echo: number } | undefined {
  const at = optionAt(header, 8);
  if (at === undefined) return undefined;
  const view = viewOf(header.bytes);
  return { value: view.getUint32(at + 2), echo: view.getUint32(at + 6) };
}

/** The handshake's options; scale null and mss 536 where absent. */
export function handshakeOptions(header: SegmentHeader): {
  readonly mss: number;
  readonly scale: number | null;
  readonly sack: boolean;
  readonly timestamps: boolean;
} {
  const view = viewOf(header.bytes);
  const mss = optionAt(header, 2);
  const scale = optionAt(header, 3);
  return {
    mss: mss === undefined ? 536 : view.getUint16(mss + 2),
    scale: scale === undefined ? null : view.getUint8(scale + 2),
    sack: optionAt(header, 4) !== undefined,
    timestamps: optionAt(header, 8) !== undefined,
  };
}

function optionAt({ bytes, tcp, payload }: SegmentHeader, kind: number): number | undefined {
  for (let at = tcp + 20; at < payload; ) {
    const found = bytes[at];
    if (found === kind) return at;
    if (found === 0) return undefined;
    at += found === 1 ? 1 : Math.max(2, bytes[at + 1] ?? 2);
  }
  return undefined;
}

/** The one's complement sum of the 16-bit words from `from` to `to` (RFC 1071). */
export function wordSum(bytes: Uint8Array, from: number, to: number): number {
  const view = viewOf(bytes);
  let sum = 0;
  let at = from;
  for (; at + 1 < to; at += 2) sum += view.getUint16(at);
  if (at < to) sum += (bytes[at] ?? 0) * 256;
  return sum;
}

/** What a sum of words is worth, modulo 2^16 - 1: 0 for what a valid checksum covers. */
export function folded(sum: number): number {
  return sum % 0xffff;
}

/** Whether the TCP checksum covers what is there, pseudo-header included. */
export function tcpChecksumHolds(header: SegmentHeader): boolean {
  const { bytes, tcp, end } = header;
  return folded(wordSum(bytes, IP + 12, IP + 20) + TCP_PROTOCOL + (end - tcp) + wordSum(bytes, tcp, end)) === 0;
}

export function ipChecksumHolds({ bytes, tcp }: SegmentHeader): boolean {
  return folded(wordSum(bytes, IP, tcp)) === 0;
}

export function seqDistance(a: number, b: number): number {
  return (a - b) | 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
