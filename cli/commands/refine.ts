/** `prism refine`: explores the reference implementation exhaustively and checks every transition against the specification's state graph. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { exitCodeOf } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import type { Graph } from '../../model/graph/graph.js';
import { BOUNDS, type Bounds, type Pinned } from '../../model/refine/bounds.js';
import { goAllPairs } from '../../model/refine/paths.js';
import { type Refinement, refine } from '../../model/refine/refine.js';
import { SituationsMet } from '../../model/refine/situations.js';
import type { Divergence } from '../../model/refine/story.js';
import { writeRefineToken } from '../../model/refine/token.js';
import { type Untaken, untakenSteps } from '../../model/refine/untaken.js';
import { World } from '../../model/refine/world.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine, strictByDefault } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';
import { divergenceText } from '../refine/divergence.js';
import {
  BY_DEFAULT,
  count,
  type GraphOptions,
  HEAP_MEGABYTES,
  openGraph,
  seconds,
  TIME_LIMIT_SECONDS,
} from '../refine/open-graph.js';
import { divergenceMessage } from '../refine/report.js';
import { parseRemedies } from '../remedies.js';
import { concludeSpec } from '../spec/conclude.js';
import { openSpecification, parsePositive } from '../spec/tools.js';

interface RefineCommandOptions extends OutputOptions, GraphOptions {
  readonly bounds: string;
  readonly spec?: string;
  readonly paths?: boolean;
  readonly without?: readonly RemedyName[];
  readonly strict?: boolean;
}

export interface RefinementRun {
  readonly results: Result[];
  readonly leftOut: string[];
}

/** The explored part, and what is judged of it. */
async function explore(
  graph: Graph,
  bounds: Bounds,
  output: Output,
  signal: AbortSignal,
  folder: string | undefined,
  { paths, spec }: RefineCommandOptions,
  without: readonly RemedyName[],
): Promise<Result[]> {
  const world = new World(graph.values, bounds.misfortune, { without });
  const started = performance.now();
  const refinement = await refine(world, graph, {
    signal,
    onProgress: ({ states, transitions, depth, waiting }) => {
      const rate = Math.round(states / Math.max(0.001, (performance.now() - started) / 1000));
      output.progress(
        `implementation: ${count(states)} states, ${count(transitions)} transitions, ${depth} deep, ${count(waiting)} waiting, ${count(rate)} states/s`,
      );
    },
  });
  output.endProgress();
  const rate = Math.round(refinement.states / (refinement.durationMs / 1000));
  output.line(
    `implementation: ${count(refinement.states)} states, ${count(refinement.transitions)} transitions (${count(refinement.stutters)} of them stutters), depth ${refinement.depth}, ${seconds(refinement.durationMs)}: ${count(rate)} states/s, ${Math.round(refinement.bytesPerState)} bytes a state`,
  );
  const { divergence } = refinement;
  if (divergence !== null) {
    const text = divergenceText(graph, divergence);
    for (const line of ['', `${output.paint('fail', 'NO REFINEMENT')}`, '', ...text, '']) output.problem(line);
    const replay = replayOfWay(bounds, without, divergence, spec);
    output.problem(`again: ${replay}`);
    if (folder !== undefined) writeOutput(join(folder, 'counterexample.txt'), `${text.join('\n')}\n`);
    return [{ ...result('refines', 'fail', refinement.transitions, divergenceMessage(divergence), bounds), replay }];
  }
  // What is counted there is the hardened protocol's.
  if (without.length > 0) return [result('refines', 'pass', refinement.transitions, REFINES, bounds)];
  const results = judged(graph, bounds, refinement, output);
  return paths === true ? [...results, pathsResult(graph, bounds, refinement, output)] : results;
}

