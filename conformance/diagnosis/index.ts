/** Why a client was not served as it should have been: the first offence that the frames and the control log of its run show. */
import type { Judged } from '../flows/judged.js';
import type { Diagnosis } from './diagnosis.js';
import { untimelyEnds } from './endings.js';
import { answersOfController, wrongResponses } from './responses.js';
import { stalls } from './stall.js';

export type { Diagnosis } from './diagnosis.js';

/**
 * A response that is not its object's; else the earliest of: an answer of the controller itself, an end that nothing asked for, a client left waiting.
 * Roles in `ended` were killed or stopped by the case and are not to blame. Undefined where nothing of that kind shows.
 */
export function diagnose(judged: Judged, ended: ReadonlySet<string> = new Set()): Diagnosis | undefined {
  const innocent = ({ role }: Diagnosis): boolean => !ended.has(role);
  // A wrong byte is wrong whatever else happened; the others may have had a reason that frames do not show.
  const wrong = wrongResponses(judged).filter(innocent);
  const others = [...answersOfController(judged), ...untimelyEnds(judged, ended), ...stalls(judged)].filter(innocent);
  return (wrong.length > 0 ? wrong : others).reduce<Diagnosis | undefined>(
    (first, one) => (first === undefined || one.t < first.t ? one : first),
    undefined,
  );
}
