/**
 * A child process with a time limit that can be aborted, and that nothing leaves behind: a guard beside it reads a pipe whose other
 * end only this process holds, so that even when this process is killed (SIGKILL included) the child ends and its folder goes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Environment } from './programs.js';

export interface GuardedCommand {
  /** Absolute path of the program, then its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  readonly environment: Environment;
  /** Removed by the guard when this process dies; the caller removes it in every other case. */
  readonly scratch: string | undefined;
  /** Milliseconds, below 2^31. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onOutput?: (text: string) => void;
}

/** How it ended. `killed`: by a signal (its number) that we did not send. `unstartable`: the shell that guards it could not be run. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: number }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'time-out' }
  | { readonly kind: 'unstartable'; readonly reason: string };

export interface GuardedEnd {
  readonly end: ProcessEnd;
  /** The last lines that it wrote to its standard error, 8 KiB at most. */
  readonly complaint: string;
}

const COMPLAINT_BYTES = 8192;

/**
 * $1 is the folder to remove ('' for none), the rest is the command. Nobody ever writes to the pipe, so `read` ends when we do; the watcher
 * then ends everything. Otherwise it is we who end the watcher, with the whole group. It has no standard output, so that the end of the
 * command alone ends that.
 */
const GUARD = `
scratch=$1; shift
"$@" 3<&- &
child=$!
{ read -r _ <&3
  kill -KILL "$child"
  kill -0 "$child" && sleep 1
  [ -z "$scratch" ] || rm -rf -- "$scratch"
  kill -KILL 0
} >/dev/null 2>&1 &
exec 3<&-
wait "$child"
`;

const living = new Set<{ readonly child: ChildProcess; readonly scratch: string | undefined }>();

/** Ends the whole group: the guard, its watcher, the command and what that started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone.
  }
}

function atExit(): void {
  for (const { child, scratch } of living) {
    killGroup(child);
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

/** 128 + signal, for SIGHUP (1) to SIGTERM (15); TLC's own codes begin at 150. */
const LAST_SIGNAL_CODE = 143;

/** Runs a command to its end. Rejects only with what `onOutput` throws, after having ended the command. */
export function runGuarded(request: GuardedCommand): Promise<GuardedEnd> {
  const { command, folder, environment, scratch, timeoutMs, signal, onOutput } = request;
  if (signal?.aborted) return Promise.resolve({ end: { kind: 'interrupted' }, complaint: '' });
  return new Promise((resolve, reject) => {
    // A session of its own: Ctrl-C in a terminal reaches only us, and we end it in order.
    const child = spawn('/bin/sh', ['-c', GUARD, 'guard', scratch ?? '', ...command], {
      cwd: folder,
      detached: true,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const entry = { child, scratch };
    if (living.size === 0) process.on('exit', atExit);
    living.add(entry);
    let complaint = '';
    let ours: ProcessEnd | undefined;
    let thrown: { readonly error: unknown } | undefined;
    const stop = (end: ProcessEnd): void => {
      ours ??= end;
      killGroup(child);
    };
    const onAbort = (): void => stop({ kind: 'interrupted' });
    const timer = setTimeout(() => stop({ kind: 'time-out' }), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (thrown) return;
      try {
        onOutput?.(text);
      } catch (error) {
        thrown = { error };
        killGroup(child);
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-COMPLAINT_BYTES);
    });
    // Our end of the guard's pipe; its end is reported by the child's.
    child.stdio[3]?.on('error', () => {});
    const finish = (end: ProcessEnd): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // What the command started, and the watcher of a guard that somebody killed.
      killGroup(child);
      child.stdio[3]?.destroy();
      living.delete(entry);
      if (living.size === 0) process.off('exit', atExit);
      if (thrown) reject(thrown.error);
      else resolve({ end: ours ?? end, complaint });
    };
    child.once('error', (error) => finish({ kind: 'unstartable', reason: error.message }));
    // When the guard alone was killed, the command still holds the pipes: end it, then `close` comes.
    child.once('exit', () => killGroup(child));
    child.once('close', (code) => {
      if (code === null) finish({ kind: 'killed', signal: 9 });
      else if (code > 128 && code <= LAST_SIGNAL_CODE) finish({ kind: 'killed', signal: code - 128 });
      else finish({ kind: 'exited', code });
    });
  });
}
