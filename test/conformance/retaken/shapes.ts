/** One run as many others would have captured it. Each shape takes the frames of a run with every link and makes of them what somebody might send us. */
import type { Topology } from '../../../harness/topology.js';
import { apart, pcapngOf, pcapOf, together, vantagesOf } from './files.js';
import { ETHERNET, hopped, isIpv4, macOf, numbers, type Piece, type Shot } from './frame.js';
import { offloaded } from './offloads.js';

export interface Retaken {
  readonly pieces: readonly Piece[];
  readonly topology: Topology;
}

export interface Shape {
  readonly name: string;
  /** The control log's stamps still mean what they meant. */
  readonly keepsClock: boolean;
  make(shots: readonly Shot[], topology: Topology): Retaken;
}

const shapes: Shape[] = [];

function shape(
  name: string,
  make: (shots: readonly Shot[], topology: Topology) => readonly Piece[],
  keepsClock = true,
): void {
  shapes.push({ name, keepsClock, make: (shots, topology) => ({ pieces: make(shots, topology), topology }) });
}

function shapeOf(name: string, make: Shape['make'], keepsClock = true): void {
  shapes.push({ name, keepsClock, make });
}

const MS = 1_000_000n;
const rounded = (shots: readonly Shot[], unit: bigint): Shot[] =>
  [...shots]
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map((shot) => ({ ...shot, at: (shot.at / unit) * unit }));

shape('as it is', (shots) => together(shots));
shape('a file a vantage', (shots) => apart(shots));

// Somebody else's router between the client and the switch.
const ROUTER_CLIENT = '02:aa:aa:aa:aa:01';
const ROUTER_SWITCH = '02:aa:aa:aa:aa:02';

/** By the network that every run of ours has its clients in. */
const fromClient = (bytes: Uint8Array): boolean =>
  isIpv4(bytes) && bytes[ETHERNET + 13] === 18 && bytes[ETHERNET + 14] === 1;

/** Towards the client one hop more than its frames show, towards the servers too. */
function behindRouter(shots: readonly Shot[], clientMacs: ReadonlySet<string>, hops: number): Shot[] {
  return shots.map((shot) => {
    const { vantage, bytes } = shot;
    const own = clientMacs.has(macOf(bytes, 6));
    if (vantage === 'client')
      return {
        ...shot,
        bytes: own ? hopped(bytes, 0, { dst: ROUTER_CLIENT }) : hopped(bytes, hops, { src: ROUTER_CLIENT }),
      };
    return fromClient(bytes) ? { ...shot, bytes: hopped(bytes, hops, {}) } : shot;
  });
}

const clientMacsOf = (topology: Topology): ReadonlySet<string> =>
  new Set((topology.clients ?? []).flatMap(({ mac }) => mac ?? []));

shape('a router before the client, captured at the client', (shots, topology) =>
  together(behindRouter(shots, clientMacsOf(topology), 1)),
);
shape('three routers before the client, a file a vantage', (shots, topology) =>
  apart(behindRouter(shots, clientMacsOf(topology), 3)),
);
shape('a router before the client, captured at the switch', (shots, topology) => {
  const macs = clientMacsOf(topology);
  return together(
    shots.map((shot) => {
      const { vantage, bytes } = shot;
      if (vantage === 'client')
        return {
          ...shot,
          bytes: macs.has(macOf(bytes, 6))
            ? hopped(bytes, 1, { src: ROUTER_SWITCH })
            : hopped(bytes, 0, { dst: ROUTER_SWITCH }),
        };
      return fromClient(bytes) ? { ...shot, bytes: hopped(bytes, 1, {}) } : shot;
    }),
  );
});
shape('a router before the backends', (shots, topology) => {
  const own = new Map(topology.backends.map(({ name, mac }) => [name, mac]));
  return together(
    shots.map((shot) => {
      const { vantage, bytes } = shot;
      const mac = own.get(vantage);
      if (mac !== undefined)
        return {
          ...shot,
          bytes:
            macOf(bytes, 6) === mac
              ? hopped(bytes, 0, { dst: ROUTER_CLIENT })
              : hopped(bytes, 1, { src: ROUTER_CLIENT }),
        };
      return shot;
    }),
  );
});

