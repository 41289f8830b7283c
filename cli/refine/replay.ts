/** Tells a way of the cores once more by its token (kind `refine1`). */
import { tell } from '../../model/refine/story.js';
import { readRefineBody } from '../../model/refine/token.js';
import { World } from '../../model/refine/world.js';
import { Failure } from '../failure.js';
import { replayDocument } from '../replay-document.js';
import type { ReplayKind } from '../replay-kinds.js';
import { openSpecification } from '../spec/tools.js';
import { BY_DEFAULT, openGraph } from './open-graph.js';
import { printDivergence, reportDivergence } from './report.js';

export const replayRefinement: ReplayKind = async (token, parts, { output, signal }) => {
  const startedAt = new Date();
  const read = readRefineBody(parts);
  if (!read.ok) throw new Failure(2, `not a replay token: ${read.error}`);
  const { misfortune, live, without, choices } = read.token;
  const graph = await openGraph(openSpecification(undefined), misfortune, BY_DEFAULT, output, signal);
  if (typeof graph === 'string') throw new Failure(4, `this token needs the specification's graph: ${graph}`);
  let steps = 0;
  const divergence = tell(new World(graph.values, misfortune, { live, without }), graph, choices, () => steps++);
  const report = divergence === null ? null : reportDivergence(graph, divergence, misfortune, token);
  if (report !== null) printDivergence(output, report);
  else
    output.line(
      `pass: the specification has all ${steps} steps${steps === choices.length ? '' : `; of the ${choices.length} in the token no more can be told`}`,
    );
  const verdict = report === null ? 'pass' : 'fails';
  output.document(replayDocument({ token, startedAt, verdict, expected: null, failure: report }));
  return report === null ? 0 : 1;
};
