/**
 * Whether a topology describes the network that captures were taken of. Where an address of it is in no frame and another takes its place,
 * nobody has broken a clause: the topology is wrong, or something stands between that it does not tell of.
 */
import type { Topology } from '../../harness/topology.js';
import { formatIpv4Address, formatMacAddress, type MacAddress } from '../../reference-impl/wire/addresses.js';
import { type Frame, type Hosts, hostsOf } from './decode.js';
import { NO_MAC } from './link.js';

export type FitOutcome =
  | {
      readonly ok: true;
      /** Without the MAC addresses that no frame shows. */
      readonly topology: Topology;
      /** Vantages that routers of somebody else may stand before. */
      readonly distant: ReadonlySet<string>;
      readonly notes: readonly string[];
    }
  /** One line: which frames contradict the topology. */
  | { readonly ok: false; readonly error: string };

/** `frames`: those of the beginning of every file, in any order. */
export function fitTopology(frames: readonly Frame[], topology: Topology): FitOutcome {
  const hosts = hostsOf(topology);
  const error = otherBackend(frames, hosts) ?? otherService(frames, hosts);
  if (error !== undefined) return { ok: false, error: `the topology does not fit the captures: ${error}` };
  return fitMacs(frames, topology, hosts);
}

const named = ({ number, capture }: Frame): string => `frame ${number} of ${capture}`;
const place = (ip: number, port: number): string => `${formatIpv4Address(ip)}:${port}`;

/** A backend's link on which that backend has another address. */
function otherBackend(frames: readonly Frame[], hosts: Hosts): string | undefined {
  for (const [name, { ip, mac }] of hosts.backends) {
    const own = frames.filter(({ vantage }) => vantage === name);
    if (own.some(({ src, dst }) => src === ip || dst === ip)) continue;
    const speaks = own.find(
      ({ view, src, srcMac }) =>
        view.tcp?.srcPort === hosts.logicalPort &&
        src !== hosts.logicalIp &&
        src !== hosts.controllerIp &&
        (mac === undefined || srcMac === NO_MAC || srcMac === mac),
    );
    const heard = speaks && own.find(({ view, dst }) => dst === speaks.src && view.tcp?.dstPort === hosts.logicalPort);
    if (speaks === undefined || heard === undefined) continue;
    return `${name} speaks from ${place(speaks.src, hosts.logicalPort)} in ${named(speaks)} and is spoken to there in ${named(heard)}; the topology's ${formatIpv4Address(ip)} is on its link in no frame`;
  }
  return undefined;
}

/** Connections that are handed off, but of another address or port than the topology's, which no frame shows. */
function otherService(frames: readonly Frame[], hosts: Hosts): string | undefined {
  const { logicalIp, logicalPort } = hosts;
  const asked = new Map<string, Frame>();
  let anyIp = false;
  for (const frame of frames) {
    const { tcp } = frame.view;
    if (tcp === undefined) continue;
    const there = frame.dst === logicalIp ? tcp.dstPort : frame.src === logicalIp ? tcp.srcPort : undefined;
    if (there === logicalPort) return undefined;
    anyIp ||= there !== undefined;
    const own = frame.dst === logicalIp || (!hosts.serverNames.has(frame.dst) && tcp.dstPort === logicalPort);
    if (frame.vantage === 'client' && own) {
      const key = `${place(frame.src, tcp.srcPort)}>${tcp.dstPort}`;
      if (!asked.has(key)) asked.set(key, frame);
    }
  }
  for (const frame of frames) {
    const { tcp } = frame.view;
    if (tcp === undefined || frame.vantage === 'client') continue;
    const first = asked.get(`${place(frame.src, tcp.srcPort)}>${tcp.dstPort}`);
    if (first === undefined) continue;
    // Another port of the logical address is somebody else's business, unless it is handed off.
    if (frame.dst === logicalIp || (first.dst === logicalIp && !hosts.serverNames.has(frame.dst))) continue;
    if (anyIp && first.dst !== logicalIp) continue;
    return `the client speaks to ${place(first.dst, first.view.tcp?.dstPort ?? 0)} in ${named(first)}, and that reaches ${frame.vantage} in ${named(frame)}; the topology's ${place(logicalIp, logicalPort)} is in no frame`;
  }
  return undefined;
}

/** MAC addresses of one vantage's frames, by how often; what the link does not show left out. */
function macsAt(frames: readonly Frame[], vantage: string): Map<MacAddress, Frame> {
  const seen = new Map<MacAddress, Frame>();
  for (const frame of frames) {
    if (frame.vantage !== vantage) continue;
    for (const mac of [frame.srcMac, frame.dstMac]) if (mac !== NO_MAC && !seen.has(mac)) seen.set(mac, frame);
  }
  return seen;
}

function fitMacs(frames: readonly Frame[], topology: Topology, hosts: Hosts): FitOutcome {
  const distant = new Set<string>();
  const notes: string[] = [];
  const text = formatMacAddress;
  const atClient = macsAt(frames, 'client');
  const { fabricMac } = hosts;
  const foreign = fabricMac !== undefined && atClient.size > 0 && !atClient.has(fabricMac);
  if (fabricMac !== undefined && foreign) {
    const own = hosts.macs.get('client');
    const other = [...atClient].find(([mac]) => own?.has(mac) !== true);
    const seen = other === undefined ? '' : `; ${named(other[1])} has ${text(other[0])} in its place`;
    notes.push(
      `the topology's logical.mac ${text(fabricMac)} is in no frame at client${seen}: a router stands between, or the topology is wrong; MAC addresses at client were not judged`,
    );
    distant.add('client');
  }
  const strangers = new Set<string>();
  for (const [vantage, macs] of hosts.macs) {
    const seen = macsAt(frames, vantage);
    if (seen.size > 0 && ![...macs].some((mac) => seen.has(mac))) {
      strangers.add(vantage);
      if (vantage === 'client') distant.add(vantage);
      else
        notes.push(
          `the topology's MAC address of ${vantage} is in no frame on its link: a router stands between, or the topology is wrong; it was not judged`,
        );
    }
  }
  for (const vantage of ['client', 'controller', ...hosts.backends.keys()]) {
    const seen = macsAt(frames, vantage);
    // Raw IP shows none, and the fabric may have another address on each of its links: what then is lowered on the whole way tells.
    if (fabricMac !== undefined && !seen.has(fabricMac)) distant.add(vantage);
  }
  const { logical, controller, backends, clients } = topology;
  const bare = <T extends { readonly mac?: string | undefined }>(host: T): T => {
    const { mac: _, ...rest } = host;
    return rest as T;
  };
  return {
    ok: true,
    notes,
    distant,
    topology: {
      ...topology,
      logical: foreign ? bare(logical) : logical,
      controller: strangers.has('controller') ? bare(controller) : controller,
      backends: backends.map((one) => (strangers.has(one.name) ? bare(one) : one)),
      ...(clients && { clients: strangers.has('client') ? clients.map(bare) : clients }),
    },
  };
}
