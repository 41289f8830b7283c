/**
 * The world of the specification's `ci` model in real bytes: its three requests, two backends and one client (spec/MC.tla, ReadWriteBad), each
 * unit of a stream a fixed piece of text, and the configurations of the real cores that make the same bounds.
 */
import { backendConfig, controllerConfig, switchConfig } from '../../harness/roles.js';
import { defaultTopology } from '../../harness/topology.js';
import { initBackend, stepBackend } from '../../reference-impl/backend/backend.js';
import type { BackendConfig } from '../../reference-impl/backend/config.js';
import type { Handoff } from '../../reference-impl/control/messages.js';
import type { ControllerConfig } from '../../reference-impl/controller/config.js';
import { readRequestHead } from '../../reference-impl/controller/request.js';
import type { RoleOutput } from '../../reference-impl/core/core.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import { formatIpv4Address, parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqDiff } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';

/** As Handoff.tla names them. */
export type BackendName = 'b1' | 'b2';
export const BACKENDS: readonly BackendName[] = ['b1', 'b2'];

export interface PlannedRequest {
  readonly kind: 'read' | 'write' | 'bad';
  /** Lengths in units. */
  readonly head: number;
  readonly payload: number;
  readonly response: number;
  /** `none` of a request that nobody can parse. */
  readonly backend: BackendName | 'none';
  /** The bytes of its units, header and payload. */
  readonly units: readonly Uint8Array[];
  /** The bytes of its response's units; of an answer of the controller's, one. */
  readonly responseUnits: readonly Uint8Array[];
}

/** Units of the specification's constants. */
export const WINDOW = 2;
export const CLIENT_WINDOW = 4;
export const MAX_SEGMENT = 2;
/** What each kind of misfortune takes of what one behaviour may have (MC.tla, OneOrLosses). */
export const EVENT_COST = {
  lose: 1,
  delay: 2,
  duplicate: 2,
  loseControl: 2,
  repeat: 2,
  crash: 2,
  fail: 1,
  silence: 2,
  refuse: 2,
  abort: 2,
  close: 2,
} as const;
export type Misfortune = keyof typeof EVENT_COST;

/** Time stands still here, in microseconds; a timer that is not due is due later. */
export const NOW = 1_000_000_000;
export const LATER = NOW + 1_000_000_000;

/** What a unit of the read's response takes, in bytes; two make the largest segment. */
const UNIT = 120;
const TIMESTAMP_BYTES = 12;
/** The client's MSS option. */
export const CLIENT_MSS = MAX_SEGMENT * UNIT + TIMESTAMP_BYTES;
export const CLIENT_TSVAL = 7_000_000;
export const CLIENT_ISN = 0xffff_ff00;
export const CLIENT_PORT = 40_000;
/** The client's window field. */
export const CLIENT_WINDOW_FIELD = 0xffff;

const READ_PATH = '/a/object';
const WRITE_PATH = '/b/object';
const PAYLOAD = 'payload!';

const topology = defaultTopology();
const options = { seed: 1, without: [], policy: topology.policy ?? { kind: 'path-hash' as const }, faults: [] };
const LINKS: Readonly<Record<BackendName, string>> = { b1: 'backend0', b2: 'backend1' };

/** The port of the switch that a host of the specification is behind. */
export function linkOf(host: string): string {
  return host === 'logical' ? 'controller' : host === 'client' ? 'client' : (LINKS[host as BackendName] ?? host);
}

export function backendOfLink(link: string): BackendName | undefined {
  return BACKENDS.find((name) => LINKS[name] === link);
}

function ip(text: string): number {
  return parseIpv4Address(text) ?? 0;
}

/** IP addresses by the names that the specification gives them. */
export const ADDRESSES: ReadonlyMap<number, string> = new Map([
  [ip(topology.clients?.[0]?.ip ?? ''), 'client'],
  [ip(topology.logical.ip), 'logical'],
  ...topology.backends.map((backend) => [ip(backend.ip), backendOfLink(backend.name) ?? ''] as const),
]);

export const CLIENT = {
  ip: ip(topology.clients?.[0]?.ip ?? ''),
  mac: parseMacAddress(topology.clients?.[0]?.mac ?? '') ?? 0,
  gatewayMac: parseMacAddress(topology.logical.mac ?? '') ?? 0,
  logical: ip(topology.logical.ip),
  port: topology.logical.port,
  key: `${topology.clients?.[0]?.ip}:${CLIENT_PORT}`,
};

export const controllerConfiguration: ControllerConfig = { ...controllerConfig(topology, options), plainTcp: true };
export const switchConfiguration: SwitchConfig = switchConfig(topology, options);

