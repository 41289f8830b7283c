/**
 * A program under test, or the adapter beside it: its words logged, its end told. It lives in a PID namespace of its own, whose first process
 * is a shell that waits for it: when the program, that shell or this process ends, the kernel ends whatever the program has started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants as modes, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { BoundedLog } from './bounded-log.js';
import { TOLD } from './processes.js';

export interface ForeignLaunch {
  /** What messages call it: `switch`, `adapter of switch`. */
  readonly name: string;
  /** Nothing to fill in any more. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly log: string;
  /** Its standard input and output carry messages, not words. */
  readonly speaks: boolean;
}

/**
 * The first process of the namespace. A background command would read /dev/null (POSIX), so it is given the standard input by hand.
 * SIGTERM is for the program, not for the shell, which has nothing to say in the program's log.
 */
const INIT =
  'exec 3<&0; trap : TERM; "$@" <&3 3<&- & p=$!; exec 3<&- >/dev/null 2>&1; wait $p; c=$?; while [ $c -gt 128 ] && kill -0 $p 2>/dev/null; do wait $p; c=$?; done; exit $c';
const CONTAINED = [
  'setpriv',
  '--pdeathsig',
  'KILL',
  '--',
  'unshare',
  '--pid',
  '--fork',
  '--kill-child',
  '--',
  'sh',
  '-c',
  INIT,
  'sh',
];

export class ForeignProcess {
  readonly name: string;
  readonly log: BoundedLog;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #gone = false;
  #startError: string | undefined;

  /** `onOutput`: what it writes to its standard output, logged too unless it carries messages. Throws when there is nothing that could be started. */
  constructor(launch: ForeignLaunch, onOutput: (bytes: Buffer) => void) {
    this.name = launch.name;
    this.log = new BoundedLog(launch.log);
    const why = complaint(launch);
    if (why !== undefined) throw new Error(`${TOLD}${this.name} cannot be started: ${why}`);
    const [program = '', ...args] = [...CONTAINED, ...launch.command];
    this.#child = spawn(program, args, {
      cwd: launch.cwd,
      // Variables of the manifest go over those of the user.
      env: { ...process.env, ...launch.env },
      stdio: [launch.speaks ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      if (!launch.speaks) this.log.append(bytes);
      onOutput(bytes);
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => this.log.append(bytes));
    this.#child.stdin?.on('error', () => {});
    this.exited = new Promise((done) => {
      const gone = (): void => {
        this.#gone = true;
        done();
      };
      this.#child.on('error', (error) => {
        this.#startError ??= error.message;
        gone();
      });
      // Not 'close': children that it leaves may hold its pipes open. One turn lets its last words through.
      this.#child.on('exit', () => setTimeout(gone, 20));
    });
  }

  get running(): boolean {
    return !this.#gone;
  }

  send(line: string): void {
    if (this.#child.stdin?.writable) this.#child.stdin.write(`${line}\n`);
  }

  /** One line about an end that nobody asked for; `when` such as `before it was ready`. */
  ending(when: string): string {
    if (this.#startError !== undefined) return `${this.name} cannot be started: ${this.#startError}`;
    const { exitCode, signalCode } = this.#child;
    // The shell says 128 + the signal's number.
    const signal = signalCode ?? signalName((exitCode ?? 0) - 128);
    const how = signal === undefined ? `ended with exit code ${exitCode}` : `ended by ${signal}`;
    const words = this.log.lastWords(3);
    return `${this.name} ${how} ${when}${words === '' ? '; it wrote nothing' : `; its last words: ${words}`}`;
  }

  /**
   * Kills it and everything it has started: by the first process of its PID namespace, with which the kernel ends the others, so that each is
   * waited for by its own parent; whoever lost its parent would stay defunct until the machine's first process looks.
   */
  kill(): void {
    if (this.#gone) return;
    const first = firstChild(this.#child.pid);
    try {
      if (first !== undefined) process.kill(first, 'SIGKILL');
    } catch {
      // Ended at the same moment.
    }
    if (first === undefined) this.#child.kill('SIGKILL');
  }
}

/** The first process that a process has started, and that still is (proc(5), children). */
function firstChild(pid: number | undefined): number | undefined {
  try {
    const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ');
    return /^[1-9]\d*$/.test(child) ? Number(child) : undefined;
  } catch {
    return undefined;
  }
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}

/** Why a program cannot be started, in words; the system's own error does not tell a missing folder from a missing program. */
function complaint({ command, cwd, env }: ForeignLaunch): string | undefined {
  const [program = ''] = command;
  try {
    if (!statSync(cwd).isDirectory()) return `its cwd ${cwd} is not a folder`;
  } catch {
    return `its cwd ${cwd} does not exist`;
  }
  const path = env.PATH ?? process.env.PATH ?? '';
  const candidates = program.includes('/')
    ? [isAbsolute(program) ? program : resolve(cwd, program)]
    : path.split(delimiter).map((folder) => join(folder, program));
  let found = '';
  for (const candidate of candidates) {
    try {
      if (!statSync(candidate).isFile()) continue;
      found ||= candidate;
      accessSync(candidate, modes.X_OK);
      return undefined;
    } catch {
      // The next folder of the path may have it.
    }
  }
  if (found !== '') return `${found} is not executable`;
  return program.includes('/') ? `there is no file ${candidates[0]}` : `no program ${program} on the PATH`;
}
