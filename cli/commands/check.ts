/** `prism check`: passive judgement of captures alone. */
import type { Command } from 'commander';
import { passiveResults } from '../../conformance/run.js';
import { judgeFiles } from '../../conformance/stream/judge-files.js';
import { runsOf } from '../capture-files.js';
import { type CheckInputs, inputOf, type NamedCapture, nameCapture } from '../check/inputs.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine, conclude } from '../judgement.js';
import { filesSource } from '../ladder-sources.js';
import { addOutputOptions, addReportOptions, Output, type OutputOptions, prepareOut } from '../output.js';

interface CheckOptions extends OutputOptions, CheckInputs {
  readonly strict?: boolean;
}

/** The command that judges this run alone. */
function replayOf(run: readonly NamedCapture[], options: CheckOptions): string {
  const words = [
    'prism check',
    ...run.map(({ path, vantage }) => (vantage === undefined ? path : `${path}@${vantage}`)),
  ];
  if (options.topology !== undefined) words.push('--topology', options.topology);
  if (typeof options.control === 'string') words.push('--control', options.control);
  if (options.control === false) words.push('--no-control');
  return words.join(' ');
}

const MEBIBYTE = 1024 * 1024;

async function check(files: readonly string[], options: CheckOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options, (word) => /\.p?cap(ng)?(\.gz)?(@|$)/.test(word));
  const captures: NamedCapture[] = [];
  for (const file of files) captures.push(await nameCapture(file));
  if (captures.length > 1 && captures.some(({ path }) => path === '-'))
    throw new Failure(2, 'standard input (-) is a run by itself; give the other captures to a command of their own');
  const runs = runsOf(captures);
  if (runs.length > 1 && typeof options.control === 'string') {
    throw new Failure(
      2,
      `--control belongs to one run, but these captures are of ${runs.length}; check them one by one`,
    );
  }
  const inputs = runs.map((run) => inputOf(run, options));
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  return withInterrupt(async (signal) => {
    const judged = [];
    const notes: string[] = [];
    for (const [i, run] of runs.entries()) {
      const input = inputs[i];
      if (input === undefined) continue;
      const title = `[${i + 1}/${runs.length}] ${run[0]?.name}`;
      const size = run.reduce((sum, one) => sum + one.size, 0);
      output.progress(title);
      const onProgress = (bytes: number, frames: number): void => {
        const part = size > 0 ? ` ${Math.floor((100 * bytes) / size)}%` : '';
        output.progress(
          `${title}${part} ${Math.round(bytes / MEBIBYTE)} MiB, ${frames.toLocaleString('en-US')} frames`,
        );
      };
      const outcome = await judgeFiles({ ...input, onProgress, signal });
      if (!outcome.ok) throw new Failure(2, outcome.error);
      notes.push(...outcome.notes.map((note) => `note: ${note}`));
      judged.push({ findings: outcome.findings, replay: replayOf(run, options) });
    }
    const [first, ...others] = judged;
    const results = passiveResults(judged, () => (first && others.length === 0 ? first.replay : ''));
    return conclude(output, {
      run: { command: commandLine(), startedAt, seed: null, target: 'captures', world: 'none' },
      columns: [{ name: 'captures', results }],
      results,
      leftOut: notes,
      strict: options.strict === true,
      folder,
      showCases: false,
      evidence: filesSource(inputs),
    });
  });
}

export function registerCheck(program: Command): void {
  const command = program
    .command('check')
    .summary('judge captures alone')
    .description(
      'Judges captures clause by clause, with no cooperation from whatever they were taken of. A CAPTURE is a pcapng with one\n' +
        'interface per vantage (client, controller, backend0, ...), a plain pcap as FILE@vantage, either of them compressed by\n' +
        'gzip, or - for standard input. It is read piece by piece: its size does not matter. Where no interface says where it\n' +
        "is, the topology's MAC addresses tell. What captures cannot show is inconclusive, which exits 0 unless --strict is given.",
    )
    .argument('<CAPTURE...>', 'pcapng, FILE@vantage, or - for standard input')
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
  prism check prism-report/linux/*/capture.pcapng --no-control
  ssh client tcpdump -i eth0 -w - tcp | prism check -@client --topology topology.json`,
  );
  command.action(async (files: string[], options: CheckOptions) => {
    process.exitCode = await check(files, options);
  });
}
