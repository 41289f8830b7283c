/** How a story goes on behind a stage. */
import type { SegmentStep } from '../../../harness/segments/story.js';
import { expectNothing, expectSegment, readResponse, resumeAcks, sendText } from '../segment-words.js';
import { header } from '../vocabulary.js';
import type { Stage } from './stages.js';
import { HEADER } from './stages.js';

export const NEXT_PATH = '/b/1k';

/** Long enough for an answer that must not come; a stage lasts longer. */
const SILENCE_MS = 100;

/** What a segment draws that carries nothing new: the owner says again what it has taken and what its window is, and nobody else says anything. */
export function answerTo(stage: Stage): SegmentStep {
  if (stage.answered === 'never') return expectNothing(SILENCE_MS);
  return expectSegment({
    flags: ['ACK'],
    without: ['RST', 'FIN', 'SYN'],
    // A sender that has room in the client's window still may say it along with new data (RFC 9293 §3.8.6.3), but a retransmission is no answer.
    ...(stage.responding ? { repeated: false } : { payload: false }),
    acks: stage.headerSent,
    window: stage.window,
  });
}

/** What of the request header has not been sent. */
export function unsentHeader(stage: Stage): string {
  return stage.path === '/a/8k' ? HEADER.slice(stage.headerSent) : '';
}

/** The rest of the header where only a part was sent, and the response where it has not been read. */
export function finishRequest(stage: Stage): SegmentStep[] {
  const rest = unsentHeader(stage);
  return [resumeAcks, ...(rest === '' ? [] : [sendText(rest)]), ...(stage.responded ? [] : [readResponse])];
}

/** The connection is of use still: another request on it, to another backend. */
export function nextRequest(): SegmentStep[] {
  return [sendText(header('GET', NEXT_PATH)), readResponse];
}

export const withNext = (stage: Stage): readonly string[] => [stage.path, NEXT_PATH];
