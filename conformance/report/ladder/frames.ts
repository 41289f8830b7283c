/** Frames of captures in the words of a ladder: between which columns each was seen, and whose conversation it belongs to. */
import type { CapturedFrame } from '../../../harness/capture/pcapng.js';
import type { Topology } from '../../../harness/topology.js';
import { formatIpv4Address, parseIpv4Address, parseMacAddress } from '../../../reference-impl/wire/addresses.js';
import { type FrameView, parseFrame } from '../../../reference-impl/wire/frame.js';
import type { Ipv4View } from '../../../reference-impl/wire/ipv4.js';
import type { TcpView } from '../../../reference-impl/wire/tcp.js';

/** A TCP segment between a client and the logical port, at whichever address that port shows here. */
export interface SeenSegment {
  readonly tcp: TcpView;
  readonly ipv4: Ipv4View;
  readonly towards: 'server' | 'client';
}

export interface SeenFrame {
  readonly file: number;
  readonly number: number;
  /** Since the Unix epoch. */
  readonly timestampNs: bigint;
  readonly vantage: string;
  readonly from: string;
  readonly to: string;
  /** `address:port` of the client for a segment; else the two addresses, or what there is. */
  readonly conversation: string;
  /** Wireshark's display filter of the conversation. */
  readonly filter: string;
  readonly segment: SeenSegment | undefined;
  /** Undefined where there is not even an Ethernet header. */
  readonly view: FrameView | undefined;
}

export const SWITCH = 'switch';

/** Who is where, read once from a topology. */
export class Places {
  readonly #servers: ReadonlyMap<string, string>;
  readonly #macs: ReadonlyMap<string, number>;
  readonly #port: number;

  constructor(topology: Topology) {
    const { logical, controller, backends, clients } = topology;
    this.#port = logical.port;
    this.#servers = new Map([
      [logical.ip, 'logical'],
      [controller.ip, 'controller'],
      ...backends.map(({ ip, name }): [string, string] => [ip, name]),
    ]);
    const hosts: [string, string | undefined][] = [
      ['controller', controller.mac],
      ...backends.map(({ name, mac }): [string, string | undefined] => [name, mac]),
      ['client', clients?.length === 1 ? clients[0]?.mac : undefined],
    ];
    this.#macs = new Map(
      hosts.flatMap(([name, mac]) => (mac === undefined ? [] : [[name, parseMacAddress(mac) ?? -1] as const])),
    );
  }

  /** `logical`, `controller`, a backend's name; undefined for an address of none of them. */
  serverAt(ip: number): string | undefined {
    return this.#servers.get(formatIpv4Address(ip));
  }

  addressOf(server: string): number | undefined {
    for (const [ip, name] of this.#servers) if (name === server) return parseIpv4Address(ip);
    return undefined;
  }

  /** Total: a frame of any bytes has a place. */
  see(frame: CapturedFrame, vantage: string, file: number, number: number): SeenFrame {
    const parsed = parseFrame(frame.bytes);
    const view = parsed.ok ? parsed.value : undefined;
    const segment = view && this.#segmentOf(view);
    const sent = view !== undefined && this.#isSent(view, vantage, segment);
    return {
      file,
      number,
      timestampNs: frame.timestampNs,
      vantage,
      from: sent ? vantage : SWITCH,
      to: sent ? SWITCH : vantage,
      ...conversationOf(view, segment, number),
      segment,
      view,
    };
  }

  #segmentOf({ ipv4, tcp }: FrameView): SeenSegment | undefined {
    if (ipv4 === undefined || tcp === undefined || ipv4.isFragment) return undefined;
    const from = this.serverAt(ipv4.src) !== undefined;
    const to = this.serverAt(ipv4.dst) !== undefined;
    if (from === to) return undefined;
    if (to) return tcp.dstPort === this.#port ? { ipv4, tcp, towards: 'server' } : undefined;
    return tcp.srcPort === this.#port ? { ipv4, tcp, towards: 'client' } : undefined;
  }

  /** By the vantage's host, whose MAC address tells; else by which side of the connection it is on. */
  #isSent({ ethernet, ipv4 }: FrameView, vantage: string, segment: SeenSegment | undefined): boolean {
    const own = this.#macs.get(vantage);
    if (own !== undefined && ethernet.src !== ethernet.dst) {
      if (ethernet.src === own) return true;
      if (ethernet.dst === own) return false;
    }
    if (segment !== undefined) return (vantage === 'client') === (segment.towards === 'server');
    if (ipv4 === undefined) return false;
    const source = this.serverAt(ipv4.src);
    return source === undefined ? vantage === 'client' : source === vantage;
  }
}

function conversationOf(
  view: FrameView | undefined,
  segment: SeenSegment | undefined,
  number: number,
): Pick<SeenFrame, 'conversation' | 'filter'> {
  if (segment !== undefined) {
    const { ipv4, tcp, towards } = segment;
    const ip = formatIpv4Address(towards === 'server' ? ipv4.src : ipv4.dst);
    const port = towards === 'server' ? tcp.srcPort : tcp.dstPort;
    return { conversation: `${ip}:${port}`, filter: `ip.addr == ${ip} && tcp.port == ${port}` };
  }
  if (view?.ipv4 !== undefined) {
    const [a, b] = [view.ipv4.src, view.ipv4.dst].sort((x, y) => x - y).map(formatIpv4Address);
    return { conversation: `${a} and ${b}`, filter: `ip.addr == ${a} && ip.addr == ${b}` };
  }
  if (view?.arp !== undefined) return { conversation: 'ARP', filter: 'arp' };
  return { conversation: `frame ${number}`, filter: `frame.number == ${number}` };
}
