/** IPv4 headers with options and fragments (RFC 791). */
import type { Ipv4Address } from './addresses.js';
import { sum16 } from './checksum.js';
import { type Parsed, wireError } from './errors.js';
import { readU8, readU16, readU32 } from './octets.js';

export const IpProtocol = { ICMP: 1, TCP: 6, UDP: 17 } as const;

export const IPV4_HEADER_LENGTH = 20;

export class Ipv4View {
  constructor(
    readonly bytes: Uint8Array,
    readonly offset: number,
  ) {}

  /** In bytes, 20 to 60. */
  get headerLength(): number {
    return (readU8(this.bytes, this.offset) & 15) * 4;
  }

  get tos(): number {
    return readU8(this.bytes, this.offset + 1);
  }

  /** Header and payload in bytes, as the header says. */
  get totalLength(): number {
    return readU16(this.bytes, this.offset + 2);
  }

  get id(): number {
    return readU16(this.bytes, this.offset + 4);
  }

  get dontFragment(): boolean {
    return (readU8(this.bytes, this.offset + 6) & 0x40) !== 0;
  }

  get moreFragments(): boolean {
    return (readU8(this.bytes, this.offset + 6) & 0x20) !== 0;
  }

  /** In bytes. */
  get fragmentOffset(): number {
    return (readU16(this.bytes, this.offset + 6) & 0x1fff) * 8;
  }

  /** Any fragment, the first one included. */
  get isFragment(): boolean {
    return (readU16(this.bytes, this.offset + 6) & 0x3fff) !== 0;
  }

  get ttl(): number {
    return readU8(this.bytes, this.offset + 8);
  }

  get protocol(): number {
    return readU8(this.bytes, this.offset + 9);
  }

  get checksum(): number {
    return readU16(this.bytes, this.offset + 10);
  }

  get src(): Ipv4Address {
    return readU32(this.bytes, this.offset + 12);
  }

  get dst(): Ipv4Address {
    return readU32(this.bytes, this.offset + 16);
  }

  /** The undecoded options with their padding. */
  get options(): Uint8Array {
    return this.bytes.subarray(this.offset + IPV4_HEADER_LENGTH, this.payloadOffset);
  }

  get payloadOffset(): number {
    return this.offset + this.headerLength;
  }

  /** Behind the last payload byte that was captured; Ethernet padding lies behind it. */
  get payloadEnd(): number {
    return Math.min(this.bytes.length, this.offset + this.totalLength);
  }

  /** Whether less than `totalLength` was captured. */
  get truncated(): boolean {
    return this.bytes.length < this.offset + this.totalLength;
  }

  checksumValid(): boolean {
    return sum16(this.bytes, this.offset, this.payloadOffset) === 0xffff;
  }
}

/** A header that is whole and consistent; its checksum may be wrong and its payload incomplete. */
export function parseIpv4(bytes: Uint8Array, offset: number): Parsed<Ipv4View> {
  const captured = bytes.length - offset;
  if (captured < IPV4_HEADER_LENGTH)
    return wireError('ipv4', 'truncated', `${captured} bytes are less than an IPv4 header`);
  const version = readU8(bytes, offset) >>> 4;
  if (version !== 4) return wireError('ipv4', 'version', `version ${version}`);
  const view = new Ipv4View(bytes, offset);
  const { headerLength, totalLength } = view;
  if (headerLength < IPV4_HEADER_LENGTH) return wireError('ipv4', 'header-length', `a header of ${headerLength} bytes`);
  if (totalLength < headerLength) {
    return wireError('ipv4', 'length', `a total length of ${totalLength} with a header of ${headerLength} bytes`);
  }
  if (captured < headerLength) {
    return wireError('ipv4', 'truncated', `${captured} bytes of a header of ${headerLength}`);
  }
  return { ok: true, value: view };
}
