/** A lab outlives the command that started it, is found again, gives its evidence at the end, and leaves nothing when killed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readCapture } from '../../harness/capture/pcapng.js';
import { findLab, labCommand, startLab, stopLab } from '../../harness/linux/lab.js';
import type { LabState } from '../../harness/linux/lab-main.js';
import { isAlive } from '../../harness/linux/run-folder.js';
import { defaultPolicy, Topology } from '../../harness/topology.js';
import type { WorldOptions } from '../../harness/world.js';
import { eventually, hasLinux } from './needs-linux.js';

const options: WorldOptions = { seed: 1, without: [], policy: defaultPolicy, faults: [] };

function asClient(lab: LabState, command: readonly string[]) {
  const [program = '', ...args] = labCommand(lab, command);
  return spawnSync(program, args, { timeout: 20_000 });
}

if (await hasLinux()) {
  // A socket's path is short by necessity (108 bytes), so this is not below the checkout.
  const runtime = mkdtempSync(join(tmpdir(), 'prism-lab-test-'));
  process.env.XDG_RUNTIME_DIR = runtime;
  t.teardown(() => rmSync(runtime, { recursive: true, force: true }));

  t.test('up, used by hand, down', async (t) => {
    t.equal(findLab(), undefined);
    const lab = await startLab(options);
    t.teardown(() => {
      if (isAlive(lab.pid)) process.kill(lab.pid, 'SIGTERM');
    });
    t.same(findLab(), lab);
    await t.rejects(startLab(options), { code: 'EEXIST' });
    const script = [
      'import urllib.request as u',
      `print(len(u.urlopen("${lab.origin}/b/64k").read()))`,
      `print(u.urlopen(u.Request("${lab.origin}/a/mine", data=b"x" * 5000, method="PUT")).status)`,
      `print(len(u.urlopen("${lab.origin}/a/mine").read()))`,
    ].join('\n');
    t.equal(asClient(lab, ['python3', '-c', script]).stdout.toString(), '65536\n201\n5000\n');
    const out = join(t.testdir({}), 'new', 'folder');
    const { files, captureDrops } = await stopLab(out);
    t.equal(captureDrops, 0);
    t.same(
      files,
      ['capture.pcapng', 'capture.control.ndjson', 'trace.ndjson', 'topology.json'].map((name) => join(out, name)),
    );
    const capture = readCapture(readFileSync(join(out, 'capture.pcapng')));
    t.ok(capture.ok && capture.frames.length > 100);
    t.ok(Topology.safeParse(JSON.parse(readFileSync(join(out, 'topology.json'), 'utf8'))).success);
    t.ok(await eventually(() => !isAlive(lab.pid), 5000));
    t.equal(findLab(), undefined);
    t.notOk(existsSync(join(runtime, 'prism-lab')));
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    t.test(`${signal} of the lab leaves no process, and the way free for the next`, async (t) => {
      const lab = await startLab(options);
      process.kill(lab.pid, signal);
      t.ok(await eventually(() => !isAlive(lab.pid) && !isAlive(lab.clientNamespace), 10_000));
      t.equal(findLab(), undefined);
      t.notOk(existsSync(join(runtime, 'prism-lab')));
    });
}
