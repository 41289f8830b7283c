/** A run that is stopped before its end keeps what it has found, and says what it did not run. */
import t from 'tap';
import { type CaseRun, notRunLines, notRunResults, type RunOutcome, runUntilStopped } from '../../conformance/run.js';
import { WorldError } from '../../harness/world.js';
import { type FakeLog, fakeCase, fakePlan, fakeWorld } from './fakes.js';

const newLog = (): FakeLog => ({ created: 0, destroyed: 0, finished: 0 });
const bad = (id: string) => fakeCase(id, ['RET-7'], async (c) => c.expect(false, 'no response'));
const good = (id: string) => fakeCase(id, ['RET-7']);
const ids = (outcome: RunOutcome): string[] => outcome.runs.map(({ result }) => result.id);
const left = (outcome: RunOutcome): string[] => outcome.notRun.map(({ testCase }) => testCase.id);

t.test('--bail: no case is begun when so many have failed; the rest is listed with the reason', async (t) => {
  const log = newLog();
  const told: CaseRun[] = [];
  const plan = {
    ...fakePlan(t.testdir(), {
      create: fakeWorld(log),
      cases: [bad('A.1'), good('A.2'), bad('A.3'), bad('A.4'), good('A.5')],
    }),
    bail: 2,
    onResult: (run: CaseRun) => told.push(run),
  };
  const outcome = await runUntilStopped(plan);
  t.same(ids(outcome), ['A.1', 'A.2', 'A.3']);
  t.same(left(outcome), ['A.4', 'A.5']);
  t.same(
    told.map(({ result }) => `${result.id} ${result.verdict}`),
    ['A.1 fail', 'A.2 pass', 'A.3 fail'],
    'each is told as it finishes',
  );
  t.match(notRunResults(outcome, 'sim', plan), [
    { id: 'A.4', verdict: 'inconclusive', exercised: 0, message: 'not run: stopped after 2 failed cases (--bail 2)' },
    { id: 'A.5' },
  ]);
  t.same(notRunResults(outcome, 'linux', plan), []);
  t.same(notRunLines(outcome), ['not run: 2 of 5 cases: stopped after 2 failed cases (--bail 2)']);
  t.same(log, { created: 3, destroyed: 3, finished: 3 });
});

t.test('an interrupt keeps what has finished; the case that it meets counts as not run', async (t) => {
  const log = newLog();
  const controller = new AbortController();
  const interrupting = fakeCase('A.2', ['RET-7'], async () => {
    controller.abort(new Error('interrupted by SIGINT'));
    await new Promise(() => {});
  });
  const plan = {
    ...fakePlan(t.testdir(), { create: fakeWorld(log), cases: [good('A.1'), interrupting, good('A.3')] }),
    signal: controller.signal,
  };
  const outcome = await runUntilStopped(plan);
  t.same(ids(outcome), ['A.1']);
  t.same(left(outcome), ['A.2', 'A.3']);
  t.same(notRunLines(outcome), ['not run: 2 of 3 cases: interrupted by SIGINT']);
  t.match(log, { created: 2, finished: 1 });
  t.ok(log.destroyed >= log.created, 'the world that it met is gone');
});

t.test('a world that cannot be built leaves its other cases not run', async (t) => {
  const create = async (): Promise<never> => {
    throw new WorldError('no room');
  };
  const outcome = await runUntilStopped(fakePlan(t.testdir(), { create, cases: [good('A.1'), good('A.2')] }));
  t.match(outcome.runs, [{ worldFailed: true, result: { verdict: 'error', message: 'no room' } }]);
  t.match(notRunLines(outcome), [/^not run: 1 of 2 cases: the world sim could not be built for A\.1$/]);
});

t.test('a run that comes to its end leaves nothing', async (t) => {
  const outcome = await runUntilStopped({
    ...fakePlan(t.testdir(), { create: fakeWorld(newLog()), cases: [bad('A.1')] }),
    bail: 1,
  });
  t.same(outcome.notRun, []);
  t.same(notRunLines(outcome), []);
});
