/** Runs the command as its users do, in a process of its own, and says what came of it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const TSX = import.meta.resolve('tsx');

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Closes stdout at its first bytes, as `| head -c 1` does. */
  readonly closeStdout?: boolean;
  /** Called once the process runs, to send it signals. */
  readonly started?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** `prism ARGS` from source; CI is not set unless `env` sets it. */
export function prism(args: readonly string[], options: RunOptions): Promise<Ended> {
  return run(script('entry.ts'), args, options);
}

/** Many command lines one after the other in a single process, which saves its start. */
export async function prismBatch(lines: readonly (readonly string[])[], options: RunOptions): Promise<Ended[]> {
  const { stdout, stderr } = await run(script('batch.ts'), [JSON.stringify(lines)], options);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

function run(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { CI: _ci, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', TSX, file, ...args], {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (options.closeStdout) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  options.started?.((signal) => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Each command line ends with that exit code and one line that matches, and prints nothing else. */
export async function refusesInOneLine(
  t: Test,
  refused: readonly (readonly [line: string, code: number, message: RegExp])[],
  cwd: string,
): Promise<void> {
  const lines = refused.map(([line]) => line.split(' '));
  for (const [i, ended] of (await prismBatch(lines, { cwd })).entries()) {
    const [line, code, message] = refused[i] ?? ['', 0, /./];
    t.equal(ended.code, code, `prism ${line}: ${ended.stderr}`);
    t.match(ended.stderr, message, `prism ${line}`);
    t.match(ended.stderr, /^prism: [^\n]+\n$/, 'one line');
    t.equal(ended.stdout, '');
  }
}
