/** `prism check`: passive judgement of captures alone. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { parseControlLog } from '../../conformance/control-log.js';
import { type JudgeInput, judgeEvidence } from '../../conformance/judge.js';
import { passiveResults } from '../../conformance/run.js';
import { type CaptureFile, openCapture, readInput, readTopology, runsOf, topologyBeside } from '../capture-files.js';
import { Failure } from '../failure.js';
import { commandLine, conclude } from '../judgement.js';
import { memorySource } from '../ladder-sources.js';
import { addOutputOptions, addReportOptions, Output, type OutputOptions, prepareOut } from '../output.js';

interface CheckOptions extends OutputOptions {
  readonly topology?: string;
  /** A file, false for --no-control, true when nothing was said. */
  readonly control: string | boolean;
  readonly strict?: boolean;
}

function readControlLog(path: string): NonNullable<JudgeInput['controlLog']> {
  const log = parseControlLog(readInput(path).toString('utf8'));
  if (!log.ok) throw new Failure(2, `${path}: ${log.error}`);
  return { name: path, entries: log.entries };
}

function inputOf(run: readonly CaptureFile[], options: CheckOptions): JudgeInput {
  const [first] = run;
  const path = options.topology ?? topologyBeside(run);
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
  const inputs: JudgeInput[] = [];
  const judged = runs.map((run, i) => {
    output.progress(`[${i + 1}/${runs.length}] ${run[0]?.name}`);
    const input = inputOf(run, options);
    inputs.push(input);
    const outcome = judgeEvidence(input);
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
    evidence: memorySource(inputs),
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
  addReportOptions(command);
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
