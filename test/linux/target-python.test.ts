/** A switch in another language, written from the documents alone: plugged in, judged, and found out where it breaks a clause. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { hasLinux } from './needs-linux.js';
import { EXAMPLES, judge, optionsOf, passes, shipped } from './under-test.js';

if (await hasLinux()) {
  t.test('a switch written from the documents alone', async (t) => {
    const target = shipped(join(EXAMPLES, 'python-switch/prism-target.json'));
    await passes(t, target, [
      'HOF-7.two-curls',
      'SWT-8.neighbours-of-a-hand-off',
      'RET-3.fin-behind-write-payload',
      'RET-2.reopening-ack-lost',
      'ERR-4.malformed-lines-at-the-switch',
      'SEC-3.stranger-at-the-switch',
    ]);
  });

  t.test('8 MB through the wire and a slow switch, without a lost capture', async (t) => {
    const world = await createLinuxWorld(
      t.testdir(),
      optionsOf(shipped(join(EXAMPLES, 'python-switch/prism-target.json'))),
    );
    t.teardown(() => world.destroy());
    const requests = [{ method: 'GET', path: '/a/8m' }] as const;
    const [get] = await world.runClients([{ kind: 'http', program: 'curl', requests, timeoutMs: 60_000 }]);
    t.match(get, { ok: true, responses: [{ status: 200, bodySize: 8 * 1024 * 1024 }] }, get?.error ?? 'whole');
    await world.settle(5000);
    t.equal((await world.finish()).captureDrops, 0);
  });

  // One line of the example each, and the clause that it breaks.
  for (const [clause, id, line, broken] of [
    ['SWT-6', 'HOF-7.two-curls', 'if rule.message["zeroWindow"]:', 'if False:'],
    ['SWT-2', 'HOF-7.two-curls', 'self.set_address(out, 26, header, rule.logical)', 'pass'],
    ['SEC-3', 'SEC-3.stranger-at-the-switch', 'if peer != options.control_peer:', 'if False:'],
    ['SWT-5', 'HOF-7.two-curls', 'frame[22] -= 1', 'frame[22] -= 2'],
    ['SWT-4', 'HOF-7.two-curls', 'self.patch(frame, 14 + header + 16, old, address)', 'pass'],
  ] as const)
    t.test(`a switch that breaks ${clause} is found out`, async (t) => {
      const source = readFileSync(join(EXAMPLES, 'python-switch/switch.py'), 'utf8');
      t.ok(source.includes(line), 'the line is there');
      const folder = t.testdir({ 'switch.py': source.replace(line, broken) });
      const manifest = readFileSync(join(EXAMPLES, 'python-switch/prism-target.json'), 'utf8');
      writeFileSync(join(folder, 'target.json'), manifest);
      const [run] = await judge(join(folder, 'out'), shipped(join(folder, 'target.json')), [id]);
      t.equal(run?.result.verdict, 'fail');
      t.ok(run?.result.clauses.includes(clause), run?.result.message ?? 'no result');
    });
}
