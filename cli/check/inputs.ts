/** The files of `prism check`, looked at before they are judged: what they are, where they were taken, what belongs together. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { parseControlLog } from '../../conformance/control-log.js';
import type { FilesInput } from '../../conformance/stream/judge-files.js';
import { CaptureSource, sourceError } from '../../harness/capture/source.js';
import { readInput, readTopology, splitVantage, topologyBeside } from '../capture-files.js';
import { Failure, fileReason } from '../failure.js';

export interface CheckInputs {
  readonly topology?: string;
  /** A file, false for --no-control, true when nothing was said. */
  readonly control: string | boolean;
  readonly json?: string | true;
}

export interface NamedCapture {
  readonly name: string;
  readonly path: string;
  readonly vantage?: string;
  /** As its first interfaces say. */
  readonly vantages: readonly string[];
  /** Bytes; 0 where nobody knows. */
  readonly size: number;
}

const VANTAGE = /^(client|controller|backend\d+)$/;

/** Reads a file's beginning. Throws a Failure for what is no capture. */
export async function nameCapture(argument: string): Promise<NamedCapture> {
  const { path, vantage } = splitVantage(argument);
  const given = vantage === undefined ? {} : { vantage };
  if (path === '-') return { name: '-', path, ...given, vantages: vantage === undefined ? [] : [vantage], size: 0 };
  const names: (string | undefined)[] = [];
  let source: CaptureSource | undefined;
  let size = 0;
  try {
    const status = statSync(path);
    // A device such as /dev/zero never ends.
    if (status.isCharacterDevice()) throw new Failure(2, `${path}: a device, not a file`);
    size = status.size;
    source = CaptureSource.open(path, { interface: (_, { name }) => names.push(name), frame: () => undefined });
    while (names.length === 0 && (await source.step()));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const known = sourceError(error, source?.parser.frames ?? 0);
    if (known === undefined) throw new Failure(2, `${path}: ${fileReason(error)}`);
    const frames = known.wholeFrames > 0 ? ` (${known.wholeFrames} whole frames before it)` : '';
    throw new Failure(2, `${path}: ${known.reason} at byte ${known.offset}: ${known.detail}${frames}`);
  } finally {
    source?.close();
  }
  const own = names.filter((name) => name !== undefined && VANTAGE.test(name)) as string[];
  const other = vantage === undefined ? undefined : own.find((name) => name !== vantage);
  if (other !== undefined)
    throw new Failure(2, `${argument}: the file itself says that it was taken at ${other}; leave '@${vantage}' away`);
  return { name: path, path, ...given, vantages: vantage === undefined ? own : [vantage], size };
}

function readControlLog(path: string): NonNullable<FilesInput['controlLog']> {
  const log = parseControlLog(readInput(path).toString('utf8'));
  if (!log.ok) throw new Failure(2, `${path}: ${log.error}`);
  return { name: path, entries: log.entries };
}

function samePath(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** What one run is judged by. Throws a Failure. */
export function inputOf(run: readonly NamedCapture[], options: CheckInputs): FilesInput {
  const [first] = run;
  const path = options.topology ?? topologyBeside(run);
  if (path === undefined) {
    throw new Failure(
      2,
      `no topology for ${first?.name}: give one with --topology FILE, or put topology.json beside the capture`,
    );
  }
  const topology = readTopology(path);
  if (topology.system !== undefined && topology.system !== 'prism')
    throw new Failure(2, `${path}: system: there are no checks of ${topology.system} here`);
  const log = controlLogOf(run, options);
  if (typeof options.json === 'string') {
    for (const input of [path, log, ...run.map((one) => one.path)]) {
      if (input !== undefined && samePath(input, options.json))
        throw new Failure(2, `--json ${options.json}: that is an input of this very command; choose another name`);
    }
  }
  const files = run.map(({ name, path: file, vantage }) => ({
    name,
    path: file,
    ...(vantage === undefined ? {} : { vantage }),
  }));
  return { files, topology, ...(log === undefined ? {} : { controlLog: readControlLog(log) }) };
}

function controlLogOf(run: readonly NamedCapture[], options: CheckInputs): string | undefined {
  if (options.control === false) return undefined;
  if (typeof options.control === 'string') return options.control;
  const logs = run
    .filter(({ path }) => path !== '-')
    .map(({ path }) => `${path.replace(/\.gz$/, '').replace(/\.[^./]*$/, '')}.control.ndjson`)
    .filter((log) => existsSync(log));
  const [log, another] = new Set(logs);
  if (another !== undefined)
    throw new Failure(2, `${log} and ${another} lie beside the captures: choose one with --control FILE`);
  return log;
}
