/** The client closes between requests. */
import type { ConformanceCase } from '../case.js';
import {
  expectObjects,
  expectServerClosed,
  gets,
  pause,
  QUIET_MS,
  runOne,
  script,
  shutdown,
  waitClose,
} from '../vocabulary.js';

const PATHS = ['/a/8k', '/b/8k'];

export const halfCloseWhenIdle: ConformanceCase = {
  id: 'RET-6.half-close-when-idle',
  clauses: ['RET-6', 'RET-1', 'BKD-9', 'HOF-4'],
  summary: 'The client half-closes after its last response; the server closes too and nothing is left.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const result = await runOne(context, script(...gets(...PATHS), pause(QUIET_MS), shutdown, waitClose));
    expectObjects(context, result, PATHS);
    expectServerClosed(context, result);
  },
};
