/** prism check: input that cannot be meant is refused in one line, before anything is judged or written. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { defaultTopology } from '../../harness/topology.js';
import { read, Story, Talk } from '../conformance/story.js';
import { prismBatch } from './run-cli.js';

const cwd = mkdtempSync(join(tmpdir(), 'prism-check-'));
t.teardown(() => rmSync(cwd, { recursive: true, force: true }));

const story = new Story();
const talk = new Talk(story);
talk.connect();
read(talk, '/a/1', 500);
talk.close();
const topology = defaultTopology();
const log = story.sortedEntries();
const put = (name: string, value: string | Uint8Array): void => writeFileSync(join(cwd, name), value);
const lines = (entries: readonly object[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
put('run.pcapng', story.capture());
put('run.pcapng.gz', gzipSync(story.capture()));
put('cut.pcapng.gz', gzipSync(story.capture()).subarray(0, 400));
put('topology.json', JSON.stringify(topology));
const [first] = topology.backends;
put('twins.json', JSON.stringify({ ...topology, backends: [first, first] }));
put('logical.json', JSON.stringify({ ...topology, logical: { ...topology.logical, ip: first?.ip } }));
put('policy.json', JSON.stringify({ ...topology, policy: { kind: 'path-map', map: [], default: 'backend7' } }));
put('knits.json', JSON.stringify({ ...topology, system: 'knits' }));
put('near.ndjson', lines(log));
put('far.ndjson', lines(log.map((entry) => ({ ...entry, t: `${BigInt(entry.t) + 10n ** 18n}` }))));

const CASES: readonly [what: string, args: string[], code: number, said: RegExp][] = [
  ['as it should be', ['run.pcapng'], 0, /^$/],
  ['compressed', ['run.pcapng.gz'], 0, /^$/],
  ['compressed and cut', ['cut.pcapng.gz'], 2, /cut\.pcapng\.gz: corrupt at byte \d+: gzip: unexpected end of file/],
  [
    'two backends of one name',
    ['run.pcapng', '--topology', 'twins.json'],
    2,
    /twins\.json: backends: two are named backend0/,
  ],
  ['a logical address of a backend', ['run.pcapng', '--topology', 'logical.json'], 2, /logical\.ip: .* of backend0/],
  ['a policy that names nobody', ['run.pcapng', '--topology', 'policy.json'], 2, /no backend named backend7/],
  ['another system', ['run.pcapng', '--topology', 'knits.json'], 2, /system: there are no checks of knits/],
  ['a vantage that the file denies', ['run.pcapng@backend1'], 2, /the file itself says that it was taken at client/],
  [
    'a log of another day',
    ['run.pcapng', '--control', 'far.ndjson'],
    2,
    /far\.ndjson lies \d+ s away from the captures/,
  ],
  ['JSON over an input', ['run.pcapng', '--json', 'topology.json'], 2, /--json topology\.json: that is an input/],
  ['standard input beside a file', ['-', 'run.pcapng'], 2, /standard input \(-\) is a run by itself/],
  ['a device', ['/dev/zero'], 2, /a device, not a file/],
  ['a folder', ['.'], 2, /^prism: \.: .*folder/],
];

t.test('each in one line', async (t) => {
  const ended = await prismBatch(
    CASES.map(([, args]) => ['check', ...args, '--quiet']),
    { cwd },
  );
  for (const [index, [what, , code, said]] of CASES.entries()) {
    const one = ended[index];
    t.match(one, { code, stderr: said }, what);
    if (code !== 0) t.match(one?.stderr, /^prism: [^\n]+\n$/, what);
  }
  t.same(JSON.parse(readFileSync(join(cwd, 'topology.json'), 'utf8')), topology, 'the input is as it was');
});

t.test('every clause has a row, and a log that fits is read', async (t) => {
  const [ended] = await prismBatch([['check', 'run.pcapng', '--control', 'near.ndjson', '--json', 'out.json']], {
    cwd,
  });
  t.match(ended, { code: 0, stdout: /^HOF-1 +pass 1/m });
  const { results } = JSON.parse(readFileSync(join(cwd, 'out.json'), 'utf8'));
  t.same(
    ['SEC-3', 'ERR-4', 'HOF-5'].map((id) => results.find((r: { id: string }) => r.id === `check.${id}`)?.verdict),
    ['inconclusive', 'inconclusive', 'inconclusive'],
  );
});
