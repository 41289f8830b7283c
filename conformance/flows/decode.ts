/** Capture files to frames: what each vantage saw, when, and whether its host sent it or got it. */
import { readCapture } from '../../harness/capture/pcapng.js';
import type { Topology } from '../../harness/topology.js';
import {
  formatIpv4Address,
  type Ipv4Address,
  type MacAddress,
  parseIpv4Address,
  parseMacAddress,
} from '../../reference-impl/wire/addresses.js';
import { pseudoHeaderSum, sum16 } from '../../reference-impl/wire/checksum.js';
import { type FrameView, parseFrame } from '../../reference-impl/wire/frame.js';
import { IpProtocol, type Ipv4View } from '../../reference-impl/wire/ipv4.js';
import { readU48 } from '../../reference-impl/wire/octets.js';
import type { Seq } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpOption, type TcpView } from '../../reference-impl/wire/tcp.js';
import { asEthernet } from './link.js';
import { VantageFinder, vantageByMac } from './vantage.js';

export interface CaptureInput {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** For a file that does not name its interfaces: the vantage of all its frames. */
  readonly vantage?: string;
}

/**
 * - `valid`: the IP and TCP checksums are right.
 * - `partial`: the TCP checksum holds the pseudo-header's sum only, as a host with checksum offload hands it to its card.
 * - `wrong`: one of them is wrong.
 * - `unknown`: too little was captured to say.
 */
export type Checksums = 'valid' | 'partial' | 'wrong' | 'unknown';

/** An IPv4 packet as one vantage saw it. */
export interface Frame {
  readonly capture: string;
  /** Counted over the whole file from 1. */
  readonly number: number;
  /** Which input file. */
  readonly file: number;
  readonly vantage: string;
  /** Nanoseconds since the earliest frame of all captures. */
  t: number;
  /** By the vantage's host, or delivered to it. */
  readonly direction: 'sent' | 'arrived';
  readonly view: FrameView;
  readonly ipv4: Ipv4View;
  readonly srcMac: MacAddress;
  readonly dstMac: MacAddress;
  readonly src: Ipv4Address;
  readonly dst: Ipv4Address;
  readonly checksums: Checksums;
}

/** A TCP segment between a client and the logical port, at whichever address that port shows here. */
export interface Segment extends Frame {
  readonly tcp: TcpView;
  readonly towards: 'server' | 'client';
  /** `address:port` of the client. */
  readonly client: string;
  /** The address at the server's end as seen here: logical, the controller's or a backend's. */
  readonly serverIp: Ipv4Address;
  readonly seq: Seq;
  readonly ack: Seq;
  /** Of `TcpFlag`. */
  readonly flags: number;
  /** The 16-bit field. */
  readonly window: number;
  readonly payload: Uint8Array;
  /** Payload bytes on the wire; `payload` is shorter when the capture cut the frame. */
  readonly length: number;
  /** Where `seq` lies in its sender's byte stream, 0 being the first byte behind the SYN; NaN while the connection's start is unknown. */
  offset: number;
  /** Where `ack` lies in the other stream; NaN without ACK flag or start. */
  acked: number;
  /** False where no receiver takes it, whatever its checksums; true until it is known. */
  acceptable: boolean;
}

export interface Hosts {
  readonly logicalIp: Ipv4Address;
  readonly logicalPort: number;
  readonly fabricMac: MacAddress | undefined;
  readonly controllerIp: Ipv4Address;
  /** Backend addresses by name. */
  readonly backends: ReadonlyMap<string, { readonly ip: Ipv4Address; readonly mac: MacAddress | undefined }>;
  /** The MAC of the host at each vantage, where the topology tells it. */
  readonly macs: ReadonlyMap<string, ReadonlySet<MacAddress>>;
  /** Addresses of controller and backends, by address. */
  readonly serverNames: ReadonlyMap<Ipv4Address, string>;
}

export interface Decoded {
  readonly segments: readonly Segment[];
  /** IPv4 packets that are no client segment. */
  readonly others: readonly Frame[];
  /** Vantages that are in the captures, whether they saw anything or not. */
  readonly vantages: ReadonlySet<string>;
  readonly notes: readonly string[];
  /** Epoch nanoseconds of `t` = 0. */
  readonly origin: bigint;
}

export type DecodeOutcome =
  | { readonly ok: true; readonly decoded: Decoded }
  | { readonly ok: false; readonly error: string };

export function isFlagged(segment: { readonly flags: number }, flag: keyof typeof TcpFlag): boolean {
  return (segment.flags & TcpFlag[flag]) !== 0;
}

