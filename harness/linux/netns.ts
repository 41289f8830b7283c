/**
 * The network of a Linux world: anonymous namespaces joined by veth pairs. No namespace has a name; each lives as long as the process
 * that holds it, and its interfaces with it, so that runs cannot collide and nothing can be left behind.
 */
import { writeFileSync } from 'node:fs';
import type { Topology } from '../topology.js';
import { WorldError } from '../world.js';
import { inNamespace, offloadsOff } from './libc.js';
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
}

/** The interface in the namespace `wire` that faces the switch, on the link of that vantage. */
export function fabricSide(vantage: string): string {
  return `sw-${vantage}`;
}

const CONTROL_PORT = 7400;

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

/** Addresses, route and neighbour of a host whose kernel speaks; the controller's has the logical address too. */
function kernelHost(topology: Topology, name: string): string[] {
  const own = name === 'controller' ? topology.controller : topology.backends.find((b) => b.name === name);
  if (!own) throw new WorldError(`there is no host ${name}`);
  const gateway = gatewayOf(own.ip);
  return [
    'link set dev link addrgenmode none up',
    `address add ${own.ip}/24 dev link`,
    ...(name === 'controller' ? [`address add ${topology.logical.ip}/32 dev link`] : []),
    ...(topology.logical.mac
      ? [`neighbour replace ${gateway} lladdr ${topology.logical.mac} dev link nud permanent`]
      : []),
    `route add default via ${gateway} dev link${name === 'controller' ? ` src ${own.ip}` : ''}`,
  ];
}

/** A switch whose kernel routes: the first address of every link's /24, static neighbours, and the logical address behind the controller. */
function kernelRouter(topology: Topology): string[] {
  const hosts = [
    ...(topology.clients ?? []).map((c) => ({ ...c, port: 'client' })),
    { ...topology.controller, port: 'controller' },
    ...topology.backends.map((b) => ({ ...b, port: b.name })),
  ];
  const ports = new Map(hosts.map((h) => [h.port, gatewayOf(h.ip)]));
  return [
    ...[...ports].flatMap(([port, gateway]) => [
      `link set dev ${port} addrgenmode none up`,
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
  for (const name of [...hosts.map((h) => h.name), 'switch', ...(plan.wire ? ['wire'] : [])]) {
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
      ...hosts.flatMap((h) =>
        plan.wire
          ? [
              veth('link', h.name, h.mac, h.name, 'wire', undefined),
              veth(fabricSide(h.name), 'wire', undefined, h.name, 'switch', topology.logical.mac),
            ]
          : [veth('link', h.name, h.mac, h.name, 'switch', topology.logical.mac)],
      ),
      ...control.map((c) => veth(`ctl-${c.peer}`, 'controller', undefined, 'ctl', c.peer, undefined)),
    ],
    undefined,
    environment,
  );
  for (const host of hosts) inNamespace(pid(host.name), () => offloadsOff('link'));
  inNamespace(pid('switch'), () => {
    for (const host of hosts) offloadsOff(host.name);
  });
  if (plan.wire)
    inNamespace(pid('wire'), () => {
      for (const host of hosts) {
        offloadsOff(host.name);
        offloadsOff(fabricSide(host.name));
      }
    });

  // The kernel owns the client's link; on all others it has no address and no ARP, the user-space role speaks alone.
  const upSilent = (name: string) => `link set dev ${name} addrgenmode none arp off up`;
  const upWith = (name: string, address: string) => [
    `link set dev ${name} addrgenmode none up`,
    `address add ${address} dev ${name}`,
  ];
  const commands = new Map<string, string[]>([...holders.keys()].map((name) => [name, ['link set dev lo up']]));
  const add = (name: string, lines: readonly string[]) => commands.get(name)?.push(...lines);
  add('client', [
    'link set dev link addrgenmode none up',
    // The others' addresses are nobody's in the kernel, so that it neither answers nor resets for them.
    `address add ${firstClient.ip}/24 dev link`,
    `route add default via ${gatewayOf(firstClient.ip)} dev link`,
  ]);
  const byKernel = (name: string) => plan.kernels.has(name);
  add('switch', byKernel('switch') ? kernelRouter(topology) : hosts.map((h) => upSilent(h.name)));
  if (plan.wire)
    add(
      'wire',
      hosts.flatMap((h) => [upSilent(h.name), upSilent(fabricSide(h.name))]),
    );
  for (const { name } of hosts)
    if (name !== 'client') add(name, byKernel(name) ? kernelHost(topology, name) : [upSilent('link')]);
  for (const c of control) {
    add('controller', upWith(`ctl-${c.peer}`, `${c.controllerAddress}/30`));
    add(c.peer, upWith('ctl', `${c.peerAddress}/30`));
  }
  await Promise.all([...commands].map(([name, lines]) => runIp(lines, pid(name), environment)));
  return { holders, vantages: hosts.map((h) => h.name), control };
}