// Stamps.
shape('stamps of a microsecond', (shots) => together(rounded(shots, 1000n)));
shape('stamps of a millisecond', (shots) => together(rounded(shots, MS)));
shape('stamps of 10 ms', (shots) => together(rounded(shots, 10n * MS)));
shape('stamps of a millisecond, a file a vantage', (shots) => apart(rounded(shots, MS)));
shape('stamps of a second', (shots) => together(rounded(shots, 1000n * MS)));
shape('stamps of a second, a file a vantage', (shots) => apart(rounded(shots, 1000n * MS)));
shape('a pcapng of milliseconds', (shots) => together(shots, { digits: 3 }));

// Copies.
const later = (shots: readonly Shot[], ns: bigint): Shot[] => [
  ...shots,
  ...shots.map((shot) => ({ ...shot, at: shot.at + ns })),
];
shape('every frame twice, at once', (shots) => together(later(shots, 1000n)));
shape('every frame twice, 3 ms later', (shots) => together(later(shots, 3n * MS)));
shape('every frame twice, 3 ms later, a file a vantage', (shots) => apart(rounded(later(shots, 3n * MS), 1n)));
shape('some frames twice, 3 ms later', (shots) => {
  const chance = numbers(7);
  return together([
    ...shots,
    ...shots.filter(() => chance() < 0.3).map((shot) => ({ ...shot, at: shot.at + 3n * MS })),
  ]);
});
shape("the client's frames twice, 3 ms later", (shots) =>
  together([
    ...shots,
    ...shots.filter(({ vantage }) => vantage === 'client').map((shot) => ({ ...shot, at: shot.at + 3n * MS })),
  ]),
);
/** Both ports of a hop mirrored into one interface: what every link saw, one interface, no name. */
shape('all links mirrored into one interface', (shots) => [
  { name: 'span.pcap', bytes: pcapOf(rounded(shots, 1n), { nano: true }) },
]);
shape('all links mirrored into one interface, twice', (shots) => [
  { name: 'span.pcap', bytes: pcapOf(rounded(later(shots, 20_000n), 1n), { nano: true }) },
]);

// A topology that does not fit.
shapeOf('wrong logical port', (shots, topology) => ({
  pieces: together(shots),
  topology: { ...topology, logical: { ...topology.logical, port: 8080 } },
}));
shapeOf('wrong logical address', (shots, topology) => ({
  pieces: together(shots),
  topology: { ...topology, logical: { ...topology.logical, ip: '198.18.0.81' } },
}));
shapeOf('wrong controller address', (shots, topology) => ({
  pieces: together(shots),
  topology: { ...topology, controller: { ...topology.controller, ip: '198.18.2.3' } },
}));
shapeOf('wrong backend address', (shots, topology) => ({
  pieces: together(shots),
  topology: {
    ...topology,
    backends: topology.backends.map((one, i) => (i === 0 ? { ...one, ip: '198.18.10.9' } : one)),
  },
}));
shapeOf('wrong fabric MAC', (shots, topology) => ({
  pieces: together(shots),
  topology: { ...topology, logical: { ...topology.logical, mac: '02:98:98:98:98:98' } },
}));
shapeOf('wrong backend MAC', (shots, topology) => ({
  pieces: together(shots),
  topology: {
    ...topology,
    backends: topology.backends.map((one) => ({
      ...one,
      mac: `02:99:99:99:99:${one.name.slice(-1).padStart(2, '0')}`,
    })),
  },
}));
shapeOf('a topology without MAC addresses', (shots, topology) => ({
  pieces: together(shots),
  topology: {
    ...topology,
    logical: { ip: topology.logical.ip, port: topology.logical.port },
    controller: { ip: topology.controller.ip },
    backends: topology.backends.map(({ name, ip }) => ({ name, ip })),
    clients: (topology.clients ?? []).map(({ ip }) => ({ ip })),
  },
}));

