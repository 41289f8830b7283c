/** All passive checks, one a clause, in the order of the catalogue. */
import type { Judged } from '../flows/judged.js';
import { BKD_1, BKD_5 } from './bkd-1-5.js';
import { BKD_2, BKD_3 } from './bkd-2-3.js';
import { BKD_6 } from './bkd-6.js';
import { BKD_7 } from './bkd-7.js';
import { BKD_8 } from './bkd-8.js';
import { BKD_9 } from './bkd-9.js';
import type { Check, ClauseFinding } from './check.js';
import { ERR_1, ERR_2 } from './err-1-2.js';
import { ERR_3 } from './err-3.js';
import { EST_1 } from './est-1.js';
import { EST_2 } from './est-2.js';
import { EST_3 } from './est-3.js';
import { EST_4 } from './est-4.js';
import { HOF_1 } from './hof-1.js';
import { HOF_2 } from './hof-2.js';
import { HOF_3 } from './hof-3.js';
import { HOF_4 } from './hof-4.js';
import { HOF_5 } from './hof-5.js';
import { HOF_6 } from './hof-6.js';
import { HOF_7 } from './hof-7.js';
import { REQ_1 } from './req-1.js';
import { REQ_2 } from './req-2.js';
import { REQ_3, REQ_4 } from './req-3-4.js';
import { REQ_5 } from './req-5.js';
import { REQ_6 } from './req-6.js';
import { REQ_7 } from './req-7.js';
import { RET_1 } from './ret-1.js';
import { RET_2 } from './ret-2.js';
import { RET_3 } from './ret-3.js';
import { RET_4 } from './ret-4.js';
import { RET_5 } from './ret-5.js';
import { RET_6 } from './ret-6.js';
import { RET_7 } from './ret-7.js';
import { SEC_1 } from './sec-1.js';
import { SWT_1 } from './swt-1.js';
import { SWT_2 } from './swt-2.js';
import { SWT_3 } from './swt-3.js';
import { SWT_4 } from './swt-4.js';
import { SWT_5 } from './swt-5.js';
import { SWT_6 } from './swt-6.js';
import { BKD_4, SWT_7 } from './swt-7-bkd-4.js';
import { SWT_8 } from './swt-8.js';
import { SWT_9 } from './swt-9.js';

export const CHECKS: readonly Check[] = [
  EST_1,
  EST_2,
  EST_3,
  EST_4,
  REQ_1,
  REQ_2,
  REQ_3,
  REQ_4,
  REQ_5,
  REQ_6,
  REQ_7,
  HOF_1,
  HOF_2,
  HOF_3,
  HOF_4,
  HOF_5,
  HOF_6,
  HOF_7,
  SWT_1,
  SWT_2,
  SWT_3,
  SWT_4,
  SWT_5,
  SWT_6,
  SWT_7,
  SWT_8,
  SWT_9,
  BKD_1,
  BKD_2,
  BKD_3,
  BKD_4,
  BKD_5,
  BKD_6,
  BKD_7,
  BKD_8,
  BKD_9,
  RET_1,
  RET_2,
  RET_3,
  RET_4,
  RET_5,
  RET_6,
  RET_7,
  ERR_1,
  ERR_2,
  ERR_3,
  SEC_1,
];

/** Every check's finding, in the order of `CHECKS`. */
export function judgeAll(judged: Judged): ClauseFinding[] {
  return CHECKS.map((check) => ({
    clause: check.clause,
    finding: check.judge(judged),
    ...(check.incidental && { incidental: true }),
  }));
}
