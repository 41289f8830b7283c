/** Segments taken apart and put together again: with checksums that are right, or as they were. */
import { buildTcpFrame, encodeTcpOptions } from '../../reference-impl/wire/build.js';
import { updateChecksum } from '../../reference-impl/wire/checksum.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { findTcpOption, TcpFlag, type TcpOption } from '../../reference-impl/wire/tcp.js';

/** What a TCP segment's frame consists of. */
export interface Fields {
  readonly dstMac: number;
  readonly srcMac: number;
  readonly src: number;
  readonly dst: number;
  readonly ttl: number;
  readonly id: number;
  readonly tos: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly urgentPointer: number;
  readonly options: readonly TcpOption[];
  readonly payload: Uint8Array;
}

/** Undefined where there is no whole TCP segment. */
export function fieldsOf(bytes: Uint8Array): Fields | undefined {
  const parsed = parseFrame(bytes);
  if (!parsed.ok) return undefined;
  const { ethernet, ipv4, tcp } = parsed.value;
  if (ipv4 === undefined || tcp === undefined || ipv4.isFragment || ipv4.truncated) return undefined;
  return {
    dstMac: ethernet.dst,
    srcMac: ethernet.src,
    src: ipv4.src,
    dst: ipv4.dst,
    ttl: ipv4.ttl,
    id: ipv4.id,
    tos: ipv4.tos,
    srcPort: tcp.srcPort,
    dstPort: tcp.dstPort,
    seq: tcp.seq,
    ack: tcp.ack,
    flags: tcp.flags,
    window: tcp.window,
    urgentPointer: tcp.urgentPointer,
    options: tcp.options,
    payload: tcp.payload,
  };
}

/** The frame with other fields and valid checksums; as it is where it is no TCP, or `change` has nothing to say. */
export function edited(bytes: Uint8Array, change: (fields: Fields) => Partial<Fields> | undefined): Uint8Array {
  const fields = fieldsOf(bytes);
  const wanted = fields && change(fields);
  if (fields === undefined || wanted === undefined) return bytes;
  const { dstMac, srcMac, src, dst, ttl, id, tos, ...tcp } = { ...fields, ...wanted };
  return buildTcpFrame({ ethernet: { dst: dstMac, src: srcMac }, ipv4: { src, dst, ttl, id, tos }, tcp });
}

export const has = ({ flags }: Pick<Fields, 'flags'>, flag: keyof typeof TcpFlag): boolean =>
  (flags & TcpFlag[flag]) !== 0;

/** Without payload, SYN, FIN and RST. */
export const isBareAck = (fields: Fields): boolean =>
  fields.payload.length === 0 && !has(fields, 'SYN') && !has(fields, 'FIN') && !has(fields, 'RST');

/** Fits in 40 bytes of options (RFC 9293 §3.1). */
export const fits = (options: readonly TcpOption[]): boolean => {
  try {
    return encodeTcpOptions(options).length <= 40;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

/** With the timestamps option's values changed; as they are without one. */
export function restamped(
  options: readonly TcpOption[],
  change: (stamp: { readonly value: number; readonly echo: number }) => { value?: number; echo?: number },
): readonly TcpOption[] {
  const stamp = findTcpOption(options, 'timestamps');
  return stamp === undefined
    ? options
    : options.map((option) => (option === stamp ? { ...stamp, ...change(stamp) } : option));
}

/** With the word at byte `at` of the frame set; no checksum follows. */
export function withWord(bytes: Uint8Array, at: number, word: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint16(at, word & 0xffff);
  return copy;
}

/** With the IP header's word at byte `at` of the header changed, and the IP checksum that belongs to it. */
export function withIpWord(bytes: Uint8Array, at: number, change: (word: number) => number): Uint8Array {
  const parsed = parseFrame(bytes);
  const offset = parsed.ok ? parsed.value.ipv4?.offset : undefined;
  if (offset === undefined) return bytes;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const word = view.getUint16(offset + at);
  view.setUint16(offset + at, change(word) & 0xffff);
  view.setUint16(offset + 10, updateChecksum(view.getUint16(offset + 10), word, change(word) & 0xffff));
  return copy;
}

/** Where the TCP header begins in the frame, or undefined. */
export function tcpOffset(bytes: Uint8Array): number | undefined {
  const parsed = parseFrame(bytes);
  return parsed.ok ? parsed.value.tcp?.offset : undefined;
}

export function hasIpOptions(bytes: Uint8Array): boolean {
  const parsed = parseFrame(bytes);
  return parsed.ok && parsed.value.ipv4 !== undefined && parsed.value.ipv4.headerLength > 20;
}
