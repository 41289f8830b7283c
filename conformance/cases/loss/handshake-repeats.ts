/** SYNs that come twice: one connection, one initial sequence number (EST-4). */
import type { Fault } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, isSyn, logicalOf } from '../evidence.js';
import { expectObjects, gets, runOne, script } from '../vocabulary.js';

const SYN_ACK = 0x12;

/** Every SYN-ACK has one number, and the SYN came as often as the story wants. */
function oneConnection({ segments, topology, expect, premise }: CaseEvidence): void {
  const logical = logicalOf(topology);
  const answers = segments.filter(
    (s) => s.vantage === 'client' && s.src === logical && (s.flags & SYN_ACK) === SYN_ACK,
  );
  const numbers = new Set(answers.map(({ seq }) => seq));
  expect(
    numbers.size === 1,
    `expected one initial sequence number, saw ${numbers.size} in ${answers.length} SYN-ACKs`,
    ...answers.slice(-1).map(({ frame }) => ({ frame, note: 'the last SYN-ACK' })),
  );
  const syns = segments.filter((s) => s.vantage === 'controller' && isSyn(s));
  premise(syns.length >= 2, `${syns.length} SYN reached the controller`);
}

function repeated(story: string, summary: string, faults: readonly Fault[]): ConformanceCase {
  return {
    id: `EST-4.${story}`,
    clauses: ['EST-4', 'EST-1'],
    summary,
    worlds: ['sim', 'linux'],
    options: { faults },
    async run(context) {
      expectObjects(context, await runOne(context, script(...gets('/a/8k', '/b/8k'))), ['/a/8k', '/b/8k']);
    },
    afterwards: oneConnection,
  };
}

export const synTwice = repeated(
  'syn-doubled-on-the-way',
  'The SYN arrives twice: both are answered with one initial sequence number.',
  [{ kind: 'duplicate', match: { from: 'client', to: 'controller', flags: ['SYN'] } }],
);

export const synAckLostTwice = repeated(
  'syn-ack-lost-twice',
  'Two SYN-ACKs are lost: whoever repeats, the connection that comes about has the first initial sequence number.',
  [{ kind: 'drop', match: { to: 'client', flags: ['SYN', 'ACK'] }, nth: [1, 2] }],
);