// Clocks.
shape(
  'clocks 10 ms apart',
  (shots) => {
    const vantages = vantagesOf(shots);
    return apart(shots.map((shot) => ({ ...shot, at: shot.at + BigInt(vantages.indexOf(shot.vantage)) * 10n * MS })));
  },
  false,
);
shape(
  'clocks two hours apart',
  (shots) => {
    const vantages = vantagesOf(shots);
    return apart(
      shots.map((shot) => ({ ...shot, at: shot.at + BigInt(vantages.indexOf(shot.vantage)) * 7_200_000n * MS })),
    );
  },
  false,
);
for (const [ms, seed] of [
  [1, 3],
  [10, 5],
] as const) {
  shape(
    `stamps late by up to ${ms} ms, in order, a file a vantage`,
    (shots) => {
      const chance = numbers(seed);
      const latest = new Map<string, bigint>();
      return apart(
        rounded(shots, 1n).map((shot) => {
          const drawn = shot.at + BigInt(Math.floor(chance() * ms * 1e6));
          const before = latest.get(shot.vantage) ?? 0n;
          const at = drawn > before ? drawn : before;
          latest.set(shot.vantage, at);
          return { ...shot, at };
        }),
      );
    },
    false,
  );
  shape(
    `clocks that wander by ${ms} ms, a file a vantage`,
    (shots) => {
      const chance = numbers(seed + 1);
      const offset = new Map<string, number>();
      return apart(
        rounded(shots, 1n).map((shot) => {
          const before = offset.get(shot.vantage) ?? (chance() - 0.5) * ms * 2e6;
          const now = Math.max(-ms * 1e6, Math.min(ms * 1e6, before + (chance() - 0.5) * ms * 1e5));
          offset.set(shot.vantage, now);
          return { ...shot, at: shot.at + BigInt(Math.floor(now)) };
        }),
      );
    },
    false,
  );
  shape(
    `jitter of ${ms} ms, a file a vantage`,
    (shots) => {
      const chance = numbers(seed + 2);
      return apart(
        shots.map((shot) => ({ ...shot, at: shot.at + BigInt(Math.floor(chance() * ms * 1e6)) })),
        { nano: true },
      );
    },
    false,
  );
}

// Names.
shape('interfaces without names', (shots) => together(shots, { names: false }));
shape('mergecap of files without names', (shots) => {
  const [first = []] = [rounded(shots, 1n)];
  return [{ name: 'merged.pcapng', bytes: pcapngOf(first, vantagesOf(shots), { names: false, digits: 6 }) }];
});

// The middle.
const cut = (shots: readonly Shot[], from: number, to: number): Shot[] => {
  const ordered = rounded(shots, 1n);
  return ordered.slice(Math.floor(ordered.length * from), Math.ceil(ordered.length * to));
};
for (const [from, to] of [
  [0.1, 1],
  [0.3, 1],
  [0, 0.7],
  [0, 0.9],
  [0.2, 0.8],
  [0.5, 1],
  [0, 0.5],
] as const)
  shape(`frames from ${from * 100} % to ${to * 100} %`, (shots) => together(cut(shots, from, to)));
shape('a file a vantage, begun and ended one after the other', (shots) => {
  const vantages = vantagesOf(shots);
  return apart(
    vantages.flatMap((vantage, n) => {
      const own = shots.filter((shot) => shot.vantage === vantage);
      return own.slice(Math.floor((own.length * n) / 20), Math.ceil(own.length * (1 - n / 30)));
    }),
  );
});

// Offloads.
shape('offloads at every host', (shots) => together(offloaded(rounded(shots, 1n), () => ({ tso: true, gro: true }))));
shape('offloads at the servers', (shots) =>
  together(offloaded(rounded(shots, 1n), (v) => ({ tso: v !== 'client', gro: v !== 'client' }))),
);
shape('offloads at the client', (shots) =>
  together(offloaded(rounded(shots, 1n), (v) => ({ tso: v === 'client', gro: v === 'client' }))),
);
shape('receive offload only, a file a vantage', (shots) =>
  apart(offloaded(rounded(shots, 1n), () => ({ tso: false, gro: true }))),
);
shape('send offload only, a file a vantage', (shots) =>
  apart(offloaded(rounded(shots, 1n), () => ({ tso: true, gro: false }))),
);

// One side.
for (const only of [
  ['client'],
  ['controller'],
  ['backend0'],
  ['client', 'controller'],
  ['client', 'backend0'],
  ['controller', 'backend0', 'backend1'],
  ['backend0', 'backend1'],
  ['client', 'backend0', 'backend1'],
])
  shape(`${only.join(' and ')} only`, (shots) => {
    const own = shots.filter(({ vantage }) => only.includes(vantage));
    return own.length === 0 ? [] : together(own);
  });

// Gaps.
for (const [percent, seed] of [
  [1, 11],
  [5, 12],
  [20, 13],
] as const)
  shape(`${percent} % of the frames missed`, (shots) => {
    const chance = numbers(seed);
    return together(shots.filter(() => chance() >= percent / 100));
  });
