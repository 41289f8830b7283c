/** Capture files: a pcapng writer whose output depends on nothing but its input, and a total reader of pcapng and classic pcap. */

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

export interface CapturedInterface {
  readonly name: string | undefined;
  /** 1 is Ethernet (the registry of link types is draft-ietf-opsawg-pcaplinktype). */
  readonly linkType: number;
  /** 0: unlimited. */
  readonly snapLength: number;
}

export interface CapturedFrame {
  /** Into the capture's `interfaces`, counted over all sections of the file. */
  readonly interfaceIndex: number;
  /** Since the Unix epoch; 0 where the file records no time (Simple Packet Blocks). */
  readonly timestampNs: bigint;
  /** A view into the file's bytes. */
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly comment?: string;
}

export interface CaptureError {
  readonly reason: 'not-a-capture' | 'truncated' | 'corrupt' | 'unsupported';
  /** Byte offset in the file of the block or record that cannot be read. */
  readonly offset: number;
  readonly detail: string;
  /** How many frames before `offset` were whole. */
  readonly wholeFrames: number;
}

export type Capture =
  | { readonly ok: true; readonly interfaces: readonly CapturedInterface[]; readonly frames: readonly CapturedFrame[] }
  | { readonly ok: false; readonly error: CaptureError };

// Block types and option codes of draft-ietf-opsawg-pcapng.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPT_COMMENT = 1;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

const LINKTYPE_ETHERNET = 1;
/** Tcpdump's and Wireshark's own limit of a frame. */
const MAX_SNAP_LENGTH = 262_144;
/** No block that any tool writes is longer; a longer length field is damage, not a file cut short. */
const MAX_BLOCK_LENGTH = 64 * 1024 * 1024;

const padded = (length: number): number => (length + 3) & ~3;
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

