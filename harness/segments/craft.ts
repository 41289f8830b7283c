/** Frames that no well-behaved stack sends, from a plain description: by the project's own builders here, by scapy from the same description (bridge.py). */
import { parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { buildIpv4Frame, buildTcpFrame, buildUdpFrame } from '../../reference-impl/wire/build.js';
import { checksum } from '../../reference-impl/wire/checksum.js';
import { ETHERNET_HEADER_LENGTH } from '../../reference-impl/wire/ethernet.js';
import { IpProtocol } from '../../reference-impl/wire/ipv4.js';
import { readU8, readU16, writeU16 } from '../../reference-impl/wire/octets.js';
import type { TcpOption } from '../../reference-impl/wire/tcp.js';
import type { ScapyBuild, ScapyTcpOption } from '../scapy/bridge.js';

/** A packet, and what is done to it before it leaves. */
export type Craft = ScapyBuild & {
  /** The TCP data offset field in 32-bit words; the checksum fits it. */
  readonly dataOffset?: number;
  /** Pieces of what lies behind the IP header; `garble` turns bit 5 of each of their bytes. */
  readonly fragments?: readonly { readonly at: number; readonly length: number; readonly garble?: boolean }[];
  readonly wrong?: 'ip-checksum' | 'tcp-checksum';
  readonly padding?: number;
  readonly vlan?: number;
  readonly etherType?: number;
  readonly cutTo?: number;
};

/** What a wrong checksum differs by. */
const WRONG = 0x5555;
const GARBLE = 0x20;
const IP_CHECKSUM = ETHERNET_HEADER_LENGTH + 10;

/** The frames, one for each fragment where there are any. Throws a RangeError for what has no room, as the builders do. */
export function craft(item: Craft): Uint8Array[] {
  const whole = build(item);
  const start = ETHERNET_HEADER_LENGTH + (readU8(whole, ETHERNET_HEADER_LENGTH) & 15) * 4;
  if (item.dataOffset !== undefined) {
    whole[start + 12] = (readU8(whole, start + 12) & 0x0f) | (item.dataOffset << 4);
    // The sum over a segment in which one octet changed (RFC 1624 would do; this is plainer).
    writeU16(whole, start + 16, 0);
    writeU16(whole, start + 16, tcpChecksum(whole, start));
  }
  if (item.wrong === 'tcp-checksum') writeU16(whole, start + 16, readU16(whole, start + 16) ^ WRONG);
  const frames = item.fragments === undefined ? [whole] : fragments(item, whole.subarray(start));
  return frames.map((frame) => {
    if (item.wrong === 'ip-checksum') writeU16(frame, IP_CHECKSUM, readU16(frame, IP_CHECKSUM) ^ WRONG);
    const linked = onLink(frame, item);
    return item.cutTo === undefined ? linked : linked.slice(0, item.cutTo);
  });
}

const PADDING = 0xa5;
const VLAN_TAG = 0x8100;

/** As the link layer has it: tagged, under another type, filled up. */
function onLink(frame: Uint8Array, { vlan, etherType, padding = 0 }: Craft): Uint8Array {
  const header = Buffer.from(frame.subarray(0, ETHERNET_HEADER_LENGTH));
  if (etherType !== undefined) header.writeUInt16BE(etherType, 12);
  const tag = Buffer.alloc(vlan === undefined ? 0 : 4);
  if (vlan !== undefined) {
    tag.writeUInt16BE(VLAN_TAG, 0);
    tag.writeUInt16BE(vlan, 2);
  }
  const rest = [frame.subarray(ETHERNET_HEADER_LENGTH), Buffer.alloc(padding, PADDING)];
  return Uint8Array.from(Buffer.concat([header.subarray(0, 12), tag, header.subarray(12), ...rest]));
}

function tcpChecksum(bytes: Uint8Array, start: number): number {
  const ip = ETHERNET_HEADER_LENGTH;
  let sum = IpProtocol.TCP + bytes.length - start;
  for (let at = ip + 12; at < ip + 20; at += 2) sum += readU16(bytes, at);
  return checksum(bytes, start, bytes.length, sum);
}

function build(item: Craft): Uint8Array {
  const { ethernet, ipv4, tcp, udp } = item;
  if (ipv4 === undefined) throw new RangeError('a crafted frame is an IPv4 packet');
  const link = { dst: mac(ethernet.dst), src: mac(ethernet.src) };
  const ip = {
    src: address(ipv4.src),
    dst: address(ipv4.dst),
    ttl: ipv4.ttl,
    id: ipv4.id,
    tos: ipv4.tos,
    dontFragment: ipv4.dontFragment,
    options: bytes(ipv4.options),
  };
  if (tcp !== undefined)
    return buildTcpFrame({
      ethernet: link,
      ipv4: ip,
      tcp: { ...tcp, options: tcp.options.map(option), payload: bytes(tcp.payload) },
    });
  if (udp !== undefined)
    return buildUdpFrame({ ethernet: link, ipv4: ip, udp: { ...udp, payload: bytes(udp.payload) } });
  return buildIpv4Frame({
    ethernet: link,
    ipv4: { ...ip, protocol: ipv4.protocol, moreFragments: ipv4.moreFragments, fragmentOffset: ipv4.fragmentOffset },
    payload: bytes(item.payload ?? ''),
  });
}

function fragments(item: Craft, behind: Uint8Array): Uint8Array[] {
  const { ethernet, ipv4, fragments: pieces = [] } = item;
  if (ipv4 === undefined) return [];
  return pieces.map(({ at, length, garble = false }) => {
    const payload = behind.slice(at, at + length);
    if (garble) for (let i = 0; i < payload.length; i++) payload[i] = readU8(payload, i) ^ GARBLE;
    return buildIpv4Frame({
      ethernet: { dst: mac(ethernet.dst), src: mac(ethernet.src) },
      ipv4: {
        src: address(ipv4.src),
        dst: address(ipv4.dst),
        ttl: ipv4.ttl,
        id: ipv4.id,
        tos: ipv4.tos,
        options: bytes(ipv4.options),
        protocol: ipv4.protocol,
        dontFragment: false,
        moreFragments: at + length < behind.length,
        fragmentOffset: at,
      },
      payload,
    });
  });
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function address(text: string): number {
  const parsed = parseIpv4Address(text);
  if (parsed === undefined) throw new RangeError(`not an IPv4 address: ${text}`);
  return parsed;
}

function mac(text: string): number {
  const parsed = parseMacAddress(text);
  if (parsed === undefined) throw new RangeError(`not a MAC address: ${text}`);
  return parsed;
}

function option(described: ScapyTcpOption): TcpOption {
  switch (described.kind) {
    case 'unknown':
      return { kind: 'unknown', code: described.code, data: bytes(described.data) };
    case 'malformed':
      return { kind: 'malformed', bytes: bytes(described.bytes) };
    case 'sack-permitted':
    case 'nop':
    case 'end':
      return { kind: described.kind };
    default:
      return described;
  }
}
