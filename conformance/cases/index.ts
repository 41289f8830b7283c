/** Every active case, in the order in which a connection lives. */
import type { ConformanceCase } from './case.js';
import { curlAlternates } from './clients/curl-alternates.js';
import { curlPutAtOnce, curlPutExpecting } from './clients/curl-put.js';
import { curlSizes } from './clients/curl-sizes.js';

export const CASES: readonly ConformanceCase[] = [curlSizes, curlAlternates, curlPutExpecting, curlPutAtOnce];
