/** A way that leaves the specification, for people and for programs. */
import type { DivergenceReport } from '../../harness/simulate/report-schema.js';
import type { Graph } from '../../model/graph/graph.js';
import type { Divergence } from '../../model/refine/story.js';
import type { Output } from '../output.js';
import { divergenceText } from './divergence.js';

/** In one line. */
export function divergenceMessage({ path, departure }: Divergence): string {
  const why = departure.kind === 'no-counterpart' ? departure.message : departure.kind;
  return `after ${path.length} steps: ${path.at(-1)?.label ?? 'the initial state'}: ${why}`;
}

export function reportDivergence(
  graph: Graph,
  divergence: Divergence,
  misfortune: number,
  token: string,
): DivergenceReport {
  return {
    departure: divergence.departure.kind,
    message: divergenceMessage(divergence),
    misfortune,
    story: divergence.path.map(({ label }) => label),
    allowed: [...divergence.allowed],
    token,
    replay: `prism replay ${token}`,
    ladder: divergenceText(graph, divergence),
  };
}

/** The story in words, its ladder, its token. */
export function printDivergence(output: Output, report: DivergenceReport): void {
  output.problem(`${output.paint('fail', 'NO REFINEMENT')} ${report.message}`);
  for (const [i, step] of report.story.entries()) output.problem(`  ${`${i + 1}`.padStart(3)}. ${step}`);
  output.problem('');
  for (const line of report.ladder) output.problem(line);
  output.problem('');
  output.problem(report.replay);
}
