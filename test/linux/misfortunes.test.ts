/** What the harness does to control messages and roles in the Linux world, and that nothing is left of a role that was ended. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parseControlLog } from '../../conformance/control-log.js';
import { isAlive } from '../../harness/linux/run-folder.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { ClientJob, Evidence, JobResult, ScriptStep, WorldOptions } from '../../harness/world.js';
import { hasLinux } from './needs-linux.js';

const gets = (...paths: string[]): ClientJob => ({
  kind: 'script',
  steps: paths.flatMap((path): ScriptStep[] => [
    { do: 'send', text: `GET ${path} HTTP/1.1\r\nHost: p\r\n\r\n` },
    { do: 'response' },
  ]),
  timeoutMs: 40_000,
});

interface Ran {
  readonly results: readonly JobResult[];
  readonly evidence: Evidence;
  readonly said: readonly string[];
  readonly actions: readonly string[];
}

/** Runs the jobs in a world of its own; nothing of it may be left, whoever was ended in it. */
async function run(t: Test, jobs: readonly ClientJob[], options: Partial<WorldOptions>): Promise<Ran> {
  const world = await createLinuxWorld(t.testdir({}), {
    seed: 1,
    without: [],
    policy: defaultPolicy,
    faults: [],
    ...options,
  });
  t.teardown(() => world.destroy());
  const { processes } = world;
  const results = await world.runClients(jobs);
  await world.settle(5000);
  const evidence = await world.finish();
  t.ok(
    [...processes.values()].every((pid) => !isAlive(pid)),
    'no process is left',
  );
  t.equal(evidence.captureDrops, 0);
  const log = parseControlLog(readFileSync(evidence.controlLog, 'utf8'));
  if (!log.ok) throw new Error(log.error);
  const said = log.entries.map(({ at, direction, message }) => `${at} ${direction} ${message.verb}`);
  const lines = readFileSync(evidence.trace, 'utf8').split('\n').slice(0, -1);
  const events = lines.map((line) => JSON.parse(line) as { role: string; action: string });
  return { results, evidence, said, actions: events.map(({ role, action }) => `${role} ${action}`) };
}

const count = (lines: readonly string[], text: string): number => lines.filter((line) => line === text).length;

if (await hasLinux()) {
  t.test('messages are dropped, repeated, refused and followed, and counted over all channels', async (t) => {
    const { results, said, actions, evidence } = await run(t, [gets('/a/1', '/b/1', '/a/1k')], {
      controlFaults: [
        { kind: 'drop', match: { verb: 'ok' }, nth: [1] },
        { kind: 'repeat', match: { verb: 'remove' }, nth: [1], ms: 30 },
        { kind: 'refuse', match: { verb: 'handoff', to: 'backend0' }, nth: [2], code: 'busy' },
        { kind: 'follow', match: { verb: 'complete' }, nth: [2], line: 'nonsense' },
        { kind: 'drop', match: { to: 'backend7' } },
      ],
    });
    t.same(
      results[0]?.responses.map(({ status }) => status),
      [200, 200, 503],
    );
    t.equal(count(said, 'switch received add'), 4, 'the first was confirmed in vain');
    t.equal(count(said, 'switch received remove'), count(said, 'controller sent remove') + 1);
    t.equal(count(said, 'backend0 received handoff'), 1, 'the second was refused in its stead');
    t.equal(count(said, 'controller received refused'), 1);
    t.ok(actions.includes('controller ControlRejected'), 'the line behind the report');
    t.match(evidence.missedFaults, [/^no control message to drop: .*backend7/]);
    t.equal(evidence.missedFaults?.length, 1);
  });

  t.test('a backend that is killed in the middle of its response', async (t) => {
    const { results, said, actions, evidence } = await run(t, [gets('/a/8m'), gets('/b/64k')], {
      roleFaults: [{ kind: 'crash', role: 'backend0', on: { frame: { from: 'backend0', payload: true }, nth: 10 } }],
    });
    t.match(results, [{ ok: false, closedBy: 'server-rst' }, { ok: true }]);
    t.same(evidence.missedFaults, []);
    t.equal(count(said, 'backend0 received handoff'), 1, 'its log is read as far as it got');
    t.ok(actions.includes('backend0 TakeOver'), 'and its trace');
    t.ok(actions.includes('controller BackendLost'));
  });

  t.test('a backend that is stopped before it can answer', async (t) => {
    const { results, said, actions, evidence } = await run(t, [gets('/a/1')], {
      bounds: { handoffMs: 700 },
      serviceDelayMs: 5000,
      roleFaults: [{ kind: 'silence', role: 'backend0', on: { control: { answers: 'handoff' } } }],
    });
    t.match(results, [{ ok: false, closedBy: 'server-rst' }]);
    t.same(evidence.missedFaults, []);
    t.equal(count(said, 'backend0 received handoff'), 1);
    t.notOk(actions.includes('backend0 Respond'));
  });

  t.test('a crash that was asked for and did not come is told', async (t) => {
    const { results, evidence } = await run(t, [gets('/a/1')], {
      roleFaults: [{ kind: 'crash', role: 'backend1', on: { control: { to: 'backend1' } } }],
    });
    t.match(results, [{ ok: true }]);
    t.match(evidence.missedFaults, [/^no crash of backend1/]);
  });

  t.test('strangers come in vain', async (t) => {
    const lines = [JSON.stringify({ verb: 'list', id: 's1' })];
    const jobs = ['switch', 'backend1'].map((to): ClientJob => ({ kind: 'stranger', to, lines }));
    const { results, said } = await run(t, jobs, {});
    t.ok(results.every(({ ok }) => ok));
    t.same(said, []);
  });

  t.test('many scripts share a process, each with its own result', async (t) => {
    const paths = ['/a/1', '/b/1', '/a/1k', '/b/1k', '/a/8k', '/b/8k', '/a/0', '/none'];
    const late: ClientJob = { kind: 'script', steps: [{ do: 'wait-close' }], timeoutMs: 300 };
    const { results } = await run(t, [...paths.map((path) => gets(path)), late], {});
    t.same(
      results.map(({ responses }) => responses[0]?.bodySize),
      [1, 1, 1024, 1024, 8192, 8192, 0, 10, undefined],
    );
    t.match(results.at(-1), { ok: false, error: 'the script was not done after 300 ms' });
  });
}
