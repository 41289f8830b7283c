/** A write whose payload starts in its header's segment and goes on after the hand-off. */
import type { ConformanceCase } from '../case.js';
import { bodyText, expectWriteAndRead, pause, QUIET_MS, send, writeHeader } from '../vocabulary.js';

const BODY = { size: 50_000, seed: 12 };
/** Header and this much payload fit one segment on an Ethernet. */
const EARLY = 900;

export const partlyBehindHeader: ConformanceCase = {
  id: 'REQ-5.payload-partly-behind-header',
  clauses: ['REQ-2', 'REQ-4', 'REQ-5', 'BKD-2', 'SWT-1'],
  summary: 'The first payload bytes come behind the header, the others later; the backend gets each of them once.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const text = bodyText(BODY);
    const write = [send(writeHeader(BODY) + text.slice(0, EARLY)), pause(QUIET_MS), send(text.slice(EARLY))];
    await expectWriteAndRead(context, write, BODY);
  },
};
