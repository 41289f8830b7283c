/** A segment of the handshake is lost. */
import type { FrameMatch } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runOne, script } from '../vocabulary.js';

const PATHS = ['/a/1k', '/b/1k'];

function loses(id: string, clauses: readonly string[], summary: string, match: FrameMatch): ConformanceCase {
  return {
    id,
    clauses,
    summary,
    worlds: ['sim', 'linux'],
    options: { faults: [{ kind: 'drop', match, nth: [1] }] },
    async run(context) {
      expectObjects(context, await runOne(context, script(...gets(...PATHS))), PATHS);
    },
  };
}

export const synLost = loses(
  'EST-1.syn-lost',
  ['EST-1', 'EST-2', 'EST-3'],
  'The first SYN is lost; its retransmission makes the connection.',
  { from: 'client', flags: ['SYN'] },
);

export const synAckLost = loses(
  'EST-4.syn-ack-lost',
  ['EST-1', 'EST-4'],
  'The SYN-ACK is lost; it is repeated with the same initial sequence number, and there is one connection.',
  { from: 'controller', to: 'client', flags: ['SYN', 'ACK'] },
);

export const handshakeAckLost: ConformanceCase = {
  ...loses(
    'EST-1.handshake-ack-lost',
    ['EST-1', 'EST-3'],
    'The ACK that ends the handshake is lost; the request that follows carries the same acknowledgement.',
    { from: 'client', payload: false, flags: ['ACK'] },
  ),
  worlds: ['sim'],
};
