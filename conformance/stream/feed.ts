/** The frames of one capture file to the flows they belong to, with as little work for each as can be. */
import type { StampClock } from '../../harness/capture/blocks.js';
import type { CapturedInterface, FrameSink } from '../../harness/capture/parser.js';
import { readU32, readU48 } from '../../reference-impl/wire/octets.js';
import { decodeFrame, type Hosts, type Segment } from '../flows/decode.js';
import { asEthernet, LinkType } from '../flows/link.js';
import { VantageFinder, vantageByMac } from '../flows/vantage.js';
import type { FlowTable } from './flow-table.js';
import { Place } from './frames.js';

/** What all files of a run share. */
export interface FeedContext {
  readonly hosts: Hosts;
  /** By number. */
  readonly vantages: readonly string[];
  readonly table: FlowTable;
  /** Names of clients, made once. */
  readonly names: Map<number, string>;
  /** Epoch nanoseconds of time 0; set by the first frame. */
  origin: bigint | undefined;
  readonly seen: Set<string>;
  readonly notes: Set<string>;
}

interface Interface {
  readonly linkType: number;
  /** -1: ignored; -2: told by MAC address. */
  readonly vantage: number;
}

const IGNORED = -1;
const BY_MAC = -2;
/** Stamps that are whole multiples of so much are coarse. */
const COARSE_NS = 1e6;
/** So far apart frames of one stamp are put. */
const APART_NS = 1000;
const IPV4 = 0x0800;
const TCP = 6;