shape('a gap of a tenth at the client', (shots) => {
  const own = rounded(shots, 1n).filter(({ vantage }) => vantage === 'client');
  const gap = new Set(own.slice(Math.floor(own.length * 0.4), Math.floor(own.length * 0.5)));
  return together(rounded(shots, 1n).filter((shot) => ![...gap].some((one) => one.bytes === shot.bytes)));
});

// Forms.
for (const big of [false, true])
  for (const nano of [false, true])
    shape(`pcap, ${nano ? 'nanoseconds' : 'microseconds'}, ${big ? 'big' : 'little'}-endian`, (shots) =>
      apart(shots, { big, nano }),
    );
shape('pcapng, big-endian', (shots) => together(shots, { big: true }));
shape('pcapng, a section a vantage, one behind the other', (shots) => [
  {
    name: 'sections.pcapng',
    bytes: Buffer.concat(
      vantagesOf(shots).map((vantage, n) =>
        pcapngOf(
          shots.filter((shot) => shot.vantage === vantage),
          [vantage],
          { big: n % 2 === 1, digits: n % 2 === 1 ? 6 : 9 },
        ),
      ),
    ),
  },
]);
shape('pcapng, sections by time', (shots) => {
  const ordered = rounded(shots, 1n);
  const third = Math.ceil(ordered.length / 3);
  const names = vantagesOf(shots);
  return [0, 1, 2].flatMap((n) => ordered.slice(n * third, (n + 1) * third)).length === 0
    ? []
    : [
        {
          name: 'sections.pcapng',
          bytes: Buffer.concat(
            [0, 1, 2].map((n) => pcapngOf(ordered.slice(n * third, (n + 1) * third), names, { big: n === 1 })),
          ),
        },
      ];
});

// Links.
const wrapped = (shots: readonly Shot[], wrap: (shot: Shot) => Uint8Array): Shot[] =>
  shots.map((shot) => {
    const bytes = wrap(shot);
    return { ...shot, bytes, length: shot.length + bytes.length - shot.bytes.length };
  });
const tag =
  (hex: string) =>
  ({ bytes }: Shot): Uint8Array =>
    Buffer.concat([bytes.subarray(0, 12), Buffer.from(hex, 'hex'), bytes.subarray(12)]);
shape('VLAN', (shots) => apart(wrapped(shots, tag('81000065'))));
shape('QinQ', (shots) => together(wrapped(shots, tag('88a8006481000065'))));
const isSent = ({ bytes, vantage }: Shot, topology: Topology): boolean => {
  const src = macOf(bytes, 6);
  const macs: Record<string, readonly (string | undefined)[]> = {
    client: (topology.clients ?? []).map(({ mac }) => mac),
    controller: [topology.controller.mac],
    ...Object.fromEntries(topology.backends.map(({ name, mac }) => [name, [mac]])),
  };
  return macs[vantage]?.includes(src) === true;
};
shape('Linux cooked', (shots, topology) =>
  apart(
    wrapped(shots, (shot) =>
      Buffer.concat([
        Buffer.from([0, isSent(shot, topology) ? 4 : 0, 0, 1, 0, 6]),
        shot.bytes.subarray(6, 12),
        Buffer.from([0, 0]),
        shot.bytes.subarray(12),
      ]),
    ),
    { linkType: 113 },
  ),
);
shape('Linux cooked, the second version', (shots, topology) =>
  apart(
    wrapped(shots, (shot) =>
      Buffer.concat([
        shot.bytes.subarray(12, 14),
        Buffer.from([0, 0, 0, 0, 0, 2, 0, 1, isSent(shot, topology) ? 4 : 0, 6]),
        shot.bytes.subarray(6, 12),
        Buffer.from([0, 0]),
        shot.bytes.subarray(14),
      ]),
    ),
    { linkType: 276, nano: true },
  ),
);
shape('raw IP', (shots) =>
  apart(
    wrapped(
      shots.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0),
      ({ bytes }) => bytes.subarray(ETHERNET),
    ),
    { linkType: 101, nano: true },
  ),
);
for (const snap of [54, 60, 66, 68, 74, 80, 96]) {
  const short = (shots: readonly Shot[]): Shot[] =>
    shots.map((shot) => ({ ...shot, bytes: shot.bytes.subarray(0, snap) }));
  shape(`snapped at ${snap}`, (shots) => together(short(shots)));
}
shape('snapped at 96, a file a vantage', (shots) => apart(shots, { snap: 96, nano: true }));

export const SHAPES: readonly Shape[] = shapes;
