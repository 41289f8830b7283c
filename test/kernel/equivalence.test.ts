/** The eBPF switch and the reference's get the same frames and rule tables, and give the same bytes. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { hasLinux } from '../linux/needs-linux.js';

function compared(frames: number, seed: number, ...without: string[]) {
  const script = ['--import=tsx', 'test/kernel/equivalence-main.ts', `${frames}`, `${seed}`, ...without];
  return spawnSync('unshare', ['--net', process.execPath, ...script], { encoding: 'utf8', timeout: 240_000 });
}

if (await hasLinux()) {
  t.test('100,000 frames, random and structured, among changing rules', (t) => {
    const { status, stdout, stderr } = compared(100_000, 1);
    t.equal(status, 0, stderr);
    const told = JSON.parse(stdout);
    t.comment(stdout.trim());
    t.ok(told.rewritten > 10_000, 'many are rewritten');
    t.ok(told.forwarded - told.rewritten > 10_000, 'many are routed unchanged');
    t.ok(told.dropped > 10_000, 'many are dropped');
    t.ok(told.left > 1_000, 'some are left to the agent');
    t.ok(told.refused > 100 && told.peak === 6, 'rules conflict, and the table is full at times');
    t.equal(told.counters.rewritten, told.rewritten, 'the program counts what it rewrites');
    t.equal(told.counters.frames, told.forwarded + told.dropped, 'and all that it deals with');
    t.end();
  });

  for (const remedy of ['window-closing', 'fin-suppression'])
    t.test(`a program without ${remedy} is found different`, (t) => {
      const { status, stderr } = compared(5_000, 1, remedy);
      t.equal(status, 1);
      t.match(stderr, /program {3}[0-9a-f]+\nreference [0-9a-f]+\nat /);
      t.end();
    });
}