export class CaptureFeed implements FrameSink {
  readonly #described: CapturedInterface[] = [];
  #interfaces: Interface[] = [];
  readonly #finder: VantageFinder;
  readonly #macs: readonly (ReadonlySet<number> | undefined)[];
  readonly #logicalIp: number;
  readonly #port: number;
  /** Nanoseconds by which this file's clock is ahead. */
  shift = 0;
  /** What its stamps are whole multiples of, nanoseconds. */
  tick = 1;
  #stamp = Number.NaN;
  #spread = 0;
  /** Frames so far, those left out counted. */
  number = 0;
  /** Nothing more comes. */
  done = false;
  /** The latest time stamp of this file. */
  last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly context: FeedContext,
    readonly name: string,
    private readonly file: number,
    given: string | undefined,
  ) {
    const { hosts, vantages, notes } = context;
    this.#finder = new VantageFinder(hosts, given, (text) => notes.add(`${name}: ${text}`));
    this.#macs = vantages.map((vantage) => hosts.macs.get(vantage));
    this.#logicalIp = hosts.logicalIp;
    this.#port = hosts.logicalPort;
  }

  interface(index: number, described: CapturedInterface): void {
    this.#described[index] = described;
    this.#finder.add(index, described);
    this.#interfaces = [];
    for (const vantage of this.#finder.vantages) this.context.seen.add(vantage);
  }

  #interfaceOf(index: number): Interface {
    const known = this.#interfaces[index];
    if (known !== undefined) return known;
    const place = this.#finder.place(index);
    const vantage =
      place === undefined ? IGNORED : 'byMac' in place ? BY_MAC : this.context.vantages.indexOf(place.vantage);
    const made = { linkType: this.#described[index]?.linkType ?? 0, vantage };
    this.#interfaces[index] = made;
    return made;
  }

  frame(
    index: number,
    clock: StampClock | undefined,
    high: number,
    low: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const number = ++this.number;
    const { linkType, vantage } = this.#interfaceOf(index);
    if (vantage === IGNORED) return;
    const { context } = this;
    if (context.origin === undefined) context.origin = clock?.ns(high, low) ?? 0n;
    let t = (clock === undefined ? -Number(context.origin) : clock.since(context.origin, high, low)) - this.shift;
    if (this.tick >= COARSE_NS) {
      // Where many frames have one stamp, the file's order is theirs.
      const stamp = t;
      t = stamp === this.#stamp ? this.#spread + Math.min(APART_NS, this.tick / 1e6) : stamp;
      this.#stamp = stamp;
      this.#spread = t;
    }
    if (t > this.last) this.last = t;
    if (linkType !== LinkType.ETHERNET) {
      const own = vantage < 0 ? undefined : this.#macs[vantage];
      const ethernet = asEthernet(linkType, bytes.subarray(start, end), own);
      if (ethernet !== undefined) this.#slow(vantage, t, number, ethernet);
      return;
    }
    let type = start + 12;
    let etherType = ((bytes[type] ?? 0) << 8) | (bytes[type + 1] ?? 0);
    while ((etherType === 0x8100 || etherType === 0x88a8) && type + 6 <= end) {
      type += 4;
      etherType = ((bytes[type] ?? 0) << 8) | (bytes[type + 1] ?? 0);
    }
    if (etherType !== IPV4) return;
    const ip = type + 2;
    const total = ((bytes[ip + 2] ?? 0) << 8) | (bytes[ip + 3] ?? 0);
    const plain =
      vantage >= 0 &&
      total >= 40 &&
      ip + total <= end &&
      bytes[ip] === 0x45 &&
      bytes[ip + 9] === TCP &&
      ((bytes[ip + 6] ?? 0) & 0x3f) === 0 &&
      bytes[ip + 7] === 0;
    const header = plain ? ((bytes[ip + 32] ?? 0) >>> 4) * 4 : 0;
    if (header < 20 || header > total - 20) {
      this.#slow(vantage, t, number, bytes.slice(start, end));
      return;
    }
    const { hosts } = context;
    const src = readU32(bytes, ip + 12);
    const dst = readU32(bytes, ip + 16);
    const fromServer = src === this.#logicalIp || hosts.serverNames.has(src);
    const toServer = dst === this.#logicalIp || hosts.serverNames.has(dst);
    const srcPort = ((bytes[ip + 20] ?? 0) << 8) | (bytes[ip + 21] ?? 0);
    const dstPort = ((bytes[ip + 22] ?? 0) << 8) | (bytes[ip + 23] ?? 0);
    if (fromServer === toServer || (toServer ? dstPort : srcPort) !== this.#port) {
      this.#slow(vantage, t, number, bytes.slice(start, end));
      return;
    }
    // Whose frame it is, as `decodeFrame` tells it.
    const own = this.#macs[vantage];
    let sent = (vantage === 0) === toServer;
    if (own !== undefined) {
      const srcMac = readU48(bytes, start + 6);
      const dstMac = readU48(bytes, start);
      if (srcMac !== dstMac && own.has(srcMac)) sent = true;
      else if (srcMac !== dstMac && (own.has(dstMac) || srcMac === hosts.fabricMac)) sent = false;
    }
    const place = vantage | (sent ? Place.SENT : 0) | (toServer ? Place.TO_SERVER : 0);
    context.table.add(
      toServer ? src : dst,
      toServer ? srcPort : dstPort,
      t,
      number,
      this.file,
      place,
      bytes,
      start,
      end,
      ip - start,
      bytes[ip + 33] ?? 0,
      readU32(bytes, ip + 24),
      toServer,
      false,
    );
  }

  /** What is no plain segment, read in full. */
  #slow(vantage: number, t: number, number: number, bytes: Uint8Array): void {
    const { hosts, vantages, names, table, seen } = this.context;
    const name = vantage >= 0 ? vantages[vantage] : vantageByMac(hosts, readU48(bytes, 6), readU48(bytes, 0));
    if (name === undefined) return;
    seen.add(name);
    const frame = decodeFrame(bytes, { capture: this.name, number, file: this.file, vantage: name, t }, hosts, names);
    if (frame === undefined) return;
    if (!('towards' in frame)) {
      table.others.push(frame);
      return;
    }
    const { tcp, src, dst, flags, seq } = frame as Segment;
    const toServer = frame.towards === 'server';
    const sent = frame.direction === 'sent';
    table.add(
      toServer ? src : dst,
      toServer ? tcp.srcPort : tcp.dstPort,
      t,
      number,
      this.file,
      vantages.indexOf(name) | (sent ? Place.SENT : 0) | (toServer ? Place.TO_SERVER : 0),
      bytes,
      0,
      bytes.length,
      frame.ipv4.offset,
      flags,
      seq,
      toServer,
      true,
    );
  }
}
