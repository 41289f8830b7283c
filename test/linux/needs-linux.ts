/** Skips a test file with the reason where the Linux world cannot be had; under CI=true that is a failure. */
import t from 'tap';
import { probeLinux } from '../../harness/linux/probe.js';

/** True when Linux worlds can be built by this process. */
export async function hasLinux(): Promise<boolean> {
  const { available, rootless, missing } = await probeLinux();
  if (available && !rootless) return true;
  const reason = rootless
    ? 'not root (rootless.test.ts runs what can be)'
    : missing.map((m) => `${m.what}: ${m.remedy}`).join('; ');
  if (process.env.CI === 'true') t.fail(`the Linux world is needed under CI: ${reason}`);
  else t.plan(0, `skipped: ${reason}`);
  return false;
}

/** Waits until `condition` holds; false when `limitMs` passed first. */
export async function eventually(condition: () => boolean, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return true;
}
