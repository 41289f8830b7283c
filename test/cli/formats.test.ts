/** TAP, JUnit and reports of stored results on the command line, as their users run it. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Parser } from 'tap-parser';
import { ResultDocument } from '../../conformance/result-schema.js';
import { prism, prismBatch } from './run-cli.js';

const cwd = t.testdir({ 'notes.txt': 'mine', 'broken.json': '{', 'other.json': '{"schema": "prism-other/1"}' });
const CASE = 'RET-7.pipelined-reads';
const text = (path: string): string => readFileSync(join(cwd, path), 'utf8');

const CAPTURE = `bad/sim/${CASE}/capture.pcapng`;
const FAILING = ['test', CASE, '--without', 'header-only-ack', '--out', 'bad'];

t.test('a failing run in every format', async (t) => {
  const [tap, terminal, check, again] = await prismBatch(
    [
      [...FAILING, '--junit', 'bad.xml', '--tap'],
      [...FAILING, '--quiet'],
      ['check', CAPTURE, '--no-control', '--out', 'checked'],
      ['report', 'bad', '--out', 'again', '--json'],
    ],
    { cwd },
  );

  await t.test('TAP on stdout, and nothing else there', async (t) => {
    t.match(tap, {
      code: 1,
      stderr: /^FAIL sim RET-7\.pipelined-reads: REQ-2 in .* frame \d+ \(controller\): [^\n]*\n$/,
    });
    const parser = new Parser();
    let extra = '';
    parser.on('extra', (line: string) => {
      extra += line;
    });
    parser.end(tap?.stdout ?? '');
    t.equal(extra, '');
    t.match(parser.results, { ok: false, bailout: false });
    t.match(parser.results?.failures[0], { name: `sim ${CASE}`, diag: { verdict: 'fail' } });
  });

  await t.test('a folder with every format', async (t) => {
    t.same(readdirSync(join(cwd, 'bad')).sort(), [
      'index.html',
      'junit.xml',
      'report.tap',
      'result.json',
      'sim',
      'summary.txt',
    ]);
    t.match(text('bad.xml'), /<testcase name="RET-7\.pipelined-reads" classname="sim\.[A-Z]{3}-\d+">/);
    t.match(text('bad/junit.xml'), /<testcase name="RET-7\.pipelined-reads" classname="sim\.[A-Z]{3}-\d+">/);
    t.match(text('bad/report.tap'), /^not ok 1 - sim RET-7/m);
    t.match(text('bad/summary.txt'), /^ *> *\d+\.\d{6} +21 +\| +\|<-+\|.* seq 1 ack 123/m, 'with a ladder');
  });

  await t.test('the terminal draws the first failure', async (t) => {
    t.equal(terminal?.code, 1);
    t.match(terminal?.stdout, /^ {2}> +\d+\.\d{6} +21 /m);
    t.match(terminal?.stdout, /\^ acknowledges 92 bytes behind the header/);
    t.equal(terminal?.stdout.match(/^ +time +frame/gm)?.length, 1, 'and no other');
  });

  await t.test('captures alone have ladders, and links to where they lie', async (t) => {
    t.equal(check?.code, 1);
    t.match(check?.stdout, /^ {2}> +\d+\.\d{6} +21 /m);
    t.match(text('checked/index.html'), new RegExp(`href="\\.\\./${CAPTURE}"`));
  });

  await t.test('a stored result is shown again: same verdicts, same end', async (t) => {
    const stored = ResultDocument.parse(JSON.parse(text('bad/result.json')));
    t.match(again, { code: 1, stderr: '' });
    t.same(JSON.parse(again?.stdout ?? ''), stored);
    t.equal(text('again/report.tap'), text('bad/report.tap'));
    t.match(text('again/index.html'), /class="marked"/, 'ladders from the captures beside the result');
    t.match(text('again/index.html'), /href="\.\.\/bad\/sim\//);
  });
});

t.test('a stored result whose captures are gone says so', async (t) => {
  rmSync(join(cwd, 'bad', 'sim'), { recursive: true });
  const poor = await prism(['report', 'bad/result.json', '--out', 'poor'], { cwd });
  t.match(poor, { code: 1, stderr: '', stdout: /FAIL RET-7\.pipelined-reads/ });
  t.match(text('poor/index.html'), /is not there any more/);
  t.notMatch(text('poor/index.html'), /href="[^#]/);
  t.ok(existsSync(join(cwd, 'poor', 'junit.xml')));
});

const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['two formats on stdout', ['test', CASE, '--tap', '--junit'], /--tap and --junit both want stdout/],
  ['JSON and TAP on stdout', ['test', CASE, '--json', '--tap'], /--json and --tap both want stdout/],
  ['a selector for a file', ['test', '--tap', CASE], /--tap took 'RET-7.*put --tap last/],
  ['a file of another kind', ['test', CASE, '--junit', 'notes.txt'], /--junit notes\.txt: .* not XML/],
  ['TAP over JSON', ['test', CASE, '--tap', 'other.json'], /--tap other\.json: .* not TAP/],
  ['a folder that is not there', ['test', CASE, '--junit', 'no/such.xml'], /--junit no\/such\.xml: /],
  ['nothing to report', ['report', 'nowhere'], /nowhere: no such file or folder/],
  ['a folder without a result', ['report', '.'], /result\.json: no such file/],
  ['no JSON', ['report', 'broken.json'], /broken\.json: not JSON/],
  ['another document', ['report', 'other.json'], /other\.json: schema: /],
];

t.test('bad input is one line and exit 2', async (t) => {
  const ended = await prismBatch(
    WRONG.map(([, args]) => args),
    { cwd },
  );
  for (const [i, [title, , pattern]] of WRONG.entries()) {
    t.match(ended[i], { code: 2, stdout: '', stderr: pattern }, title);
    t.equal(ended[i]?.stderr.trim().split('\n').length, 1, `${title}: one line`);
  }
  t.equal(text('notes.txt'), 'mine');
});

t.test('a strict report of what stayed open', async (t) => {
  const open = JSON.parse(text('again/result.json'));
  for (const result of open.results) result.verdict = 'inconclusive';
  open.summary = { pass: 0, fail: 0, inconclusive: open.results.length, unsupported: 0, error: 0 };
  writeFileSync(join(cwd, 'open.json'), JSON.stringify(open));
  const [lenient, strict] = await prismBatch(
    [
      ['report', 'open.json', '--tap'],
      ['report', 'open.json', '--strict', '--tap'],
    ],
    { cwd },
  );
  t.match(lenient, { code: 0, stdout: /^ok 1 - .* # SKIP inconclusive/m });
  t.match(strict, { code: 3, stdout: /^not ok 1 - /m });
});
