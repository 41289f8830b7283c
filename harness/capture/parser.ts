/** Bytes of a capture file to frames, piece by piece: pcapng and classic pcap, without ever holding the file. */
import {
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET,
  IF_NAME,
  IF_TSOFFSET,
  IF_TSRESOL,
  INTERFACE_DESCRIPTION,
  MAX_BLOCK_LENGTH,
  MAX_SNAP_LENGTH,
  OBSOLETE_PACKET,
  OPT_COMMENT,
  padded,
  SECTION_HEADER,
  SIMPLE_PACKET,
  StampClock,
} from './blocks.js';

export interface CapturedInterface {
  readonly name: string | undefined;
  /** 1 is Ethernet (the registry of link types is draft-ietf-opsawg-pcaplinktype). */
  readonly linkType: number;
  /** 0: unlimited. */
  readonly snapLength: number;
}

export interface CaptureError {
  readonly reason: 'not-a-capture' | 'truncated' | 'corrupt' | 'unsupported';
  /** Byte offset in the file of the block or record that cannot be read. */
  readonly offset: number;
  readonly detail: string;
  /** How many frames before `offset` were whole. */
  readonly wholeFrames: number;
}

/** What cannot be read, and where. */
export class Unreadable extends Error {
  constructor(
    readonly reason: CaptureError['reason'],
    readonly offset: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** Takes frames as they come; the bytes are the caller's buffer and good during the call only. */
export interface FrameSink {
  /** Interfaces are counted over all sections of the file. */
  interface(index: number, described: CapturedInterface): void;
  /** A stamp of `clock` undefined: the file records no time (Simple Packet Blocks). */
  frame(
    index: number,
    clock: StampClock | undefined,
    high: number,
    low: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    originalLength: number,
    comment: string | undefined,
  ): void;
}

interface ClassicFormat {
  readonly little: boolean;
  readonly unitNs: bigint;
}

/** The first four bytes, read big-endian. */
const CLASSIC_MAGIC = new Map<number, ClassicFormat>([
  [0xa1b2c3d4, { little: false, unitNs: 1000n }],
  [0xd4c3b2a1, { little: true, unitNs: 1000n }],
  [0xa1b23c4d, { little: false, unitNs: 1n }],
  [0x4d3cb2a1, { little: true, unitNs: 1n }],
]);

/**
 * pcapng (either byte order, several sections, enhanced, simple and obsolete packet blocks; others are skipped) and classic pcap
 * (microseconds and nanoseconds, either byte order). Total: throws `Unreadable` and nothing else.
 */
export class CaptureParser {
  readonly interfaces: CapturedInterface[] = [];
  /** Whole frames so far. */
  frames = 0;
  /** Bytes of the file before the next piece. */
  #position = 0;
  #format: 'pcapng' | 'classic' | undefined;
  #little = true;
  /** Interface numbers in blocks count from the section's first one. */
  #sectionStart = 0;
  #clocks: StampClock[] = [];
  #longest = MAX_SNAP_LENGTH;

  constructor(
    private readonly sink: FrameSink,
    private readonly comments: boolean,
  ) {}

  /**
   * Takes whole blocks from `bytes[0, length)` and says how many bytes they were; the rest is to come again, with more behind it.
   * `end`: nothing comes behind it, so that a rest is an error.
   */
  parse(bytes: Uint8Array, length: number, end: boolean): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    let at = 0;
    if (this.#format === undefined) {
      if (length < 4 && !end) return 0;
      const magic = length < 4 ? 0 : view.getUint32(0);
      const classic = CLASSIC_MAGIC.get(magic);
      if (magic === SECTION_HEADER) this.#format = 'pcapng';
      else if (classic !== undefined) {
        if (length < 24) {
          if (!end) return 0;
          throw new Unreadable('truncated', 0, 'the file ends within its header; 0 frames before it are whole');
        }
        this.#readClassicHeader(view, classic);
        at = 24;
      } else throw notACapture(length, magic);
    }
    at =
      this.#format === 'pcapng' ? this.#pcapng(bytes, view, length, end) : this.#classic(bytes, view, at, length, end);
    this.#position += at;
    return at;
  }

  #truncated(at: number, what: string): Unreadable {
    const offset = this.#position + at;
    return new Unreadable(
      'truncated',
      offset,
      `the file ends within ${what} at byte ${offset}; ${this.frames} frames before it are whole`,
    );
  }

