/** A whole Ethernet frame, dissected as far as it goes. */
import { ArpView, parseArp } from './arp.js';
import type { Parsed, WireError } from './errors.js';
import { EthernetView, EtherType, parseEthernet } from './ethernet.js';
import { IpProtocol, Ipv4View, parseIpv4 } from './ipv4.js';
import { parseTcp, TcpView } from './tcp.js';
import { parseUdp, UdpView } from './udp.js';

/** Views of one byte array; they stay true when the bytes are patched in place (but for TCP options that were decoded before). */
export interface FrameView {
  readonly bytes: Uint8Array;
  readonly ethernet: EthernetView;
  readonly arp: ArpView | undefined;
  readonly ipv4: Ipv4View | undefined;
  /** Absent in a fragment that is not the first. */
  readonly tcp: TcpView | undefined;
  /** Absent in a fragment that is not the first. */
  readonly udp: UdpView | undefined;
  /** Why the layer above the last view did not parse; undefined also for protocols that nobody here knows. */
  readonly error: WireError | undefined;
}

/** Reads without copying. An error means that there is not even an Ethernet header; errors above are the view's `error`. */
export function parseFrame(bytes: Uint8Array): Parsed<FrameView> {
  const parsedEthernet = parseEthernet(bytes);
  if (!parsedEthernet.ok) return parsedEthernet;
  const ethernet = parsedEthernet.value;
  let arp: ArpView | undefined;
  let ipv4: Ipv4View | undefined;
  let tcp: TcpView | undefined;
  let udp: UdpView | undefined;
  let error: WireError | undefined;
  if (ethernet.etherType === EtherType.ARP) {
    const parsed = parseArp(bytes, ethernet.payloadOffset);
    if (parsed.ok) arp = parsed.value;
    else error = parsed.error;
  } else if (ethernet.etherType === EtherType.IPV4) {
    const parsed = parseIpv4(bytes, ethernet.payloadOffset);
    if (parsed.ok) ipv4 = parsed.value;
    else error = parsed.error;
  }
  if (ipv4 !== undefined && ipv4.fragmentOffset === 0) {
    const length = ipv4.totalLength - ipv4.headerLength;
    if (ipv4.protocol === IpProtocol.TCP) {
      const parsed = parseTcp(bytes, ipv4.payloadOffset, length);
      if (parsed.ok) tcp = parsed.value;
      else error = parsed.error;
    } else if (ipv4.protocol === IpProtocol.UDP) {
      const parsed = parseUdp(bytes, ipv4.payloadOffset, length, ipv4.moreFragments);
      if (parsed.ok) udp = parsed.value;
      else error = parsed.error;
    }
  }
  return { ok: true, value: { bytes, ethernet, arp, ipv4, tcp, udp, error } };
}

/** The same views over a copy of the bytes, to be patched. */
export function copyFrame(frame: FrameView): FrameView {
  const bytes = frame.bytes.slice();
  const { ethernet, arp, ipv4, tcp, udp } = frame;
  return {
    bytes,
    ethernet: new EthernetView(bytes, ethernet.etherType, ethernet.vlanTags, ethernet.payloadOffset),
    arp: arp && new ArpView(bytes, arp.offset),
    ipv4: ipv4 && new Ipv4View(bytes, ipv4.offset),
    tcp: tcp && new TcpView(bytes, tcp.offset, tcp.length),
    udp: udp && new UdpView(bytes, udp.offset, udp.end),
    error: frame.error,
  };
}
