/** Where a command's words go: the terminal, a JSON document on stdout or in a file, a progress line. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import type { Verdict } from '../conformance/verdict.js';
import { Failure, fileReason, systemCode } from './failure.js';

/** The options that every command takes. */
export interface OutputOptions {
  /** true: JSON on stdout, and nothing else there. */
  readonly json?: string | true;
  /** TAP and JUnit XML, as `json`. */
  readonly tap?: string | true;
  readonly junit?: string | true;
  readonly seed?: number;
  readonly out?: string;
  readonly quiet?: boolean;
}

/** 0 to 2^32 - 1, decimal. */
export function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d{1,10}$/.test(text) || seed > 0xffffffff)
    throw new InvalidArgumentError('it is a whole number from 0 to 4294967295.');
  return seed;
}

export function addOutputOptions(command: Command, text: { out: string; seed: string }): Command {
  return command
    .option('--json [FILE]', 'write the result as JSON to FILE, or to stdout (which then carries nothing else)')
    .option('--seed <N>', text.seed, parseSeed)
    .option('--out <DIR>', text.out)
    .option('--quiet', 'print problems only');
}

/** The formats that commands which judge can write beside JSON. */
export function addReportOptions(command: Command): Command {
  return command
    .option('--tap [FILE]', 'write the results as TAP 14 to FILE, or to stdout')
    .option('--junit [FILE]', 'write the results as JUnit XML to FILE, or to stdout');
}

/** What a format's file begins with, so that a file of another kind is not overwritten by mistake. */
const FORMATS = {
  json: { name: 'JSON', head: /^\{/ },
  tap: { name: 'TAP', head: /^TAP version/ },
  junit: { name: 'XML', head: /^<\?xml/ },
} as const;
type Format = keyof typeof FORMATS;
const FORMAT_NAMES = ['json', 'tap', 'junit'] as const satisfies readonly Format[];

const STYLES: Readonly<Record<Verdict, Parameters<typeof styleText>[0]>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
  unsupported: 'yellow',
  error: 'magenta',
};

export class Output {
  readonly #options: OutputOptions;
  readonly #human: boolean;
  #progress = '';

  /** `isSelector`: words that `--json` and its like may have swallowed by mistake (they take an optional FILE). */
  constructor(options: OutputOptions, isSelector: (word: string) => boolean = () => false) {
    this.#options = options;
    const onStdout = FORMAT_NAMES.filter((format) => options[format] === true).map((format) => `--${format}`);
    if (onStdout.length > 1)
      throw new Failure(2, `${onStdout.join(' and ')} both want stdout: give all but one of them a FILE`);
    this.#human = onStdout.length === 0;
    for (const format of FORMAT_NAMES) {
      const file = options[format];
      if (typeof file === 'string') checkFormatFile(format, file, isSelector);
    }
  }

  /** A line for people: not with `--quiet`, and not when stdout belongs to JSON. */
  line(text = ''): void {
    if (!this.#options.quiet) this.problem(text);
  }

  /** A line that `--quiet` shows too. */
  problem(text: string): void {
    this.endProgress();
    if (this.#human) process.stdout.write(`${text}\n`);
  }

  /** Replaces the progress line; silent unless stderr is a terminal. */
  progress(text: string): void {
    if (!process.stderr.isTTY || this.#options.quiet) return;
    const width = (process.stderr.columns ?? 80) - 1;
    this.#progress = text.slice(0, width);
    process.stderr.write(`\r\x1b[K${this.#progress}`);
  }

  /** A case that failed, as soon as it has: on stderr, also where that is a file, so that a redirected log says what goes on. */
  failure(text: string): void {
    if (this.#options.quiet) return;
    this.endProgress();
    process.stderr.write(`${text}\n`);
  }

  endProgress(): void {
    if (this.#progress === '') return;
    this.#progress = '';
    process.stderr.write('\r\x1b[K');
  }

  /** Colours a verdict, or a text like one, on a terminal that wants it. */
  readonly paint = (verdict: Verdict, text: string): string =>
    process.stdout.isTTY && process.env.NO_COLOR === undefined ? styleText(STYLES[verdict], text) : text;

  /** Writes the document where `--json` asks for it, if it does. */
  document(value: unknown): void {
    this.formatted('json', () => `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Writes a text where the option of this format asks for it, if it does. */
  formatted(format: Format, text: () => string): void {
    this.endProgress();
    const file = this.#options[format];
    if (file === undefined) return;
    if (file === true) process.stdout.write(text());
    else writeOutput(file, text());
  }
}

/** Writes a file of the command's output; a failure is the environment's. */
export function writeOutput(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Failure(4, `cannot write ${path}: ${fileReason(error)}`);
  }
}

/** Found before the work, not after it: a file that cannot be written, or a capture or selector in its place. */
function checkFormatFile(format: Format, path: string, isSelector: (word: string) => boolean): void {
  const option = `--${format}`;
  if (isSelector(path))
    throw new Failure(
      2,
      `${option} took '${path}' for the name of its file; put ${option} last, or write ${option}=FILE`,
    );
  const folder = dirname(resolve(path));
  try {
    if (!statSync(folder).isDirectory()) throw new Failure(2, `${option} ${path}: ${folder} is not a folder`);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(2, `${option} ${path}: ${folder}: ${fileReason(error)}`);
  }
  let head: string;
  try {
    // A pipe or a device has nothing to lose, and reading it may never end.
    if (!statSync(path).isFile() && !statSync(path).isDirectory()) return;
    head = readFileSync(path).subarray(0, 64).toString('latin1').trimStart();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') {
      throw new Failure(systemCode(error) === 'EISDIR' ? 2 : 4, `${option} ${path}: ${fileReason(error)}`);
    }
    checkWritable(folder);
    return;
  }
  if (head !== '' && !FORMATS[format].head.test(head))
    throw new Failure(2, `${option} ${path}: that file exists and is not ${FORMATS[format].name}; choose another name`);
  checkWritable(path);
}

function checkWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new Failure(4, `cannot write to ${path}: ${fileReason(error)}`);
  }
}

/** `mkdir -p`. Node's own never returns where the parent exists but refuses with ENOENT, as in /proc. */
function makeFolders(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    if (systemCode(error) !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolders(dirname(path));
    mkdirSync(path);
  }
}

/** Makes the output folder and answers its absolute path. A file of that name is the user's mistake (2), a refusal the environment's (4). */
export function prepareOut(folder: string): string {
  if (folder === '') throw new Failure(2, "--out '': name a folder");
  const path = resolve(folder);
  try {
    makeFolders(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new Failure(2, `--out ${folder}: a file is in the way; name a folder`);
    throw new Failure(4, `cannot make the folder ${folder}: ${fileReason(error)}; choose another with --out DIR`);
  }
  try {
    // Only making something there tells: /proc says that it can be written to, and Node's recursive mkdir never returns from it.
    rmdirSync(mkdtempSync(join(path, '.prism-')));
  } catch (error) {
    throw new Failure(4, `cannot write to ${folder}: ${fileReason(error)}; choose another with --out DIR`);
  }
  return path;
}