  #corrupt(at: number, detail: string): Unreadable {
    return new Unreadable('corrupt', this.#position + at, detail);
  }

  #pcapng(bytes: Uint8Array, view: DataView, size: number, last: boolean): number {
    let at = 0;
    while (at < size) {
      const left = size - at;
      if (left < 12) {
        if (last) throw this.#truncated(at, 'a block');
        return at;
      }
      // The section header's type is the same in both byte orders; its magic number tells which one follows.
      const type = view.getUint32(at, this.#little);
      if (type === SECTION_HEADER) {
        const big = view.getUint32(at + 8);
        if (big !== BYTE_ORDER_MAGIC && view.getUint32(at + 8, true) !== BYTE_ORDER_MAGIC)
          throw this.#corrupt(at, 'section header without a byte-order magic');
        this.#little = big !== BYTE_ORDER_MAGIC;
      }
      const little = this.#little;
      const length = view.getUint32(at + 4, little);
      if (length < 12 || length % 4 !== 0 || length > MAX_BLOCK_LENGTH)
        throw this.#corrupt(at, `impossible block length ${length}`);
      if (length > left) {
        if (last) throw this.#truncated(at, `a block of ${length} bytes`);
        return at;
      }
      const start = at + 8;
      const end = at + length - 4;
      const again = view.getUint32(end, little);
      if (again !== length) throw this.#corrupt(at, `the block's two lengths differ: ${length} and ${again}`);
      if (type === ENHANCED_PACKET || type === OBSOLETE_PACKET) this.#packet(bytes, view, at, type, start, end);
      else if (type === SECTION_HEADER) {
        if (end - start < 16) throw this.#corrupt(at, 'section header too short');
        const major = view.getUint16(start + 4, little);
        if (major !== 1) {
          const version = `${major}.${view.getUint16(start + 6, little)}`;
          throw new Unreadable('unsupported', this.#position + at, `pcapng version ${version}`);
        }
        this.#sectionStart = this.interfaces.length;
        this.#clocks = [];
      } else if (type === INTERFACE_DESCRIPTION) this.#interface(bytes, view, at, start, end);
      else if (type === SIMPLE_PACKET) this.#simplePacket(bytes, view, at, start, end);
      at += length;
    }
    return at;
  }

  /** Calls `each` for every option from `at` to `end`. */
  #options(
    bytes: Uint8Array,
    view: DataView,
    block: number,
    from: number,
    end: number,
    each: (code: number, value: Uint8Array) => void,
  ): void {
    let at = from;
    while (end - at >= 4) {
      const code = view.getUint16(at, this.#little);
      const length = view.getUint16(at + 2, this.#little);
      if (code === 0) return;
      if (at + 4 + length > end) throw this.#corrupt(block, `option ${code} is longer than its block`);
      each(code, bytes.subarray(at + 4, at + 4 + length));
      at += 4 + padded(length);
    }
  }

  #interface(bytes: Uint8Array, view: DataView, block: number, start: number, end: number): void {
    if (end - start < 8) throw this.#corrupt(block, 'interface description block too short');
    let name: string | undefined;
    let resolution = 6;
    let offsetSeconds = 0n;
    this.#options(bytes, view, block, start + 8, end, (code, value) => {
      if (code === IF_NAME) name = decodeText(value);
      else if (code === IF_TSRESOL && value.length >= 1) resolution = value[0] ?? resolution;
      else if (code === IF_TSOFFSET && value.length >= 8)
        offsetSeconds = new DataView(value.buffer, value.byteOffset).getBigInt64(0, this.#little);
    });
    this.#clocks.push(StampClock.ofUnits(resolution, offsetSeconds));
    const linkType = view.getUint16(start, this.#little);
    this.#describe({ name, linkType, snapLength: view.getUint32(start + 4, this.#little) });
  }

  #describe(described: CapturedInterface): void {
    this.interfaces.push(described);
    this.sink.interface(this.interfaces.length - 1, described);
  }

