/** Whether what a story did fell into the stage that it was meant for, by the capture and the control log. */
import type { CaseEvidence } from '../evidence.js';
import { frameOf } from '../segment-frames.js';
import type { Stage } from './stages.js';

/** The step's segment arrived where the stage has it arrive, while the stage lasted. */
export function checkStage(run: CaseEvidence, stage: Stage, word: string, nth: number): void {
  const span = stage.span(run);
  const arrived = frameOf(run, word, stage.vantage, nth);
  run.premise(span !== undefined, `the stage in which ${stage.when} did not come about`);
  run.premise(arrived !== undefined, `the client's segment did not arrive at ${stage.vantage} while ${stage.when}`);
  if (span === undefined || arrived === undefined) return;
  run.premise(arrived.t >= span.from, `the client's segment came before ${stage.when}`);
  run.premise(arrived.t <= span.until, `the client's segment came too late: ${stage.when} was over`);
}
