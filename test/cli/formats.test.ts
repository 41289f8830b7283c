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

t.test('a failing run in every format', async (t) => {
  const args = ['test', CASE, '--without', 'header-only-ack', '--out', 'bad', '--junit', 'bad.xml', '--tap'];
  const ended = await prism(args, { cwd });
  t.match(ended, { code: 1, stderr: '' });
  const parser = new Parser();
  let extra = '';
  parser.on('extra', (line: string) => {
    extra += line;
  });
  parser.end(ended.stdout);
  t.equal(extra, '', 'stdout carries TAP and nothing else');
  t.match(parser.results, { ok: false, bailout: false });
  t.match(parser.results?.failures[0], { name: `sim ${CASE}`, diag: { verdict: 'fail' } });
  t.match(text('bad.xml'), /<testcase name="RET-7\.pipelined-reads" classname="sim\.[A-Z]{3}-\d+">/);
  t.same(readdirSync(join(cwd, 'bad')).sort(), [
    'index.html',
    'junit.xml',
    'report.tap',
    'result.json',
    'sim',
    'summary.txt',
  ]);
  t.equal(text('bad/report.tap'), ended.stdout);
  t.equal(text('bad/junit.xml'), text('bad.xml'));
  t.match(text('bad/summary.txt'), /^ *>? *\d+\.\d{6} +21 +\| +\|<-+\|.* seq 1 ack 123/m, 'with a ladder');
});

t.test('the terminal draws the first failure', async (t) => {
  const ended = await prism(['test', CASE, '--without', 'header-only-ack', '--out', 'bad', '--quiet'], { cwd });
  t.match(ended.stdout, /^ {2}> +\d+\.\d{6} +21 /m);
  t.match(ended.stdout, /\^ acknowledges 92 bytes behind the header/);
  t.equal(ended.stdout.match(/segment|time +frame/g)?.length, 1, 'one ladder only');
});

t.test('captures of several files are drawn in one ladder', async (t) => {
  const capture = `bad/sim/${CASE}/capture.pcapng`;
  const ended = await prism(['check', capture, '--no-control', '--out', 'checked'], { cwd });
  t.equal(ended.code, 1);
  t.match(ended.stdout, /^ {2}> +\d+\.\d{6} +21 /m);
  t.match(text('checked/index.html'), new RegExp(`href="\\.\\./${capture}"`), 'the page links to where it lies');
});

t.test('a stored result is shown again: same verdicts, same end', async (t) => {
  const stored = ResultDocument.parse(JSON.parse(text('bad/result.json')));
  const ended = await prism(['report', 'bad', '--out', 'again', '--json'], { cwd });
  t.match(ended, { code: 1, stderr: '' });
  t.same(JSON.parse(ended.stdout), stored);
  t.equal(text('again/report.tap'), text('bad/report.tap'));
  t.match(text('again/index.html'), /class="marked"/, 'ladders from the captures beside the result');
  t.match(text('again/index.html'), /href="\.\.\/bad\/sim\//);
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
