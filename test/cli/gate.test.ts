/** The gate that other projects' CI runs, and a run cut into shards and joined again. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { ResultDocument } from '../../conformance/result-schema.js';
import { prism } from './run-cli.js';

const GATE = fileURLToPath(new URL('../../ci/gate', import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), 'prism-gate-test-'));
t.teardown(() => rmSync(cwd, { recursive: true, force: true }));

function gate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; out: string; err: string }> {
  const { CI: _ci, GITHUB_ACTIONS: _actions, ...inherited } = process.env;
  return new Promise((resolve) => {
    execFile(GATE, args, { cwd, env: { ...inherited, ...env } }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const read = (file: string): ResultDocument => JSON.parse(readFileSync(join(cwd, file), 'utf8'));

t.test('the gate judges a target strictly and ends as prism test does', async (t) => {
  const good = await gate(['--target', 'reference', '--world', 'sim', '--out', 'good', 'REQ-5.payload-behind-header']);
  t.equal(good.code, 0, good.out + good.err);
  t.match(read('good/result.json'), { target: 'reference', world: 'sim', summary: { fail: 0 } });
  const unusable = await gate(['--target', 'no-such-target', '--world', 'sim', 'REQ-5.payload-behind-header']);
  t.equal(unusable.code, 2);
  t.match(unusable.err, /no target is called 'no-such-target'/);
});

t.test('what it cannot take is one line and exit code 2', async (t) => {
  for (const [args, line] of [
    [[], /no target is given/],
    [['--target'], /--target needs a value/],
    [['--target', 'x', '--world', 'mars'], /there is no world 'mars'/],
    [['--target', 'x', '--wrld', 'sim'], /there is no option '--wrld'/],
  ] as const) {
    const { code, err } = await gate(args);
    t.equal(code, 2, args.join(' '));
    t.match(err, line);
    t.equal(err.trim().split('\n').length, 1);
  }
});

t.test('under GitHub Actions a problem is an annotation, and the summary page has a table', async (t) => {
  const summary = join(cwd, 'summary.md');
  writeFileSync(summary, '');
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };
  const args = ['test', 'REQ-5.payload-behind-header', '--without', 'header-only-ack', '--out', 'github', '--quiet'];
  const { code, stderr } = await prism(args, { cwd, env });
  t.equal(code, 1);
  t.match(stderr, /^::error title=fail%3A check\.REQ-2::.*frame \d+\)$/m);
  t.match(
    readFileSync(summary, 'utf8'),
    /### Prism conformance of reference, world sim[\s\S]*\| fail \| check.REQ-2 \|/,
  );
});

t.test('the shards of a run, joined, are the run', async (t) => {
  const selectors = ['HOF-6.*', 'HOF-7.*'];
  for (const part of ['1/2', '2/2']) {
    const { code, stderr } = await prism(['test', ...selectors, '--shard', part, '--out', `s${part[0]}`], { cwd });
    t.equal(code, 0, stderr);
  }
  await prism(['test', ...selectors, '--out', 'all'], { cwd });
  const joined = await prism(['report', 's2', 's1', '--out', 'joined'], { cwd });
  t.equal(joined.code, 0, joined.stderr);
  const facts = (file: string) =>
    new Map(read(file).results.map(({ id, verdict, exercised }) => [id, { verdict, exercised }]));
  t.same(facts('joined/result.json'), facts('all/result.json'));
  const half = await prism(['report', 's1', '--out', 'half', '--quiet'], { cwd });
  t.equal(half.code, 0, 'one shard alone can be shown');
  const twice = await prism(['report', 's1', 's1'], { cwd });
  t.equal(twice.code, 2);
  t.match(twice.stderr, /both shard 1\/2/);
});
