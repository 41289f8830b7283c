/** UDP datagrams (RFC 768). */
import { pseudoHeaderSum, sum16 } from './checksum.js';
import { type Parsed, wireError } from './errors.js';
import { IpProtocol, type Ipv4View } from './ipv4.js';
import { readU16 } from './octets.js';

export const UDP_HEADER_LENGTH = 8;

export class UdpView {
  constructor(
    readonly bytes: Uint8Array,
    readonly offset: number,
    /** Behind the last captured byte of IP payload. */
    readonly end: number,
  ) {}

  get srcPort(): number {
    return readU16(this.bytes, this.offset);
  }

  get dstPort(): number {
    return readU16(this.bytes, this.offset + 2);
  }

  /** Header and payload in bytes, as the header says. */
  get length(): number {
    return readU16(this.bytes, this.offset + 4);
  }

  /** 0: the sender made none. */
  get checksum(): number {
    return readU16(this.bytes, this.offset + 6);
  }

  /** The captured part of the payload. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.offset + UDP_HEADER_LENGTH, Math.min(this.end, this.offset + this.length));
  }

  /** By the UDP length, even where fewer bytes were captured. */
  get payloadLength(): number {
    return this.length - UDP_HEADER_LENGTH;
  }

  /** Whether every byte was captured, so that the checksum can be judged. */
  get complete(): boolean {
    return this.offset + this.length <= this.end;
  }

  /** True where the sender made none; false also for what cannot be judged: an incomplete capture or a fragment. */
  checksumValid(ip: Ipv4View): boolean {
    if (this.checksum === 0) return true;
    if (!this.complete || ip.isFragment) return false;
    const pseudoHeader = pseudoHeaderSum(ip.src, ip.dst, IpProtocol.UDP, this.length);
    return sum16(this.bytes, this.offset, this.offset + this.length, pseudoHeader) === 0xffff;
  }
}

/** `available`: bytes of IP payload; `fragment`: whether more fragments follow, so that the datagram is longer than that. */
export function parseUdp(bytes: Uint8Array, offset: number, available: number, fragment: boolean): Parsed<UdpView> {
  if (available < UDP_HEADER_LENGTH) return wireError('udp', 'length', `${available} bytes are less than a UDP header`);
  const end = Math.min(bytes.length, offset + available);
  const captured = end - offset;
  if (captured < UDP_HEADER_LENGTH)
    return wireError('udp', 'truncated', `${captured} bytes are less than a UDP header`);
  const view = new UdpView(bytes, offset, end);
  if (view.length < UDP_HEADER_LENGTH) return wireError('udp', 'length', `a length of ${view.length}`);
  if (!fragment && view.length > available) {
    return wireError('udp', 'length', `a length of ${view.length} in ${available} bytes of IP payload`);
  }
  return { ok: true, value: view };
}
