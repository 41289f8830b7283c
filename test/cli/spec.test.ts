/** `prism spec` as its users run it: pinned counts, violations as ladders, faults, interrupts. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ResultDocument } from '../../conformance/result-schema.js';
import { prism, prismBatch } from './run-cli.js';
import { copySpecification } from './spec-copy.js';

const cwd = t.testdir();

const copyOf = (name: string, file: string, find: string, replace: string): string =>
  copySpecification(cwd, name, file, find, replace);

const document = (text: string): ResultDocument => ResultDocument.parse(JSON.parse(text));

t.test('a model as it is pinned: exit 0, its count, a pass for every operator', async (t) => {
  const ended = await prism(['spec', 'check', '--model', 'small', '--checker', 'tlc', '--json'], { cwd });
  t.match(ended, { code: 0, stderr: '' });
  const { results, target, world } = document(ended.stdout);
  t.match({ target, world }, { target: 'specification', world: 'none' });
  t.match(
    results.find((r) => r.id === 'small/states'),
    { verdict: 'pass', message: /^[\d,]+ distinct states, as pinned$/ },
  );
  t.match(
    results.find((r) => r.id === 'small/HOF_5'),
    { clauses: ['HOF-5'], verdict: 'pass' },
  );
  t.ok(results.length > 40);
});

t.test('a remedy switched off: exit 1, the operator, a ladder, evidence kept', async (t) => {
  const ended = await prism(['spec', 'check', '--without', 'EarlyGuard', '--misfortune', 'none', '--out', 'kept'], {
    cwd,
  });
  t.match(ended, { code: 1, stderr: '' });
  t.match(ended.stdout, /^VIOLATED HOF_5$/m);
  t.match(ended.stdout, /client +switch +controller +b1 +b2/);
  t.match(ended.stdout, /RST seq/);
  t.match(ended.stdout, /^again: prism spec check --model ci --without EarlyGuard --misfortune none$/m);
  const files = readdirSync(join(cwd, 'kept', 'ci'));
  for (const file of ['MC.cfg', 'Handoff.tla', 'counterexample.txt', 'counterexample.json'])
    t.ok(files.includes(file), `${file} of ${files.join(' ')}`);
});

t.test('the literal reading stalls for ever: a liveness property, and where the loop begins', async (t) => {
  const ended = await prism(
    ['spec', 'check', '--model', 'quick', '--literal', '--only', 'RET-2', '--misfortune', 'lose'],
    { cwd },
  );
  t.match(ended, { code: 1, stderr: '' });
  t.match(ended.stdout, /^VIOLATED RET_2$/m);
  t.match(ended.stdout, /for ever|nothing happens any more/);
});

t.test('a seeded fault is killed by its operator; one whose operator sleeps survives', async (t) => {
  const killed = await prism(['spec', 'mutants', 'without-EarlyGuard', 'rewritten-without-a-rule', '--json'], { cwd });
  t.match(killed, { code: 0, stderr: '' });
  t.match(document(killed.stdout).summary, { pass: 2, fail: 0 });
  const asleep = copyOf(
    'asleep',
    'Clauses.tla',
    'ERR_2 == []<>(controller.phase = "handedOff" =>',
    'ERR_2 == []<>(FALSE =>',
  );
  const survived = await prism(['spec', 'mutants', 'crash-not-noticed', '--spec', asleep], { cwd });
  t.match(survived, { code: 1 });
  t.match(survived.stdout, /crash-not-noticed +survived: ERR_2 holds in all/);
});

t.test('a changed specification is noticed by its count', async (t) => {
  const changed = copyOf('changed', 'MCsmall.cfg', 'Window = 2', 'Window = 3');
  const ended = await prism(['spec', 'check', '--model', 'small', '--checker', 'tlc', '--spec', changed], { cwd });
  t.match(ended, { code: 1 });
  t.match(ended.stdout, /FAIL small\/states: [\d,]+ distinct states instead of [\d,]+: the specification has changed/);
});

t.test('Ctrl-C: 130, no JVM, no folder left', async (t) => {
  const scratch = join(cwd, 'scratch');
  mkdirSync(scratch);
  const ended = await prism(['spec', 'check', '--model', 'deep'], {
    cwd,
    env: { TMPDIR: scratch },
    started: (kill) => setTimeout(() => kill('SIGINT'), 12_000),
  });
  t.match(ended, { code: 130, stderr: /cleaning up.*\n(.*\n)*prism: interrupted by SIGINT\n$/ });
  t.same(
    readdirSync(scratch).filter((name) => !name.startsWith('tsx') && name !== 'node-compile-cache'),
    [],
    'nothing in the temporary folder',
  );
  t.notMatch(spawnSync('pgrep', ['-af', scratch], { encoding: 'utf8' }).stdout, /java/);
});

t.test('list and explain know the specification', async (t) => {
  const kinds = ['models', 'operators', 'spec-remedies', 'spec-mutants'];
  const things: readonly (readonly [string, RegExp])[] = [
    ['HOF-5', /HOF_5 == [\s\S]*without-EarlyGuard[\s\S]*check it: prism spec check --only HOF_5/],
    ['RET_7_Answered', /clause:\n {2}RET-7/],
    ['DrainRules', /in the reference: drain-rules/],
    ['served-twice', /must be caught by: RET_7/],
  ];
  const ended = await prismBatch(
    [...kinds.map((kind) => ['list', kind, '--json']), ...things.map(([id]) => ['explain', id])],
    { cwd },
  );
  for (const [n, kind] of kinds.entries()) t.ok(JSON.parse(ended[n]?.stdout ?? '')[kind].length > 2, kind);
  for (const [n, [id, text]] of things.entries()) t.match(ended[kinds.length + n]?.stdout, text, id);
});
