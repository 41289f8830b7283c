/**
 * The network of a Linux world: anonymous namespaces joined by veth pairs. No namespace has a name; each lives as long as the process
 * that holds it, and its interfaces with it, so that runs cannot collide and nothing can be left behind.
 */
import { writeFileSync } from 'node:fs';
import type { Topology } from '../topology.js';
import { type StackProfile, WorldError } from '../world.js';
import { applyProfile, routeOptions } from './client-profile.js';
import { inNamespace, setOffloads } from './libc.js';
import { Attendant, enter } from './processes.js';

/** Where a control peer of the controller listens, and the controller's own address on that link. */
export interface ControlLink {
  readonly peer: string;
  readonly controllerAddress: string;
  readonly peerAddress: string;
  readonly port: number;
}

export interface Network {
  /** Holder process of each namespace: `client`, `switch`, `controller`, `backend0`, ... */
  readonly holders: ReadonlyMap<string, Attendant>;
  /** Ports of the switch, which are its interfaces' names and the vantages. */
  readonly vantages: readonly string[];
  readonly control: readonly ControlLink[];
}

/** What a network is besides its topology. */
export interface NetworkPlan {
  /** A namespace `wire` lies between the hosts and the switch; the vantages are its interfaces that face the hosts. */
  readonly wire: boolean;
  /** Roles whose kernel speaks for them: it gets addresses, routes and neighbours. */
  readonly kernels: ReadonlySet<string>;
  /** How the client's kernel is set. */
  readonly profile?: StackProfile;
}

const WIRE = 'wire';

/** The interface in the namespace `wire` that faces the switch, on the link of that vantage. */
export function fabricSide(vantage: string): string {
  return `sw-${vantage}`;
}

const CONTROL_PORT = 7400;

/**
 * With offloads the client's kernel leaves checksums and segmentation to its card, and the card's work has to be done before the link that
 * is captured. A bridge in a namespace of its own is that card: its outer port has no offloads, so the kernel does the work in software.
 */
const NIC = 'client-card';
const NIC_INNER = 'inner';
const NIC_OUTER = 'outer';

/** First address of the host's /24: the switch's on that link. */
export function gatewayOf(address: string): string {
  return address.replace(/\d+$/, '1');
}

function pidOf(holders: ReadonlyMap<string, Attendant>, name: string): number {
  const holder = holders.get(name);
  if (!holder) throw new WorldError(`there is no namespace ${name}`);
  return holder.pid;
}

/** A new namespace makes no frames of its own: no IPv6 (router solicitations, duplicate address detection) and no forwarding. */
function quieten(pid: number, forwards: boolean): void {
  inNamespace(pid, () => {
    for (const [file, value] of [
      ['ipv6/conf/all/disable_ipv6', '1'],
      ['ipv6/conf/default/disable_ipv6', '1'],
      ['ipv4/ip_forward', forwards ? '1' : '0'],
      // Addresses of the fabric are on several links, and what comes back may come another way.
      ['ipv4/conf/all/rp_filter', '0'],
      ['ipv4/conf/default/rp_filter', '0'],
    ] as const)
      try {
        writeFileSync(`/proc/sys/net/${file}`, value);
      } catch {
        // No IPv6 in this kernel, or /proc/sys read-only in a container; links have no IPv6 address of their own anyhow (addrgenmode none).
      }
  });
}

async function runIp(
  commands: readonly string[],
  pid: number | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const batch = ['ip', '-batch', '-'];
  const ip = new Attendant(
    'ip',
    ['sh', '-c', '"$@" && echo done', 'sh', ...(pid === undefined ? batch : enter(pid, batch))],
    environment,
  );
  ip.finishInput(`${commands.join('\n')}\n`);
  if ((await ip.line(10_000)) !== 'done') throw new WorldError('ip -batch said something unexpected');
}

