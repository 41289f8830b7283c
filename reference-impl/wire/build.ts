/** Whole frames from their fields, with correct lengths and checksums. Fields wrap to their width; what has no room throws a RangeError. */
import type { Ipv4Address, MacAddress } from './addresses.js';
import { ARP_LENGTH } from './arp.js';
import { checksum, pseudoHeaderSum } from './checksum.js';
import { ETHERNET_HEADER_LENGTH, EtherType } from './ethernet.js';
import { IPV4_HEADER_LENGTH, IpProtocol } from './ipv4.js';
import { writeU16, writeU32, writeU48 } from './octets.js';
import type { Seq } from './seq.js';
import { TCP_HEADER_LENGTH, type TcpOption, TcpOptionCode } from './tcp.js';
import { UDP_HEADER_LENGTH } from './udp.js';

const MAX_OPTIONS_LENGTH = 40;
const EMPTY = new Uint8Array(0);

export interface EthernetFields {
  readonly dst: MacAddress;
  readonly src: MacAddress;
}

export interface Ipv4Fields {
  readonly src: Ipv4Address;
  readonly dst: Ipv4Address;
  /** 64 by default. */
  readonly ttl?: number;
  readonly id?: number;
  /** True by default, but for fragments. */
  readonly dontFragment?: boolean;
  readonly tos?: number;
  /** Padded with zeros to a multiple of four, up to 40 bytes. */
  readonly options?: Uint8Array;
}

export interface Ipv4PacketFields extends Ipv4Fields {
  readonly protocol: number;
  readonly moreFragments?: boolean;
  /** In bytes, a multiple of eight. */
  readonly fragmentOffset?: number;
}

export interface TcpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: Seq;
  readonly ack?: Seq;
  /** Of `TcpFlag`. */
  readonly flags: number;
  /** The 16-bit field, not scaled. */
  readonly window: number;
  readonly urgentPointer?: number;
  /** Padded with END to a multiple of four, up to 40 bytes. */
  readonly options?: readonly TcpOption[];
  readonly payload?: Uint8Array;
}

export interface UdpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly payload?: Uint8Array;
}

export interface ArpFields {
  /** Of `ArpOperation`. */
  readonly operation: number;
  readonly senderMac: MacAddress;
  readonly senderIp: Ipv4Address;
  readonly targetMac: MacAddress;
  readonly targetIp: Ipv4Address;
}

export function buildTcpFrame(fields: { ethernet: EthernetFields; ipv4: Ipv4Fields; tcp: TcpFields }): Uint8Array {
  const { ipv4, tcp } = fields;
  const options = tcp.options ? encodeTcpOptions(tcp.options) : EMPTY;
  const payload = tcp.payload ?? EMPTY;
  const headerLength = TCP_HEADER_LENGTH + options.length;
  const { bytes, offset } = startIpv4Frame(
    fields.ethernet,
    { ...ipv4, protocol: IpProtocol.TCP },
    headerLength + payload.length,
  );
  writeU16(bytes, offset, tcp.srcPort);
  writeU16(bytes, offset + 2, tcp.dstPort);
  writeU32(bytes, offset + 4, tcp.seq);
  writeU32(bytes, offset + 8, tcp.ack ?? 0);
  bytes[offset + 12] = (headerLength / 4) << 4;
  bytes[offset + 13] = tcp.flags;
  writeU16(bytes, offset + 14, tcp.window);
  writeU16(bytes, offset + 18, tcp.urgentPointer ?? 0);
  bytes.set(options, offset + TCP_HEADER_LENGTH);
  bytes.set(payload, offset + headerLength);
  const pseudoHeader = pseudoHeaderSum(ipv4.src, ipv4.dst, IpProtocol.TCP, headerLength + payload.length);
  writeU16(bytes, offset + 16, checksum(bytes, offset, bytes.length, pseudoHeader));
  return bytes;
}

export function buildUdpFrame(fields: { ethernet: EthernetFields; ipv4: Ipv4Fields; udp: UdpFields }): Uint8Array {
  const { ipv4, udp } = fields;
  const payload = udp.payload ?? EMPTY;
  const length = UDP_HEADER_LENGTH + payload.length;
  const { bytes, offset } = startIpv4Frame(fields.ethernet, { ...ipv4, protocol: IpProtocol.UDP }, length);
  writeU16(bytes, offset, udp.srcPort);
  writeU16(bytes, offset + 2, udp.dstPort);
  writeU16(bytes, offset + 4, length);
  bytes.set(payload, offset + UDP_HEADER_LENGTH);
  const pseudoHeader = pseudoHeaderSum(ipv4.src, ipv4.dst, IpProtocol.UDP, length);
  // 0 would say that there is no checksum (RFC 768).
  writeU16(bytes, offset + 6, checksum(bytes, offset, bytes.length, pseudoHeader) || 0xffff);
  return bytes;
}

/** Any protocol, and fragments of any. */
export function buildIpv4Frame(fields: {
  ethernet: EthernetFields;
  ipv4: Ipv4PacketFields;
  payload: Uint8Array;
}): Uint8Array {
  const { bytes, offset } = startIpv4Frame(fields.ethernet, fields.ipv4, fields.payload.length);
  bytes.set(fields.payload, offset);
  return bytes;
}