/** The offset behind the segment's last byte, its FIN counted as one. */
export function endOf(segment: Segment): number {
  return segment.offset + segment.length + (isFlagged(segment, 'FIN') ? 1 : 0) + (isFlagged(segment, 'SYN') ? 1 : 0);
}

export function optionOf<K extends TcpOption['kind']>(
  segment: Segment,
  kind: K,
): Extract<TcpOption, { kind: K }> | undefined {
  return segment.tcp.options.find((option): option is Extract<TcpOption, { kind: K }> => option.kind === kind);
}

function address(text: string): Ipv4Address {
  return parseIpv4Address(text) ?? 0;
}

function mac(text: string | undefined): MacAddress | undefined {
  return text === undefined ? undefined : parseMacAddress(text.toLowerCase());
}

export function hostsOf(topology: Topology): Hosts {
  const backends = new Map(topology.backends.map((b) => [b.name, { ip: address(b.ip), mac: mac(b.mac) }]));
  const macs = new Map<string, Set<MacAddress>>();
  const learn = (vantage: string, text: string | undefined): void => {
    const value = mac(text);
    if (value !== undefined) macs.set(vantage, (macs.get(vantage) ?? new Set()).add(value));
  };
  learn('controller', topology.controller.mac);
  for (const backend of topology.backends) learn(backend.name, backend.mac);
  // Unless all are known, one that is not could be anybody's.
  if (topology.clients?.every((client) => client.mac !== undefined))
    for (const client of topology.clients) learn('client', client.mac);
  const controllerIp = address(topology.controller.ip);
  return {
    logicalIp: address(topology.logical.ip),
    logicalPort: topology.logical.port,
    fabricMac: mac(topology.logical.mac),
    controllerIp,
    backends,
    macs,
    serverNames: new Map([
      [controllerIp, 'controller'],
      ...[...backends].map(([name, { ip }]): [Ipv4Address, string] => [ip, name]),
    ]),
  };
}

/** Total: any bytes give frames or one line that says which file cannot be read and why. */
export function decodeCaptures(captures: readonly CaptureInput[], topology: Topology): DecodeOutcome {
  const hosts = hostsOf(topology);
  const vantages = new Set<string>();
  const notes = new Set<string>();
  const read: { file: number; input: CaptureInput; number: number; vantage: string; at: bigint; bytes: Uint8Array }[] =
    [];
  let origin: bigint | undefined;
  for (const [file, input] of captures.entries()) {
    const capture = readCapture(input.bytes);
    if (!capture.ok) {
      const { reason, offset, detail } = capture.error;
      return { ok: false, error: `${input.name}: ${reason} at byte ${offset}: ${detail}` };
    }
    const finder = new VantageFinder(hosts, input.vantage, (text) => notes.add(`${input.name}: ${text}`));
    for (const [index, described] of capture.interfaces.entries()) finder.add(index, described);
    finder.place(0);
    for (const vantage of finder.vantages) vantages.add(vantage);
    for (const [index, frame] of capture.frames.entries()) {
      const place = finder.place(frame.interfaceIndex);
      if (place === undefined) continue;
      const linkType = capture.interfaces[frame.interfaceIndex]?.linkType ?? 0;
      const own = 'vantage' in place ? hosts.macs.get(place.vantage) : undefined;
      const bytes = asEthernet(linkType, frame.bytes, own);
      if (bytes === undefined) continue;
      const vantage = 'vantage' in place ? place.vantage : vantageByMac(hosts, readU48(bytes, 6), readU48(bytes, 0));
      if (vantage === undefined) continue;
      vantages.add(vantage);
      if (origin === undefined || frame.timestampNs < origin) origin = frame.timestampNs;
      read.push({ file, input, number: index + 1, vantage, at: frame.timestampNs, bytes });
    }
  }
  if (vantages.size === 0) return { ok: false, error: noVantage(hosts, [...notes]) };
  const zero = origin ?? 0n;
  const segments: Segment[] = [];
  const others: Frame[] = [];
  const names = new Map<number, string>();
  for (const { file, input, number, vantage, at, bytes } of read) {
    const frame = decodeFrame(
      bytes,
      { capture: input.name, number, file, vantage, t: Number(at - zero) },
      hosts,
      names,
    );
    if (frame === undefined) continue;
    if ('towards' in frame) segments.push(frame);
    else others.push(frame);
  }
  return { ok: true, decoded: { segments, others, vantages, notes: [...notes], origin: zero } };
}

/** Why captures cannot be judged at all. */
export function noVantage(hosts: Hosts, notes: readonly string[]): string {
  const known = [...VantageFinder.known(hosts)].join(', ');
  return `no capture has an interface named ${known}${notes.length > 0 ? ` (${notes[0]})` : ''}`;
}

