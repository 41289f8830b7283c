/** `prism trace check` as its users meet it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TraceDocument } from '../../conformance/lift/trace-result.js';
import { READ_WRITE_READ, simEvidence, toolboxOrSkip } from '../model/trace/observed.js';
import { prism, prismBatch } from './run-cli.js';

t.test('accepted and rejected, in words and as JSON', async (t) => {
  if ((await toolboxOrSkip()) === undefined) return;
  const folder = t.testdir({});
  const { trace, capture } = await simEvidence(folder, READ_WRITE_READ);
  const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
  const takeOver = lines.findIndex((line) => line.includes('"TakeOver"'));
  const broken = join(folder, 'broken.ndjson');
  writeFileSync(broken, `${lines.filter((_, index) => index !== takeOver).join('\n')}\n`);

  const both = await prism(['trace', 'check', trace, capture], { cwd: folder });
  t.equal(both.code, 0, both.stderr);
  t.match(
    both.stdout,
    /^accepted .*trace\.ndjson: 198\.18\.1\.2:\d+: \d+ events\naccepted .*capture\.pcapng: .* frames\n/,
  );
  t.equal(both.stderr, '', 'silent in a pipe');

  const out = join(folder, 'out');
  const json = await prism(['trace', 'check', broken, trace, '--json', '--out', out], { cwd: folder });
  t.equal(json.code, 1, json.stderr);
  const document = TraceDocument.parse(JSON.parse(json.stdout));
  t.same(document.summary, { accepted: 1, rejected: 1 });
  const [rejected] = document.traces;
  t.match(rejected, {
    verdict: 'rejected',
    matched: takeOver,
    departure: { number: takeOver + 1, observed: /^backend0: Respond/, allowed: ['TakeOver'] },
  });
  t.match(rejected?.departure?.state, [
    /^controller has handed off request 1/,
    /^switch sends the connection to backend0/,
  ]);
  t.match(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')), { schema: 'prism-trace/1' });

  const quiet = await prism(['trace', 'check', broken, '--quiet'], { cwd: folder });
  t.equal(quiet.code, 1);
  t.match(quiet.stdout, new RegExp(`^REJECTED .*broken.ndjson: .* at line ${takeOver + 1} `));
});

t.test('input that cannot be used: one line, exit code 2', async (t) => {
  const event = '{"t":"5","role":"controller","action":"ClientFin","conn":"198.18.1.2:5","seq":1}\n';
  const cwd = t.testdir({
    'unknown.ndjson': event.replace('ClientFin', 'Handover'),
    'gap.ndjson': `${event}\n${event}`,
    'backwards.ndjson': event + event.replace('"5"', '"4"'),
    'long.ndjson': event + 'x'.repeat(1 << 20),
    'cut.ndjson': event + event.slice(0, 20),
    'empty.ndjson': '',
    'cut.pcapng': Buffer.from([0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0]),
  });
  const bad: readonly (readonly [readonly string[], RegExp])[] = [
    [['unknown.ndjson'], /^prism: unknown\.ndjson: line 1: unknown action "Handover"\n$/],
    [['gap.ndjson'], /^prism: gap\.ndjson: line 2: a gap: nothing is on it\n$/],
    [['backwards.ndjson'], /^prism: backwards\.ndjson: line 2: time runs backwards, by 1 ns\n$/],
    [['long.ndjson'], /^prism: long\.ndjson: line 2: longer than 65536 bytes\n$/],
    [['cut.ndjson'], /^prism: cut\.ndjson: line 2: cut off: the file ends within it\n$/],
    [['empty.ndjson'], /^prism: empty\.ndjson: line 1: no event: the file is empty\n$/],
    [['cut.pcapng'], /^prism: cut\.pcapng: truncated at byte 0: .*\n$/],
    [['absent.ndjson'], /^prism: absent\.ndjson: no such file or folder\n$/],
    [['.'], /^prism: \.: it is a folder\n$/],
    [['/dev/zero'], /^prism: \/dev\/zero: a device, not a file\n$/],
    [['unknown.ndjson', '--topology', 'absent.json'], /^prism: /],
    [[], /^prism: missing required argument 'FILE'/],
  ];
  const ended = await prismBatch(
    bad.map(([args]) => ['trace', 'check', ...args]),
    { cwd },
  );
  for (const [index, [args, error]] of bad.entries()) {
    t.equal(ended[index]?.code, 2, args.join(' '));
    t.match(ended[index]?.stderr, error);
    t.equal(ended[index]?.stderr.trimEnd().split('\n').length, 1, 'one line');
  }
});

t.test('without Java: exit code 4', async (t) => {
  const cwd = t.testdir({});
  const { trace } = await simEvidence(cwd, READ_WRITE_READ);
  const env = { JAVA_HOME: '/nowhere' };
  const { code, stderr } = await prism(['trace', 'check', trace], { cwd, env });
  t.equal(code, 4);
  t.match(stderr, /^prism: .*Java/);
});
