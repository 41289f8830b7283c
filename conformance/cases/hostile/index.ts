/** Hostile and broken traffic: what nobody who is well does. */
import type { ConformanceCase } from '../case.js';
import { BLIND_CASES } from './blind.js';

export const HOSTILE_CASES: readonly ConformanceCase[] = [...BLIND_CASES];
