/** What the process beside a role under test is told: its command lines with every placeholder filled in, its control channels, its logs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillCommand, fillEnvironment, type PlaceholderValues } from '../target/placeholders.js';
import type { Launch, ProcessUnderTest } from '../target/target.js';
import type { Topology } from '../topology.js';
import type { WorldOptions } from '../world.js';
import { gatewayOf, type Network } from './netns.js';
import { objectsFolder } from './objects-folder.js';
import type { ControlRim, RelayedPeer } from './relay-ends.js';
import type { TargetLaunch } from './target-main.js';

/** Where roles wait and peers are found on the loopback interface of the role's namespace. */
const NEAR = '127.0.0.1';
const NEAR_PORT = 7401;
const FIRST_PEER_PORT = 7410;

/** A role's control channels, as the network has them. */
export function controlRim(role: string, network: Network): ControlRim {
  if (role === 'controller')
    return {
      role,
      peers: network.control.map(
        ({ peer, peerAddress, port }, index): RelayedPeer => ({
          peer,
          far: { kind: 'connect', address: peerAddress, port },
          near: { address: NEAR, port: FIRST_PEER_PORT + index },
        }),
      ),
    };
  return {
    role,
    peers: network.control
      .filter(({ peer }) => peer === role)
      .map(({ peerAddress, controllerAddress, port }) => ({
        peer: 'controller',
        far: { kind: 'listen', address: peerAddress, port, from: controllerAddress },
        near: { address: NEAR, port: NEAR_PORT },
      })),
  };
}

/** Where a stranger finds the place that a role under test waits at for its control peer. */
export const STRANGERS_DOOR = { address: NEAR, port: NEAR_PORT, localAddress: '127.0.0.9' } as const;

export interface TargetSurroundings {
  readonly role: string;
  readonly topology: Topology;
  readonly options: WorldOptions;
  readonly network: Network;
  /** Folder of the evidence, and one that goes with the world. */
  readonly folder: string;
  readonly scratch: string;
}

function placeholderValues({ role, topology, options, network, scratch }: TargetSurroundings): PlaceholderValues {
  const own =
    role === 'controller'
      ? topology.controller
      : (topology.backends.find((b) => b.name === role) ?? { ip: '', mac: topology.logical.mac });
  const rim = controlRim(role, network);
  const near = role === 'controller' ? undefined : rim.peers[0]?.near;
  const folder = join(scratch, `${role}.files`);
  const files = { topology: join(folder, 'topology.json'), policy: join(folder, 'policy.json') };
  mkdirSync(join(folder, 'scratch'), { recursive: true });
  writeFileSync(files.topology, `${JSON.stringify(topology, null, 2)}\n`);
  writeFileSync(files.policy, `${JSON.stringify(options.policy, null, 2)}\n`);
  return {
    name: role,
    vip: topology.logical.ip,
    port: String(topology.logical.port),
    iface: 'link',
    ifaces: role === 'switch' ? network.vantages.join(',') : 'link',
    ip: own.ip,
    mac: own.mac ?? '',
    gateway: own.ip === '' ? '' : gatewayOf(own.ip),
    gateway_mac: topology.logical.mac ?? '',
    control: near ? `${near.address}:${near.port}` : '',
    control_address: near?.address ?? '',
    control_port: String(near?.port ?? ''),
    control_peer: NEAR,
    peers: rim.peers.map(({ peer, near: { address, port } }) => `${peer}=${address}:${port}`).join(','),
    ...files,
    objects: /^backend/.test(role) ? objectsFolder(options.largeObjects) : '',
    serviceDelayMs: String(options.serviceDelayMs ?? 0),
    ruleCapacity: String(options.ruleCapacity ?? 1024),
    initialSequence: String(options.initialSequence ?? ''),
    handoffMs: String(topology.bounds?.handoffMs ?? 60_000),
    scratch: join(folder, 'scratch'),
    log: join(folder, 'own.log'),
  };
}

/** Everything but what the world adds about faults. */
export function targetLaunch(
  role: ProcessUnderTest,
  around: TargetSurroundings,
  prism: readonly string[],
): Omit<TargetLaunch, 'controlFaults' | 'ends' | 'mayEnd'> {
  const values = placeholderValues(around);
  const filled = ({ command, env, cwd }: Launch): Launch => ({
    command: fillCommand(command, values, prism),
    // A program under test is started as its maker would start it: in his home.
    env: { ...(process.env.HOME === undefined ? {} : { HOME: process.env.HOME }), ...fillEnvironment(env, values) },
    cwd,
  });
  const { ready, control } = role;
  const name = around.role;
  return {
    ...filled(role),
    role: name,
    ready: ready.by === 'file' ? { ...ready, path: fillCommand([ready.path], values, prism)[0] ?? '' } : ready,
    graceMs: role.graceMs,
    control: control.by,
    ...(control.by === 'adapter' && { adapter: filled(control.adapter) }),
    rim: control.by === 'none' ? { role: name, peers: [] } : controlRim(name, around.network),
    controlLog: join(around.scratch, `${name}.control.ndjson`),
    log: join(around.folder, `${name}.log`),
    adapterLog: join(around.folder, `${name}.adapter.log`),
    ownLog: { from: values.log, to: join(around.folder, `${name}.own.log`) },
  };
}