/** Addresses, route and neighbour of a host whose kernel speaks; the controller's has the logical address too. `mtu`: words of `ip link`, or none. */
function kernelHost(topology: Topology, name: string, mtu: string): string[] {
  const own = name === 'controller' ? topology.controller : topology.backends.find((b) => b.name === name);
  if (!own) throw new WorldError(`there is no host ${name}`);
  const gateway = gatewayOf(own.ip);
  return [
    `link set dev link ${mtu}addrgenmode none up`,
    `address add ${own.ip}/24 dev link`,
    ...(name === 'controller' ? [`address add ${topology.logical.ip}/32 dev link`] : []),
    ...(topology.logical.mac
      ? [`neighbour replace ${gateway} lladdr ${topology.logical.mac} dev link nud permanent`]
      : []),
    `route add default via ${gateway} dev link${name === 'controller' ? ` src ${own.ip}` : ''}`,
  ];
}

/** A switch whose kernel routes: the first address of every link's /24, static neighbours, and the logical address behind the controller. */
function kernelRouter(topology: Topology, mtu: string): string[] {
  const hosts = [
    ...(topology.clients ?? []).map((c) => ({ ...c, port: 'client' })),
    { ...topology.controller, port: 'controller' },
    ...topology.backends.map((b) => ({ ...b, port: b.name })),
  ];
  const ports = new Map(hosts.map((h) => [h.port, gatewayOf(h.ip)]));
  return [
    ...[...ports].flatMap(([port, gateway]) => [
      `link set dev ${port} ${mtu}addrgenmode none up`,
      `address add ${gateway}/24 dev ${port}`,
    ]),
    ...hosts.flatMap((h) => (h.mac ? [`neighbour replace ${h.ip} lladdr ${h.mac} dev ${h.port} nud permanent`] : [])),
    `route add ${topology.logical.ip}/32 via ${topology.controller.ip} dev controller`,
  ];
}

/**
 * Makes the namespaces of a topology and joins them: a star of data links around the switch, and beside it one control link from
 * the controller to the switch and to each backend (198.19.n.0/30). Started holders are put into `started` at once, for cleaning up.
 */