function backendBase(name: BackendName): BackendConfig {
  // A response waits for its timer, so that taking over and answering are two steps.
  return { ...backendConfig(topology, options, LINKS[name]), serviceDelayMs: 1, plainTcp: true };
}

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

/** What a backend answers to a request, as the real core says it. */
function responseOf(config: BackendConfig, request: string, payload: string): Uint8Array {
  const head = readRequestHead(text(request), config.receiveBuffer);
  if (head.kind !== 'complete') throw new Error(`a request of the scenario is ${head.kind}`);
  const handoff: Handoff = {
    verb: 'handoff',
    id: 'dry-run',
    handoff: 1,
    conn: {
      client: { ip: formatIpv4Address(CLIENT.ip), port: CLIENT_PORT },
      logical: { ip: formatIpv4Address(CLIENT.logical), port: CLIENT.port },
    },
    snapshot: {
      seq: 0,
      ack: 0,
      clientWindow: 1 << 20,
      clientMss: CLIENT_MSS,
      ownMss: 1460,
      windowScale: null,
      sackPermitted: false,
      timestamps: null,
    },
    request: head.request,
  };
  let { state } = stepBackend(
    initBackend(config).state,
    { kind: 'control', peer: 'controller', message: handoff },
    NOW,
  );
  if (payload !== '') {
    const segment = buildTcpFrame({
      ethernet: { src: config.gatewayMac, dst: config.mac },
      ipv4: { src: CLIENT.ip, dst: config.ip },
      tcp: {
        srcPort: CLIENT_PORT,
        dstPort: config.port,
        seq: 0,
        ack: 0,
        flags: TcpFlag.ACK,
        window: CLIENT_WINDOW_FIELD,
        payload: text(payload),
      },
    });
    state = stepBackend(state, { kind: 'frame', port: 'link', bytes: segment }, NOW).state;
  }
  return joined(stepBackend(state, { kind: 'timer', key: CLIENT.key }, LATER).outputs);
}

function joined(outputs: readonly RoleOutput[]): Uint8Array {
  const segments = outputs.flatMap((output) => {
    const parsed = output.kind === 'frame' ? parseFrame(output.bytes) : undefined;
    const tcp = parsed?.ok ? parsed.value.tcp : undefined;
    return tcp ? [{ at: seqDiff(tcp.seq, 0), payload: tcp.payload }] : [];
  });
  const whole = new Uint8Array(Math.max(0, ...segments.map(({ at, payload }) => at + payload.length)));
  for (const { at, payload } of segments) whole.set(payload, at);
  return whole;
}

const READ = `GET ${READ_PATH} HTTP/1.1\r\nHost: prism\r\n\r\n`;
const WRITE = [`PUT ${WRITE_PATH} HTTP/1.1\r\nHost: prism\r\n`, `Content-Length: ${PAYLOAD.length}\r\n\r\n`] as const;
const BAD = 'what nobody can parse\r\n\r\n';
/** Long enough that Content-Length has as many digits as the length that is looked for. */
const TRIAL = new Uint8Array(2 * UNIT);

function objectsOf(name: BackendName): ReadonlyMap<string, Uint8Array> {
  if (name === 'b2') return new Map();
  const trial = responseOf({ ...backendBase('b1'), objects: new Map([[READ_PATH, TRIAL]]) }, READ, '');
  const size = 3 * UNIT - (trial.length - TRIAL.length);
  return new Map([[READ_PATH, Uint8Array.from({ length: size }, (_, i) => 0x61 + (i % 26))]]);
}

export const backendConfigurations: Readonly<Record<BackendName, BackendConfig>> = {
  b1: { ...backendBase('b1'), objects: objectsOf('b1') },
  b2: { ...backendBase('b2'), objects: objectsOf('b2') },
};

function pieces(bytes: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    bytes.subarray((i * bytes.length) / count, ((i + 1) * bytes.length) / count),
  );
}

export const REQUESTS: readonly PlannedRequest[] = [
  {
    kind: 'read',
    head: 1,
    payload: 0,
    response: 3,
    backend: 'b1',
    units: [text(READ)],
    responseUnits: pieces(responseOf(backendConfigurations.b1, READ, ''), 3),
  },
  {
    kind: 'write',
    head: 2,
    payload: 1,
    response: 1,
    backend: 'b2',
    units: [...WRITE.map(text), text(PAYLOAD)],
    responseUnits: [responseOf(backendConfigurations.b2, WRITE.join(''), PAYLOAD)],
  },
  { kind: 'bad', head: 1, payload: 0, response: 1, backend: 'none', units: [text(BAD)], responseUnits: [] },
];
