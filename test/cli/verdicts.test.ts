/** Commands that judge, run as their users run them: verdicts, exit codes, JSON, reports, interrupts. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { ResultDocument } from '../../conformance/result-schema.js';
import { prism } from './run-cli.js';

const cwd = t.testdir();
const CASE = 'REQ-5.payload-behind-header';
/** A case whose captures alone show a broken REQ-2: a backend goes on, so that there was a hand-off to see. */
const PIPELINED = 'RET-7.pipelined-reads';
const read = (path: string): ResultDocument => ResultDocument.parse(JSON.parse(readFileSync(join(cwd, path), 'utf8')));

t.test('a case that passes: exit 0, a document, a report, the evidence', async (t) => {
  const ended = await prism(['test', CASE, '--seed', '7', '--out', 'good', '--json', 'good.json'], { cwd });
  t.match(ended, { code: 0, stderr: '' });
  t.match(ended.stdout, /^CASE +SIM\nREQ-5\.payload-behind-header +pass \d+$/m);
  const document = read('good.json');
  t.match(document, {
    command: `prism test ${CASE} --seed 7 --out good --json good.json`,
    seed: 7,
    world: 'sim',
    target: 'reference',
  });
  const [first, ...passive] = document.results;
  t.match(first, { id: CASE, verdict: 'pass', replay: `prism test ${CASE} --world sim --seed 7` });
  t.same([...passive.map((r) => r.id)].sort(), (first?.clauses ?? []).map((id) => `check.${id}`).sort());
  t.same(readdirSync(join(cwd, 'good', 'sim', CASE)).sort(), [
    'capture.control.ndjson',
    'capture.pcapng',
    'topology.json',
    'trace.ndjson',
  ]);
  t.same(read('good/result.json').results, document.results);
  for (const file of ['index.html', 'summary.txt']) t.ok(existsSync(join(cwd, 'good', file)), file);
});

t.test('a remedy switched off: exit 1, the clause, the frames, the command that runs it again', async (t) => {
  const ended = await prism(['test', '--without', 'header-only-ack', PIPELINED, '--out', 'bad', '--json'], { cwd });
  t.match(ended, { code: 1, stderr: /^FAIL sim RET-7\.pipelined-reads: REQ-2 in \S+ frame \d+ \(controller\): .*\n$/ });
  const document = ResultDocument.parse(JSON.parse(ended.stdout));
  const fail = document.results.find((r) => r.id === 'check.REQ-2');
  t.match(fail, { verdict: 'fail', replay: `prism test ${PIPELINED} --world sim --seed 1 --without header-only-ack` });
  t.match(fail?.evidence, [{ capture: `sim/${PIPELINED}/capture.pcapng` }]);
  t.match(await prism(['test', PIPELINED, '--without', 'header-only-ack', '--out', 'bad', '--quiet'], { cwd }), {
    code: 1,
    stdout: /^\nFAIL RET-7\S+: REQ-2 in \S+ frame \d+ \(controller\): .*\n( {2}then: .*\n)* {2}clauses: REQ-2/,
  });
});

t.test('check: the same verdicts from the files alone', async (t) => {
  const good = `good/sim/${CASE}/capture.pcapng`;
  t.match(await prism(['check', good, '--json', 'check.json'], { cwd }), {
    code: 0,
    stderr: '',
    stdout: /^REQ-2 +pass \d+/m,
  });
  t.match(read('check.json'), { seed: null, world: 'none', target: 'captures' });
  const bad = await prism(['check', `bad/sim/${PIPELINED}/capture.pcapng`, '--no-control'], { cwd });
  t.match(bad, { code: 1, stdout: /FAIL check\.REQ-2: .*\n {2}bad\/sim\/.*capture\.pcapng frame \d+: / });
  const strict = await prism(['check', good, '--no-control', '--strict', '--json', 'open.json'], { cwd });
  t.match(strict, { code: 3, stdout: /^HOF-1 +inconclusive 0/m });
  const open = await prism(['check', good, '--no-control'], { cwd, env: { CI: 'true' } });
  t.match(open, { code: 0 }, 'strict only when asked, also under CI=true');
});

t.test('check: several runs at once, each with its own topology and control log', async (t) => {
  const both = await prism(['check', `good/sim/${CASE}/capture.pcapng`, `bad/sim/${PIPELINED}/capture.pcapng`], {
    cwd,
  });
  t.match(both, { code: 1, stdout: /FAIL check\.REQ-2/ });
  t.match(both.stdout, `  again: prism check bad/sim/${PIPELINED}/capture.pcapng\n`, 'the failing run alone');
  writeFileSync(join(cwd, 'c.ndjson'), '');
  const control = await prism(
    ['check', `good/sim/${CASE}/capture.pcapng`, `bad/sim/${PIPELINED}/capture.pcapng`, '--control', 'c.ndjson'],
    { cwd },
  );
  t.match(control, { code: 2, stderr: /--control belongs to one run/ });
});

t.test('the same seed gives the same captures; another one does not', async (t) => {
  for (const [folder, seed] of [
    ['one', '5'],
    ['two', '5'],
    ['three', '6'],
  ] as const)
    t.match(await prism(['test', CASE, '--seed', seed, '--out', folder, '--quiet'], { cwd }), {
      code: 0,
      stdout: '',
      stderr: '',
    });
  const bytes = (folder: string): Buffer => readFileSync(join(cwd, folder, 'sim', CASE, 'capture.pcapng'));
  t.ok(bytes('one').equals(bytes('two')));
  t.notOk(bytes('one').equals(bytes('three')));
});

t.test('verify without any tool of Linux: all of the simulated world, one line on the rest', async (t) => {
  const env = { PATH: dirname(process.execPath) === '/usr/bin' ? '/nonexistent' : dirname(process.execPath) };
  const ended = await prism(['verify'], { cwd, env });
  t.match(ended, { code: 0, stderr: '', stdout: /^left out the Linux world: .*apt-get install/m });
  t.equal(ended.stdout.match(/^left out the /gm)?.length, 1);
  t.match(ended.stdout, /^not checked: ci: there is no java on PATH: .*apt-get install/m);
  // The Linux world, the specification's model that takes TLC, and the refinement; the embedded checker did what it can.
  t.match(read('prism-report/result.json'), { world: 'sim', summary: { fail: 0, error: 0, inconclusive: 3 } });
  t.ok(read('prism-report/result.json').results.some((r) => r.id === 'spec/small/embedded/HOF_5'));
  t.match(await prism(['test', CASE, '--world', 'linux'], { cwd, env }), {
    code: 4,
    stderr: /^prism: the Linux world cannot be had here: .*apt-get install[^\n]*\n$/,
  });
});

t.test('Ctrl-C ends a run with 130, and what had finished is told', async (t) => {
  const ended = await prism(['test', '--out', 'interrupted'], {
    cwd,
    started: (kill) => {
      const wait = setInterval(() => {
        if (!existsSync(join(cwd, 'interrupted', 'sim'))) return;
        clearInterval(wait);
        kill('SIGINT');
      }, 50);
    },
  });
  t.match(ended, { code: 130, stderr: /^\r?prism: SIGINT: cleaning up[^\n]*\n$/ });
  t.match(ended.stdout, /^not run: \d+ of \d+ cases: interrupted/m, 'the rest is a number');
  t.ok(ended.stdout.split('\n').length < 150, 'and no table of what nobody ran');
});
