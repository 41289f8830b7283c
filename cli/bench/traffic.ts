/** A large capture to measure with: one run of the simulated world, told again and again by other clients at later times. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pcapngHeader, pcapngPacket, readCapture } from '../../harness/capture/pcapng.js';
import { createSimWorld } from '../../harness/sim/world.js';
import { defaultPolicy, type Topology } from '../../harness/topology.js';
import type { ClientJob } from '../../harness/world.js';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { setIpv4Destination, setIpv4Source } from '../../reference-impl/wire/patch.js';

export interface Traffic {
  readonly path: string;
  readonly topology: Topology;
  readonly frames: number;
  readonly connections: number;
  readonly bytes: number;
}

const WRITE_AT_ONCE = 8 * 1024 * 1024;
/** How much of a run has passed when the next clients begin: some three runs are open at any time. */
const OVERLAP = 0.35;
/** 10.0.0.0/8: outside every range that the topology uses. */
const CLIENTS = 0x0a000001;

const get = (path: string) => ({ method: 'GET', path }) as const;
const put = (path: string, size: number) => ({ method: 'PUT', path, body: { size, seed: size } }) as const;

/** What the clients of one run do: keep-alive connections of all sizes, as a cache's clients would. */
function jobs(): ClientJob[] {
  const http = (...requests: (ReturnType<typeof get> | ReturnType<typeof put>)[]): ClientJob => ({
    kind: 'http',
    program: 'curl',
    requests,
  });
  return [
    http(get('/a/8k'), get('/b/8k'), get('/a/1k'), get('/b/64k')),
    http(get('/b/64k'), get('/a/64k')),
    http(put('/a/w1', 20_000), get('/a/1k'), put('/b/w2', 100_000)),
    http(get('/a/0'), get('/b/1'), get('/a/1'), get('/b/0'), get('/a/1k'), get('/b/1k'), get('/a/8k'), get('/b/8k')),
    http(get('/b/1m')),
    http(get('/a/1k')),
    http(get('/b/8k')),
    http(put('/a/w3', 3000)),
  ];
}

/** A frame of the run as a packet block, and where its client's address stands. */
interface Told {
  readonly t: bigint;
  readonly bytes: Uint8Array;
  readonly vantage: number;
  readonly towardsServer: boolean;
}

/**
 * Writes a pcapng of at least `frames` frames at four vantages into `folder`, which is made. Deterministic for a seed. `loss`: of every
 * link, as a part of 1.
 */
export async function writeTraffic(folder: string, frames: number, seed: number, loss = 0.0005): Promise<Traffic> {
  mkdirSync(folder, { recursive: true });
  const world = await createSimWorld(folder, {
    seed,
    without: [],
    policy: defaultPolicy,
    faults: loss > 0 ? [{ kind: 'lose', match: {}, rate: loss }] : [],
    ruleCapacity: 4096,
  });
  const work = jobs();
  await world.runClients(work);
  await world.settle(60_000);
  const evidence = await world.finish();
  const capture = readCapture(readFileSync(evidence.capture));
  for (const file of [evidence.capture, evidence.controlLog, evidence.trace]) rmSync(file, { force: true });
  if (!capture.ok) throw new Error(`the simulated world wrote no capture: ${capture.error.detail}`);
  const client = parseIpv4Address(evidence.topology.clients?.[0]?.ip ?? '') ?? 0;
  const told: Told[] = capture.frames.flatMap(({ bytes, timestampNs, interfaceIndex }) => {
    const parsed = parseFrame(bytes);
    if (!parsed.ok || parsed.value.ipv4 === undefined) return [];
    const towardsServer = parsed.value.ipv4.src === client;
    return [{ t: timestampNs, bytes, vantage: interfaceIndex, towardsServer }];
  });
  const path = join(folder, 'traffic.pcapng');
  const names = capture.interfaces.map(({ name }) => name ?? '');
  const { clients: _, ...topology } = evidence.topology;
  const tally = tellAgain(path, names, told, frames);
  return { path, topology, ...tally, connections: tally.runs * work.length };
}

function tellAgain(
  path: string,
  names: readonly string[],
  told: readonly Told[],
  frames: number,
): { frames: number; bytes: number; runs: number } {
  const begin = told[0]?.t ?? 0n;
  const length = (told.at(-1)?.t ?? 0n) - begin;
  const step = BigInt(Math.ceil(Number(length) * OVERLAP));
  const runs = Math.ceil(frames / told.length);
  const file = openSync(path, 'w');
  let buffered: Uint8Array[] = [];
  let size = 0;
  let bytes = 0;
  let written = 0;
  const flush = (): void => {
    const whole = Buffer.concat(buffered);
    for (let at = 0; at < whole.length; ) at += writeSync(file, whole, at);
    bytes += whole.length;
    buffered = [];
    size = 0;
  };
  const add = (block: Uint8Array): void => {
    buffered.push(block);
    size += block.length;
    if (size >= WRITE_AT_ONCE) flush();
  };
  try {
    add(pcapngHeader(names));
    /** Runs under way: where each is. */
    const open: { run: number; next: number }[] = [];
    for (let started = 0; started < runs || open.length > 0; ) {
      const due = open.reduce<bigint | undefined>((least, one) => {
        const t = at(one);
        return least === undefined || t < least ? t : least;
      }, undefined);
      if (started < runs && (due === undefined || BigInt(started) * step + begin <= due)) {
        open.push({ run: started++, next: 0 });
        continue;
      }
      const one = open.find((candidate) => at(candidate) === due);
      const frame = one && told[one.next++];
      if (one === undefined || frame === undefined) break;
      add(pcapngPacket(frame.vantage, BigInt(one.run) * step + frame.t, asClient(frame, one.run)));
      written++;
      if (one.next === told.length) open.splice(open.indexOf(one), 1);
    }
    flush();
  } finally {
    closeSync(file);
  }
  return { frames: written, bytes, runs };

  function at({ run, next }: { run: number; next: number }): bigint {
    return BigInt(run) * step + (told[next]?.t ?? 0n);
  }
}

/** The frame with another client's address; right checksums stay right. */
function asClient({ bytes, towardsServer }: Told, run: number): Uint8Array {
  const copy = bytes.slice();
  const parsed = parseFrame(copy);
  if (!parsed.ok) return copy;
  if (towardsServer) setIpv4Source(parsed.value, CLIENTS + run);
  else setIpv4Destination(parsed.value, CLIENTS + run);
  return copy;
}
