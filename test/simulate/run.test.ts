/** Whole simulations of the reference: the same twice, every kind of fault at work, nobody left unserved. */
import t from 'tap';
import { type Choice, EVERYTHING, FAULT_KINDS, planOf } from '../../harness/simulate/plan.js';
import { simulateSeeds } from '../../harness/simulate/pool.js';
import type { Recorded } from '../../harness/simulate/recorder.js';
import { referenceCores } from '../../harness/simulate/roles.js';
import { runPlan } from '../../harness/simulate/run.js';
import { addDigests, EMPTY_DIGEST, runSeeds } from '../../harness/simulate/seeds.js';
import { storiesOf } from '../../harness/simulate/workload.js';

const SEEDS = { from: 1, to: 60 };

const pooled = (workers: number, seeds = SEEDS, timeLimitMs: number | null = null) =>
  simulateSeeds({
    seeds,
    choice: EVERYTHING,
    workers,
    timeLimitMs,
    signal: new AbortController().signal,
    progress: () => {},
  });

t.test('the same seeds give the same digest and figures: twice, and with one worker as with two', async (t) => {
  const here = runSeeds(SEEDS, EVERYTHING, referenceCores);
  t.equal(here.failing, null, JSON.stringify(here.failing));
  const [one, two] = [await pooled(1), await pooled(2)];
  for (const { digest, figures, failing, cut } of [one, two]) {
    t.equal(digest, here.digest);
    t.same(figures, here.figures);
    t.equal(failing, null);
    t.equal(cut, false);
  }
  const parts = [
    runSeeds({ from: 31, to: 60 }, EVERYTHING, referenceCores),
    runSeeds({ from: 1, to: 30 }, EVERYTHING, referenceCores),
  ];
  t.equal(
    parts.reduce((sum, { digest }) => addDigests(sum, digest), EMPTY_DIGEST),
    here.digest,
    'in whatever order',
  );
  t.not(runSeeds({ from: 2, to: 61 }, EVERYTHING, referenceCores).digest, here.digest, 'other seeds, another digest');

  t.test('every kind of fault struck, and is counted', async (t) => {
    for (const kind of FAULT_KINDS) t.ok(here.figures.faults[kind] > 0, `${kind}: ${here.figures.faults[kind]}`);
    const { runs, connections, handoffs, responses, refused, reset, aborted, simulatedMs } = here.figures;
    t.equal(runs, 60);
    for (const count of [handoffs, responses, refused, reset, aborted, simulatedMs]) t.ok(count > 0);
    t.ok(handoffs > connections);
  });
});

t.test('a kind that is asked for alone strikes alone', async (t) => {
  for (const kind of FAULT_KINDS) {
    const choice: Choice = { ...EVERYTHING, allowed: [kind] };
    const { figures, failing } = runSeeds({ from: 1, to: 15 }, choice, referenceCores);
    t.equal(failing, null, `${kind}: ${failing?.failure.message}`);
    t.ok(figures.faults[kind] > 0, kind);
    for (const other of FAULT_KINDS) if (other !== kind) t.equal(figures.faults[other], 0, `${other} beside ${kind}`);
  }
});

t.test('everybody is served where frames are harmed only, or nothing is', async (t) => {
  for (const allowed of [[], ['loss', 'duplication', 'reordering', 'delay', 'corruption', 'mtu', 'skew']] as const) {
    const { figures, failing } = runSeeds({ from: 200, to: 230 }, { ...EVERYTHING, allowed }, referenceCores);
    t.equal(failing, null, failing?.failure.message ?? '');
    const asked = Array.from({ length: 31 }, (_, i) => storiesOf(planOf(200 + i, { ...EVERYTHING, allowed })))
      .flat()
      .reduce((sum, { requests }) => sum + requests.length, 0);
    t.equal(figures.responses, asked);
    t.same([figures.refused, figures.reset, figures.aborted], [0, 0, 0]);
  }
});

t.test('a story is its own, whatever the others are', async (t) => {
  const plan = planOf(12, { ...EVERYTHING, connections: 6 });
  const all = storiesOf(plan);
  t.equal(all.length, 6);
  t.same(
    storiesOf({ ...plan, skip: [1, 4] }),
    all.filter(({ index }) => index !== 1 && index !== 4),
  );
  const cut = storiesOf({ ...plan, requests: 1 });
  for (const story of cut) t.equal(story.requests.length, 1);
});

t.test('recording changes nothing', async (t) => {
  const plan = planOf(7, EVERYTHING);
  const recorded: Recorded[] = [];
  const plain = runPlan(plan, referenceCores);
  t.same(
    runPlan(plan, referenceCores, (row) => recorded.push(row)),
    plain,
  );
  t.ok(recorded.length > 100);
  t.ok(
    recorded.every(({ at }, i) => at >= (recorded[i - 1]?.at ?? 0)),
    'in order of time',
  );
});

t.test('the time limit ends a simulation before its last seed', async (t) => {
  const { cut, figures } = await pooled(1, { from: 1, to: 100_000 }, 1);
  t.ok(cut);
  t.ok(figures.runs < 100_000);
});

t.test('an abort ends it with the reason', async (t) => {
  const controller = new AbortController();
  const running = simulateSeeds({
    seeds: { from: 1, to: 1_000_000 },
    choice: EVERYTHING,
    workers: 2,
    timeLimitMs: null,
    signal: controller.signal,
    progress: () => controller.abort(new Error('enough')),
  });
  await t.rejects(running, { message: 'enough' });
  await t.rejects(
    simulateSeeds({
      seeds: SEEDS,
      choice: EVERYTHING,
      workers: 1,
      timeLimitMs: null,
      signal: controller.signal,
      progress: () => {},
    }),
    { message: 'enough' },
  );
});

t.test('no two connections of a run have the same port', async (t) => {
  // The seed whose first port would be drawn twice.
  const { failure } = runPlan({ ...planOf(17138, EVERYTHING), connections: 6, skip: [] }, referenceCores);
  t.equal(failure, null);
});
