/** Runs this command again inside a user namespace of its own, where it may make network namespaces without being root. */
import { spawn } from 'node:child_process';
import { probeLinux } from './probe.js';

/** Set in the inner process, so that it never tries again. */
const MARK = 'PRISM_ROOTLESS';

/** Whether the Linux world can be had only by `reexecRootless`. */
export async function needsRootless(): Promise<boolean> {
  return process.env[MARK] === undefined && (await probeLinux()).rootless;
}

/**
 * Runs `node SCRIPT argv...` (the script and Node options of this process) inside `unshare --user --map-root-user --net` and resolves with
 * its exit code (128 + the signal's number when a signal ended it). SIGINT and SIGTERM are passed on.
 */
export function reexecRootless(argv: readonly string[]): Promise<number> {
  const script = process.argv[1] ?? '';
  const inner = [process.execPath, ...process.execArgv, script, ...argv];
  const child = spawn('unshare', ['--user', '--map-root-user', '--net', '--', ...inner], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}