/** Tests from the graph: every pair of successive actions, gone by the cores in virtual time. */
function pathsResult(graph: Graph, bounds: Bounds, { taken }: Refinement, output: Output): Result {
  const gone = goAllPairs(graph, taken, bounds.misfortune, {
    onProgress: (done, all) => output.progress(`paths: ${count(done)} of ${count(all)} pairs of actions`),
  });
  output.endProgress();
  const { pairs, missing, ways, steps, edges, seconds: virtual } = gone;
  output.line(
    `paths: ${count(ways)} over ${count(pairs - missing.length)} of ${count(pairs)} pairs of successive actions, ${count(steps)} steps, ${count(edges)} distinct edges, ${count(Math.round(virtual))} s of virtual time`,
  );
  const [first] = missing;
  if (first === undefined)
    return result('paths', 'pass', pairs, `every pair of successive actions has been gone in virtual time`, bounds);
  const { pair, stuck } = first;
  const message = `${missing.length} of ${pairs} pairs of actions cannot be gone in virtual time, such as ${pair.replace(' ', ', then ')}: after ${stuck.steps} steps there was no ${stuck.action}`;
  return result('paths', 'fail', pairs, message, bounds);
}

const REFINES = 'every transition is a step of the specification by its name, or a stutter';

function replayOf({ id }: Bounds, without: readonly RemedyName[] = []): string {
  return `prism refine --bounds ${id}${without.length === 0 ? '' : ` --without ${without.join(' ')}`}`;
}

/** A token for the way itself; a specification of the user's is in no token. */
function replayOfWay(
  bounds: Bounds,
  without: readonly RemedyName[],
  { path }: Divergence,
  spec: string | undefined,
): string {
  if (spec !== undefined) return `${replayOf(bounds, without)} --spec ${spec}`;
  const choices = path.map(({ choice }) => choice);
  const token = writeRefineToken({ misfortune: bounds.misfortune, live: false, without, choices });
  return token === null ? replayOf(bounds, without) : `prism replay ${token}`;
}

function result(name: string, verdict: Result['verdict'], exercised: number, message: string, bounds: Bounds): Result {
  return { id: `refine/${name}`, clauses: [], verdict, exercised, message, evidence: [], replay: replayOf(bounds) };
}

function judged(graph: Graph, bounds: Bounds, refinement: Refinement, output: Output): Result[] {
  const met = new SituationsMet();
  for (let node = 0; node < graph.nodes; node++) if (refinement.reached[node]) met.add(graph.state(node));
  const untaken = untakenSteps(graph, refinement.reached, refinement.taken);
  const figures: Pinned = {
    specStates: graph.nodes,
    specSteps: graph.edges,
    states: refinement.states,
    transitions: refinement.transitions,
    depth: refinement.depth,
    reached: refinement.reached.reduce((sum, mark) => sum + mark, 0),
    taken: refinement.taken.reduce((sum, mark) => sum + mark, 0),
    situations: met.met.length,
  };
  tellCoverage(figures, untaken, met, output);
  const refines = result('refines', 'pass', refinement.transitions, REFINES, bounds);
  const pinned = (Object.keys(figures) as (keyof Pinned)[]).map((name): Result => {
    const [seen, wanted] = [figures[name], bounds.pinned[name]];
    return seen === wanted
      ? result(`counts/${name}`, 'pass', seen, `${count(seen)}, as pinned`, bounds)
      : result(
          `counts/${name}`,
          'fail',
          seen,
          `${count(seen)} instead of ${count(wanted)}: one side has changed; see that it is meant, and say so in model/refine/bounds.ts`,
          bounds,
        );
  });
  const unexplained = untaken.unexplained.map(({ action, edges }) =>
    result(
      `untaken/${action}`,
      'fail',
      edges,
      `${count(edges)} steps ${action} of states that the implementation is in are never taken, and nobody has said why`,
      bounds,
    ),
  );
  return [refines, ...pinned, ...unexplained];
}

function tellCoverage(figures: Pinned, untaken: Untaken, met: SituationsMet, output: Output): void {
  output.line(
    `covered: ${count(figures.reached)} of the specification's states, ${count(figures.taken)} of its steps; ${figures.situations} situations met`,
  );
  for (const name of met.never) output.line(`  never met: ${name}`);
  if (untaken.explained.length > 0) output.line('steps that the implementation never takes:');
  for (const { action, reason, edges } of untaken.explained)
    output.line(`  ${count(edges).padStart(7)} ${action}: ${reason}`);
  for (const { action, edges } of untaken.unexplained)
    output.line(`  ${count(edges).padStart(7)} ${action}: no reason is known`);
  output.line(`  ${count(untaken.beyond).padStart(7)} of states that only those lead to`);
}

