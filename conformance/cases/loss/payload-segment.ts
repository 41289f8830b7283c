/** A payload segment of a write is lost on its way to the backend. */
import type { ConformanceCase } from '../case.js';
import { expectWriteAndRead, pause, QUIET_MS, send, sendBody, writeHeader } from '../vocabulary.js';

const BODY = { size: 64 * 1024, seed: 18 };

export const payloadSegmentLost: ConformanceCase = {
  id: 'BKD-2.payload-segment-lost',
  clauses: ['BKD-2', 'REQ-4', 'BKD-1'],
  summary: 'A segment of the payload is lost; the client repeats it and the backend stores every byte once.',
  worlds: ['sim', 'linux'],
  options: { faults: [{ kind: 'drop', match: { from: 'client', to: 'backend0', payload: true }, nth: [3] }] },
  async run(context) {
    await expectWriteAndRead(context, [send(writeHeader(BODY)), pause(QUIET_MS), sendBody(BODY)], BODY);
  },
};
