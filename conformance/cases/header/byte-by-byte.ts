/** The request header arrives one byte a segment. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, header, pause, QUIET_MS, response, runOne, script, send } from '../vocabulary.js';

const PATHS = ['/a/1', '/b/1'];

export const byteByByte: ConformanceCase = {
  id: 'REQ-1.header-byte-by-byte',
  clauses: ['REQ-1', 'REQ-2', 'REQ-3', 'HOF-1', 'HOF-6', 'BKD-1'],
  summary: 'Two request headers come one byte a segment, and each is handed off when its last byte is there.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const steps = PATHS.flatMap((path) => [
      pause(QUIET_MS),
      ...[...header('GET', path)].flatMap((byte) => [send(byte), pause(5)]),
      response(),
    ]);
    expectObjects(context, await runOne(context, script(...steps)), PATHS);
  },
};
