/** Runs one client program to its end, or kills it when its time is over. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { plainEnvironment } from '../linux/processes.js';
import { GivenUp } from '../silence.js';
import { WorldError } from '../world.js';

export interface Ran {
  /** null when it was killed because its time was over or its world ended. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface RunLimits {
  /** Working directory and HOME. */
  readonly home: string;
  readonly timeoutMs: number;
  /** Kills the program when aborted. */
  readonly signal: AbortSignal;
}

/** A program that runs, its standard input and output in the caller's hands. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Kills it and its children. */
  kill(): void;
  /** Rejects only when nothing about the server can be learned: the program cannot be run, or a signal of nobody's sending ended it. */
  readonly ended: Promise<Omit<Ran, 'stdout'>>;
}

/** What a program said last, for a message of one line. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Starts it in a process group of its own; it is killed with its children when its time is over or the signal comes. */
export function startProgram(command: readonly string[], { home, timeoutMs, signal }: RunLimits): Running {
  const [program = '', ...args] = command;
  // What stands behind the last `--` of nsenter's and setpriv's words is the program itself.
  const named = basename(command[command.lastIndexOf('--') + 1] ?? program);
  const child = spawn(program, args, {
    cwd: home,
    env: plainEnvironment(home),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  let timedOut = false;
  let killed = false;
  const kill = (): void => {
    killed = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Ended at the same moment.
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutMs);
  const abort = (): void => {
    // It is given up before its time, and that is all.
    timedOut ||= signal.reason instanceof GivenUp;
    kill();
  };
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A write to a program that just ended; its end is reported by `ended`.
  child.stdin.on('error', () => {});
  const ended = new Promise<Omit<Ran, 'stdout'>>((resolve, reject) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    child.once('error', (error) => {
      over();
      reject(new WorldError(`${named} cannot be run: ${error.message}`));
    });
    child.once('close', (code, by) => {
      over();
      const said = lastLine(stderr);
      // What the shell, setpriv and the dynamic linker say of a program that cannot be executed: nothing about the server was learned.
      if (code === 126 || code === 127) reject(new WorldError(`${named} cannot be run: ${said}`));
      else if (by !== null && !killed) reject(new WorldError(`${named} was ended by ${by}: ${said}`));
      else resolve({ code, stderr, timedOut });
    });
  });
  return { child, kill, ended };
}

/** Gives it its whole input at once. Rejects as `Running.ended` does. */
export async function runProgram(command: readonly string[], limits: RunLimits, input = ''): Promise<Ran> {
  const { child, ended } = startProgram(command, limits);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stdin.end(input);
  return { ...(await ended), stdout };
}
