/** The topology file (`prism-topology/1`): who is who on the network, what a capture is judged against. */
import { z } from 'zod';

const ipv4 = z.ipv4();
const mac = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'a MAC address is six hex pairs joined by colons');
const backendName = z.string().regex(/^backend\d+$/, 'a backend is named backend0, backend1, ...');

/**
 * How a backend is chosen for a request (SoCC'17 §2.2: "consults the metadata it maintains").
 * - `path-map`: the first entry whose `prefix` starts the request path; else `default`.
 * - `path-hash`: FNV-1a (32 bit) of the request path's bytes (the target up to `?`), modulo the number of backends.
 * - `round-robin`: backends in order, one request each, over all connections, in the order of hand-off.
 */
export const Policy = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('path-map'),
    map: z.array(z.strictObject({ prefix: z.string().startsWith('/'), backend: backendName })),
    default: backendName,
  }),
  z.strictObject({ kind: z.literal('path-hash') }),
  z.strictObject({ kind: z.literal('round-robin') }),
]);
export type Policy = z.infer<typeof Policy>;

export const Topology = z.strictObject({
  schema: z.literal('prism-topology/1'),
  /** What the client connects to; `mac` is the MAC the client sees behind it (the fabric's). */
  logical: z.strictObject({ ip: ipv4, port: z.int().min(1).max(65535), mac: mac.optional() }),
  controller: z.strictObject({ ip: ipv4, mac: mac.optional() }),
  backends: z.array(z.strictObject({ name: backendName, ip: ipv4, mac: mac.optional() })).min(1),
  clients: z.array(z.strictObject({ ip: ipv4, mac: mac.optional() })).optional(),
  system: z.enum(['prism', 'knits', 'memswitch']).optional(),
  variants: z.array(z.string().regex(/^VAR-\d+$/)).optional(),
  policy: Policy.optional(),
  /** `handoffMs`: how long a backend may keep a connection (ERR-2). `idleMs`: how long a connection may be idle at the controller. */
  bounds: z
    .strictObject({ handoffMs: z.number().positive().optional(), idleMs: z.number().positive().optional() })
    .optional(),
});
export type Topology = z.infer<typeof Topology>;

/** Why a topology that has the right form describes no network; undefined for one that does. */
export function topologyProblem(topology: Topology): string | undefined {
  const { backends, controller, logical, policy } = topology;
  const names = new Set<string>();
  const hosts = new Map<string, string>([[controller.ip, 'the controller']]);
  for (const { name, ip } of backends) {
    if (names.has(name)) return `backends: two are named ${name}`;
    names.add(name);
    const other = hosts.get(ip);
    if (other !== undefined) return `backends: ${name} has the address ${ip} of ${other}`;
    hosts.set(ip, name);
  }
  const owner = backends.find(({ ip }) => ip === logical.ip);
  if (owner !== undefined) return `logical.ip: ${logical.ip} is the address of ${owner.name}`;
  for (const client of topology.clients ?? []) {
    const other = client.ip === logical.ip ? 'the logical server' : hosts.get(client.ip);
    if (other !== undefined) return `clients: ${client.ip} is the address of ${other}`;
  }
  const wanted = policy?.kind === 'path-map' ? [...policy.map.map(({ backend }) => backend), policy.default] : [];
  const unknown = wanted.find((name) => !names.has(name));
  return unknown === undefined ? undefined : `policy: there is no backend named ${unknown}`;
}

/** The topology that both shipped worlds build: RFC 2544's benchmarking addresses, one subnet a link. `bounds` go over the usual ones. */
export function defaultTopology(policy: Policy = defaultPolicy, bounds: Topology['bounds'] = {}): Topology {
  return {
    schema: 'prism-topology/1',
    logical: { ip: '198.18.0.80', port: 80, mac: '02:50:52:00:00:01' },
    controller: { ip: '198.18.2.2', mac: '02:50:52:00:02:02' },
    backends: [
      { name: 'backend0', ip: '198.18.10.2', mac: '02:50:52:00:10:02' },
      { name: 'backend1', ip: '198.18.11.2', mac: '02:50:52:00:11:02' },
    ],
    // The first is a host; the others are addresses that packet-level clients on its link speak from.
    clients: [
      { ip: '198.18.1.2', mac: '02:50:52:00:01:02' },
      { ip: '198.18.1.3', mac: '02:50:52:00:01:03' },
      { ip: '198.18.1.4', mac: '02:50:52:00:01:04' },
    ],
    system: 'prism',
    policy,
    bounds: { handoffMs: 60_000, ...bounds },
  };
}

/** The topology of a world: the default one, with the variants that its target declares. */
export function worldTopology(options: {
  readonly policy: Policy;
  readonly bounds?: NonNullable<Topology['bounds']>;
  readonly target?: { readonly variants: readonly string[] };
}): Topology {
  const variants = options.target?.variants ?? [];
  return {
    ...defaultTopology(options.policy, options.bounds),
    ...(variants.length > 0 && { variants: [...variants] }),
  };
}

/** `/a/...` belongs to backend0, `/b/...` to backend1, everything else to backend0. */
export const defaultPolicy: Policy = {
  kind: 'path-map',
  map: [
    { prefix: '/a/', backend: 'backend0' },
    { prefix: '/b/', backend: 'backend1' },
  ],
  default: 'backend0',
};
