/** `prism simulate`: deterministic simulation of the reference under faults, invariants after every step. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Figures } from '../../harness/simulate/figures.js';
import { FAULT_KINDS, FAULT_SUMMARIES, type FaultKind } from '../../harness/simulate/plan.js';
import { simulateSeeds } from '../../harness/simulate/pool.js';
import { SimulationDocument } from '../../harness/simulate/report-schema.js';
import { referenceCores } from '../../harness/simulate/roles.js';
import type { SeedRange } from '../../harness/simulate/seeds.js';
import { shrink } from '../../harness/simulate/shrink.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';
import { parseRemedies } from '../remedies.js';
import {
  parseConnections,
  parseFaults,
  parseSeeds,
  parseStories,
  parseTimeLimit,
  parseWorkers,
} from '../simulate/arguments.js';
import { printFailure, reportFailure } from '../simulate/failure-report.js';
import { simulateStories } from '../simulate/stories.js';
import { VERSION } from '../version.js';

interface SimulateOptions extends OutputOptions {
  readonly seeds?: SeedRange;
  readonly faults?: readonly FaultKind[];
  readonly workers?: number;
  readonly connections?: number;
  readonly timeLimit?: number;
  readonly without?: readonly RemedyName[];
  readonly stories?: number;
}

const DEFAULT_SEEDS: SeedRange = { from: 1, to: 200 };
/** What only a plan's run has. */
const OF_SEEDS = ['seeds', 'faults', 'connections', 'workers', 'timeLimit'] as const;
/** For making a failure small. */
const SHRINK_MS = 10_000;

async function simulate(options: SimulateOptions): Promise<number> {
  const { stories } = options;
  if (stories !== undefined) return tellStories(stories, options);
  const startedAt = new Date();
  const output = new Output(options, (word) => /^\d+\.\.\d+$/.test(word));
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  if (options.seeds !== undefined && options.seed !== undefined)
    throw new Failure(2, 'either --seeds A..B or --seed N, not both');
  const seeds =
    options.seeds ?? (options.seed === undefined ? DEFAULT_SEEDS : { from: options.seed, to: options.seed });
  const workers = options.workers ?? availableParallelism();
  const without = options.without ?? [];
  const allowed = options.faults ?? FAULT_KINDS;
  const choice = { allowed, connections: options.connections ?? null, without };
  const total = seeds.to - seeds.from + 1;
  return withInterrupt(async (signal) => {
    const begun = performance.now();
    const result = await simulateSeeds({
      seeds,
      choice,
      workers,
      timeLimitMs: options.timeLimit === undefined ? null : options.timeLimit * 1000,
      signal,
      progress: (figures) =>
        output.progress(`[${figures.runs}/${total}] ${many(figures.handoffs)} hand-offs, ${rate(figures, begun)}`),
    });
    const took = performance.now() - begun;
    output.endProgress();
    const { failing, figures, digest, cut } = result;
    if (failing !== null)
      output.progress(`seed ${failing.plan.seed} fails; looking for a smaller run that fails alike`);
    const smallest = failing === null ? null : await shrink(failing, referenceCores, { timeMs: SHRINK_MS, signal });
    signal.throwIfAborted();
    const failure = smallest === null ? null : reportFailure(smallest, referenceCores, folder);
    if (failure !== null) printFailure(output, failure, smallest?.plan !== failing?.plan);
    for (const line of figureLines(figures, seeds, took, workers)) output.line(line);
    output.line(`digest ${digest}`);
    if (cut)
      output.problem(
        `${many(total - figures.runs)} of ${many(total)} seeds were not run within ${options.timeLimit} s`,
      );
    const document = SimulationDocument.parse({
      schema: 'prism-simulation/1',
      tool: 'prism-conformance',
      version: VERSION,
      command: commandLine(),
      startedAt: startedAt.toISOString(),
      durationMs: Math.max(0, Date.now() - startedAt.getTime()),
      seeds: { ...seeds, run: figures.runs },
      faults: [...allowed],
      without,
      workers,
      digest,
      verdict: failure === null ? (cut ? 'cut' : 'pass') : 'fail',
      figures,
      failure,
    });
    if (folder !== undefined) writeOutput(join(folder, 'simulation.json'), `${JSON.stringify(document, null, 2)}\n`);
    output.document(document);
    return failure === null ? (cut ? 3 : 0) : 1;
  });
}