/** Ends reading from within; never leaves this module. */
class Unreadable extends Error {
  constructor(
    readonly reason: CaptureError['reason'],
    readonly offset: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** How an interface's time stamps become nanoseconds: `(units * multiplier) / divisor + offset`. */
interface InterfaceClock {
  readonly multiplier: bigint;
  readonly divisor: bigint;
  readonly offsetNs: bigint;
}

const MICROSECONDS: InterfaceClock = { multiplier: 1000n, divisor: 1n, offsetNs: 0n };

/** `if_tsresol`: a negative power of 10, or of 2 when the top bit is set. */
function clockOf(resolution: number, offsetSeconds: bigint): InterfaceClock {
  const exponent = BigInt(resolution & 0x7f);
  const offsetNs = offsetSeconds * 1_000_000_000n;
  if (resolution & 0x80) return { multiplier: 1_000_000_000n, divisor: 1n << exponent, offsetNs };
  return exponent <= 9n
    ? { multiplier: 10n ** (9n - exponent), divisor: 1n, offsetNs }
    : { multiplier: 1n, divisor: 10n ** (exponent - 9n), offsetNs };
}

function nanoseconds(clock: InterfaceClock, high: number, low: number): bigint {
  const units = (BigInt(high) << 32n) | BigInt(low);
  return (units * clock.multiplier) / clock.divisor + clock.offsetNs;
}

/**
 * Reads pcapng (either byte order, several sections, enhanced, simple and obsolete packet blocks; others are skipped) and
 * classic pcap (microseconds and nanoseconds, either byte order). Total: any bytes give a capture or a named error.
 */
export function readCapture(bytes: Uint8Array): Capture {
  const interfaces: CapturedInterface[] = [];
  const frames: CapturedFrame[] = [];
  try {
    const magic = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const classic = CLASSIC_MAGIC.get(magic);
    if (magic === SECTION_HEADER) readPcapng(bytes, interfaces, frames);
    else if (classic) readClassic(bytes, classic, interfaces, frames);
    else throw notACapture(bytes, magic);
    return { ok: true, interfaces, frames };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { reason, offset, detail } = error;
    return { ok: false, error: { reason, offset, detail, wholeFrames: frames.length } };
  }
}

function notACapture(bytes: Uint8Array, magic: number): Unreadable {
  if (bytes.length === 0) return new Unreadable('not-a-capture', 0, 'the file is empty');
  if (magic === 0xa1b2cd34 || magic === 0x34cdb2a1)
    return new Unreadable('unsupported', 0, "Kuznetzov's modified pcap format");
  if (magic >>> 16 === 0x1f8b) return new Unreadable('unsupported', 0, 'compressed by gzip; decompress it first');
  return new Unreadable('not-a-capture', 0, 'neither pcapng nor pcap: no known magic number');
}

function readPcapng(bytes: Uint8Array, interfaces: CapturedInterface[], frames: CapturedFrame[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Interface numbers in blocks count from the section's first one. */
  let sectionStart = 0;
  let clocks: InterfaceClock[] = [];
  let little = true;

  /** Calls `each` for every option from `at` to `end`. */
  const readOptions = (
    at: number,
    end: number,
    offset: number,
    each: (code: number, value: Uint8Array) => void,
  ): void => {
    while (end - at >= 4) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === 0) return;
      if (at + 4 + length > end) throw new Unreadable('corrupt', offset, `option ${code} is longer than its block`);
      each(code, bytes.subarray(at + 4, at + 4 + length));
      at += 4 + padded(length);
    }
  };

  const readInterface = (offset: number, start: number, end: number): void => {
    if (end - start < 8) throw new Unreadable('corrupt', offset, 'interface description block too short');
    let name: string | undefined;
    let resolution = 6;
    let offsetSeconds = 0n;
    readOptions(start + 8, end, offset, (code, value) => {
      if (code === IF_NAME) name = decodeText(value);
      else if (code === IF_TSRESOL && value.length >= 1) resolution = value[0] ?? resolution;
      else if (code === IF_TSOFFSET && value.length >= 8)
        offsetSeconds = new DataView(value.buffer, value.byteOffset).getBigInt64(0, little);
    });
    clocks.push(clockOf(resolution, offsetSeconds));
    interfaces.push({ name, linkType: view.getUint16(start, little), snapLength: view.getUint32(start + 4, little) });
  };

  const readPacket = (offset: number, type: number, start: number, end: number): void => {
    if (end - start < 20) throw new Unreadable('corrupt', offset, 'packet block too short');
    const index = type === ENHANCED_PACKET ? view.getUint32(start, little) : view.getUint16(start, little);
    const clock = clocks[index];
    if (!clock)
      throw new Unreadable('corrupt', offset, `packet of interface ${index}, which the section does not describe`);
    const length = view.getUint32(start + 12, little);
    const data = start + 20;
    if (length > end - data)
      throw new Unreadable('corrupt', offset, `captured length ${length} is longer than the block`);
    const comments: string[] = [];
    readOptions(data + padded(length), end, offset, (code, value) => {
      if (code === OPT_COMMENT) comments.push(decodeText(value));
    });
    frames.push({
      interfaceIndex: sectionStart + index,
      timestampNs: nanoseconds(clock, view.getUint32(start + 4, little), view.getUint32(start + 8, little)),
      bytes: bytes.subarray(data, data + length),
      originalLength: view.getUint32(start + 16, little),
      ...(comments.length > 0 && { comment: comments.join('\n') }),
    });
  };

  const readSimplePacket = (offset: number, start: number, end: number): void => {
    const described = interfaces[sectionStart];
    if (!described) throw new Unreadable('corrupt', offset, 'simple packet in a section without an interface');
    if (end - start < 4) throw new Unreadable('corrupt', offset, 'simple packet block too short');
    const originalLength = view.getUint32(start, little);
    const limit = described.snapLength === 0 ? originalLength : Math.min(originalLength, described.snapLength);
    if (limit > end - start - 4)
      throw new Unreadable('corrupt', offset, `packet length ${limit} is longer than the block`);
    frames.push({
      interfaceIndex: sectionStart,
      timestampNs: 0n,
      bytes: bytes.subarray(start + 4, start + 4 + limit),
      originalLength,
    });
  };

  for (let offset = 0; offset < bytes.length; ) {
    const left = bytes.length - offset;
    const truncated = (what: string): Unreadable =>
      new Unreadable(
        'truncated',
        offset,
        `the file ends within ${what} at byte ${offset}; ${frames.length} frames before it are whole`,
      );
    if (left < 12) throw truncated('a block');
    // The section header's type is the same in both byte orders; its magic number tells which one follows.
    const type = view.getUint32(offset, little);
    if (type === SECTION_HEADER) {
      const big = view.getUint32(offset + 8);
      if (big !== BYTE_ORDER_MAGIC && view.getUint32(offset + 8, true) !== BYTE_ORDER_MAGIC)
        throw new Unreadable('corrupt', offset, 'section header without a byte-order magic');
      little = big !== BYTE_ORDER_MAGIC;
    }
    const length = view.getUint32(offset + 4, little);
    if (length < 12 || length % 4 !== 0 || length > MAX_BLOCK_LENGTH)
      throw new Unreadable('corrupt', offset, `impossible block length ${length}`);
    if (length > left) throw truncated(`a block of ${length} bytes`);
    const start = offset + 8;
    const end = offset + length - 4;
    if (view.getUint32(end, little) !== length)
      throw new Unreadable(
        'corrupt',
        offset,
        `the block's two lengths differ: ${length} and ${view.getUint32(end, little)}`,
      );
    switch (type) {
      case SECTION_HEADER: {
        if (end - start < 16) throw new Unreadable('corrupt', offset, 'section header too short');
        const major = view.getUint16(start + 4, little);
        if (major !== 1)
          throw new Unreadable('unsupported', offset, `pcapng version ${major}.${view.getUint16(start + 6, little)}`);
        sectionStart = interfaces.length;
        clocks = [];
        break;
      }
      case INTERFACE_DESCRIPTION:
        readInterface(offset, start, end);
        break;
      case ENHANCED_PACKET:
      case OBSOLETE_PACKET:
        readPacket(offset, type, start, end);
        break;
      case SIMPLE_PACKET:
        readSimplePacket(offset, start, end);
        break;
    }
    offset += length;
  }
}

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

interface ClassicFormat {
  readonly little: boolean;
  readonly clock: InterfaceClock;
}

const NANOSECONDS: InterfaceClock = { multiplier: 1n, divisor: 1n, offsetNs: 0n };

/** The first four bytes, read big-endian. */
const CLASSIC_MAGIC = new Map<number, ClassicFormat>([
  [0xa1b2c3d4, { little: false, clock: MICROSECONDS }],
  [0xd4c3b2a1, { little: true, clock: MICROSECONDS }],
  [0xa1b23c4d, { little: false, clock: NANOSECONDS }],
  [0x4d3cb2a1, { little: true, clock: NANOSECONDS }],
]);

function readClassic(
  bytes: Uint8Array,
  format: ClassicFormat,
  interfaces: CapturedInterface[],
  frames: CapturedFrame[],
): void {
  const { little, clock } = format;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24)
    throw new Unreadable('truncated', 0, 'the file ends within its header; 0 frames before it are whole');
  const major = view.getUint16(4, little);
  if (major !== 2) throw new Unreadable('unsupported', 4, `pcap version ${major}.${view.getUint16(6, little)}`);
  const snapLength = view.getUint32(16, little);
  // The upper bits tell of a frame check sequence.
  interfaces.push({ name: undefined, linkType: view.getUint32(20, little) & 0xffff, snapLength });
  const longest = Math.max(snapLength, MAX_SNAP_LENGTH);
  for (let offset = 24; offset < bytes.length; ) {
    const left = bytes.length - offset;
    const truncated = (): Unreadable =>
      new Unreadable(
        'truncated',
        offset,
        `the file ends within a record at byte ${offset}; ${frames.length} frames before it are whole`,
      );
    if (left < 16) throw truncated();
    const length = view.getUint32(offset + 8, little);
    if (length > longest || length > MAX_BLOCK_LENGTH)
      throw new Unreadable('corrupt', offset, `impossible captured length ${length}`);
    if (length > left - 16) throw truncated();
    const fraction = BigInt(view.getUint32(offset + 4, little));
    frames.push({
      interfaceIndex: 0,
      timestampNs: BigInt(view.getUint32(offset, little)) * 1_000_000_000n + fraction * clock.multiplier,
      bytes: bytes.subarray(offset + 16, offset + 16 + length),
      originalLength: view.getUint32(offset + 12, little),
    });
    offset += 16 + length;
  }
}
