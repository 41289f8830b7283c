/** Role configurations from a topology: what both worlds start their reference roles with. */
import type { BackendConfig, Content } from '../reference-impl/backend/config.js';
import type { ControllerConfig } from '../reference-impl/controller/config.js';
import type { SwitchConfig } from '../reference-impl/switch/config.js';
import {
  type Ipv4Address,
  type MacAddress,
  parseIpv4Address,
  parseMacAddress,
} from '../reference-impl/wire/addresses.js';
import { generateBody, LARGE_OBJECTS, objectCatalogue } from './objects.js';
import type { Topology } from './topology.js';
import type { WorldOptions } from './world.js';

function ip(text: string): Ipv4Address {
  const parsed = parseIpv4Address(text);
  if (parsed === undefined) throw new Error(`not an IPv4 address: ${text}`);
  return parsed;
}

function mac(text: string | undefined): MacAddress {
  const parsed = text === undefined ? undefined : parseMacAddress(text.toLowerCase());
  if (parsed === undefined) throw new Error(`a world needs a MAC address for every host of its topology; got ${text}`);
  return parsed;
}

/** First address of the /24 that a host is in: the gateway on that host's link. */
function gatewayOf(host: string): Ipv4Address {
  return ((ip(host) & 0xffffff00) | 1) >>> 0;
}

export function controllerConfig(topology: Topology, options: WorldOptions): ControllerConfig {
  return {
    mac: mac(topology.controller.mac),
    gatewayMac: mac(topology.logical.mac),
    logical: { ip: ip(topology.logical.ip), port: topology.logical.port },
    backends: topology.backends.map((b) => ({ name: b.name, ip: ip(b.ip), mac: mac(b.mac) })),
    policy: options.policy,
    headerLimit: 64 * 1024,
    handoffMs: topology.bounds?.handoffMs ?? 60_000,
    idleMs: topology.bounds?.idleMs ?? 120_000,
    // IPv4 and TCP header without options (RFC 9293 §3.7.1).
    ...(options.clientProfile?.mtu === 9000 ? { mss: 9000 - 40 } : {}),
    secret: `prism ${options.seed}`,
    ...(options.initialSequence === undefined ? {} : { initialSequence: options.initialSequence }),
    without: options.without,
  };
}

/** Made once a process: the objects are 18 MB, and worlds are made by the hundred. Nobody writes to them. */
let contents: ReadonlyMap<string, Content> | undefined;

function objectContents(): ReadonlyMap<string, Content> {
  contents ??= new Map<string, Content>([
    ...[...objectCatalogue()].map(([path, spec]) => [path, generateBody(spec)] as const),
    ...[...LARGE_OBJECTS].map(([path, { unit, times }]) => [path, { unit: generateBody(unit), times }] as const),
  ]);
  return contents;
}

/** `objects`: what it serves, the catalogue unless told. */
export function backendConfig(
  topology: Topology,
  options: WorldOptions,
  name: string,
  objects: ReadonlyMap<string, Content> = objectContents(),
): BackendConfig {
  const self = topology.backends.find((b) => b.name === name);
  if (!self) throw new Error(`no backend ${name} in the topology`);
  return {
    name,
    ip: ip(self.ip),
    mac: mac(self.mac),
    gatewayMac: mac(topology.logical.mac),
    port: topology.logical.port,
    objects,
    serviceDelayMs: options.serviceDelayMs ?? 0,
    receiveBuffer: 512 * 1024,
    without: options.without,
  };
}

/** Ports are named after the vantage they face: `client`, `controller`, `backend0`, ... */
export function switchConfig(topology: Topology, options: WorldOptions): SwitchConfig {
  const hosts = [
    ...(topology.clients ?? []).map((c) => ({ ...c, port: 'client' })),
    { ...topology.controller, port: 'controller' },
    ...topology.backends.map((b) => ({ ip: b.ip, mac: b.mac, port: b.name })),
  ];
  const ports = [...new Map(hosts.map((h) => [h.port, gatewayOf(h.ip)]))].map(([name, gateway]) => ({ name, gateway }));
  return {
    mac: mac(topology.logical.mac),
    ports,
    routes: [
      { prefix: ip(topology.logical.ip), length: 32, port: 'controller', nextHop: ip(topology.controller.ip) },
      ...ports.map((p) => ({ prefix: (p.gateway & 0xffffff00) >>> 0, length: 24, port: p.name })),
    ],
    neighbours: hosts.map((h) => ({ ip: ip(h.ip), mac: mac(h.mac), port: h.port })),
    logical: ip(topology.logical.ip),
    ruleCapacity: options.ruleCapacity ?? 1024,
    peers: ['controller'],
    drainMs: 1000,
    without: options.without,
  };
}
