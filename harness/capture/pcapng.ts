/** Capture files: a pcapng writer whose output depends on nothing but its input. Reading is `reader.ts`'s. */

import {
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET,
  IF_NAME,
  IF_TSRESOL,
  INTERFACE_DESCRIPTION,
  MAX_SNAP_LENGTH,
  OPT_COMMENT,
  padded,
  SECTION_HEADER,
} from './blocks.js';

/** One frame as a vantage saw it; `interfaceName` is the vantage's name. */
export interface CaptureFrame {
  readonly interfaceName: string;
  /** Since the Unix epoch. */
  readonly timestampNs: bigint;
  readonly bytes: Uint8Array;
  /** Length on the wire; more than `bytes` when the capture cut the frame. */
  readonly originalLength: number;
  readonly comment?: string;
}

export { type Capture, type CapturedFrame, type CapturedInterface, type CaptureError, readCapture } from './reader.js';

const LINKTYPE_ETHERNET = 1;
const utf8 = new TextEncoder();

/** Writes a block of `bodyLength` bytes (a multiple of 4) little-endian; `fill` gets the view of the body. */
function block(type: number, bodyLength: number, fill: (body: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(bodyLength + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(bytes.length - 4, bytes.length, true);
  fill(bytes.subarray(8, 8 + bodyLength), new DataView(bytes.buffer, 8, bodyLength));
  return bytes;
}

function interfaceBlock(name: string): Uint8Array {
  const encoded = utf8.encode(name);
  return block(INTERFACE_DESCRIPTION, 8 + 4 + padded(encoded.length) + 8 + 4, (body, view) => {
    view.setUint16(0, LINKTYPE_ETHERNET, true);
    view.setUint32(4, MAX_SNAP_LENGTH, true);
    view.setUint16(8, IF_NAME, true);
    view.setUint16(10, encoded.length, true);
    body.set(encoded, 12);
    const resolution = 12 + padded(encoded.length);
    view.setUint16(resolution, IF_TSRESOL, true);
    view.setUint16(resolution + 2, 1, true);
    view.setUint8(resolution + 4, 9);
  });
}

/** A section header and one Ethernet interface (nanoseconds) for each name; packets follow it. */
export function pcapngHeader(interfaces: readonly string[]): Uint8Array {
  const section = block(SECTION_HEADER, 16, (_, view) => {
    view.setUint32(0, BYTE_ORDER_MAGIC, true);
    view.setUint16(4, 1, true);
    view.setBigInt64(8, -1n, true);
  });
  return concatenate([section, ...interfaces.map(interfaceBlock)]);
}

/** One Enhanced Packet Block; `timestampNs` is since the epoch and below 2^64, `originalLength` the frame's length on the wire. */
export function pcapngPacket(
  interfaceIndex: number,
  timestampNs: bigint,
  bytes: Uint8Array,
  originalLength = bytes.length,
  comment?: string,
): Uint8Array {
  // An option's length field has 16 bits: a longer comment is cut.
  const note = comment === undefined ? undefined : utf8.encode(comment).subarray(0, 0xffff);
  const optionsLength = note === undefined ? 0 : 4 + padded(note.length) + 4;
  return block(ENHANCED_PACKET, 20 + padded(bytes.length) + optionsLength, (body, view) => {
    view.setUint32(0, interfaceIndex, true);
    view.setUint32(4, Number((timestampNs >> 32n) & 0xffffffffn), true);
    view.setUint32(8, Number(timestampNs & 0xffffffffn), true);
    view.setUint32(12, bytes.length, true);
    view.setUint32(16, originalLength, true);
    body.set(bytes, 20);
    if (note === undefined) return;
    const option = 20 + padded(bytes.length);
    view.setUint16(option, OPT_COMMENT, true);
    view.setUint16(option + 2, note.length, true);
    body.set(note, option + 4);
  });
}

/**
 * A whole pcapng file; frames are written in the order given.
 * @throws RangeError for a frame of an interface that is not among `interfaces`.
 */
export function encodePcapng(interfaces: readonly string[], frames: Iterable<CaptureFrame>): Uint8Array {
  const indexes = new Map(interfaces.map((name, index) => [name, index]));
  const blocks = [pcapngHeader(interfaces)];
  for (const frame of frames) {
    const index = indexes.get(frame.interfaceName);
    if (index === undefined) throw new RangeError(`no interface ${frame.interfaceName} in this capture`);
    blocks.push(pcapngPacket(index, frame.timestampNs, frame.bytes, frame.originalLength, frame.comment));
  }
  return concatenate(blocks);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
