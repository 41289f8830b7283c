/** What stands below IP in a capture: link types brought to the one that the codecs know, Ethernet. */
import type { MacAddress } from '../../reference-impl/wire/addresses.js';
import { writeU16, writeU48 } from '../../reference-impl/wire/octets.js';

/** Numbers of the registry of link types (draft-ietf-opsawg-pcaplinktype). */
export const LinkType = {
  NULL: 0,
  ETHERNET: 1,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  LINUX_SLL2: 276,
} as const;

/** A MAC address that a capture does not show. */
export const NO_MAC: MacAddress = 0;

const ETHERTYPE_IPV4 = 0x0800;
const SENT_BY_US = 4;

/** Where the next layer begins and what it is; undefined where the bytes end before it. */
interface Below {
  readonly etherType: number;
  readonly payload: number;
  readonly src: MacAddress;
  /** By this host; undefined where the link does not tell. */
  readonly sent: boolean | undefined;
}

export function isKnownLink(linkType: number): boolean {
  return Object.values<number>(LinkType).includes(linkType);
}

/**
 * The frame as Ethernet, whatever the link type; what its link did not show is `NO_MAC`. `hosts`: the MAC addresses of the hosts at this
 * vantage; one alone stands for "us" in a cooked capture. Undefined where too little was captured.
 */
export function asEthernet(
  linkType: number,
  bytes: Uint8Array,
  hosts: ReadonlySet<MacAddress> | undefined,
): Uint8Array | undefined {
  if (linkType === LinkType.ETHERNET) return bytes;
  const below = headerOf(linkType, bytes);
  if (below === undefined) return undefined;
  const [own] = hosts?.size === 1 ? hosts : [];
  const payload = bytes.subarray(below.payload);
  const frame = new Uint8Array(14 + payload.length);
  writeU48(frame, 0, below.sent === false ? (own ?? NO_MAC) : NO_MAC);
  writeU48(frame, 6, below.sent === true ? (own ?? NO_MAC) : below.src);
  writeU16(frame, 12, below.etherType);
  frame.set(payload, 14);
  return frame;
}

function headerOf(linkType: number, bytes: Uint8Array): Below | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const raw = (payload: number): Below => ({ etherType: ETHERTYPE_IPV4, payload, src: NO_MAC, sent: undefined });
  switch (linkType) {
    case LinkType.RAW:
    case LinkType.RAW_BSD:
    case LinkType.RAW_OPENBSD:
    case LinkType.IPV4:
      return raw(0);
    case LinkType.NULL:
    case LinkType.LOOP:
      // The address family, 2 for IPv4, in the byte order of whoever captured.
      if (bytes.length < 4) return undefined;
      return view.getUint32(0) === 2 || view.getUint32(0, true) === 2 ? raw(4) : undefined;
    case LinkType.LINUX_SLL:
      if (bytes.length < 16) return undefined;
      return cooked(view.getUint16(14), 16, view.getUint16(0), view.getUint16(4), bytes.subarray(6, 12));
    case LinkType.LINUX_SLL2:
      if (bytes.length < 20) return undefined;
      return cooked(view.getUint16(0), 20, view.getUint8(10), view.getUint8(11), bytes.subarray(12, 18));
    default:
      return undefined;
  }
}

function cooked(etherType: number, payload: number, type: number, length: number, address: Uint8Array): Below {
  let src = NO_MAC;
  if (length === 6) for (const byte of address) src = src * 256 + byte;
  return { etherType, payload, src, sent: type === SENT_BY_US };
}
