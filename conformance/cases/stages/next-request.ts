/** The client sends its next request at every stage, whatever its window says: nobody takes it early, and it is neither lost nor executed twice (RET-7). */

import { readResponse, resumeAcks, sendText } from '../segment-words.js';
import { header } from '../vocabulary.js';
import { atEveryStage } from './at-every-stage.js';
import { NEXT_PATH, unsentHeader, withNext } from './rest.js';

export const NEXT_REQUEST_CASES = atEveryStage({
  name: 'next-request',
  does: 'The client sends its next request',
  word: 'send',
  // The first is what leads into the stage.
  nth: 2,
  clauses: () => ['RET-7', 'REQ-2'],
  story: (stage) => [
    sendText(unsentHeader(stage) + header('GET', NEXT_PATH)),
    resumeAcks,
    ...(stage.responded ? [] : [readResponse]),
    readResponse,
  ],
  paths: withNext,
});
