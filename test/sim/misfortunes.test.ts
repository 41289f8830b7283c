/** What the harness does to control messages and roles in the simulated world, and what is known of it afterwards. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { logicalOf } from '../../conformance/cases/evidence.js';
import { parseControlLog } from '../../conformance/control-log.js';
import { readCapture } from '../../harness/capture/pcapng.js';
import { createSimWorld } from '../../harness/sim/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { ClientJob, ControlLogEntry, Evidence, JobResult, ScriptStep, WorldOptions } from '../../harness/world.js';
import { formatIpv4Address, parseFrame, TcpFlag } from '../../reference-impl/wire/index.js';

const header = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: p\r\n\r\n`;
const gets = (...paths: string[]): ClientJob => ({
  kind: 'script',
  steps: paths.flatMap((path): ScriptStep[] => [{ do: 'send', text: header(path) }, { do: 'response' }]),
});

interface Ran {
  readonly results: readonly JobResult[];
  readonly evidence: Evidence;
  /** `role direction verb`, in order. */
  readonly said: readonly string[];
  readonly control: readonly ControlLogEntry[];
  readonly trace: readonly { readonly t: string; readonly role: string; readonly action: string }[];
}

async function run(t: Test, jobs: readonly ClientJob[], options: Partial<WorldOptions>): Promise<Ran> {
  const world = await createSimWorld(t.testdir({}), {
    seed: 1,
    without: [],
    policy: defaultPolicy,
    faults: [],
    ...options,
  });
  const results = await world.runClients(jobs);
  await world.settle(30_000);
  const evidence = await world.finish();
  const log = parseControlLog(readFileSync(evidence.controlLog, 'utf8'));
  if (!log.ok) throw new Error(log.error);
  const trace = readFileSync(evidence.trace, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const said = log.entries.map(({ at, direction, message }) => `${at} ${direction} ${message.verb}`);
  return { results, evidence, said, control: log.entries, trace };
}

const count = (said: readonly string[], text: string): number => said.filter((line) => line === text).length;

t.test('a message that is dropped was sent, and never received', async (t) => {
  const { results, said, evidence } = await run(t, [gets('/a/1')], {
    controlFaults: [{ kind: 'drop', match: { verb: 'add' }, nth: [1] }],
  });
  t.ok(results[0]?.ok);
  t.equal(count(said, 'controller sent add'), 2, 'the reference repeats it');
  t.equal(count(said, 'switch received add'), 1);
  t.same(evidence.missedFaults, []);
});

t.test('a delayed message does not hold up those behind it', async (t) => {
  const { control } = await run(t, [gets('/a/1', '/b/1')], {
    controlFaults: [{ kind: 'delay', match: { answers: 'handoff' }, nth: [1], ms: 50 }],
  });
  const from = control.filter(
    ({ at, direction, peer }) => at === 'controller' && direction === 'received' && peer === 'backend0',
  );
  t.same(
    from.map(({ message }) => message.verb),
    ['complete', 'ok'],
  );
});

t.test('a repeated message is received twice, a refused one is answered for', async (t) => {
  const twice = await run(t, [gets('/a/1')], {
    controlFaults: [{ kind: 'repeat', match: { verb: 'remove' }, ms: 10 }],
  });
  t.equal(count(twice.said, 'controller sent remove'), 1);
  t.equal(count(twice.said, 'switch received remove'), 2);
  const refused = await run(t, [gets('/a/1')], {
    controlFaults: [{ kind: 'refuse', match: { verb: 'add' }, code: 'full' }],
  });
  t.same(refused.results[0]?.responses[0]?.status, 503);
  t.equal(count(refused.said, 'switch received add'), 0);
  t.match(
    refused.control.find(({ message }) => message.verb === 'refused'),
    { at: 'controller', direction: 'received', peer: 'switch', message: { code: 'full' } },
  );
});

t.test('a line that follows a message is reported by who gets it, and is no message of the log', async (t) => {
  const { results, trace, said } = await run(t, [gets('/a/1')], {
    controlFaults: [{ kind: 'follow', match: { verb: 'handoff' }, line: '{"verb":"nonsense"}' }],
  });
  t.ok(results[0]?.ok);
  t.ok(trace.some(({ role, action }) => role === 'backend0' && action === 'ControlRejected'));
  t.equal(count(said, 'backend0 received handoff'), 1);
});

t.test('a role that crashes does nothing more, and its peer hears of it', async (t) => {
  const { results, trace, evidence } = await run(t, [gets('/a/64k')], {
    roleFaults: [{ kind: 'crash', role: 'backend0', on: { frame: { from: 'backend0', payload: true }, nth: 5 } }],
  });
  t.match(results[0], { ok: false, closedBy: 'server-rst' });
  const lost = trace.find(({ action }) => action === 'BackendLost');
  t.match(lost, { role: 'controller', reason: 'control connection lost' });
  t.notOk(trace.some(({ role, t: at }) => role === 'backend0' && at > (lost?.t ?? '')));
  t.same(evidence.missedFaults, []);
});

t.test('a role that falls silent is missed when the time is over', async (t) => {
  const { results, trace, evidence } = await run(t, [gets('/a/1')], {
    bounds: { handoffMs: 700 },
    roleFaults: [{ kind: 'silence', role: 'backend0', on: { control: { verb: 'handoff' } }, afterMs: 0 }],
  });
  t.match(results[0], { ok: false, closedBy: 'server-rst' });
  t.match(
    trace.find(({ action }) => action === 'BackendLost'),
    { reason: 'time-out' },
  );
  t.equal(evidence.topology.bounds?.handoffMs, 700);
});

t.test('a role that has crashed is asked for nothing', async (t) => {
  const { said, results } = await run(t, [gets('/a/1', '/b/1', '/a/1')], {
    roleFaults: [{ kind: 'crash', role: 'backend0', on: { control: { answers: 'complete' } }, afterMs: 1 }],
  });
  t.same(
    results[0]?.responses.map(({ status }) => status),
    [200, 200, 503],
  );
  t.equal(count(said, 'controller sent handoff'), 2);
});

t.test('faults that were done to nothing are told, those that come by chance are not', async (t) => {
  const { evidence } = await run(t, [gets('/a/1')], {
    faults: [
      { kind: 'drop', match: { from: 'backend1' } },
      { kind: 'lose', match: { from: 'backend1' }, rate: 0.5 },
      { kind: 'delay', match: { from: 'backend0' }, ms: 1 },
    ],
    controlFaults: [
      { kind: 'drop', match: { to: 'backend1' } },
      { kind: 'delay', match: { to: 'backend0' }, ms: 1 },
    ],
    roleFaults: [{ kind: 'crash', role: 'backend1', on: { control: { to: 'backend1' } } }],
  });
  t.match(evidence.missedFaults, [/^no frame to drop/, /^no control message to drop/, /^no crash of backend1/]);
  t.equal(evidence.missedFaults?.length, 3);
});

t.test('first numbers as they were asked for, of the controller and of the client', async (t) => {
  const steps: ScriptStep[] = [{ do: 'send', text: header('/a/1') }, { do: 'response' }];
  const stack = { initialSequence: 0xffff_fff0, initialTimestamp: 0xffff_ff00 };
  const { results, evidence } = await run(t, [{ kind: 'script', steps, stack }], { initialSequence: 0xffff_ffff });
  t.match(results[0], { ok: true });
  const capture = readCapture(readFileSync(evidence.capture));
  if (!capture.ok) throw new Error(capture.error.detail);
  const syns = capture.frames.flatMap(({ bytes }) => {
    const parsed = parseFrame(bytes);
    const { tcp, ipv4 } = parsed.ok ? parsed.value : {};
    if (tcp === undefined || ipv4 === undefined || (tcp.flags & TcpFlag.SYN) === 0) return [];
    const stamp = tcp.options.find((option) => option.kind === 'timestamps');
    return [{ src: `${formatIpv4Address(ipv4.src)}:${tcp.srcPort}`, seq: tcp.seq, value: stamp?.value }];
  });
  const logical = logicalOf(evidence.topology);
  t.match(
    syns.find(({ src }) => src !== logical),
    { seq: 0xffff_fff0, value: 0xffff_ff00 },
  );
  t.equal(syns.find(({ src }) => src === logical)?.seq, 0xffff_ffff);
});

t.test('a stranger is not obeyed, not answered, and reported', async (t) => {
  const lines = [JSON.stringify({ verb: 'list', id: 's1' }), 'nonsense'];
  const { results, trace, said } = await run(
    t,
    [
      { kind: 'stranger', to: 'switch', lines },
      { kind: 'stranger', to: 'backend0', lines },
    ],
    {},
  );
  t.ok(results.every(({ ok }) => ok));
  t.same(said, []);
  t.same(trace.map(({ role, action }) => `${role} ${action}`).sort(), [
    'backend0 ControlRejected',
    'backend0 ControlRejected',
    'switch ControlRejected',
    'switch ControlRejected',
  ]);
});