  #packet(bytes: Uint8Array, view: DataView, block: number, type: number, start: number, end: number): void {
    if (end - start < 20) throw this.#corrupt(block, 'packet block too short');
    const little = this.#little;
    const index = type === ENHANCED_PACKET ? view.getUint32(start, little) : view.getUint16(start, little);
    const clock = this.#clocks[index];
    if (!clock) throw this.#corrupt(block, `packet of interface ${index}, which the section does not describe`);
    const length = view.getUint32(start + 12, little);
    const data = start + 20;
    if (length > end - data) throw this.#corrupt(block, `captured length ${length} is longer than the block`);
    let comment: string | undefined;
    const options = data + padded(length);
    if (end - options >= 4) {
      this.#options(bytes, view, block, options, end, (code, value) => {
        if (code !== OPT_COMMENT || !this.comments) return;
        const text = decodeText(value);
        comment = comment === undefined ? text : `${comment}\n${text}`;
      });
    }
    this.frames++;
    this.sink.frame(
      this.#sectionStart + index,
      clock,
      view.getUint32(start + 4, little),
      view.getUint32(start + 8, little),
      bytes,
      data,
      data + length,
      view.getUint32(start + 16, little),
      comment,
    );
  }

  #simplePacket(bytes: Uint8Array, view: DataView, block: number, start: number, end: number): void {
    const described = this.interfaces[this.#sectionStart];
    if (!described) throw this.#corrupt(block, 'simple packet in a section without an interface');
    if (end - start < 4) throw this.#corrupt(block, 'simple packet block too short');
    const originalLength = view.getUint32(start, this.#little);
    const limit = described.snapLength === 0 ? originalLength : Math.min(originalLength, described.snapLength);
    if (limit > end - start - 4) throw this.#corrupt(block, `packet length ${limit} is longer than the block`);
    this.frames++;
    const data = start + 4;
    this.sink.frame(this.#sectionStart, undefined, 0, 0, bytes, data, data + limit, originalLength, undefined);
  }

  #readClassicHeader(view: DataView, { little, unitNs }: ClassicFormat): void {
    this.#format = 'classic';
    this.#little = little;
    const major = view.getUint16(4, little);
    if (major !== 2) throw new Unreadable('unsupported', 4, `pcap version ${major}.${view.getUint16(6, little)}`);
    const snapLength = view.getUint32(16, little);
    this.#clocks = [StampClock.ofSeconds(unitNs)];
    this.#longest = Math.max(snapLength, MAX_SNAP_LENGTH);
    // The upper bits tell of a frame check sequence.
    this.#describe({ name: undefined, linkType: view.getUint32(20, little) & 0xffff, snapLength });
  }

  #classic(bytes: Uint8Array, view: DataView, from: number, size: number, last: boolean): number {
    const little = this.#little;
    const [clock] = this.#clocks;
    let at = from;
    while (at < size) {
      const left = size - at;
      if (left >= 16) {
        const length = view.getUint32(at + 8, little);
        if (length > this.#longest || length > MAX_BLOCK_LENGTH)
          throw this.#corrupt(at, `impossible captured length ${length}`);
        if (length <= left - 16) {
          const data = at + 16;
          const high = view.getUint32(at, little);
          const low = view.getUint32(at + 4, little);
          this.frames++;
          const originalLength = view.getUint32(at + 12, little);
          this.sink.frame(0, clock, high, low, bytes, data, data + length, originalLength, undefined);
          at = data + length;
          continue;
        }
      }
      if (last) throw this.#truncated(at, 'a record');
      return at;
    }
    return at;
  }
}

function notACapture(length: number, magic: number): Unreadable {
  if (length === 0) return new Unreadable('not-a-capture', 0, 'the file is empty');
  if (magic === 0xa1b2cd34 || magic === 0x34cdb2a1)
    return new Unreadable('unsupported', 0, "Kuznetzov's modified pcap format");
  if (magic >>> 16 === 0x1f8b) return new Unreadable('unsupported', 0, 'compressed by gzip; decompress it first');
  return new Unreadable('not-a-capture', 0, 'neither pcapng nor pcap: no known magic number');
}

const decoder = new TextDecoder();

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