/** An Ethernet frame as a vantage saw it; undefined where it holds no IPv4, or its TCP header was cut off and may have been anybody's. */
export function decodeFrame(
  bytes: Uint8Array,
  place: Place,
  hosts: Hosts,
  names: Map<number, string>,
): Frame | Segment | undefined {
  const parsed = parseFrame(bytes);
  if (!parsed.ok || parsed.value.ipv4 === undefined) return undefined;
  const frame = dissect(parsed.value, parsed.value.ipv4, place, hosts, names);
  return 'towards' in frame || parsed.value.error?.layer !== 'tcp' ? frame : undefined;
}

export type Place = Pick<Frame, 'capture' | 'number' | 'file' | 'vantage' | 't'>;

/** Written out field by field: spreading objects here costs more than all the parsing. */
function dissect(
  view: FrameView,
  ipv4: Ipv4View,
  place: Place,
  hosts: Hosts,
  names: Map<number, string>,
): Frame | Segment {
  const { tcp } = view;
  const { src, dst } = ipv4;
  const srcMac = view.ethernet.src;
  const dstMac = view.ethernet.dst;
  const own = hosts.macs.get(place.vantage);
  const byMac =
    own === undefined || srcMac === dstMac
      ? undefined
      : own.has(srcMac)
        ? 'sent'
        : own.has(dstMac)
          ? 'arrived'
          : // Others' frames, seen on a flooded or promiscuous link, are not this host's.
            srcMac === hosts.fabricMac
            ? 'arrived'
            : undefined;
  const fromServer = src === hosts.logicalIp || hosts.serverNames.has(src);
  const toServer = dst === hosts.logicalIp || hosts.serverNames.has(dst);
  const towards =
    tcp === undefined || ipv4.isFragment || fromServer === toServer
      ? undefined
      : toServer && tcp.dstPort === hosts.logicalPort
        ? 'server'
        : fromServer && tcp.srcPort === hosts.logicalPort
          ? 'client'
          : undefined;
  if (tcp === undefined || towards === undefined) {
    const name = hosts.serverNames.get(src) ?? (fromServer ? 'controller' : 'client');
    return {
      capture: place.capture,
      number: place.number,
      file: place.file,
      vantage: place.vantage,
      t: place.t,
      direction: byMac ?? (name === place.vantage ? 'sent' : 'arrived'),
      view,
      ipv4,
      srcMac,
      dstMac,
      src,
      dst,
      checksums: checksumsOf(ipv4, tcp),
    };
  }
  const byRole = (place.vantage === 'client') === (towards === 'server') ? 'sent' : 'arrived';
  return {
    capture: place.capture,
    number: place.number,
    file: place.file,
    vantage: place.vantage,
    t: place.t,
    direction: byMac ?? byRole,
    view,
    ipv4,
    srcMac,
    dstMac,
    src,
    dst,
    checksums: checksumsOf(ipv4, tcp),
    tcp,
    towards,
    client: clientName(names, towards === 'server' ? src : dst, towards === 'server' ? tcp.srcPort : tcp.dstPort),
    serverIp: towards === 'server' ? dst : src,
    seq: tcp.seq,
    ack: tcp.ack,
    flags: tcp.flags,
    window: tcp.window,
    payload: tcp.payload,
    length: tcp.payloadLength,
    offset: Number.NaN,
    acked: Number.NaN,
    acceptable: true,
  };
}

/** Each client's name is made once: most frames belong to few clients. */
function clientName(names: Map<number, string>, ip: Ipv4Address, port: number): string {
  const key = ip * 65536 + port;
  let name = names.get(key);
  if (name === undefined) {
    name = `${formatIpv4Address(ip)}:${port}`;
    names.set(key, name);
  }
  return name;
}

function checksumsOf(ipv4: Ipv4View, tcp: TcpView | undefined): Checksums {
  if (!ipv4.checksumValid()) return 'wrong';
  if (tcp === undefined) return 'valid';
  if (!tcp.complete || ipv4.isFragment) return 'unknown';
  const pseudo = pseudoHeaderSum(ipv4.src, ipv4.dst, IpProtocol.TCP, tcp.length);
  if (sum16(tcp.bytes, tcp.offset, tcp.offset + tcp.length, pseudo) === 0xffff) return 'valid';
  const withoutLength = pseudoHeaderSum(ipv4.src, ipv4.dst, IpProtocol.TCP, 0);
  return tcp.checksum === pseudo || tcp.checksum === withoutLength ? 'partial' : 'wrong';
}