function chosenBounds(id: string): Bounds {
  const bounds = BOUNDS.find((candidate) => candidate.id === id);
  if (bounds === undefined)
    throw new Failure(2, `no bounds are called '${id}'; there are: ${BOUNDS.map((each) => each.id).join(', ')}`);
  return bounds;
}

/** The refinement's part of the main job; what cannot be done here is said, not thrown. */
export async function verifyRefinement(output: Output, signal: AbortSignal): Promise<RefinementRun> {
  try {
    return await run({ ...BY_DEFAULT, bounds: 'ci', paths: true }, output, signal, undefined);
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== 4) throw error;
    const message = `left out the refinement: ${error.message}`;
    return { results: [result('refines', 'inconclusive', 0, message, chosenBounds('ci'))], leftOut: [message] };
  }
}

async function run(
  options: RefineCommandOptions,
  output: Output,
  signal: AbortSignal,
  folder: string | undefined,
): Promise<RefinementRun> {
  const specification = openSpecification(options.spec);
  const bounds = chosenBounds(options.bounds);
  const remedies = options.without ?? [];
  const graph = await openGraph(specification, bounds.misfortune, options, output, signal);
  if (typeof graph !== 'string')
    return {
      results: await explore(graph, bounds, output, signal, folder, options, remedies),
      leftOut: [],
    };
  const message = `not compared: ${graph}`;
  return { results: [result('refines', 'inconclusive', 0, message, bounds)], leftOut: [message] };
}

export function registerRefine(program: Command): void {
  const command = program
    .command('refine')
    .summary('explore the reference implementation exhaustively and compare it with the specification')
    .description(
      'Runs the real cores of controller, switch and backends, and a small client, through everything that can happen within the bounds of the model ci:\n' +
        'every frame delivered, lost, doubled or overtaken, every timer fired when it may, control messages late, a backend crashing. Each state must be one of\n' +
        "the specification's state graph, which TLC makes, and each transition a step of it by the action's name, or a stutter.",
    )
    .addOption(
      new Option('--bounds <NAME>', BOUNDS.map(({ id, summary }) => `${id}: ${summary}`).join('; ')).default('ci'),
    )
    .option('--paths', 'then go paths that cover every pair of successive actions with the cores in virtual time')
    .option(
      '--without <REMEDY...>',
      'switch remedies of the reference off, to see where it leaves the specification (prism list remedies)',
      parseRemedies,
    )
    .option('--spec <DIR>', 'the specification in this folder instead of the shipped one')
    .option('--no-cache', "have TLC make the state graph again, whether or not it is in the user's cache")
    .option('--workers <N>', 'threads of TLC (default: all processors)', parsePositive)
    .option('--heap <MIB>', "limit of the JVM's heap", parsePositive, HEAP_MEGABYTES)
    .option('--time-limit <SECONDS>', 'for TLC', parsePositive, TIME_LIMIT_SECONDS)
    .option('--strict', 'exit 3 when nothing can be compared here (the default under CI=true)')
    .option('--no-strict', 'exit 0 then, also under CI=true');
  addOutputOptions(command, {
    out: 'also write the result, and a counterexample if there is one, into this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism refine                        all of it, about a minute on two processors
  prism refine --bounds one --paths   one loss or one failure: seconds; then paths in virtual time
  prism refine --without backend-guard   see the difference that a remedy makes, as a ladder
  prism refine --spec my-spec         against a specification of your own`,
  );
  command.action(async (options: RefineCommandOptions) => {
    const startedAt = new Date();
    const output = new Output(options);
    chosenBounds(options.bounds);
    const folder = options.out === undefined ? undefined : prepareOut(options.out);
    process.exitCode = await withInterrupt(async (signal) => {
      const { results, leftOut } = await run(options, output, signal, folder);
      const strict = strictByDefault(options.strict);
      return concludeSpec(output, { command: commandLine(), startedAt, results, leftOut, strict, folder }, exitCodeOf);
    });
  });
}
