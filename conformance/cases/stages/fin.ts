/** The client says that it has no more to send, at every stage: it gets its response whole, and then the close completes (RET-3, SoCC'17 §2.4, §2.5). */

import { allAcknowledged, connect, fin, readResponse, sendText, serverCloses } from '../segment-words.js';
import { atEveryStage } from './at-every-stage.js';
import { finishRequest } from './rest.js';
import { HEADER } from './stages.js';

const MID_HEADER = 'in-mid-header';
const BY_THE_CONTROLLER = new Set([
  MID_HEADER,
  'while-add-outstanding',
  'before-reopening',
  'after-a-lost-reopening',
  'when-idle',
]);

export const FIN_CASES = atEveryStage({
  name: 'fin',
  does: 'The client sends FIN',
  word: 'shutdown',
  clauses: (stage) => (BY_THE_CONTROLLER.has(stage.name) ? ['RET-6'] : ['RET-3', 'RET-6', 'BKD-4', 'SWT-7']),
  // Half a request is none: nobody answers it, and the port is good for another connection.
  story: (stage) => [
    fin,
    ...(stage.name === MID_HEADER ? [] : finishRequest(stage)),
    allAcknowledged,
    serverCloses,
    ...(stage.name === MID_HEADER ? [connect(), sendText(HEADER), readResponse] : []),
  ],
  paths: (stage) => [stage.path],
});
