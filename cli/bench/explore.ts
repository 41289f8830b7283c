/** `prism bench explore`: distinct states per second and memory per state, our explorer beside TLC on the same bounds. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { specificationGraph } from '../../model/graph/spec-graph.js';
import { BOUNDS } from '../../model/refine/bounds.js';
import { refine } from '../../model/refine/refine.js';
import { World } from '../../model/refine/world.js';
import type { Toolbox } from '../../model/spec/toolbox.js';
import { runTlc } from '../../model/tlc/run.js';
import type { Model, Specification } from '../../spec/formal.js';
import { reconfigured } from '../../spec/operators.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { addOutputOptions, Output, type OutputOptions } from '../output.js';
import { noVerdict } from '../spec/results.js';
import { chosenModels, openSpecification, openToolbox, parsePositive } from '../spec/tools.js';
import { median } from './median.js';
import { peakOfChildren } from './memory.js';

interface BenchOptions extends OutputOptions {
  readonly bounds: string;
  readonly rounds: number;
}

interface Measured {
  readonly states: number;
  readonly seconds: number;
  readonly rate: number;
  /** Bytes. */
  readonly perState: number;
}

/** As the issue of speed was put: TLC with two workers. */
const TLC_WORKERS = 2;
const HEAP_MEGABYTES = 4096;
const TIME_LIMIT_MS = 1_800_000;
/** For the collector and the system to settle between two measurements. */
const PAUSE_MS = 500;

const count = (n: number): string => Math.round(n).toLocaleString('en-US');

async function measureTlc(
  toolbox: Toolbox,
  specification: Specification,
  model: Model,
  misfortune: number,
  signal: AbortSignal,
): Promise<Measured> {
  const cfg = reconfigured(specification.configurations[model.cfg] ?? '', {
    constants: { Events: `${misfortune}` },
    only: [],
  });
  const request = {
    jar: toolbox.jar.path,
    java: toolbox.java,
    modules: { texts: specification.modules },
    root: model.root,
    cfg,
    workers: TLC_WORKERS,
    heapMegabytes: HEAP_MEGABYTES,
    deadlock: false,
    coverage: false,
    timeoutMs: TIME_LIMIT_MS,
  };
  const { value: outcome, peak } = await peakOfChildren(() => runTlc(request, { signal }));
  if (outcome.kind === 'interrupted') throw signal.reason;
  if (outcome.kind !== 'ok' || outcome.distinct === null) {
    const reason = noVerdict(outcome, { folder: specification.folder, heapMegabytes: HEAP_MEGABYTES });
    throw new Failure(reason?.code ?? 4, reason?.message ?? 'TLC counted nothing');
  }
  const seconds = outcome.durationMs / 1000;
  return { states: outcome.distinct, seconds, rate: outcome.distinct / seconds, perState: peak / outcome.distinct };
}

async function bench(options: BenchOptions): Promise<number> {
  const output = new Output(options);
  const bounds = BOUNDS.find(({ id }) => id === options.bounds);
  if (bounds === undefined)
    throw new Failure(
      2,
      `no bounds are called '${options.bounds}'; there are: ${BOUNDS.map(({ id }) => id).join(', ')}`,
    );
  const specification = openSpecification(undefined);
  return withInterrupt(async (signal) => {
    const finding = await openToolbox(signal);
    if (finding.kind !== 'found') throw new Failure(4, finding.message);
    const { toolbox } = finding;
    const [model] = chosenModels(specification, ['ci']);
    if (model === undefined) throw new Failure(4, 'the specification has no model ci');
    output.progress("the specification's graph");
    const made = await specificationGraph({
      toolbox,
      specification,
      model,
      constants: { Events: `${bounds.misfortune}` },
      workers: TLC_WORKERS,
      heapMegabytes: HEAP_MEGABYTES,
      timeoutMs: TIME_LIMIT_MS,
      cache: true,
      signal,
    });
    if (made.kind === 'failed') throw new Failure(4, `TLC ended with ${made.outcome.kind}`);
    const tlc: Measured[] = [];
    const ours: Measured[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      output.progress(`round ${round} of ${options.rounds}: TLC with ${TLC_WORKERS} workers`);
      await wait(PAUSE_MS);
      const one = await measureTlc(toolbox, specification, model, bounds.misfortune, signal);
      tlc.push(one);
      output.progress(`round ${round} of ${options.rounds}: the explorer`);
      await wait(PAUSE_MS);
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      const refinement = await refine(new World(made.graph.values, bounds.misfortune), made.graph, { signal });
      const seconds = refinement.durationMs / 1000;
      const grown = Math.max(0, process.memoryUsage().rss - before);
      ours.push({
        states: refinement.states,
        seconds,
        rate: refinement.states / seconds,
        perState: Math.max(refinement.bytesPerState, grown / refinement.states),
      });
      output.endProgress();
      output.line(`round ${round}: ${told('TLC', one)}; ${told('explorer', ours.at(-1) ?? one)}`);
    }
    const ratios = ours.map(({ rate }, i) => rate / (tlc[i]?.rate ?? rate));
    const rates = (list: readonly Measured[]): number => median(list.map(({ rate }) => rate));
    // Memory that is given back between rounds would make later rounds look cheaper than they are.
    const memory = (list: readonly Measured[]): number => Math.max(...list.map(({ perState }) => perState));
    output.line(
      `distinct states per second, median of ${options.rounds}: TLC ${count(rates(tlc))}, explorer ${count(rates(ours))}`,
    );
    output.line(
      `ratio explorer to TLC: median ${median(ratios).toFixed(2)}, from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    );
    output.line(
      `memory per distinct state, at most: TLC ${count(memory(tlc))} bytes (peak of its JVM), explorer ${count(memory(ours))} bytes (growth of this process, the specification's graph not counted)`,
    );
    output.line(
      'TLC starts a JVM and parses within its time, and checks no operator; the explorer compares every transition.',
    );
    output.document({
      schema: 'prism-bench/1',
      bench: 'explore',
      bounds: bounds.id,
      rounds: options.rounds,
      tlc,
      explorer: ours,
      ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
    });
    return 0;
  });
}

function told(name: string, { states, seconds, rate }: Measured): string {
  return `${name} ${count(states)} states in ${seconds.toFixed(1)} s, ${count(rate)}/s`;
}

export function registerBenchExplore(group: Command): void {
  const command = group
    .command('explore')
    .summary('the explorer of prism refine beside TLC, on the same bounds')
    .description(
      'Measures, round by round and side by side, how many distinct states per second TLC (two workers, no operators) and the explorer of prism refine\n' +
        'find within the same bounds, and what memory a state takes.',
    )
    .addOption(
      new Option('--bounds <NAME>', BOUNDS.map(({ id, summary }) => `${id}: ${summary}`).join('; ')).default('ci'),
    )
    .option('--rounds <N>', 'how often each is measured', parsePositive, 3);
  addOutputOptions(command, {
    out: 'accepted as everywhere; nothing is written',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism bench explore                   about three minutes on two processors
  prism bench explore --bounds one --rounds 5`,
  );
  command.action(async (options: BenchOptions) => {
    process.exitCode = await bench(options);
  });
}
