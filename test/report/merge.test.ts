/** The documents of shards made into one. */
import t from 'tap';
import { mergeShards } from '../../conformance/report/merge.js';
import { exitCodeOf, type RunDescription, resultDocument } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';

const run: RunDescription = {
  version: '0.1.0',
  command: 'prism test --shard 1/2 --world sim',
  startedAt: new Date(1000),
  finishedAt: new Date(3000),
  seed: 1,
  target: 'reference',
  world: 'sim',
};
const row = (id: string, verdict: Result['verdict'], exercised = 1): Result => ({
  id,
  clauses: ['REQ-2'],
  verdict,
  exercised,
  message: `${id} ${verdict}`,
  evidence: verdict === 'fail' ? [{ capture: 'sim/a/capture.pcapng', frame: 4, note: 'ACK' }] : [],
  replay: '',
});
const shard = (i: number, n: number, results: readonly Result[], other: Partial<RunDescription> = {}) => ({
  name: `s${i}/result.json`,
  prefix: `s${i}/`,
  document: resultDocument({ ...run, shard: `${i}/${n}`, ...other }, results),
});

t.test('cases side by side, one row a clause, the gravest verdict, captures by their new paths', (t) => {
  const merged = mergeShards([
    shard(2, 2, [row('REQ-2.b', 'fail'), row('check.REQ-2', 'fail', 3)], {
      startedAt: new Date(2000),
      finishedAt: new Date(9000),
    }),
    shard(1, 2, [row('REQ-2.a', 'pass'), row('check.REQ-2', 'pass', 5), row('check.EST-1', 'pass')]),
  ]);
  if (!merged.ok) throw new Error(merged.error);
  t.match(merged.document, {
    command: 'prism test --world sim',
    durationMs: 8000,
    summary: { pass: 2, fail: 2 },
    results: [
      { id: 'REQ-2.b', evidence: [{ capture: 's2/sim/a/capture.pcapng' }] },
      { id: 'REQ-2.a' },
      { id: 'check.EST-1' },
      { id: 'check.REQ-2', verdict: 'fail', exercised: 8, evidence: [{ capture: 's2/sim/a/capture.pcapng' }] },
    ],
  });
  t.notOk('shard' in merged.document);
  t.equal(exitCodeOf(merged.document.results, false), 1);
  t.end();
});

t.test('a waived failure stays waived beside a pass; a waiver that no shard needed is an error', (t) => {
  const waiver = { reason: 'known', link: 'https://example.org/2', expires: '2030-01-01' };
  const waivers = [
    { clause: 'REQ-2', ...waiver },
    { clause: 'EST-1', ...waiver },
  ];
  const merged = mergeShards([
    shard(1, 2, [{ ...row('check.REQ-2', 'unsupported'), waiver }], { waivers }),
    shard(2, 2, [row('check.REQ-2', 'pass')], { waivers }),
  ]);
  if (!merged.ok) throw new Error(merged.error);
  t.match(merged.document.results, [
    { id: 'check.REQ-2', verdict: 'unsupported', waiver },
    { id: 'waiver.EST-1', verdict: 'error' },
  ]);
  t.end();
});

t.test('what is not one whole run is refused with one line', (t) => {
  const one = shard(1, 2, [row('REQ-2.a', 'pass')]);
  const two = shard(2, 2, [row('REQ-2.b', 'pass')]);
  const cases: [Parameters<typeof mergeShards>[0], RegExp][] = [
    [[], /nothing to merge/],
    [[one], /missing: 2\/2/],
    [[one, one], /both shard 1\/2/],
    [[one, shard(2, 3, [])], /s2\/result.json is a shard of 3/],
    [[one, { ...two, document: resultDocument({ ...run }, []) }], /is no shard/],
    [[one, shard(2, 2, [], { target: 'other' })], /has target other/],
    [[one, shard(2, 2, [], { seed: 2 })], /has seed 2/],
  ];
  for (const [reports, expected] of cases) {
    const merged = mergeShards(reports);
    t.notOk(merged.ok);
    if (!merged.ok) t.match(merged.error, expected);
  }
  t.end();
});
