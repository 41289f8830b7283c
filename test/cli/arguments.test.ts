/** The command line: help, bad arguments and bad input; every complaint is one line that says what to do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodePcapng } from '../../harness/capture/pcapng.js';
import { defaultTopology } from '../../harness/topology.js';
import { prism, prismBatch, refusesInOneLine } from './run-cli.js';

const capture = encodePcapng(
  ['client'],
  [{ interfaceName: 'client', timestampNs: 1n, bytes: new Uint8Array(60), originalLength: 60 }],
);
const cwd = t.testdir({
  'good.pcapng': Buffer.from(capture),
  'cut.pcapng': Buffer.from(capture.subarray(0, capture.length - 10)),
  'random.pcapng': Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 7919) & 255)),
  'empty.pcapng': '',
  'topology.json': JSON.stringify(defaultTopology()),
  'field.json': JSON.stringify({ ...defaultTopology(), logical: { ip: '198.18.0.80', port: 0 } }),
  'extra.json': JSON.stringify({ ...defaultTopology(), logicl: 1 }),
  'nojson.json': '{',
  'bad.ndjson': '{"t":"1"}\n',
  file: 'in the way',
  alone: { 'run.pcapng': Buffer.from(capture) },
});

/** Exit code, and what stderr has to say in its one line. */
const refused: readonly (readonly [string, number, RegExp])[] = [
  ['tset', 2, /there is no command 'tset' \(did you mean test\?\); there are: verify, test/],
  ['spec chekc', 2, /there is no spec command 'chekc' \(did you mean check\?\); there are: check, mutants/],
  ['lab dwn', 2, /there is no lab command 'dwn' \(did you mean down\?\); there are: up, down/],
  ['test --wrld sim', 2, /unknown option '--wrld' \(did you mean --world\?\); see prism test --help/],
  ['test --world mars', 2, /argument 'mars' is invalid. Allowed choices are sim, linux/],
  ['test --seed x', 2, /argument 'x' is invalid. it is a whole number/],
  ['test --seed 4294967296', 2, /whole number from 0 to 4294967295/],
  ['test REQ-22', 2, /nothing is called 'REQ-22' \(did you mean REQ-2/],
  ['test zzzzzz*', 2, /nothing is called 'zzzzzz\*'/],
  ['test KNI-1', 2, /no case exercises KNI-1 yet/],
  ['test --without header-only-akc', 2, /no remedy is called 'header-only-akc' \(did you mean header-only-ack\?\)/],
  ['test --json REQ-2', 2, /--json took 'REQ-2' for the name of its file/],
  ['test REQ-2 --json no/such/out.json', 2, /no\/such: no such file or folder/],
  ['test REQ-2 --json file', 2, /that file exists and is not JSON/],
  ['test REQ-2 --out file', 2, /--out file: a file is in the way/],
  ['test REQ-2 --out file/deeper', 2, /a file is in the way/],
  ['test REQ-2 --out /proc/prism', 4, /cannot make the folder/],
  ['list', 2, /missing required argument 'KIND'; see prism list --help/],
  ['mutants nonsense', 2, /no mutant is called 'nonsense'.*; see prism list mutants/],
  ['mutants SWT-4 --world mars', 2, /--world/],
  ['list mutant', 2, /cannot list 'mutant'.*mutants.*there are: clauses, cases, /],
  ['list clases', 2, /cannot list 'clases' \(did you mean .*clauses/],
  ['explain HOF-55', 2, /nothing is called 'HOF-55' \(did you mean HOF-5/],
  ['check', 2, /missing required argument 'CAPTURE'/],
  ['check none.pcapng', 2, /none\.pcapng: no such file or folder/],
  ['check .', 2, /\.: it is a folder/],
  ['check empty.pcapng', 2, /empty\.pcapng: not-a-capture at byte 0: the file is empty/],
  ['check random.pcapng', 2, /random\.pcapng: not-a-capture at byte 0/],
  ['check cut.pcapng', 2, /cut\.pcapng: truncated at byte \d+/],
  ['check good.pcapng@mars', 2, /'mars' is no vantage/],
  ['check alone/run.pcapng', 2, /no topology for alone\/run\.pcapng: give one with --topology FILE/],
  ['check good.pcapng --topology none.json', 2, /none\.json: no such file/],
  ['check good.pcapng --topology nojson.json', 2, /nojson\.json: not JSON/],
  ['check good.pcapng --topology field.json', 2, /field\.json: logical\.port: /],
  ['check good.pcapng --topology extra.json', 2, /extra\.json: logicl: /],
  ['check good.pcapng --control bad.ndjson', 2, /bad\.ndjson: line 1: at: /],
  ['check --json good.pcapng cut.pcapng', 2, /--json took 'good\.pcapng'/],
];

t.test('what cannot be done is refused in one line, with the exit code that says whose fault it is', async (t) => {
  await refusesInOneLine(t, refused, cwd);
});

t.test('a capture in the place of the JSON file survives', (t) => {
  t.same(readFileSync(join(cwd, 'good.pcapng')), Buffer.from(capture));
  t.end();
});

t.test('help is there for everything, with examples', async (t) => {
  const commands = ['verify', 'test', 'check', 'list', 'explain'];
  const [top, group, none, version, ...each] = await prismBatch(
    [['--help'], ['lab'], [], ['--version'], ...commands.map((c) => [c, '--help'])],
    { cwd },
  );
  t.match(top, { code: 0, stderr: '', stdout: /Exit codes: 0 all that was demanded passed/ });
  t.match(group, { code: 2, stdout: '', stderr: /^Usage: prism lab/ });
  t.match(none, { code: 2, stdout: '', stderr: /Usage: prism/ });
  t.match(version, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  for (const [i, ended] of each.entries()) {
    const name = commands[i] ?? '';
    t.match(ended, { code: 0, stderr: '' }, name);
    for (const part of [/Examples:\n +prism /, /--json \[FILE\]/, /--seed <N>/, /--out <DIR>/, /--quiet/])
      t.match(ended.stdout, part, name);
  }
});

t.test('list and explain, for people and for programs', async (t) => {
  const [people, clauses, file, quiet, clause, remedy, json] = await prismBatch(
    [
      ['list', 'clauses'],
      ['list', 'clauses', '--json'],
      ['list', 'cases', '--json', 'cases.json'],
      ['list', 'remedies', '--quiet'],
      ['explain', 'hof-5'],
      ['explain', 'header-only-ack'],
      ['explain', 'REQ-2', '--json'],
    ],
    { cwd },
  );
  t.match(people, { code: 0, stdout: /^EST-1 {2}M|^EST-1 M/ });
  t.match(JSON.parse(clauses?.stdout ?? ''), {
    schema: 'prism-list/1',
    clauses: [{ id: 'EST-1', clauses: ['EST-1'], level: 'M' }],
  });
  t.match(file?.stdout, /^BKD-1\.curl-gets-every-size +curl /m, 'a FILE leaves stdout to people');
  const cases = JSON.parse(readFileSync(join(cwd, 'cases.json'), 'utf8'));
  t.equal(cases.schema, 'prism-list/1');
  for (const { id, clauses: its } of cases.cases) t.ok(its.length > 0, id);
  t.match(quiet, { code: 0, stdout: '' });
  t.match(clause, { code: 0, stdout: /^HOF-5: .*\n.*draws no RST.*\n\nlevel: {2}must\n/ });
  t.match(remedy, { code: 0, stdout: /see what breaks: prism test REQ-2 --without/ });
  t.match(JSON.parse(json?.stdout ?? ''), {
    schema: 'prism-explain/1',
    kind: 'clause',
    evidence: { remedies: ['header-only-ack'] },
  });
});

t.test('a reader that closes the pipe is no error', async (t) => {
  t.match(await prism(['list', 'clauses', '--json'], { cwd, closeStdout: true }), { code: 0, stderr: '' });
});
