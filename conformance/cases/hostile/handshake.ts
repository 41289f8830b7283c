/** SYNs: the same one again, an old one, and very many (EST-4, EST-5). */
import { TcpFlag } from '../../../reference-impl/wire/tcp.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, logicalOf } from '../evidence.js';
import { nameOffence } from '../segment-frames.js';
import {
  connect,
  expectNothing,
  expectSegment,
  forge,
  readResponse,
  segments,
  sendText,
  wait,
} from '../segment-words.js';
import { expectObjects, gets, header, runOne, script } from '../vocabulary.js';
import { AT_THE_BACKEND } from './ownership.js';

const ISN = 1000;
const SILENCE_MS = 60;
const read = [sendText(header('GET', '/a/1k')), readResponse];

/** One connection: every SYN-ACK has the same number. */
function oneAnswer(run: CaseEvidence): void {
  const both = TcpFlag.SYN | TcpFlag.ACK;
  const answers = run.segments.filter(
    (s) => s.vantage === 'client' && s.src === logicalOf(run.topology) && (s.flags & both) === both,
  );
  const numbers = new Set(answers.map(({ seq }) => seq));
  const frames = answers.map(({ frame, seq }) => ({ frame, note: `SYN-ACK with ${seq}` }));
  run.expect(numbers.size === 1, `expected one initial sequence number, the SYN-ACKs have ${numbers.size}`, ...frames);
  nameOffence(run);
}

export const synTwice: ConformanceCase = {
  id: 'EST-4.same-syn-twice',
  clauses: ['EST-4'],
  summary: 'A SYN that comes twice before its answer is answered with one initial sequence number.',
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const first = forge({ flags: ['SYN'], seq: ISN, ack: 0, tsval: null });
    const again = { do: 'connect', isn: ISN, mss: null } as const;
    const result = await runOne(context, segments(first, again, ...read));
    expectObjects(context, result, ['/a/1k']);
  },
  afterwards(run) {
    const synAcks = run.segments.filter(({ vantage, flags }) => vantage === 'client' && (flags & 0x12) === 0x12);
    run.premise(synAcks.length >= 2, 'the SYN was not answered twice');
    oneAnswer(run);
  },
};

export const oldSyn: ConformanceCase = {
  id: 'EST-4.old-syn-on-a-connection',
  clauses: ['EST-4'],
  summary: 'The SYN of an established connection comes once more; it makes no second one and harms nothing.',
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const result = await runOne(
      context,
      segments(
        connect({ isn: ISN }),
        wait(20),
        forge({ flags: ['SYN'], seq: ISN, ack: 0 }),
        expectSegment({ flags: ['ACK'], without: ['SYN', 'RST'], payload: false, acks: 0 }),
        ...read,
      ),
    );
    expectObjects(context, result, ['/a/1k']);
  },
  afterwards: oneAnswer,
};

export const oldSynHandedOff: ConformanceCase = {
  id: 'EST-4.old-syn-during-a-rule',
  clauses: ['EST-4'],
  summary: 'The SYN of a handed-off connection comes once more; it makes no second one and harms nothing.',
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const { lead, place, rest } = AT_THE_BACKEND;
    const old = forge({ flags: ['SYN'], shift: { seq: -place - 1 }, ack: 0 });
    const result = await runOne(
      context,
      segments(...lead, old, expectNothing(SILENCE_MS, { flags: ['SYN'] }), ...rest),
    );
    context.expectOk([result]);
    AT_THE_BACKEND.expect(context, result);
  },
  afterwards: oneAnswer,
};

/** More than any table of half-open connections that a test should fill. */
const FLOOD = 400;

export const synFlood: ConformanceCase = {
  id: 'EST-5.syn-flood',
  clauses: ['EST-5'],
  summary: 'Among hundreds of SYNs that nobody completes, an established connection is served and another one is made.',
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const flooded = await runOne(context, segments(connect(), { do: 'flood', count: FLOOD }, ...read));
    expectObjects(context, flooded, ['/a/1k']);
    expectObjects(context, await runOne(context, script(...gets('/b/1k'))), ['/b/1k']);
  },
};
