/** Programs under test that do not start, do not get ready, end, or do not want to end: told in one line, nothing left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nodeCommand } from '../../harness/linux/processes.js';
import { createLinuxWorld, type LinuxWorld } from '../../harness/linux/world.js';
import type { Target } from '../../harness/target/target.js';
import { WorldError } from '../../harness/world.js';
import { eventually, hasLinux } from './needs-linux.js';
import { optionsOf, processesWith, targetOf } from './under-test.js';

/** Everything that a process has started, and those have, as far as they have not lost their parents. */
function descendants(pid: number): number[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  } catch {
    return [];
  }
  const children = text.trim().split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

if (await hasLinux()) {
  t.test('what cannot be started, ends early or is never ready, is told in one line, and leaves nothing', async (t) => {
    const folder = t.testdir({ plain: 'x' });
    const soon = { timeoutMs: 800 };
    const refused: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ command: ['./none'] }, /^switch cannot be started: there is no file .*\/none$/],
      [{ command: ['./plain'] }, /^switch cannot be started: .*\/plain is not executable$/],
      [
        { command: ['prism-has-no-such-program'] },
        /^switch cannot be started: no program prism-has-no-such-program on the PATH$/,
      ],
      [{ command: ['sh'], cwd: 'nowhere' }, /^switch cannot be started: its cwd .*\/nowhere does not exist$/],
      [{ command: ['sh'], cwd: 'plain' }, /^switch cannot be started: its cwd .*\/plain is not a folder$/],
      [
        { command: ['sh', '-c', 'echo said; echo cried >&2; exit 3'] },
        /^switch ended with exit code 3 before it was ready; its last words: (said \| cried|cried \| said)$/,
      ],
      [{ command: ['sh', '-c', 'kill -SEGV $$'] }, /^switch ended by SIGSEGV before it was ready; it wrote nothing$/],
      [
        { command: ['sleep', '1000'], ready: { control: true, ...soon } },
        /^switch was not ready within 800 ms \(its control connection/,
      ],
      [
        { command: ['sleep', '1000'], ready: { stdout: '^up', ...soon } },
        /no line of its standard output matched \/\^up\//,
      ],
      [
        { command: ['sleep', '1000'], ready: { file: '{scratch}/up', ...soon } },
        /there was no file .*\/up\); it wrote nothing$/,
      ],
      [
        { command: ['sleep', '1000'], control: { adapter: ['sh', '-c', 'echo lost >&2; exit 1'] } },
        /^the adapter of switch ended with exit code 1 before it was ready; its last words: lost$/,
      ],
    ];
    for (const [role, message] of refused) {
      const started = createLinuxWorld(folder, optionsOf(targetOf({ switch: role }, folder)));
      const failure = await started.then(
        () => undefined,
        (error: unknown) => error,
      );
      t.ok(failure instanceof WorldError, JSON.stringify(role));
      t.match((failure as Error | undefined)?.message, message);
    }
    const flood = ['sh', '-c', 'echo first; yes prism-test-flood'];
    const floods = optionsOf(targetOf({ switch: { command: flood, ready: { control: true, ...soon } } }, folder));
    await t.rejects(createLinuxWorld(folder, floods), {
      name: 'WorldError',
      message: /its last words: .*prism-test-flood/,
    });
    t.match(readFileSync(join(folder, 'switch.log'), 'utf8').slice(0, 30), /^first\nprism-test-flood\n/);
    t.ok(statSync(join(folder, 'switch.log')).size < 1 << 20, 'the flood is bounded');
    t.ok(await eventually(() => processesWith('prism-test-flood').length === 0, 5000), 'nothing runs any more');
  });

  /** A switch that forwards nothing, beside which the rest of the world plays. */
  const idleSwitch = (script: string): Target =>
    targetOf({
      switch: {
        command: ['sh', '-c', `echo up; ${script}`],
        control: 'none',
        ready: { stdout: 'up' },
        stop: { graceMs: 300 },
      },
    });

  const pausing = (world: LinuxWorld) =>
    world.runClients([{ kind: 'script', steps: [{ do: 'pause', ms: 60_000 }], timeoutMs: 60_000 }]);

  t.test('a program that ends while it is under test is a failure of the world, at once', async (t) => {
    const folder = t.testdir();
    const world = await createLinuxWorld(
      folder,
      optionsOf(idleSwitch('read line < /dev/zero & sleep 1; echo out of memory >&2; exit 7')),
    );
    t.teardown(() => world.destroy());
    await t.rejects(pausing(world), {
      name: 'WorldError',
      message: 'switch ended with exit code 7 while it was under test; its last words: up | out of memory',
    });
    t.equal(readFileSync(join(folder, 'switch.log'), 'utf8'), 'up\nout of memory\n');
  });

  t.test('one that ignores SIGTERM and leaves its children behind is ended with all of them', async (t) => {
    const daemon = `(setsid sh -c 'trap "" TERM HUP; exec sleep 10007' >/dev/null 2>&1 &)`;
    const stubborn = idleSwitch(`trap "" TERM; ${daemon}; while :; do sleep 10008; done`);
    const world = await createLinuxWorld(t.testdir(), optionsOf(stubborn));
    t.ok(await eventually(() => processesWith('\u000010007').length === 1, 5000), 'the daemon runs');
    await world.finish();
    t.ok(await eventually(() => processesWith('\u000010007').length + processesWith('\u000010008').length === 0, 5000));
    const again = await createLinuxWorld(t.testdir(), optionsOf(stubborn));
    await again.destroy();
    t.ok(
      await eventually(() => processesWith('\u000010007').length === 0, 5000),
      'also when there is no time for SIGTERM',
    );
  });

  t.test('a world that is given up leaves no process of the program, not even a defunct one', async (t) => {
    const role = { command: ['sh', '-c', 'sleep 1000 & sleep 1000'], control: 'none' };
    const world = await createLinuxWorld(t.testdir(), optionsOf(targetOf({ switch: role })));
    const beside = world.processes.get('switch') ?? 0;
    await eventually(() => descendants(beside).length >= 4, 10_000);
    const all = [beside, ...descendants(beside)];
    t.ok(all.length >= 5, 'unshare, its first process, the shell and two sleeps');
    await world.destroy();
    t.same(
      all.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    );
  });

  t.test('SIGTERM is heard, and the role’s own log is kept', async (t) => {
    const folder = t.testdir();
    const polite = idleSwitch(
      'trap "echo farewell; exit 0" TERM; echo own words > "{log}"; while :; do sleep 0.05; done',
    );
    const world = await createLinuxWorld(folder, optionsOf(polite));
    await world.finish();
    t.match(readFileSync(join(folder, 'switch.log'), 'utf8'), /farewell\n$/);
    t.equal(readFileSync(join(folder, 'switch.own.log'), 'utf8'), 'own words\n');
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    t.test(`${signal} of the process that owns the world ends the programs under test`, async (t) => {
      const [program = '', ...args] = nodeCommand('./own-a-target', import.meta.url);
      const owner = spawn(program, [...args, t.testdir()], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(owner.stdout, 'data');
      const left = () => ['\u000010011', '\u000010012'].flatMap(processesWith);
      // The program, the daemon, and the shells and supervisors whose command lines name them.
      t.ok(await eventually(() => processesWith('\u000010011').length === 1, 10_000), 'the daemon runs');
      owner.kill(signal);
      t.ok(await eventually(() => left().length === 0, 10_000), `left: ${left()}`);
    });
}
