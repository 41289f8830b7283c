/** `prism simulate` and `prism replay` as their users run them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeToken } from '../../harness/replay/token.js';
import { ReplayDocument, SimulationDocument, StoriesDocument } from '../../harness/simulate/report-schema.js';
import { prism, prismBatch, refusesInOneLine } from './run-cli.js';

const cwd = t.testdir({ file: 'in the way' });
const read = (path: string): unknown => JSON.parse(readFileSync(join(cwd, path), 'utf8'));

t.test('seeds that pass: exit 0, figures, the same digest twice', async (t) => {
  const [first, second] = [
    await prism(['simulate', '--seeds', '1..40', '--workers', '2', '--json', 'first.json'], { cwd }),
    await prism(['simulate', '--seeds', '1..40', '--workers', '1', '--json', '--quiet'], { cwd }),
  ];
  t.match(first, { code: 0, stderr: '' });
  t.match(first.stdout, /^seeds 1\.\.40: 40 runs, [\d,]+ connections, [\d,]+ hand-offs/);
  t.match(first.stdout, /^faults: \d+ loss, /m);
  t.match(first.stdout, /^[\d.]+ h simulated in [\d.]+ s by 2 workers: [\d,]+ hand-offs\/s$/m);
  const [one, two] = [
    SimulationDocument.parse(read('first.json')),
    SimulationDocument.parse(JSON.parse(second.stdout)),
  ];
  t.match(one, { verdict: 'pass', failure: null, seeds: { from: 1, to: 40, run: 40 }, workers: 2, without: [] });
  t.equal(one.digest, two.digest);
  t.same(one.figures, two.figures);
  t.match(first.stdout, `digest ${one.digest}`);
});

t.test(
  'a failure: exit 1, clause, ladder, token, evidence; replay fails again, and passes with the remedy on',
  async (t) => {
    const ended = await prism(
      ['simulate', '--seeds', '1..40', '--without', 'backend-guard', '--out', 'bad', '--json', 'bad.json'],
      { cwd },
    );
    t.match(ended, { code: 1, stderr: '' });
    t.match(ended.stdout, /^FAIL seed \d+: (BKD-9|HOF-5) backend-silent-(after|before): .*\n {2}198\.18\.1\.2:\d+: /);
    t.match(ended.stdout, /VIOLATION.*>>> (BKD-9|HOF-5)/);
    t.match(ended.stdout, / client +switch +controller +backend/);
    const document = SimulationDocument.parse(read('bad.json'));
    const { failure } = document;
    if (failure === null) throw new Error('no failure');
    t.equal(document.verdict, 'fail');
    t.match(ended.stdout, `\n${failure.replay}\n`);
    t.match(failure.token, /^[a-z0-9.+-]+$/, 'no sign that a shell takes for its own');
    const files = [
      'capture.control.ndjson',
      'capture.pcapng',
      'ladder.txt',
      'simulation.json',
      'topology.json',
      'trace.ndjson',
    ];
    t.same(readdirSync(join(cwd, 'bad')).sort(), files);
    t.equal(failure.evidence.length, 5);
    for (const path of failure.evidence) t.ok(existsSync(path), path);
    t.match(readFileSync(join(cwd, 'bad', 'ladder.txt'), 'utf8'), failure.replay);

    const again = await prism(['replay', failure.token, '--out', 'again', '--json', 'again.json'], { cwd });
    t.match(again, { code: 1, stderr: '', stdout: /^fails again, the same way$/m });
    const replayed = ReplayDocument.parse(read('again.json'));
    t.match(replayed, { verdict: 'fails', expected: failure.invariant, token: failure.token });
    t.same(replayed.failure?.ladder, failure.ladder);
    t.same(readFileSync(join(cwd, 'again', 'capture.pcapng')), readFileSync(join(cwd, 'bad', 'capture.pcapng')));

    const body = failure.token.replace(/^sim1-/, '').replace(/-[0-9a-f]{8}$/, '');
    const healed = writeToken({ kind: 'sim1', body: body.replace('.backend-guard.', '.none.') });
    const [passes, otherwise] = await prismBatch(
      [
        ['replay', healed],
        ['replay', writeToken({ kind: 'sim1', body: body.replace(/[^.]+$/, 'progress') }), '--quiet', '--json'],
      ],
      { cwd },
    );
    t.match(passes, { code: 0, stdout: /^pass: seed \d+ does not fail by backend-silent-\w+ any more\n$/ });
    t.equal(otherwise?.code, 1);
    t.equal(ReplayDocument.parse(JSON.parse(otherwise?.stdout ?? '')).verdict, 'fails-otherwise');
  },
);

const refused: readonly (readonly [string, number, RegExp])[] = [
  ['simulate --seeds 5..1', 2, /it goes from 5 down to 1; put the lower seed first/],
  ['simulate --seeds 1..x', 2, /it is A\.\.B, two whole numbers from 0 to 4294967295/],
  ['simulate --seeds 1..4294967296', 2, /two whole numbers/],
  ['simulate --seeds -1..4', 2, /two whole numbers|missing|invalid/],
  ['simulate --faults flood', 2, /no kind of fault is called 'flood'.*; there are: all, none, loss/],
  ['simulate --faults corrupton', 2, /did you mean corruption\?/],
  ['simulate --faults loss,', 2, /no kind of fault is called ''/],
  ['simulate --workers 0', 2, /whole number from 1 to 256/],
  ['simulate --workers x', 2, /whole number from 1 to 256/],
  ['simulate --connections 65', 2, /whole number from 1 to 64/],
  ['simulate --time-limit 0', 2, /whole number from 1/],
  ['simulate --without luck', 2, /no remedy is called 'luck'/],
  ['simulate --json 1..4', 2, /--json took '1\.\.4' for the name of its file/],
  ['simulate --out file', 2, /a file is in the way/],
  ['replay', 2, /missing required argument 'TOKEN'/],
  ['replay nonsense', 2, /not a replay token: a replay token is KIND-BODY-CHECK/],
  ['replay sim1-1.loss.3-00000000', 2, /its check sum does not fit/],
  [`replay ${writeToken({ kind: 'sim1', body: '1' })}`, 2, /does not know the number of its fields/],
  [`replay ${writeToken({ kind: 'tale9', body: '1' })}`, 2, /replays no tale9 tokens; it knows sim1/],
];

t.test('what cannot be done is refused in one line', async (t) => {
  await refusesInOneLine(t, refused, cwd);
});

t.test('a time limit that is not enough: exit 3, and how much is left', async (t) => {
  const ended = await prism(['simulate', '--seeds', '1..4000000', '--time-limit', '1', '--json', 'cut.json'], { cwd });
  t.match(ended, { code: 3, stderr: '', stdout: /seeds were not run within 1 s/ });
  t.equal(SimulationDocument.parse(read('cut.json')).verdict, 'cut');
});

t.test('Ctrl-C ends it at once, with 130', async (t) => {
  const begun = performance.now();
  const ended = await prism(['simulate', '--seeds', '1..4000000'], {
    cwd,
    // Long enough for a busy machine to start it.
    started: (kill) => setTimeout(() => kill('SIGINT'), 12_000),
  });
  t.equal(ended.code, 130, ended.stderr);
  t.match(ended.stderr, /interrupted by SIGINT/);
  t.ok(performance.now() - begun < 60_000);
});

t.test('stories: exit 0 and figures; the same seed, the same stories', async (t) => {
  const ended = await prism(['simulate', '--stories', '30', '--seed', '2', '--json', 'stories.json'], { cwd });
  t.match(ended, { code: 0, stderr: '' });
  t.match(ended.stdout, /^in the simulated world: 30 stories, [\d,]+ choices, /m);
  const one = StoriesDocument.parse(read('stories.json'));
  t.match(one, { verdict: 'pass', failure: null, seed: 2, without: [], simulated: { stories: 30 } });
  if (one.cores === null) t.match(one.leftOut.join(), /no Java|Java/);
  else t.equal(one.cores.stories, 30);
  const again = await prism(['simulate', '--stories', '30', '--seed', '2', '--json', '--quiet'], { cwd });
  const two = StoriesDocument.parse(JSON.parse(again.stdout));
  t.same(two.simulated, one.simulated);
  t.same(two.cores, one.cores);
});

t.test('a story that fails: exit 1, told in words, one token that fails again', async (t) => {
  const ended = await prism(
    ['simulate', '--stories', '200', '--without', 'backend-guard', '--out', 'story', '--json', 'story.json'],
    { cwd },
  );
  t.match(ended, { code: 1, stderr: '' });
  t.match(ended.stdout, /^ {3}1\. client 1 opens a connection$/m);
  t.match(ended.stdout, /then nothing more is chosen/);
  t.match(ended.stdout, /VIOLATION/);
  const { failure, verdict } = StoriesDocument.parse(read('story.json'));
  t.equal(verdict, 'fail');
  t.ok((failure?.story?.length ?? 99) <= 4);
  const tokens = ended.stdout.match(/^prism replay \S+$/gm);
  t.same(tokens, [failure?.replay]);
  const replayed = await prism(['replay', failure?.token ?? '', '--json', 'again.json'], { cwd });
  t.match(replayed, { code: 1, stderr: '' });
  t.match(replayed.stdout, /fails again, the same way/);
  const document = ReplayDocument.parse(read('again.json'));
  t.equal(document.verdict, 'fails');
  t.same({ ...document.failure, evidence: [] }, { ...failure, evidence: [] });
  const passes = writeToken({ kind: 'story1', body: '3.none.backend-silent-after.05' });
  t.match(await prism(['replay', passes], { cwd }), { code: 0, stdout: /^pass: seed 3 does not fail by/ });
});

t.test('stories: what does not go together, or makes no sense, is refused in a line', async (t) => {
  for (const words of [
    ['--stories', '3', '--seeds', '1..4'],
    ['--stories', '3', '--faults', 'loss'],
    ['--stories', '0'],
    ['--stories', 'many'],
  ])
    t.match(await prism(['simulate', ...words], { cwd }), { code: 2, stdout: '' }, words.join(' '));
  const token = writeToken({ kind: 'story1', body: 'x.none.none.0' });
  t.match(await prism(['replay', token], { cwd }), { code: 2, stderr: /this version does not know the seed/ });
});
