/** The specification's state graph for the bounds of the refinement, with progress and plain words for whoever waits. */
import { DotError } from '../../model/graph/dot.js';
import type { Graph } from '../../model/graph/graph.js';
import { specificationGraph } from '../../model/graph/spec-graph.js';
import type { Specification } from '../../spec/formal.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { noVerdict } from '../spec/results.js';
import { chosenModels, openToolbox, processors, ticking } from '../spec/tools.js';

/** The model whose world is explored. */
const MODEL = 'ci';
export const HEAP_MEGABYTES = 4096;
export const TIME_LIMIT_SECONDS = 1800;

export interface GraphOptions {
  /** Threads of TLC; absent: one for each processor. */
  readonly workers?: number;
  /** Limit of the JVM's heap in MiB. */
  readonly heap: number;
  /** For TLC, in seconds. */
  readonly timeLimit: number;
  readonly cache: boolean;
}

export const BY_DEFAULT: GraphOptions = { heap: HEAP_MEGABYTES, timeLimit: TIME_LIMIT_SECONDS, cache: true };

export const count = (n: number): string => n.toLocaleString('en-US');

/** The seconds of a duration in ms. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/**
 * The graph, from the cache or by TLC, with what it is in a line; a text where there is no Java to make it with.
 * @throws Failure when TLC fails.
 */
export async function openGraph(
  specification: Specification,
  misfortune: number,
  options: GraphOptions,
  output: Output,
  signal: AbortSignal,
): Promise<Graph | string> {
  output.progress('looking for Java and TLC');
  const finding = await openToolbox(signal);
  output.endProgress();
  if (finding.kind === 'not-tlc') throw new Failure(2, finding.message);
  if (finding.kind === 'no-java') return finding.message;
  const { toolbox } = finding;
  const [model] = chosenModels(specification, [MODEL]);
  if (model === undefined) throw new Failure(2, `the specification has no model ${MODEL}`);
  let seen = '';
  const stop = ticking(
    (text) => output.progress(text),
    () => `the specification's graph: TLC ${toolbox.tlcVersion}${seen}`,
  );
  try {
    const graph = await specificationGraph({
      toolbox,
      specification,
      model,
      constants: { Events: `${misfortune}` },
      workers: options.workers ?? processors(),
      heapMegabytes: options.heap,
      timeoutMs: options.timeLimit * 1000,
      cache: options.cache,
      signal,
      onProgress: ({ distinct }) => {
        seen = distinct === null ? '' : `, ${count(distinct)} states,`;
      },
    });
    if (graph.kind === 'failed') {
      if (graph.outcome.kind === 'interrupted') throw signal.reason;
      const reason = noVerdict(graph.outcome, { folder: specification.folder, heapMegabytes: options.heap });
      throw new Failure(reason?.code ?? 4, reason?.message ?? `TLC ended with ${graph.outcome.kind}`);
    }
    stop();
    output.endProgress();
    output.line(
      `specification: ${count(graph.graph.nodes)} states, ${count(graph.graph.edges)} steps (${graph.origin === 'cache' ? 'from the cache' : 'by TLC'}, ${seconds(graph.durationMs)})`,
    );
    return graph.graph;
  } catch (error) {
    if (error instanceof DotError) throw new Failure(4, `what TLC wrote cannot be used: ${error.message}`);
    throw error;
  } finally {
    stop();
    output.endProgress();
  }
}
