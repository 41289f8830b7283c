/** However a run ends, no process, no folder and nothing in the user's home is left. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { runTlc } from '../../../model/tlc/run.js';
import { eventually } from '../../linux/needs-linux.js';
import { findTools, fixture, ownTemporaryFolder, processesWith } from './tools.js';

const tools = await findTools();

function nothingIsLeft(t: Test, folder: string): void {
  t.same(readdirSync(folder), [], 'no work folder');
  t.same(processesWith(folder), [], 'no process');
}

const javaIn = (folder: string): number[] =>
  processesWith(folder).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.endsWith('java');
    } catch {
      return false;
    }
  });

if (tools) {
  const endless = fixture(tools, 'Endless', 'INIT Init\nNEXT Next');

  t.test('an ordinary end', async (t) => {
    const folder = ownTemporaryFolder(t);
    const home = t.testdirName.replace(/$/, '-home');
    mkdirSync(home, { recursive: true });
    const before = process.env.HOME;
    process.env.HOME = home;
    t.teardown(() => {
      process.env.HOME = before;
    });
    t.match(await runTlc(fixture(tools, 'Stuck', 'SPECIFICATION Spec')), { kind: 'deadlock' });
    nothingIsLeft(t, folder);
    t.same(readdirSync(home), [], 'the home is untouched');
  });

  t.test('interrupted in the middle', async (t) => {
    const folder = ownTemporaryFolder(t);
    const controller = new AbortController();
    const outcome = runTlc(endless, { signal: controller.signal });
    t.ok(await eventually(() => javaIn(folder).length === 1, 10_000));
    t.not(readFileSync(`/proc/${javaIn(folder)[0]}/cmdline`, 'utf8').indexOf('-Duser.home='), -1);
    controller.abort();
    t.match(await outcome, { kind: 'interrupted' });
    nothingIsLeft(t, folder);
    t.match(await runTlc(endless, { signal: controller.signal }), { kind: 'interrupted' });
    nothingIsLeft(t, folder);
  });

  t.test('out of time', async (t) => {
    const folder = ownTemporaryFolder(t);
    const outcome = await runTlc({ ...endless, timeoutMs: 1200 });
    t.match(outcome, { kind: 'time-out', timeoutMs: 1200 });
    t.ok(outcome.durationMs < 5000);
    nothingIsLeft(t, folder);
  });

  t.test('killed by somebody else', async (t) => {
    const folder = ownTemporaryFolder(t);
    const outcome = runTlc(endless);
    t.ok(await eventually(() => javaIn(folder).length === 1, 10_000));
    for (const pid of javaIn(folder)) process.kill(pid, 'SIGKILL');
    t.match(await outcome, { kind: 'killed', signal: 9 });
    nothingIsLeft(t, folder);
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const)
    t.test(`this process dies of ${signal}`, async (t) => {
      const folder = ownTemporaryFolder(t);
      const script = fileURLToPath(new URL('own-a-run.ts', import.meta.url));
      const owner = spawn(process.execPath, ['--import=tsx', script, tools.java, tools.jar], { stdio: 'inherit' });
      t.ok(await eventually(() => javaIn(folder).length === 1, 15_000));
      owner.kill(signal);
      t.ok(await eventually(() => processesWith(folder).length === 0, 5000), 'no process');
      const workFolders = () => readdirSync(folder).filter((name) => name.startsWith('prism-'));
      t.ok(await eventually(() => workFolders().length === 0, 5000), 'no work folder');
    });

  t.test('out of memory', async (t) => {
    const folder = ownTemporaryFolder(t);
    t.match(await runTlc(fixture(tools, 'Heavy', 'INIT Init\nNEXT Next', { heapMegabytes: 24 })), {
      kind: 'out-of-memory',
    });
    nothingIsLeft(t, folder);
  });

  t.test('a full disk', async (t) => {
    const folder = ownTemporaryFolder(t);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]).status === 0;
    if (!mounted) {
      t.plan(0, 'skipped: file systems cannot be mounted here; output.test.ts reads what was recorded');
      return;
    }
    try {
      t.match(await runTlc(fixture(tools, 'Wide', 'INIT Init\nNEXT Next', { workers: 2 })), { kind: 'disk-full' });
      nothingIsLeft(t, folder);
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  });

  t.test('a java that is none', async (t) => {
    const folder = ownTemporaryFolder(t);
    const outcome = await runTlc({ ...endless, java: join(folder, 'java') });
    t.match(outcome, { kind: 'internal', message: /exit code 127/ });
    nothingIsLeft(t, folder);
    t.notOk(existsSync(join(folder, 'java')));
  });
}
