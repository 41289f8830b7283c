/** A TCP segment with a time stamp, for tests of what counts as the same segment; checksums are not filled in. */
export function buildTcpFrame({
  seq,
  ipId,
  stamp,
  window = 100,
  payload = 0,
}: {
  readonly seq: number;
  readonly ipId: number;
  readonly stamp: number;
  readonly window?: number;
  readonly payload?: number;
}): Uint8Array {
  const frame = Buffer.alloc(14 + 20 + 32 + payload);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(20 + 32 + payload, 16);
  frame.writeUInt16BE(ipId, 18);
  frame[23] = 6;
  frame.writeUInt16BE(80, 36);
  frame.writeUInt32BE(seq, 38);
  frame[46] = 8 << 4;
  frame.writeUInt16BE(window, 48);
  frame.writeUInt32BE(stamp, 58);
  return frame;
}
