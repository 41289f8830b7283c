/** What a client may do at every stage of a hand-off: FIN, RST, window probe, retransmission, the next request. */
import type { ConformanceCase } from '../case.js';
import { FIN_CASES } from './fin.js';
import { NEXT_REQUEST_CASES } from './next-request.js';
import { PROBE_CASES } from './probe.js';
import { RETRANSMISSION_CASES } from './retransmission.js';
import { RST_CASES } from './rst.js';

export const STAGE_CASES: readonly ConformanceCase[] = [
  ...FIN_CASES,
  ...RST_CASES,
  ...PROBE_CASES,
  ...RETRANSMISSION_CASES,
  ...NEXT_REQUEST_CASES,
];
