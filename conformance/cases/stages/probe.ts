/** The client probes the window at every stage: whoever owns the connection answers with the window as it is, and acknowledges nothing more (RET-2, HOF-5). */

import { probe } from '../segment-words.js';
import { atEveryStage } from './at-every-stage.js';
import { answerTo, finishRequest, nextRequest, withNext } from './rest.js';

export const PROBE_CASES = atEveryStage({
  name: 'probe',
  does: 'The client probes the window',
  word: 'probe',
  clauses: (stage) => (stage.answered === 'never' ? ['HOF-5', 'RET-2'] : ['RET-2']),
  story: (stage) => [probe, answerTo(stage), ...finishRequest(stage), ...nextRequest()],
  paths: withNext,
});
