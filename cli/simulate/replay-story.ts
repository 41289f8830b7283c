/** Tells a story in the simulated world once more by its token (kind `story1`). */
import { FAULT_KINDS } from '../../harness/simulate/plan.js';
import type { FailureReport } from '../../harness/simulate/report-schema.js';
import { referenceCores } from '../../harness/simulate/roles.js';
import { type SimulatedStory, tellStory } from '../../harness/simulate/story.js';
import { readStoryBody, writeStoryToken } from '../../harness/simulate/story-token.js';
import { Failure } from '../failure.js';
import type { ReplayKind } from '../replay-kinds.js';
import { reportRun } from './failure-report.js';
import { concludeReplay } from './replay.js';

export const replayStory: ReplayKind = async (token, parts, { output, folder }) => {
  const startedAt = new Date();
  const read = readStoryBody(parts);
  if (!read.ok) throw new Failure(2, `not a replay token: ${read.error}`);
  const { story, invariant } = read.token;
  const report = reportStory(story, folder);
  return concludeReplay(output, { token, startedAt, seed: story.seed, invariant, report });
};

/** Tells a story; null when it does not fail. `folder`: where the evidence goes, if anywhere. */
export function reportStory(story: SimulatedStory, folder: string | undefined): FailureReport | null {
  const { plan, failure, figures, connections, words, choices } = tellStory(story, referenceCores);
  if (failure === null) return null;
  const told = { ...story, choices };
  return reportRun(
    {
      plan,
      failure,
      token: writeStoryToken({ story: told, invariant: failure.invariant }),
      faults: FAULT_KINDS.filter((kind) => figures.faults[kind] > 0),
      connections,
      story: words,
      again: (recorder) => void tellStory(told, referenceCores, recorder),
    },
    folder,
  );
}
