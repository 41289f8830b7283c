/** A segment of a response is lost, and its owner is the one to repeat it. */
import type { FrameMatch } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runOne, script } from '../vocabulary.js';

function loses(
  id: string,
  summary: string,
  nth: number,
  match: FrameMatch,
  clauses: readonly string[],
  ...paths: readonly string[]
): ConformanceCase {
  return {
    id,
    clauses,
    summary,
    worlds: ['sim', 'linux'],
    options: { faults: [{ kind: 'drop', match, nth: [nth] }] },
    async run(context) {
      expectObjects(context, await runOne(context, script(...gets(...paths))), paths);
    },
  };
}

export const responseSegmentLost = loses(
  'BKD-5.response-segment-lost',
  'A segment in the middle of a response is lost; the backend sends it again and the client gets every byte.',
  3,
  { from: 'backend0', to: 'client', payload: true },
  ['BKD-5', 'BKD-1', 'BKD-6', 'HOF-2'],
  '/a/64k',
  '/b/1k',
);

/** A response without a body is a single segment, and so its last one, whoever makes it. */
export const lastSegmentLost = loses(
  'BKD-5.last-response-segment-lost',
  'The last segment of a response is lost; the backend still owns the connection and sends it again.',
  1,
  { from: 'backend0', to: 'client', payload: true },
  ['BKD-5', 'BKD-1', 'BKD-6', 'HOF-2', 'RET-1'],
  '/a/0',
  '/b/1k',
);

/** Of the client's bare ACKs the first ends the handshake; it acknowledges the response with the second. */
export const responseAckLost = loses(
  'BKD-6.response-ack-lost',
  "The client's ACK of a response is lost; the backend does not call the response complete before another comes.",
  2,
  { from: 'client', payload: false, flags: ['ACK'] },
  ['BKD-6', 'BKD-5', 'HOF-2'],
  '/a/0',
  '/b/1k',
);
