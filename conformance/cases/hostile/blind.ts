/** Segments of somebody who guesses: RFC 5961 §3 to §5, RFC 9293 §3.10.7.4; each once for either owner (SEC-2). */
import type { Forgery, SegmentStep } from '../../../harness/segments/story.js';
import type { CaseContext, ConformanceCase } from '../case.js';
import type { CaseEvidence } from '../evidence.js';
import { nameOffence } from '../segment-frames.js';
import { expectNothing, expectSegment, forge, segments } from '../segment-words.js';
import { runOne } from '../vocabulary.js';
import { checkReached, OWNERSHIPS, type Ownership } from './ownership.js';

interface Attack {
  readonly name: string;
  /** Begins a sentence. */
  readonly what: string;
  readonly clauses: readonly [string, ...string[]];
  readonly frame: Forgery;
  /** What it must draw: an ACK of what was there before, or no answer. */
  readonly draws: 'challenge' | 'silence';
}

/** Outside any window, and less than half of the number space away. */
const FAR = 0x1000_0000;
/** Time in which an answer would come. */
const SILENCE_MS = 60;
const GARBAGE = 'Z'.repeat(100);

const ATTACKS: readonly Attack[] = [
  {
    name: 'rst-in-window',
    what: 'A RST whose number lies in the window but is not the next one draws a challenge ACK',
    clauses: ['SEC-2'],
    frame: { flags: ['RST'], shift: { seq: 100 } },
    draws: 'challenge',
  },
  {
    name: 'rst-outside',
    what: 'A RST whose number lies outside the window is dropped',
    clauses: ['SEC-2'],
    frame: { flags: ['RST'], shift: { seq: FAR } },
    draws: 'silence',
  },
  {
    name: 'syn-in-window',
    what: 'A SYN in the window draws a challenge ACK',
    clauses: ['SEC-2'],
    frame: { flags: ['SYN'], shift: { seq: 100 }, ack: 0 },
    draws: 'challenge',
  },
  {
    name: 'data-with-future-ack',
    what: 'Data that acknowledges what was never sent draws an ACK and is not taken',
    clauses: ['SEC-2'],
    frame: { flags: ['ACK', 'PSH'], shift: { ack: FAR }, text: GARBAGE },
    draws: 'challenge',
  },
  {
    name: 'data-with-ancient-ack',
    what: 'Data that acknowledges less than the window can explain draws an ACK and is not taken',
    clauses: ['SEC-2'],
    frame: { flags: ['ACK', 'PSH'], shift: { ack: -FAR }, text: GARBAGE },
    draws: 'challenge',
  },
  {
    name: 'data-out-of-window',
    what: 'Data beyond the window draws an ACK and is not taken',
    clauses: ['SEC-2'],
    frame: { flags: ['ACK', 'PSH'], shift: { seq: FAR }, text: GARBAGE },
    draws: 'challenge',
  },
  {
    name: 'data-from-before-the-beginning',
    what: 'Data from before the beginning of the stream draws an ACK and is not taken',
    clauses: ['SEC-2'],
    frame: { flags: ['ACK', 'PSH'], shift: { seq: -FAR }, text: GARBAGE },
    draws: 'challenge',
  },
  {
    name: 'data-with-an-old-timestamp',
    what: 'Data whose timestamp is older than what was seen is dropped with an ACK (RFC 7323 §5.3)',
    clauses: ['SEC-2'],
    frame: { flags: ['ACK', 'PSH'], tsval: -100_000, text: GARBAGE },
    draws: 'challenge',
  },
  {
    name: 'data-without-ack',
    what: 'Data without the ACK flag is dropped',
    clauses: ['SEC-2'],
    frame: { flags: ['PSH'], text: GARBAGE },
    draws: 'silence',
  },
  {
    name: 'overlap-with-old-bytes',
    what: 'Other bytes in the place of old ones change nothing',
    clauses: ['SEC-2'],
    frame: { flags: ['ACK', 'PSH'], shift: { seq: -10 }, text: 'Z'.repeat(10) },
    draws: 'challenge',
  },
  {
    name: 'wrong-tcp-checksum',
    what: 'Data with a wrong TCP checksum is dropped, however it was rewritten on its way',
    clauses: ['SWT-4'],
    frame: { flags: ['ACK', 'PSH'], wrong: 'tcp-checksum', text: GARBAGE },
    draws: 'silence',
  },
];

function story({ frame, draws }: Attack, { lead, place, rest }: Ownership): SegmentStep[] {
  const answer =
    draws === 'silence'
      ? [expectNothing(SILENCE_MS, { newsBeyond: place })]
      : [
          expectSegment({ flags: ['ACK'], without: ['RST', 'SYN', 'FIN'], payload: false, acks: place }),
          expectNothing(SILENCE_MS, { acksBeyond: place }),
        ];
  return [...lead, forge(frame), ...answer, ...rest];
}

export const BLIND_CASES: readonly ConformanceCase[] = ATTACKS.flatMap((attack) =>
  OWNERSHIPS.map((ownership) => ({
    id: `${attack.clauses[0]}.${attack.name}-${ownership.name}`,
    clauses: attack.clauses,
    summary: `${attack.what}, when ${ownership.when}.`,
    worlds: ['sim' as const, 'linux' as const],
    programs: ['scapy'],
    async run(context: CaseContext) {
      const result = await runOne(context, segments(...story(attack, ownership)));
      context.expectOk([result]);
      ownership.expect(context, result);
    },
    afterwards(run: CaseEvidence) {
      checkReached(run, ownership);
      nameOffence(run);
    },
  })),
);
