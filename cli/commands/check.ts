/** `prism check`: passive judgement of captures alone. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { parseControlLog } from '../../conformance/control-log.js';
import { type JudgeInput, judgeEvidence } from '../../conformance/judge.js';
import { passiveResults } from '../../conformance/run.js';
import { readCapture } from '../../harness/capture/pcapng.js';
import { Topology } from '../../harness/topology.js';
import { Failure, fileReason } from '../failure.js';
import { commandLine, conclude } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut } from '../output.js';

interface CheckOptions extends OutputOptions {
  readonly topology?: string;
  /** A file, false for --no-control, true when nothing was said. */
  readonly control: string | boolean;
  readonly strict?: boolean;
}

interface CaptureFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly vantage?: string;
  readonly vantages: readonly string[];
}

function readInput(path: string): Buffer {
  try {
    // A device such as /dev/zero never ends.
    if (statSync(path).isCharacterDevice()) throw new Failure(2, `${path}: a device, not a file`);
    return readFileSync(path);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(2, `${path}: ${fileReason(error)}`);
  }
}

/** `FILE`, or `FILE@vantage` where no file of that whole name exists. */
function openCapture(argument: string): CaptureFile {
  const at = argument.lastIndexOf('@');
  const split = at > 0 && !existsSync(argument);
  const path = split ? argument.slice(0, at) : argument;
  const vantage = split ? argument.slice(at + 1) : undefined;
  if (vantage !== undefined && !/^(client|controller|backend\d+|switch-.+)$/.test(vantage)) {
    throw new Failure(2, `${argument}: '${vantage}' is no vantage; say client, controller, backend0, backend1, ...`);
  }
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

function readTopology(path: string): Topology {
  let value: unknown;
  try {
    value = JSON.parse(readInput(path).toString('utf8'));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(2, `${path}: not JSON: ${fileReason(error).split('\n')[0]}`);
  }
  const parsed = Topology.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const field = [...(issue?.path ?? []), ...keys.slice(0, 1)].join('.') || 'the whole file';
  throw new Failure(2, `${path}: ${field}: ${issue?.message} (the format is schemas/prism-topology-1.schema.json)`);
}

function readControlLog(path: string): NonNullable<JudgeInput['controlLog']> {
  const log = parseControlLog(readInput(path).toString('utf8'));
  if (!log.ok) throw new Failure(2, `${path}: ${log.error}`);
  return { name: path, entries: log.entries };
}

/**
 * Files that were taken at different vantages belong to one run and are judged together; a file whose vantage is there already begins
 * another run.
 */
function runsOf(files: readonly CaptureFile[]): CaptureFile[][] {
  const runs: CaptureFile[][] = [];
  for (const file of files) {
    const last = runs.at(-1);
    const taken = last?.some((other) => other.vantages.some((v) => file.vantages.includes(v)));
    if (last && !taken) last.push(file);
    else runs.push([file]);
  }
  return runs;
}

function inputOf(run: readonly CaptureFile[], options: CheckOptions): JudgeInput {
  const [first] = run;
  const beside = join(first ? dirname(first.path) : '.', 'topology.json');
  const path = options.topology ?? (existsSync(beside) ? beside : undefined);
  if (path === undefined) {
    throw new Failure(
      2,
      `no topology for ${first?.name}: give one with --topology FILE, or put topology.json beside the capture`,
    );
  }
  const topology = readTopology(path);
  const captures = run.map(({ name, bytes, vantage }) => ({
    name,
    bytes,
    ...(vantage === undefined ? {} : { vantage }),
  }));
  if (options.control === false) return { captures, topology };
  if (typeof options.control === 'string') return { captures, topology, controlLog: readControlLog(options.control) };
  const logs = run
    .map((file) => `${file.path.replace(/\.[^./]*$/, '')}.control.ndjson`)
    .filter((log) => existsSync(log));
  const [log, another] = new Set(logs);
  if (another !== undefined)
    throw new Failure(2, `${log} and ${another} lie beside the captures: choose one with --control FILE`);
  return log === undefined ? { captures, topology } : { captures, topology, controlLog: readControlLog(log) };
}

/** The command that judges this run alone. */
function replayOf(run: readonly CaptureFile[], options: CheckOptions): string {
  const words = [
    'prism check',
    ...run.map(({ path, vantage }) => (vantage === undefined ? path : `${path}@${vantage}`)),
  ];
  if (options.topology !== undefined) words.push('--topology', options.topology);
  if (typeof options.control === 'string') words.push('--control', options.control);
  if (options.control === false) words.push('--no-control');
  return words.join(' ');
}

function check(files: readonly string[], options: CheckOptions): number {
  const startedAt = new Date();
  const output = new Output(options, (word) => /\.p?cap(ng)?(@|$)/.test(word));
  const runs = runsOf(files.map(openCapture));
  if (runs.length > 1 && typeof options.control === 'string') {
    throw new Failure(
      2,
      `--control belongs to one run, but these captures are of ${runs.length}; check them one by one`,
    );
  }
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  const judged = runs.map((run, i) => {
    output.progress(`[${i + 1}/${runs.length}] ${run[0]?.name}`);
    const outcome = judgeEvidence(inputOf(run, options));
    if (!outcome.ok) throw new Failure(2, outcome.error);
    return { findings: outcome.findings, replay: replayOf(run, options) };
  });
  const [first, ...others] = judged;
  const results = passiveResults(judged, () => (first && others.length === 0 ? first.replay : ''));
  return conclude(output, {
    run: { command: commandLine(), startedAt, seed: null, target: 'captures', world: 'none' },
    columns: [{ name: 'captures', results }],
    results,
    leftOut: [],
    strict: options.strict === true,
    folder,
    showCases: false,
  });
}

export function registerCheck(program: Command): void {
  const command = program
    .command('check')
    .summary('judge captures alone')
    .description(
      'Judges captures clause by clause, with no cooperation from whatever they were taken of. A CAPTURE is a pcapng with one\n' +
        'interface per vantage (client, controller, backend0, ...), or a plain pcap as FILE@vantage. What captures cannot show is\n' +
        'inconclusive, which exits 0 unless --strict is given.',
    )
    .argument('<CAPTURE...>', 'pcapng, or FILE@vantage')
    .option('--topology <FILE>', 'who is who (default: topology.json beside the capture)')
    .option('--control <FILE>', 'log of control messages (default: NAME.control.ndjson beside NAME.pcapng)')
    .option('--no-control', 'use no control log, even if there is one')
    .option('--strict', 'exit 3 when anything is inconclusive');
  addOutputOptions(command, {
    out: 'also write a report into this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism check run.pcapng --topology topology.json
  prism check a.pcap@client b.pcap@controller c.pcap@backend0 --topology topology.json
  prism check prism-report/linux/*/capture.pcapng --no-control`,
  );
  command.action((files: string[], options: CheckOptions) => {
    process.exitCode = check(files, options);
  });
}
