/** A target that is a module: it plays in the simulated world, is judged there, and its defects are told as the role's. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CASES } from '../../conformance/cases/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { runCases } from '../../conformance/run.js';
import { createTargetWorld } from '../../harness/sim/target-world.js';
import { CAPABILITY_NAMES } from '../../harness/target/capability.js';
import type { Manifest } from '../../harness/target/manifest.js';
import { resolveTarget } from '../../harness/target/target.js';
import { defaultPolicy } from '../../harness/topology.js';
import { WorldError, type WorldOptions } from '../../harness/world.js';
import { fakePlan } from '../report/fakes.js';

const FIXTURE = fileURLToPath(new URL('./role-module-fixture.ts', import.meta.url));

function told(
  roles: Manifest['roles'],
): NonNullable<WorldOptions['target']> & { target: ReturnType<typeof resolveTarget> } {
  const target = resolveTarget(
    { schema: 'prism-target/1', name: 'module', roles, capabilities: [...CAPABILITY_NAMES] },
    '/',
    'module.json',
  );
  return { target, roles: target.roles, variants: [], prism: [] };
}

async function judge(out: string, ids: readonly string[]) {
  const { target, ...world } = told({ switch: { module: FIXTURE }, backend: { module: FIXTURE } });
  const cases = CASES.filter(({ id }) => ids.includes(id));
  const plan = fakePlan(out, {
    create: createTargetWorld,
    cases,
    judge: judgeEvidence,
    target: { judged: target, told: world },
  });
  return runCases(plan);
}

t.test('it plays', async (t) => {
  const ids = ['RET-7.pipelined-reads', 'SWT-8.neighbours-of-a-hand-off', 'BKD-5.response-segment-lost'];
  const runs = await judge(t.testdir(), ids);
  t.same(
    runs.map(({ result }) => [result.id, result.verdict]),
    ids.map((id) => [id, 'pass']),
  );
});

t.test('it is judged', async (t) => {
  process.env.PRISM_TEST_BREAK = 'yes';
  t.teardown(() => {
    delete process.env.PRISM_TEST_BREAK;
  });
  const [run] = await judge(t.testdir(), ['RET-7.pipelined-reads']);
  t.match(run?.result, { verdict: 'fail' });
  t.ok(run?.result.clauses.includes('SWT-6'), run?.result.message ?? 'no result');
});

t.test('a module that cannot play is a failure of the world, in one line', async (t) => {
  const folder = t.testdir({
    'syntax.mjs': 'export function (',
    'nothing.mjs': 'export const a = 1;',
    'throws.mjs': 'export function createRole() { throw new Error("no licence\\nfound"); }',
    'empty.mjs': 'export function createRole() { return {}; }',
    'stumbles.mjs':
      'export const createRole = () => ({ initial: [], held: () => 0, step() { throw new Error("oops"); } });',
    'late.mjs': 'export const createRole = async () => ({});',
    'waits.mjs': 'export const createRole = () => ({ initial: [], held: () => 0, async step() { return []; } });',
    ...Object.fromEntries(
      [
        ['nan', '{ kind: "timer", key: "k", at: NaN }'],
        ['never', '{ kind: "timer", key: "k", at: Infinity }'],
        ['text', '{ kind: "frame", port: "client", bytes: "abc" }'],
        ['short', '{ kind: "frame", port: "client", bytes: new Uint8Array(3) }'],
        ['odd', '{ kind: "packet" }'],
        ['none', 'null'],
        ['half', '{ kind: "control", peer: "controller", message: { verb: "ok" } }'],
        ['mute', '{ kind: "event", event: {} }'],
      ].map(([name, output]) => [
        `puts-${name}.mjs`,
        `export const createRole = () => ({ initial: [], held: () => 0, step() { return [${output}]; } });`,
      ]),
    ),
    'begins.mjs': 'export const createRole = () => ({ initial: [7], held: () => 0, step: () => [] });',
    'mumbles.mjs': 'export const createRole = () => ({ initial: [], held: () => 0, step() {} });',
  });
  const options = (file: string): WorldOptions => {
    const { target: _, ...target } = told({ switch: { module: join(folder, file) } });
    return { seed: 1, without: [], policy: defaultPolicy, faults: [], target };
  };
  for (const [file, message] of [
    ['none.mjs', /none\.mjs cannot be loaded/],
    ['syntax.mjs', /syntax\.mjs cannot be loaded/],
    ['nothing.mjs', /exports no function createRole/],
    ['throws.mjs', /^switch cannot be started: createRole: no licence$/],
    ['empty.mjs', /createRole gave no \{initial, step, held\}/],
    ['late.mjs', /^switch cannot be started: createRole gave a promise/],
    ['waits.mjs', /^switch failed at control-up: it gave a promise/],
    ['puts-nan.mjs', /^switch failed at control-up: output 1: at: .*got number NaN$/],
    ['puts-never.mjs', /^switch failed at control-up: output 1: at: .*got number Infinity$/],
    ['puts-text.mjs', /^switch failed at control-up: output 1: bytes: expected a Uint8Array, got string abc$/],
    ['puts-short.mjs', /output 1: bytes: expected 14 to 65549 bytes, got 3$/],
    ['puts-odd.mjs', /output 1: kind: expected frame, control, timer or event, got string packet$/],
    ['puts-none.mjs', /output 1: is null, not an object$/],
    ['puts-half.mjs', /output 1: message\.re: /],
    ['puts-mute.mjs', /output 1: event: expected an object with an action$/],
    ['begins.mjs', /^switch failed at its start \(initial\): output 1: is number 7, not an object$/],
    ['stumbles.mjs', /^switch failed at control-up: oops$/],
    ['mumbles.mjs', /its step gave no list of outputs/],
  ] as const) {
    const failure = await Promise.resolve(createTargetWorld(folder, options(file))).then(
      () => undefined,
      (error: unknown) => error,
    );
    t.ok(failure instanceof WorldError, file);
    t.match((failure as Error | undefined)?.message, message, file);
  }
  const { target: _, ...programs } = told({ switch: { command: ['x'] } });
  await t.rejects(
    createTargetWorld(folder, { ...options('none.mjs'), target: programs }),
    /runs in the Linux world only/,
  );
});
