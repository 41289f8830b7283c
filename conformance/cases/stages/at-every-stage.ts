/** A case for each stage: the story up to it, one thing that the client does there, and what has to follow. */
import type { SegmentStep } from '../../../harness/segments/story.js';
import type { CaseContext, ConformanceCase } from '../case.js';
import type { CaseEvidence } from '../evidence.js';
import { nameOffence } from '../segment-frames.js';
import { segments } from '../segment-words.js';
import { runOne } from '../vocabulary.js';
import { checkStage } from './premise.js';
import { STAGES, type Stage } from './stages.js';

export interface StageAction {
  /** Begins the case's name. */
  readonly name: string;
  /** Begins its summary. */
  readonly does: string;
  /** The word of the step whose segment has to fall into the stage. */
  readonly word: SegmentStep['do'];
  /** Which step of that name, where it is not the first. */
  readonly nth?: number;
  /** The clause that the case is named after, and others whose premise comes about. */
  readonly clauses: (stage: Stage) => readonly [string, ...string[]];
  /** The action, what it draws, and the rest of the story. */
  readonly story: (stage: Stage) => readonly SegmentStep[];
  /** What the responses have to be, beside the story having been played to its end. */
  readonly paths: (stage: Stage) => readonly string[];
  readonly afterwards?: (run: CaseEvidence, stage: Stage) => void;
}

export function atEveryStage(action: StageAction): readonly ConformanceCase[] {
  return STAGES.map((stage) => {
    const clauses = action.clauses(stage);
    return {
      id: `${clauses[0]}.${action.name}-${stage.name}`,
      clauses,
      summary: `${action.does} when ${stage.when}.`,
      worlds: ['sim', 'linux'],
      options: stage.options,
      async run(context: CaseContext) {
        const result = await runOne(context, segments(...stage.lead, ...action.story(stage)));
        context.expectOk([result]);
        const paths = action.paths(stage);
        const got = result.responses.length;
        context.expect(got === paths.length, `expected ${paths.length} responses, got ${got}`, 'service');
        for (const [i, path] of paths.entries()) context.expectBody(result.responses[i], 200, path);
      },
      afterwards(run: CaseEvidence) {
        checkStage(run, stage, action.word, action.nth ?? 1);
        nameOffence(run);
        action.afterwards?.(run, stage);
      },
    };
  });
}
