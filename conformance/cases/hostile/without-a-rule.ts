/** Frames that few clients send while no rule is in force (SWT-3): the default table changes nothing of them either. */
import type { Forgery } from '../../../harness/segments/story.js';
import type { ConformanceCase } from '../case.js';
import { nameOffence } from '../segment-frames.js';
import { expectNothing, forge, segments } from '../segment-words.js';
import { runOne } from '../vocabulary.js';
import { AT_THE_CONTROLLER, checkReached } from './ownership.js';

/** A number that the client has used: taken or not, it changes nothing. */
const PROBE = { flags: ['ACK'], shift: { seq: -1 } } as const satisfies Forgery;
const SILENCE_MS = 60;

const FRAMES: readonly { readonly name: string; readonly what: string; readonly frame: Forgery }[] = [
  { name: 'dscp', what: 'keeps its differentiated services code point', frame: { ...PROBE, tos: 0xb8 } },
  { name: 'ecn-capable', what: 'that may be marked stays one (RFC 3168)', frame: { ...PROBE, tos: 0x02 } },
  { name: 'padded', what: 'of a frame that is filled up is no longer for it', frame: { ...PROBE, padding: 6 } },
  {
    name: 'urgent',
    what: 'keeps its URG flag and its urgent pointer',
    frame: { ...PROBE, flags: ['ACK', 'URG'], urgentPointer: 7 },
  },
];

export const WITHOUT_RULE_CASES: readonly ConformanceCase[] = FRAMES.map(({ name, what, frame }) => ({
  id: `SWT-3.${name}-without-a-rule`,
  clauses: ['SWT-3'],
  summary: `A segment ${what} on its way to the controller.`,
  worlds: ['sim' as const, 'linux' as const],
  programs: ['scapy'],
  async run(context) {
    const { lead, rest } = AT_THE_CONTROLLER;
    const result = await runOne(
      context,
      segments(...lead, forge(frame), expectNothing(SILENCE_MS, { flags: ['RST'] }), ...rest),
    );
    context.expectOk([result]);
    AT_THE_CONTROLLER.expect(context, result);
  },
  afterwards(run) {
    checkReached(run, AT_THE_CONTROLLER);
    nameOffence(run);
  },
}));
