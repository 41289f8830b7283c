/**
 * The processes of one Linux world. Each reads a pipe whose other end only this process holds, and ends when that pipe does,
 * so that whatever happens to this process (SIGKILL included) nothing survives it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WorldError } from '../world.js';

/** The command line that runs one of our own modules (given without extension, relative to `base`) in a Node process of its own. */
export function nodeCommand(module: string, base: string): string[] {
  const source = base.endsWith('.ts');
  const file = fileURLToPath(new URL(`${module}${source ? '.ts' : '.js'}`, base));
  return [process.execPath, ...(source ? [`--import=${import.meta.resolve('tsx')}`] : []), file];
}

/** The command that runs `command` inside the namespace that `pid` is in. */
export function enter(pid: number, command: readonly string[]): string[] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`, '--', ...command];
}

/** The environment of everything we start: the user's, without what would change how a client or a role behaves. */
export function plainEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_|npm_|TAP|_TAPJS|.*_proxy$|CURL_|WGETRC|PYTHON)/i.test(name),
  );
  // No .curlrc, .wgetrc or .netrc of the user's.
  return { ...Object.fromEntries(kept), HOME: home, LC_ALL: 'C' };
}

/** With this a child's line of complaint begins that is to be told as it stands. */
export const TOLD = 'tell: ';

/** A child that answers lines with lines. It gets a session of its own, so that Ctrl-C reaches only us and we end it in order. */
export class Attendant {
  readonly name: string;
  readonly exited: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  #partial = '';
  #complaint = '';
  #gone = false;
  #startError = '';

  constructor(name: string, command: readonly string[], environment: NodeJS.ProcessEnv) {
    this.name = name;
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: environment });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-4096);
    });
    // A write to a child that just ended; its end is reported by `exited`.
    this.#child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => {
      const gone = () => {
        this.#gone = true;
        for (const waiter of this.#waiting.splice(0)) waiter.reject(this.failure());
        resolve();
      };
      this.#child.on('error', (error) => {
        this.#startError = error.message;
        gone();
      });
      this.#child.on('close', gone);
    });
  }

  /** Process id; 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return !this.#gone;
  }

  /** It was ended by SIGKILL. */
  get wasKilled(): boolean {
    return this.#child.signalCode === 'SIGKILL';
  }

  /** It exists and has been stopped (SIGSTOP). */
  get isStopped(): boolean {
    try {
      // proc(5): the state follows the command's name, which may itself contain parentheses.
      return /\) [Tt] /.test(readFileSync(`/proc/${this.pid}/stat`, 'latin1'));
    } catch {
      return false;
    }
  }

  /** What to tell the user about an end that nobody asked for. */
  failure(): WorldError {
    const complaint = this.#complaint.trim().split('\n');
    const told = complaint.find((line) => line.startsWith(TOLD));
    if (told !== undefined) return new WorldError(told.slice(TOLD.length));
    const why = complaint.find((line) => /^\w*Error\b|: /.test(line)) ?? complaint[0];
    const { exitCode, signalCode } = this.#child;
    const how = signalCode ? `by ${signalCode}` : `with exit code ${exitCode}`;
    const reason = this.#startError || why;
    return new WorldError(`${this.name} ended ${reason ? `because of: ${reason}` : how}`);
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      const waiter = this.#waiting.shift();
      if (waiter) waiter.resolve(line);
      else this.#lines.push(line);
    }
  }

  /** The next line it prints; rejects with a WorldError when it ends first or the time is over. */
  async line(timeoutMs: number): Promise<string> {
    const ready = this.#lines.shift();
    if (ready !== undefined) return ready;
    if (this.#gone) throw this.failure();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        timer = setTimeout(
          () => reject(new WorldError(`${this.name} did not answer within ${timeoutMs} ms`)),
          timeoutMs,
        );
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends one JSON line and reads the JSON line that answers it; an answer `{error}` rejects with a WorldError. */
  async ask(question: object, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = JSON.parse(await this.line(timeoutMs)) as Readonly<Record<string, unknown>>;
    const { error } = answer;
    if (typeof error === 'string')
      throw new WorldError(error.startsWith(TOLD) ? error.slice(TOLD.length) : `${this.name}: ${error}`);
    return answer;
  }

  /** Gives it its whole input at once. */
  finishInput(text: string): void {
    this.#child.stdin.end(text);
  }

  /** Lets it end by itself, now that nobody asks it any more. */
  dismiss(): void {
    if (!this.#gone) this.#child.stdin.end();
  }

  kill(): void {
    if (!this.#gone) this.#child.kill('SIGKILL');
  }
}
