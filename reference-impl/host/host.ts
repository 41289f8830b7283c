/** A host's lowest floors: which frames are for it, ARP, checksums on the way in, addresses on the way out. */
import type { Segment } from '../tcp/segment.js';
import { BROADCAST_MAC, type Ipv4Address, type MacAddress } from '../wire/addresses.js';
import { ArpOperation } from '../wire/arp.js';
import { buildArpFrame, buildTcpFrame } from '../wire/build.js';
import { parseFrame } from '../wire/frame.js';
import type { TcpView } from '../wire/tcp.js';

export interface HostAddresses {
  readonly mac: MacAddress;
  /** Next hop for everything. */
  readonly gatewayMac: MacAddress;
  /** What it answers ARP for and takes segments to. */
  readonly ips: readonly Ipv4Address[];
}

export type HostInput =
  | { readonly kind: 'segment'; readonly src: Ipv4Address; readonly dst: Ipv4Address; readonly tcp: TcpView }
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'ignored'; readonly reason: string };

/** Sorts one received frame; total. A segment handed on has valid checksums and is whole. */
export function receiveFrame(host: HostAddresses, bytes: Uint8Array): HostInput {
  const parsed = parseFrame(bytes);
  if (!parsed.ok) return ignored(parsed.error.reason);
  const { ethernet, arp, ipv4, tcp } = parsed.value;
  if (ethernet.dst !== host.mac && ethernet.dst !== BROADCAST_MAC) return ignored('not our MAC address');
  if (arp !== undefined) {
    if (arp.operation !== ArpOperation.REQUEST || !host.ips.includes(arp.targetIp)) return ignored('ARP not for us');
    return {
      kind: 'reply',
      bytes: buildArpFrame({
        ethernet: { dst: arp.senderMac, src: host.mac },
        arp: {
          operation: ArpOperation.REPLY,
          senderMac: host.mac,
          senderIp: arp.targetIp,
          targetMac: arp.senderMac,
          targetIp: arp.senderIp,
        },
      }),
    };
  }
  if (ipv4 === undefined) return ignored('not IPv4');
  if (!host.ips.includes(ipv4.dst)) return ignored('not our IP address');
  if (!ipv4.checksumValid()) return ignored('bad IP checksum');
  if (ipv4.isFragment) return ignored('fragment');
  if (tcp === undefined) return ignored(parsed.value.error?.reason ?? 'not TCP');
  if (ipv4.truncated) return ignored('truncated');
  if (!tcp.checksumValid(ipv4)) return ignored('bad TCP checksum');
  return { kind: 'segment', src: ipv4.src, dst: ipv4.dst, tcp };
}

function ignored(reason: string): HostInput {
  return { kind: 'ignored', reason };
}

/** The frame that carries `segment` to the gateway; `id` is the IP identification, modulo 2^16. */
export function segmentFrame(
  host: HostAddresses,
  route: {
    readonly src: Ipv4Address;
    readonly srcPort: number;
    readonly dst: Ipv4Address;
    readonly dstPort: number;
    readonly id: number;
  },
  segment: Segment,
): Uint8Array {
  return buildTcpFrame({
    ethernet: { dst: host.gatewayMac, src: host.mac },
    ipv4: { src: route.src, dst: route.dst, id: route.id & 0xffff },
    tcp: {
      srcPort: route.srcPort,
      dstPort: route.dstPort,
      seq: segment.seq,
      ack: segment.ack,
      flags: segment.flags,
      window: segment.window,
      options: segment.options,
      payload: segment.payload,
    },
  });
}
