/** `prism simulate --stories`: random stories in the simulated world and of the cores; the first that fails is made short. */
import { join } from 'node:path';
import { type DivergenceReport, type FailureReport, StoriesDocument } from '../../harness/simulate/report-schema.js';
import { referenceCores } from '../../harness/simulate/roles.js';
import { writeRefineToken } from '../../model/refine/token.js';
import { searchCores } from '../../model/stories/cores.js';
import { searchSimulated } from '../../model/stories/simulated.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { Failure } from '../failure.js';
import { commandLine } from '../judgement.js';
import { type Output, writeOutput } from '../output.js';
import { BY_DEFAULT, count, openGraph, seconds } from '../refine/open-graph.js';
import { printDivergence, reportDivergence } from '../refine/report.js';
import { openSpecification } from '../spec/tools.js';
import { VERSION } from '../version.js';
import { printFailure } from './failure-report.js';
import { reportStory } from './replay-story.js';

export interface StoriesOptions {
  /** Of each kind. */
  readonly stories: number;
  readonly seed: number;
  readonly without: readonly RemedyName[];
  readonly output: Output;
  /** Where the document and a failure's evidence go, if anywhere. */
  readonly folder: string | undefined;
  readonly signal: AbortSignal;
}

/** Of a story of the cores: as `prism refine` explores them by itself. */
const MISFORTUNE = 2;

/** Answers the exit code: 1 when a story fails. */
export async function simulateStories(options: StoriesOptions): Promise<number> {
  const { seed, without, output, folder } = options;
  const startedAt = new Date();
  const simulated = await inTheSimulatedWorld(options);
  const leftOut: string[] = [];
  let failure: FailureReport | DivergenceReport | null = simulated.failure;
  let cores: StoriesDocument['cores'] = null;
  if (failure === null) {
    const told = await ofTheCores(options);
    if (typeof told === 'string') leftOut.push(`left out the stories of the cores: ${told}`);
    else {
      cores = told.told;
      failure = told.failure;
    }
  } else leftOut.push('left out the stories of the cores: one in the simulated world failed');
  for (const line of leftOut) output.line(line);
  const document = StoriesDocument.parse({
    schema: 'prism-stories/1',
    tool: 'prism-conformance',
    version: VERSION,
    command: commandLine(),
    startedAt: startedAt.toISOString(),
    durationMs: Math.max(0, Date.now() - startedAt.getTime()),
    seed,
    without,
    verdict: failure === null ? 'pass' : 'fail',
    simulated: simulated.told,
    cores,
    leftOut,
    failure,
  });
  if (folder !== undefined) writeOutput(join(folder, 'stories.json'), `${JSON.stringify(document, null, 2)}\n`);
  output.document(document);
  return failure === null ? 0 : 1;
}

async function inTheSimulatedWorld({ stories, seed, without, output, folder, signal }: StoriesOptions): Promise<{
  readonly told: StoriesDocument['simulated'];
  readonly failure: FailureReport | null;
}> {
  const begun = performance.now();
  const searched = await searchSimulated(referenceCores, without, {
    stories,
    seed,
    signal,
    onProgress: progress(output, 'in the simulated world', stories),
  });
  output.endProgress();
  const { failing, figures, steps } = searched;
  const failure = failing === null ? null : reportStory({ ...failing, without }, folder);
  if (failure !== null) printFailure(output, failure, true);
  output.line(
    `in the simulated world: ${count(searched.stories)} stories, ${count(steps)} choices, ${count(figures.connections)} connections, ${count(figures.handoffs)} hand-offs, ${count(figures.responses)} responses, ${count(figures.steps)} steps checked, ${seconds(performance.now() - begun)}`,
  );
  return { told: { stories: searched.stories, steps, figures }, failure };
}

async function ofTheCores({
  stories,
  seed,
  without,
  output,
  signal,
}: StoriesOptions): Promise<
  { readonly told: NonNullable<StoriesDocument['cores']>; readonly failure: DivergenceReport | null } | string
> {
  const graph = await openGraph(openSpecification(undefined), MISFORTUNE, BY_DEFAULT, output, signal);
  if (typeof graph === 'string') return graph;
  const begun = performance.now();
  const searched = await searchCores(
    { graph, misfortune: MISFORTUNE, without },
    { stories, seed, signal, onProgress: progress(output, 'of the cores', stories) },
  );
  output.endProgress();
  const { divergence, steps } = searched;
  let failure: DivergenceReport | null = null;
  if (divergence !== null) {
    const choices = divergence.path.map(({ choice }) => choice);
    const token = writeRefineToken({ misfortune: MISFORTUNE, live: true, without, choices });
    // Stories are shorter than that.
    if (token === null) throw new Failure(4, `a story of ${choices.length} steps has no token`);
    failure = reportDivergence(graph, divergence, MISFORTUNE, token);
    printDivergence(output, failure);
  }
  output.line(
    `of the cores: ${count(searched.stories)} stories, ${count(steps)} steps compared with the specification, ${seconds(performance.now() - begun)}`,
  );
  return { told: { stories: searched.stories, steps, misfortune: MISFORTUNE }, failure };
}

function progress(output: Output, where: string, stories: number): (told: number, shrinking: boolean) => void {
  return (told, shrinking) =>
    output.progress(
      shrinking ? `a story ${where} fails; looking for a short one` : `[${told}/${stories}] stories ${where}`,
    );
}