async function tellStories(stories: number, options: SimulateOptions): Promise<number> {
  const other = OF_SEEDS.find((name) => options[name] !== undefined);
  if (other !== undefined)
    throw new Failure(
      2,
      `--stories and --${other === 'timeLimit' ? 'time-limit' : other} do not go together: in a story everything is chosen`,
    );
  const output = new Output(options);
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  const { seed = 1, without = [] } = options;
  return withInterrupt((signal) => simulateStories({ stories, seed, without, output, folder, signal }));
}

const many = (count: number): string => count.toLocaleString('en-US');

function rate(figures: Figures, begun: number): string {
  return `${many(Math.round(figures.handoffs / Math.max(0.001, (performance.now() - begun) / 1000)))}/s`;
}

function figureLines(figures: Figures, seeds: SeedRange, tookMs: number, workers: number): string[] {
  const seconds = Math.max(0.001, tookMs / 1000);
  const hours = figures.simulatedMs / 3_600_000;
  const struck = FAULT_KINDS.filter((kind) => figures.faults[kind] > 0).map(
    (kind) => `${many(figures.faults[kind])} ${kind}`,
  );
  return [
    `seeds ${seeds.from}..${seeds.to}: ${many(figures.runs)} runs, ${many(figures.connections)} connections, ${many(figures.handoffs)} hand-offs, ${many(figures.responses)} responses`,
    `  ended otherwise: ${many(figures.aborted)} aborted by the client, ${many(figures.refused)} refused, ${many(figures.reset)} reset for a lost backend, ${many(figures.untold)} never told of it`,
    `faults: ${struck.length === 0 ? 'none' : struck.join(', ')}`,
    `${many(figures.steps)} steps checked, ${many(figures.frames)} frames, ${many(figures.controlMessages)} control messages`,
    `${hours.toFixed(1)} h simulated in ${seconds.toFixed(1)} s by ${workers} ${workers === 1 ? 'worker' : 'workers'}: ${many(Math.round(figures.handoffs / seconds))} hand-offs/s`,
  ];
}

export function registerSimulate(program: Command): void {
  const width = Math.max(...FAULT_KINDS.map((kind) => kind.length));
  const command = program
    .command('simulate')
    .summary('deterministic simulation under faults, invariants after every step')
    .description(
      'Runs the reference in a simulated network, one run a seed: clients, policy, faults and their moments all follow from it. Every frame,\n' +
        'every control message and what the roles hold are checked after every step; when the faults are over everybody has to be served, and\n' +
        'nobody may hold anything at the end. The first seed that fails is made small, drawn as a ladder, and named by a token.',
    )
    .option('--seeds <A..B>', 'both included (default: 1..200)', parseSeeds)
    .option('--faults <KINDS>', 'kinds that may occur, joined by commas; all; none (default: all)', parseFaults)
    .option('--connections <N>', 'of each run (default: 1 to 6, as the seed says)', parseConnections)
    .option('--workers <N>', 'threads (default: all processors)', parseWorkers)
    .option('--time-limit <SECONDS>', 'begin no seed later; exit 3 if any is left', parseTimeLimit)
    .option('--without <REMEDY>', 'switch a remedy of the reference off, to see what breaks', parseRemedies)
    .option(
      '--stories <N>',
      'tell N random stories in the simulated world instead, and N of the cores where there is Java: each choice is one of what could happen then',
      parseStories,
    );
  addOutputOptions(command, {
    out: 'write simulation.json (stories.json) here, and of a failure the capture, control log, trace and ladder',
    seed: 'run this seed only; with --stories: of the search (default: 1)',
  }).addHelpText(
    'after',
    `
Kinds of fault:
${FAULT_KINDS.map((kind) => `  ${kind.padEnd(width)}  ${FAULT_SUMMARIES[kind]}`).join('\n')}

Examples:
  prism simulate --seeds 1..2000
  prism simulate --seeds 1..500 --faults crash,control-break
  prism simulate --without backend-guard --out failure   see which clause breaks, and how
  prism simulate --stories 500                           random stories; the first that fails is told in words
  prism replay TOKEN                                     the run that failed, once more`,
  );
  command.action(async (options: SimulateOptions) => {
    process.exitCode = await simulate(options);
  });
}
