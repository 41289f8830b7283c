/** Segments that few clients send while no rule is in force (SWT-3): the default table changes nothing of them either. */
import type { Forgery } from '../../../harness/segments/story.js';
import type { ConformanceCase } from '../case.js';
import { nameOffence } from '../segment-frames.js';
import { expectNothing, forge, segments } from '../segment-words.js';
import { runOne } from '../vocabulary.js';
import { AT_THE_CONTROLLER, checkReached } from './ownership.js';

/** A number that the client has used: taken or not, it changes nothing. */
const PROBE = { flags: ['ACK'], shift: { seq: -1 } } as const satisfies Forgery;
const SILENCE_MS = 40;

const ODD: readonly Forgery[] = [
  // Expedited forwarding (RFC 3246), and ECT(0) (RFC 3168).
  { ...PROBE, tos: 0xba },
  { ...PROBE, padding: 6 },
  { ...PROBE, flags: ['ACK', 'URG'], urgentPointer: 7 },
];

export const oddWithoutRule: ConformanceCase = {
  id: 'SWT-3.odd-segments-without-a-rule',
  clauses: ['SWT-3'],
  summary: 'Segments that are marked, padded or urgent reach the controller as they were sent.',
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const { lead, rest } = AT_THE_CONTROLLER;
    const odd = ODD.flatMap((frame) => [forge(frame), expectNothing(SILENCE_MS, { flags: ['RST'] })]);
    const result = await runOne(context, segments(...lead, ...odd, ...rest));
    context.expectOk([result]);
    AT_THE_CONTROLLER.expect(context, result);
  },
  afterwards(run) {
    checkReached(run, AT_THE_CONTROLLER);
    nameOffence(run);
  },
};
