/** A stack profile in the simulated network: what the client offers, how large segments get, and load generators in virtual time. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { createSimWorld } from '../../harness/sim/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { ClientJob, StackProfile } from '../../harness/world.js';
import { checksumsHold, optionIn, segmentsOf, synOf } from '../linux/captured-segments.js';

const READ: ClientJob = { kind: 'http', program: 'nc', requests: [{ method: 'GET', path: '/a/64k' }] };

async function run(folder: string, clientProfile: StackProfile, ...jobs: ClientJob[]) {
  const world = await createSimWorld(folder, {
    seed: 1,
    without: [],
    policy: defaultPolicy,
    faults: [],
    clientProfile,
  });
  const results = await world.runClients(jobs);
  await world.settle(30_000);
  const evidence = await world.finish();
  return { results, evidence, segments: segmentsOf(evidence) };
}

t.test('what is off is not offered, and segments are of the narrow link', async (t) => {
  const profile = { timestamps: false, sack: false, windowScaling: false, mtu: 576, buffers: 'tiny' } as const;
  const { results, segments } = await run(t.testdir({}), profile, READ);
  t.match(results, [{ ok: true }]);
  const syn = synOf(segments, true);
  t.equal(optionIn(syn, 'mss')?.value, 536);
  for (const kind of ['timestamps', 'sack-permitted', 'window-scale'] as const) t.equal(optionIn(syn, kind), undefined);
  t.equal(syn.tcp.window, 8192);
  t.equal(Math.max(...segments.map(({ length }) => length)), 14 + 576);
  t.ok(segments.every(checksumsHold));
});

t.test('a wide path has large segments both ways', async (t) => {
  const put: ClientJob = {
    kind: 'http',
    program: 'curl',
    requests: [{ method: 'PUT', path: '/a/w', body: { size: 100_000, seed: 1 } }],
  };
  const { results, segments } = await run(t.testdir({}), { mtu: 9000 }, READ, put);
  t.match(results, [{ ok: true }, { ok: true }]);
  t.equal(optionIn(synOf(segments, false), 'mss')?.value, 8960);
  for (const toServer of [true, false])
    t.equal(Math.max(...segments.filter((s) => (s.tcp.dstPort === 80) === toServer).map((s) => s.length)), 9014);
});

t.test('lwIP and scapy keep their own stacks whatever the profile says', async (t) => {
  for (const [program, mss, shift] of [
    ['lwip', 1460, 1],
    ['scapy', 536, undefined],
  ] as const) {
    const job: ClientJob = { kind: 'http', program, requests: [{ method: 'GET', path: '/a/8k' }] };
    const { results, segments } = await run(t.testdir({}), { mtu: 9000 }, job);
    t.match(results, [{ ok: true }]);
    const syn = synOf(segments, true);
    t.equal(optionIn(syn, 'mss')?.value, mss);
    t.equal(optionIn(syn, 'window-scale')?.shift, shift);
    t.equal(optionIn(syn, 'timestamps'), undefined);
  }
});

t.test('load generators: every request over so many connections, and for so long', async (t) => {
  const ab = { kind: 'load', program: 'ab', path: '/a/1k', connections: 3, requests: 10 } as const;
  const wrk = { kind: 'load', program: 'wrk', path: '/b/8k', connections: 2, durationMs: 20 } as const;
  const { results, evidence, segments } = await run(t.testdir({}), {}, ab, { ...ab, path: '/none' }, wrk);
  t.match(results[0], { ok: true, load: { done: 10, errors: 0, non2xx: 0 } });
  t.ok((results[0]?.load?.bytes ?? 0) > 10 * 1024);
  t.match(results[1], { ok: true, load: { done: 10, non2xx: 10 } });
  t.match(results[2], { ok: true, load: { errors: 0, non2xx: 0 } });
  t.ok((results[2]?.load?.done ?? 0) >= 4);
  const syns = segments.filter(({ vantage, tcp }) => vantage === 'client' && tcp.syn && !tcp.hasAck);
  t.equal(syns.length, 8);
  t.match(readFileSync(evidence.trace, 'utf8'), /"role":"backend1"/);
});

t.test('only nc pipelines', async (t) => {
  const requests = [1, 2, 3].map(() => ({ method: 'GET', path: '/a/1k' }) as const);
  const { results } = await run(
    t.testdir({}),
    {},
    { kind: 'http', program: 'nc', requests, pipelined: true },
    { kind: 'http', program: 'wget', requests, pipelined: true },
  );
  t.match(results, [
    { ok: true, responses: [{}, {}, {}] },
    { ok: false, error: /wget sends no request before/ },
  ]);
});