export function buildArpFrame(fields: { ethernet: EthernetFields; arp: ArpFields }): Uint8Array {
  const { arp } = fields;
  const bytes = startFrame(fields.ethernet, EtherType.ARP, ARP_LENGTH);
  const offset = ETHERNET_HEADER_LENGTH;
  writeU16(bytes, offset, 1);
  writeU16(bytes, offset + 2, EtherType.IPV4);
  bytes[offset + 4] = 6;
  bytes[offset + 5] = 4;
  writeU16(bytes, offset + 6, arp.operation);
  writeU48(bytes, offset + 8, arp.senderMac);
  writeU32(bytes, offset + 14, arp.senderIp);
  writeU48(bytes, offset + 18, arp.targetMac);
  writeU32(bytes, offset + 24, arp.targetIp);
  return bytes;
}

function startFrame(ethernet: EthernetFields, etherType: number, payloadLength: number): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_HEADER_LENGTH + payloadLength);
  writeU48(bytes, 0, ethernet.dst);
  writeU48(bytes, 6, ethernet.src);
  writeU16(bytes, 12, etherType);
  return bytes;
}

/** Everything up to the IP payload, which begins at `offset`. */
function startIpv4Frame(
  ethernet: EthernetFields,
  ipv4: Ipv4PacketFields,
  payloadLength: number,
): { bytes: Uint8Array; offset: number } {
  const options = ipv4.options ?? EMPTY;
  if (options.length > MAX_OPTIONS_LENGTH)
    throw new RangeError(`${options.length} bytes of IPv4 options, at most 40 fit`);
  const headerLength = IPV4_HEADER_LENGTH + Math.ceil(options.length / 4) * 4;
  const totalLength = headerLength + payloadLength;
  if (totalLength > 0xffff) throw new RangeError(`${totalLength} bytes do not fit in an IPv4 packet`);
  const fragmentOffset = ipv4.fragmentOffset ?? 0;
  if (fragmentOffset % 8 !== 0 || fragmentOffset > 0xfff8)
    throw new RangeError(`${fragmentOffset} is no fragment offset`);
  const moreFragments = ipv4.moreFragments ?? false;
  const dontFragment = ipv4.dontFragment ?? !(moreFragments || fragmentOffset > 0);

  const bytes = startFrame(ethernet, EtherType.IPV4, totalLength);
  const start = ETHERNET_HEADER_LENGTH;
  const offset = start + headerLength;
  bytes[start] = 0x40 | (headerLength / 4);
  bytes[start + 1] = ipv4.tos ?? 0;
  writeU16(bytes, start + 2, totalLength);
  writeU16(bytes, start + 4, ipv4.id ?? 0);
  writeU16(bytes, start + 6, (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0) | (fragmentOffset / 8));
  bytes[start + 8] = ipv4.ttl ?? 64;
  bytes[start + 9] = ipv4.protocol;
  writeU32(bytes, start + 12, ipv4.src);
  writeU32(bytes, start + 16, ipv4.dst);
  bytes.set(options, start + IPV4_HEADER_LENGTH);
  writeU16(bytes, start + 10, checksum(bytes, start, offset));
  return { bytes, offset };
}

/** Padded with END to a multiple of four. Throws a RangeError above 40 bytes. */
export function encodeTcpOptions(options: readonly TcpOption[]): Uint8Array {
  const encoded = options.map(encodeTcpOption);
  const length = encoded.reduce((sum, option) => sum + option.length, 0);
  if (length > MAX_OPTIONS_LENGTH) throw new RangeError(`${length} bytes of TCP options, at most 40 fit`);
  const bytes = new Uint8Array(Math.ceil(length / 4) * 4);
  let at = 0;
  for (const option of encoded) {
    bytes.set(option, at);
    at += option.length;
  }
  return bytes;
}

function encodeTcpOption(option: TcpOption): Uint8Array {
  switch (option.kind) {
    case 'mss': {
      const bytes = Uint8Array.of(TcpOptionCode.MSS, 4, 0, 0);
      writeU16(bytes, 2, option.value);
      return bytes;
    }
    case 'window-scale':
      return Uint8Array.of(TcpOptionCode.WINDOW_SCALE, 3, option.shift);
    case 'sack-permitted':
      return Uint8Array.of(TcpOptionCode.SACK_PERMITTED, 2);
    case 'sack': {
      const bytes = new Uint8Array(2 + 8 * option.blocks.length);
      bytes[0] = TcpOptionCode.SACK;
      bytes[1] = bytes.length;
      option.blocks.forEach((block, i) => {
        writeU32(bytes, 2 + 8 * i, block.left);
        writeU32(bytes, 6 + 8 * i, block.right);
      });
      return bytes;
    }
    case 'timestamps': {
      const bytes = new Uint8Array(10);
      bytes[0] = TcpOptionCode.TIMESTAMPS;
      bytes[1] = bytes.length;
      writeU32(bytes, 2, option.value);
      writeU32(bytes, 6, option.echo);
      return bytes;
    }
    case 'nop':
      return Uint8Array.of(TcpOptionCode.NOP);
    case 'end':
      return Uint8Array.of(TcpOptionCode.END);
    case 'unknown':
      return Uint8Array.of(option.code, 2 + option.data.length, ...option.data);
    case 'malformed':
      return option.bytes;
  }
}
