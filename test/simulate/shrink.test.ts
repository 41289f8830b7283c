/** A failing run is made small, and its evidence tells what happened. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseControlLog } from '../../conformance/control-log.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { writeEvidence } from '../../harness/simulate/evidence.js';
import { EVERYTHING, planOf } from '../../harness/simulate/plan.js';
import type { Recorded } from '../../harness/simulate/recorder.js';
import { referenceCores } from '../../harness/simulate/roles.js';
import { runPlan } from '../../harness/simulate/run.js';
import { runSeeds } from '../../harness/simulate/seeds.js';
import { shrink } from '../../harness/simulate/shrink.js';
import { storiesOf } from '../../harness/simulate/workload.js';
import { Topology } from '../../harness/topology.js';
import { simulatedLadder } from '../../model/ladder/simulated.js';
import { ladderText } from '../../model/ladder/text.js';
import { lacking } from './broken-cores.js';

const roles = lacking('rules-before-reopen');
const { failing } = runSeeds({ from: 1, to: 50 }, { ...EVERYTHING, connections: 6 }, roles);
if (failing === null) throw new Error('nothing fails');

t.test('shrinking keeps the failure, and takes away what it does not need', async (t) => {
  const small = await shrink(failing, roles, { timeMs: 5000 });
  t.equal(small.failure.invariant, failing.failure.invariant);
  t.equal(storiesOf(small.plan).length, 1);
  t.same(small.plan.faults, []);
  t.same(runPlan(small.plan, roles).failure, small.failure, 'and it fails again');
  t.equal(await shrink(failing, roles, { timeMs: 0 }), failing, 'no time, no change');
});

t.test('the ladder: roles, messages, the offence at its foot', async (t) => {
  const recorded: Recorded[] = [];
  const { plan } = await shrink(failing, roles, { timeMs: 5000 });
  const { failure } = runPlan(plan, roles, (row) => recorded.push(row));
  const whole = simulatedLadder(recorded, failure, { rows: null });
  t.equal(whole.left, 0);
  t.match(whole.ladder.columns.join(' '), /^client switch controller backend[01]/);
  const { ladder, left } = simulatedLadder(recorded, failure, { rows: 12 });
  t.equal(ladder.rows.length, 13);
  t.equal(left, whole.ladder.rows.length - 13);
  const lines = ladderText(ladder, { width: 118 });
  t.ok(lines.every((line) => line.length <= 118));
  const text = lines.join('\n');
  t.match(text, />>> RET-1 rules-gone-first: a segment from the controller/);
  t.match(text, /complete \d+ seq \d+ ack \d+/);
  t.match(text, /remove rule/);
  t.ok(
    ladder.rows.every(({ step }, i) => step >= (ladder.rows[i - 1]?.step ?? 0)),
    'time goes down',
  );
});

t.test('the judge of captures finds nothing wrong in what a sound run leaves behind', async (t) => {
  const folder = t.testdir({});
  for (const [seed, allowed] of [
    [3, []],
    [5, ['loss', 'reordering', 'duplication']],
  ] as const) {
    const recorded: Recorded[] = [];
    const plan = planOf(seed, { ...EVERYTHING, allowed, connections: 3 });
    t.equal(runPlan(plan, referenceCores, (row) => recorded.push(row)).failure, null);
    const names = ['capture.pcapng', 'capture.control.ndjson', 'trace.ndjson', 'topology.json'];
    t.same(writeEvidence(folder, plan, recorded), names);
    const [capture = Buffer.alloc(0), log, trace, topology] = names.map((name) => readFileSync(join(folder, name)));
    const entries = parseControlLog(String(log));
    if (!entries.ok) throw new Error(entries.error);
    const outcome = judgeEvidence({
      captures: [{ name: 'capture.pcapng', bytes: capture }],
      topology: Topology.parse(JSON.parse(String(topology))),
      controlLog: { name: 'capture.control.ndjson', entries: entries.entries },
    });
    if (!outcome.ok) throw new Error(outcome.error);
    for (const { clause, finding } of outcome.findings)
      t.not(finding.verdict, 'fail', `seed ${seed} ${clause}: ${finding.message}`);
    t.ok(outcome.findings.filter(({ finding }) => finding.verdict === 'pass').length > 15);
    for (const line of String(trace).trimEnd().split('\n'))
      t.match(JSON.parse(line), { t: /^\d+$/, role: String, action: String });
  }
});
