/** Runs one client program to its end, or kills it when its time is over. */
import { spawn } from 'node:child_process';
import { plainEnvironment } from '../linux/processes.js';
import { WorldError } from '../world.js';

export interface Ran {
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

/** Rejects only when the program cannot be run at all. */
export function runProgram(
  command: readonly string[],
  { home, timeoutMs, signal }: RunLimits,
  input = '',
): Promise<Ran> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: home,
      env: plainEnvironment(home),
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Ended at the same moment.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, timeoutMs);
    signal.addEventListener('abort', killGroup);
    if (signal.aborted) killGroup();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', killGroup);
    };
    child.once('error', (error) => {
      over();
      reject(error);
    });
    child.once('close', (code) => {
      over();
      // What the shell and setpriv say of a program that cannot be executed: nothing about the server was learned.
      if (code === 126 || code === 127)
        reject(new WorldError(`${command.join(' ')} cannot be run: ${stderr.trim().split('\n').at(-1) ?? ''}`));
      else resolve({ code, stdout, stderr, timedOut });
    });
  });
}
