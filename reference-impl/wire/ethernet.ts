/** Ethernet II with VLAN tags (IEEE 802.3, 802.1Q). */
import type { MacAddress } from './addresses.js';
import { type Parsed, wireError } from './errors.js';
import { readU16, readU48 } from './octets.js';

export const EtherType = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, SERVICE_VLAN: 0x88a8 } as const;

export const ETHERNET_HEADER_LENGTH = 14;

const UNTAGGED: readonly number[] = [];

function isVlan(etherType: number): boolean {
  return etherType === EtherType.VLAN || etherType === EtherType.SERVICE_VLAN;
}

export class EthernetView {
  constructor(
    readonly bytes: Uint8Array,
    /** Behind the VLAN tags. Below 0x0600 it is an IEEE 802.3 length. */
    readonly etherType: number,
    /** The 16-bit tag control information of each tag, outermost first. */
    readonly vlanTags: readonly number[],
    readonly payloadOffset: number,
  ) {}

  get dst(): MacAddress {
    return readU48(this.bytes, 0);
  }

  get src(): MacAddress {
    return readU48(this.bytes, 6);
  }
}

export function parseEthernet(bytes: Uint8Array): Parsed<EthernetView> {
  if (bytes.length < ETHERNET_HEADER_LENGTH) {
    return wireError('ethernet', 'truncated', `${bytes.length} bytes are less than an Ethernet header`);
  }
  let etherType = readU16(bytes, 12);
  let payloadOffset = ETHERNET_HEADER_LENGTH;
  if (!isVlan(etherType)) return { ok: true, value: new EthernetView(bytes, etherType, UNTAGGED, payloadOffset) };
  const vlanTags: number[] = [];
  while (isVlan(etherType)) {
    if (bytes.length < payloadOffset + 4) return wireError('ethernet', 'truncated', 'the frame ends inside a VLAN tag');
    vlanTags.push(readU16(bytes, payloadOffset));
    etherType = readU16(bytes, payloadOffset + 2);
    payloadOffset += 4;
  }
  return { ok: true, value: new EthernetView(bytes, etherType, vlanTags, payloadOffset) };
}
