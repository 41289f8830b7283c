/** A right implementation in a bad network: whatever is lost, doubled, delayed or overtaken, no clause fails, and everybody is served. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseControlLog } from '../../conformance/control-log.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { createRandom } from '../../harness/random.js';
import { createSimWorld } from '../../harness/sim/world.js';
import { defaultPolicy, type Policy } from '../../harness/topology.js';
import type { ClientJob, Fault, HttpRequestSpec } from '../../harness/world.js';

/** `PRISM_SEEDS=1..1000` for a longer look; one seed in two or three has round robin, one in two has reordering. */
const [, from = 1, to = 64] = /^(\d+)\.\.(\d+)$/.exec(process.env.PRISM_SEEDS ?? '')?.map(Number) ?? [];
const SEEDS = Array.from({ length: to - from + 1 }, (_, i) => from + i);

type Chance = () => number;

function pick<T>(chance: Chance, from: readonly [T, ...T[]]): T {
  return from[Math.floor(chance() * from.length)] ?? from[0];
}

function faultsOf(chance: Chance): Fault[] {
  const faults: Fault[] = [];
  if (chance() < 0.8) faults.push({ kind: 'lose', match: {}, rate: chance() * 0.08 });
  if (chance() < 0.5) faults.push({ kind: 'reorder', match: {}, rate: chance() * 0.3, ms: 1 + chance() * 300 });
  if (chance() < 0.5)
    faults.push({ kind: 'duplicate', match: {}, nth: Array.from({ length: 10 }, () => 1 + Math.floor(chance() * 80)) });
  if (chance() < 0.3)
    faults.push({
      kind: 'delay',
      match: { from: pick(chance, ['backend0', 'controller', 'client']) },
      nth: [3, 1 + Math.floor(chance() * 20)],
      ms: chance() * 2000,
    });
  return faults;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: p\r\n\r\n`;

function requestOf(chance: Chance): HttpRequestSpec {
  const path = pick(chance, ['/a/0', '/b/1', '/a/1k', '/b/8k', '/a/64k', '/b/64k', '/a/none']);
  const kind = chance();
  if (kind < 0.8) return { method: kind < 0.7 ? 'GET' : 'HEAD', path };
  return {
    method: pick(chance, ['PUT', 'POST']),
    path: pick(chance, ['/a/w', '/b/w']),
    body: { size: Math.floor(chance() * 40_000), seed: 1 },
  };
}

function jobOf(chance: Chance): ClientJob {
  if (chance() < 0.6)
    return {
      kind: 'http',
      program: pick(chance, ['curl', 'python', 'node']),
      requests: Array.from({ length: 1 + Math.floor(chance() * 8) }, () => requestOf(chance)),
    };
  return {
    kind: 'script',
    steps: pick(chance, [
      [
        { do: 'send', text: get('/a/8k') + get('/b/8k') + get('/a/1') },
        { do: 'response' },
        { do: 'response' },
        { do: 'response' },
        { do: 'close' },
      ],
      [
        { do: 'send', text: get('/a/8k') },
        { do: 'shutdown' },
        { do: 'response' },
        { do: 'wait-close' },
        { do: 'close' },
      ],
      [
        { do: 'send', text: 'PUT /b/z HTTP/1.1\r\nHost: p\r\nContent-Length: 3000\r\n\r\n' },
        { do: 'send', body: { size: 3000, seed: 2 } },
        { do: 'send', text: get('/a/1k') },
        { do: 'response', method: 'PUT' },
        { do: 'response' },
        { do: 'close' },
      ],
      [{ do: 'send', text: get('/a/64k') }, { do: 'pause', ms: chance() * 3 }, { do: 'abort' }],
      [...[...get('/b/1k')].map((text) => ({ do: 'send', text }) as const), { do: 'response' }, { do: 'close' }],
    ]),
  };
}

for (const seed of SEEDS)
  t.test(`seed ${seed}`, async (t) => {
    const { fraction: chance } = createRandom(seed, 'unruly');
    const folder = mkdtempSync(join(tmpdir(), 'prism-unruly-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const policy: Policy = pick(chance, [defaultPolicy, { kind: 'round-robin' }, { kind: 'path-hash' }]);
    const world = await createSimWorld(folder, {
      seed,
      without: [],
      policy,
      faults: faultsOf(chance),
      serviceDelayMs: pick(chance, [0, 0, 5, 300]),
    });
    const jobs = Array.from({ length: 1 + Math.floor(chance() * 5) }, () => jobOf(chance));
    const results = await world.runClients(jobs);
    t.same(
      results.filter((result) => !result.ok).map((result) => result.error),
      [],
    );
    await world.settle(200_000);
    const evidence = await world.finish();
    const log = parseControlLog(readFileSync(evidence.controlLog, 'utf8'));
    if (!log.ok) throw new Error(log.error);
    const alone = {
      captures: [{ name: 'capture', bytes: readFileSync(evidence.capture) }],
      topology: evidence.topology,
    };
    for (const input of [alone, { ...alone, controlLog: { name: 'log', entries: log.entries } }]) {
      const outcome = judgeEvidence(input);
      if (!outcome.ok) throw new Error(outcome.error);
      t.same(
        outcome.findings.filter(({ finding }) => finding.verdict === 'fail'),
        [],
      );
    }
  });
