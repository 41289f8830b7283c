/** Every kind of switch carries a stream between two kernels, offloads on; how fast is no test's business. */
import t from 'tap';
import { prism } from '../cli/run-cli.js';
import { hasLinux } from '../linux/needs-linux.js';

if (await hasLinux()) {
  t.test('a stream through each, by a rule', async (t) => {
    const ended = await prism(['bench', 'switch', '--rounds', '1', '--seconds', '0.5', '--json'], { cwd: t.testdir() });
    t.match(ended, { code: 0, stderr: '' });
    const { results } = JSON.parse(ended.stdout);
    t.same(
      results.map(({ kind }: { kind: string }) => kind),
      ['bridge', 'ebpf', 'offloads', 'packets'],
    );
    for (const { kind, median } of results) t.ok(median > 1e6, `${kind} carries something: ${median} bit/s`);
  });

  t.test('bad arguments', async (t) => {
    for (const [args, told] of [
      [['--rounds', '61'], /--rounds is at most 60/],
      [['--seconds', '0'], /from 0\.5 to 600/],
    ] as const) {
      const ended = await prism(['bench', 'switch', ...args], { cwd: t.testdir() });
      t.match(ended, { code: 2, stderr: told });
    }
  });
}
