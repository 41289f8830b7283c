/** ARP for IPv4 over Ethernet (RFC 826). */
import type { Ipv4Address, MacAddress } from './addresses.js';
import { type Parsed, wireError } from './errors.js';
import { readU8, readU16, readU32, readU48 } from './octets.js';

export const ArpOperation = { REQUEST: 1, REPLY: 2 } as const;

export const ARP_LENGTH = 28;

export class ArpView {
  constructor(
    readonly bytes: Uint8Array,
    readonly offset: number,
  ) {}

  /** `ArpOperation`, or any other 16-bit number. */
  get operation(): number {
    return readU16(this.bytes, this.offset + 6);
  }

  get senderMac(): MacAddress {
    return readU48(this.bytes, this.offset + 8);
  }

  get senderIp(): Ipv4Address {
    return readU32(this.bytes, this.offset + 14);
  }

  get targetMac(): MacAddress {
    return readU48(this.bytes, this.offset + 18);
  }

  get targetIp(): Ipv4Address {
    return readU32(this.bytes, this.offset + 24);
  }
}

export function parseArp(bytes: Uint8Array, offset: number): Parsed<ArpView> {
  if (bytes.length < offset + ARP_LENGTH) {
    return wireError('arp', 'truncated', `${bytes.length - offset} bytes are less than an ARP packet`);
  }
  const ethernet = readU16(bytes, offset) === 1 && readU8(bytes, offset + 4) === 6;
  const ipv4 = readU16(bytes, offset + 2) === 0x0800 && readU8(bytes, offset + 5) === 4;
  if (!ethernet || !ipv4) return wireError('arp', 'address-type', 'not for IPv4 over Ethernet');
  return { ok: true, value: new ArpView(bytes, offset) };
}
