/** The files that a command line names: captures, topologies, documents. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCapture } from '../harness/capture/pcapng.js';
import { Topology, topologyProblem } from '../harness/topology.js';
import { Failure, fileReason } from './failure.js';

export interface CaptureFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly vantage?: string;
  readonly vantages: readonly string[];
}

/** Throws a Failure for what cannot be read. */
export function readInput(path: string): Buffer {
  try {
    // A device such as /dev/zero never ends.
    if (statSync(path).isCharacterDevice()) throw new Failure(2, `${path}: a device, not a file`);
    return readFileSync(path);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(2, `${path}: ${fileReason(error)}`);
  }
}

/** What a file of JSON says; throws a Failure for what cannot be read or is no JSON. */
export function readJson(path: string): unknown {
  const text = readInput(path).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(2, `${path}: not JSON: ${fileReason(error).split('\n')[0]}`);
  }
}

/** Splits `FILE@vantage`, where no file of that whole name exists. */
export function splitVantage(argument: string): { readonly path: string; readonly vantage?: string } {
  const at = argument.lastIndexOf('@');
  if (at <= 0 || existsSync(argument)) return { path: argument };
  const vantage = argument.slice(at + 1);
  if (!/^(client|controller|backend\d+|switch-.+)$/.test(vantage)) {
    throw new Failure(2, `${argument}: '${vantage}' is no vantage; say client, controller, backend0, backend1, ...`);
  }
  return { path: argument.slice(0, at), vantage };
}

/** Opens `FILE`, or `FILE@vantage`, and reads it whole. */
export function openCapture(argument: string): CaptureFile {
  const { path, vantage } = splitVantage(argument);
  const bytes = readInput(path);
  const capture = readCapture(bytes);
  if (!capture.ok) {
    const { reason, offset, detail, wholeFrames } = capture.error;
    const frames = wholeFrames > 0 ? ` (${wholeFrames} whole frames before it)` : '';
    throw new Failure(2, `${path}: ${reason} at byte ${offset}: ${detail}${frames}`);
  }
  const names = vantage === undefined ? capture.interfaces.map((i) => i.name) : [vantage];
  if (names.includes(undefined)) {
    throw new Failure(
      2,
      `${path}: it does not say where it was taken; give it as ${path}@client, @controller, @backend0, ...`,
    );
  }
  const vantages = names.filter((name) => name !== undefined);
  return { name: path, path, bytes, ...(vantage === undefined ? {} : { vantage }), vantages };
}

/** Throws a Failure for what is no topology. */
export function readTopology(path: string): Topology {
  const parsed = Topology.safeParse(readJson(path));
  if (parsed.success) {
    const problem = topologyProblem(parsed.data);
    if (problem !== undefined) throw new Failure(2, `${path}: ${problem}`);
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const field = [...(issue?.path ?? []), ...keys.slice(0, 1)].join('.') || 'the whole file';
  throw new Failure(2, `${path}: ${field}: ${issue?.message} (the format is schemas/prism-topology-1.schema.json)`);
}

/**
 * Files that were taken at different vantages belong to one run and are judged together; a file whose vantage is there already begins
 * another run.
 */
export function runsOf<F extends { readonly vantages: readonly string[] }>(files: readonly F[]): F[][] {
  const runs: F[][] = [];
  for (const file of files) {
    const last = runs.at(-1);
    const taken = last?.some((other) => other.vantages.some((v) => file.vantages.includes(v)));
    if (last && !taken) last.push(file);
    else runs.push([file]);
  }
  return runs;
}

/** `topology.json` beside a run's first capture, if there is one. */
export function topologyBeside([first]: readonly { readonly path: string }[]): string | undefined {
  const path = join(first ? dirname(first.path) : '.', 'topology.json');
  return existsSync(path) ? path : undefined;
}