export async function buildNetwork(
  topology: Topology,
  started: Set<Attendant>,
  environment: NodeJS.ProcessEnv,
  plan: NetworkPlan = { wire: false, kernels: new Set() },
): Promise<Network> {
  const clients = topology.clients ?? [];
  const [firstClient] = clients;
  if (!firstClient) throw new WorldError('the Linux world needs a client in the topology');
  const hosts = [
    { name: 'client', mac: firstClient.mac },
    { name: 'controller', mac: topology.controller.mac },
    ...topology.backends.map((b) => ({ name: b.name, mac: b.mac })),
  ];
  const holders = new Map<string, Attendant>();
  const { profile = {} } = plan;
  const offloads = profile.offloads === true;
  const extra = [...(plan.wire ? [WIRE] : []), ...(offloads ? [NIC] : [])];
  for (const name of [...hosts.map((h) => h.name), 'switch', ...extra]) {
    const holder = new Attendant(
      `namespace ${name}`,
      ['unshare', '--net', 'sh', '-c', 'echo ready; exec cat >/dev/null'],
      environment,
    );
    started.add(holder);
    holders.set(name, holder);
  }
  await Promise.all([...holders.values()].map((holder) => holder.line(10_000)));
  const pid = (name: string) => pidOf(holders, name);
  for (const [name, holder] of holders) quieten(holder.pid, name === 'switch' && plan.kernels.has(name));

  const control = ['switch', ...topology.backends.map((b) => b.name)].map(
    (peer, i): ControlLink => ({
      peer,
      controllerAddress: `198.19.${i + 1}.1`,
      peerAddress: `198.19.${i + 1}.2`,
      port: CONTROL_PORT,
    }),
  );
  // Both ends of a pair get different indexes: the kernel takes equal ones for no pair at all and may leave the carrier unnoticed for a second.
  let index = 100;
  const veth = (
    name: string,
    at: string,
    mac: string | undefined,
    peerName: string,
    peerAt: string,
    peerMac: string | undefined,
  ) =>
    `link add name ${name} index ${index++} ${mac ? `address ${mac} ` : ''}netns ${pid(at)} type veth peer name ${peerName} ${peerMac ? `address ${peerMac} ` : ''}netns ${pid(peerAt)}`;
  await runIp(
    [
      ...hosts.flatMap((h) => {
        const [at, mac] = plan.wire ? [WIRE, undefined] : ['switch', topology.logical.mac];
        return [
          offloads && h.name === 'client'
            ? veth(NIC_OUTER, NIC, undefined, h.name, at, mac)
            : veth('link', h.name, h.mac, h.name, at, mac),
          ...(plan.wire ? [veth(fabricSide(h.name), WIRE, undefined, h.name, 'switch', topology.logical.mac)] : []),
        ];
      }),
      ...(offloads ? [veth('link', 'client', firstClient.mac, NIC_INNER, NIC, undefined)] : []),
      ...control.map((c) => veth(`ctl-${c.peer}`, 'controller', undefined, 'ctl', c.peer, undefined)),
    ],
    undefined,
    environment,
  );
  for (const host of hosts) inNamespace(pid(host.name), () => setOffloads('link', offloads && host.name === 'client'));
  inNamespace(pid('switch'), () => {
    for (const host of hosts) setOffloads(host.name, false);
  });
  if (plan.wire)
    inNamespace(pid(WIRE), () => {
      for (const host of hosts) {
        setOffloads(host.name, false);
        setOffloads(fabricSide(host.name), false);
      }
    });
  if (offloads)
    inNamespace(pid(NIC), () => {
      setOffloads(NIC_INNER, true);
      setOffloads(NIC_OUTER, false);
    });
  applyProfile(pid('client'), profile);

  // The kernel owns the client's link; on all others it has no address and no ARP, the user-space role speaks alone.
  const mtu = (level: number) => (profile.mtu === level ? `mtu ${level} ` : '');
  const upSilent = (name: string) => `link set dev ${name} ${mtu(9000)}addrgenmode none arp off up`;
  const upWith = (name: string, address: string) => [
    `link set dev ${name} addrgenmode none up`,
    `address add ${address} dev ${name}`,
  ];
  const commands = new Map<string, string[]>([...holders.keys()].map((name) => [name, ['link set dev lo up']]));
  const add = (name: string, lines: readonly string[]) => commands.get(name)?.push(...lines);
  add('client', [
    'link set dev link addrgenmode none',
    // A narrow link is the client's own; a wide path is wide everywhere. Below 1280 bytes IPv6, and with it addrgenmode, is gone.
    `link set dev link ${mtu(576)}${mtu(9000)}up`,
    // The others' addresses are nobody's in the kernel, so that it neither answers nor resets for them.
    `address add ${firstClient.ip}/24 dev link`,
    `route add default via ${gatewayOf(firstClient.ip)} dev link${routeOptions(profile)}`,
  ]);
  const byKernel = (name: string) => plan.kernels.has(name);
  add('switch', byKernel('switch') ? kernelRouter(topology, mtu(9000)) : hosts.map((h) => upSilent(h.name)));
  if (plan.wire)
    add(
      WIRE,
      hosts.flatMap((h) => [upSilent(h.name), upSilent(fabricSide(h.name))]),
    );
  for (const { name } of hosts)
    if (name !== 'client') add(name, byKernel(name) ? kernelHost(topology, name, mtu(9000)) : [upSilent('link')]);
  add(NIC, [
    // It says nothing by itself: no spanning tree, no multicast queries.
    'link add name card type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    ...[NIC_INNER, NIC_OUTER].map((port) => `${upSilent(port)} master card`),
    upSilent('card'),
  ]);
  for (const c of control) {
    add('controller', upWith(`ctl-${c.peer}`, `${c.controllerAddress}/30`));
    add(c.peer, upWith('ctl', `${c.peerAddress}/30`));
  }
  await Promise.all([...commands].map(([name, lines]) => runIp(lines, pid(name), environment)));
  return { holders, vantages: hosts.map((h) => h.name), control };
}
