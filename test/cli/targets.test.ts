/** Targets on the command line: which are there, which are refused, and what `prism init` writes. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TargetList } from '../../harness/target/listing.js';
import { prism, refusesInOneLine } from './run-cli.js';

const program = (name: string, extra: object = {}): string =>
  JSON.stringify({ schema: 'prism-target/1', name, roles: { switch: { command: ['./x'], ...extra } } });

t.test('targets that cannot be used are refused in one line', async (t) => {
  const cwd = t.testdir({
    'program.json': program('program'),
    'twin.json': program('program'),
    'reference.json': program('reference'),
    'key.json': program('key', { redy: {} }),
    'placeholder.json': program('placeholder', { command: ['{ifcae}'] }),
    'broken.json': '{"schema": prism}',
  });
  await refusesInOneLine(
    t,
    [
      ['test REQ-2 --target none.json', 2, /--target none\.json: no such file/],
      ['test REQ-2 --target refrence', 2, /no target is called 'refrence' \(did you mean reference/],
      ['test REQ-2 --target broken.json', 2, /broken\.json: line 1: not JSON/],
      ['test REQ-2 --target key.json', 2, /roles\.switch: unknown key 'redy' \(did you mean ready\?\)/],
      ['test REQ-2 --target placeholder.json', 2, /unknown placeholder \{ifcae\} \(did you mean ifaces\?\)/],
      ['test REQ-2 --target reference.json', 2, /'reference' is the name of a shipped target/],
      [
        'test REQ-2 --target program.json --target twin.json',
        2,
        /program\.json and twin\.json are both named 'program'/,
      ],
      ['test REQ-2 --target reference --target program.json', 2, /one target a run/],
      ['test REQ-2 --target program.json', 2, /the target program runs programs \(switch\), which need --world linux/],
      ['list target', 2, /cannot list 'target' \(did you mean targets/],
      ['role swich --topology t --interfaces a', 2, /no role is called 'swich'/],
      ['role switch --topology t --interfaces a', 2, /a switch needs --control/],
      ['role controller --topology t --interfaces a', 2, /a controller needs --peers/],
      ['role switch --topology none.json --interfaces a --control 127.0.0.1:7000', 4, /^prism: switch: .*none\.json/],
    ],
    cwd,
  );
});

t.test('a shipped target is judged under its name', async (t) => {
  const cwd = t.testdir();
  const ran = await prism(['test', 'RET-4.connection-close', '--target', 'reference', '--json'], { cwd });
  t.equal(ran.code, 0, ran.stderr);
  const { target, results } = JSON.parse(ran.stdout) as { target: string; results: { replay: string }[] };
  t.equal(target, 'reference');
  t.match(results[0]?.replay, /--world sim --target reference --seed 1/);
});

t.test('prism list targets', async (t) => {
  const listed = await prism(['list', 'targets', '--json'], { cwd: t.testdir() });
  const { targets } = TargetList.parse(JSON.parse(listed.stdout));
  t.ok(targets.some(({ id, worlds }) => id === 'reference' && worlds.length === 2));
  t.match(
    targets.find(({ id }) => id === 'reference-switch'),
    { roles: { switch: 'process' }, worlds: ['linux'] },
  );
});

t.test('prism init writes a manifest that can be read, and overwrites nothing', async (t) => {
  const cwd = t.testdir();
  const first = await prism(['init', 'new/folder'], { cwd });
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /wrote new\/folder\/prism-target\.jsonc\nwrote new\/folder\/prism-gate\.sh\n/);
  const manifest = join(cwd, 'new/folder/prism-target.jsonc');
  t.equal(statSync(join(cwd, 'new/folder/prism-gate.sh')).mode & 0o111, 0o111, 'it can be run');
  const tested = await prism(['test', 'REQ-2', '--target', manifest], { cwd });
  t.match(tested.stderr, /the target my-switch runs programs/, 'it is a manifest');
  writeFileSync(manifest, 'mine');
  const again = await prism(['init', 'new/folder'], { cwd });
  t.equal(again.code, 2);
  t.match(again.stderr, /^prism: new\/folder\/prism-target\.jsonc is there already; it is not overwritten\n$/);
  t.equal(readFileSync(manifest, 'utf8'), 'mine');
  const quiet = await prism(['init', '--json'], { cwd });
  t.same(JSON.parse(quiet.stdout), { schema: 'prism-init/1', files: ['prism-target.jsonc', 'prism-gate.sh'] });
});
