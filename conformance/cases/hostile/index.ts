/** Hostile and broken traffic: what nobody who is well does. */
import type { ConformanceCase } from '../case.js';
import { BLIND_CASES } from './blind.js';
import { BROKEN_CASES } from './broken.js';
import { oldSyn, oldSynHandedOff, synFlood, synTwice } from './handshake.js';
import {
  anotherDestination,
  anotherLogicalPort,
  anotherPort,
  backendAddressed,
  backendForged,
  samePortOfAnother,
} from './strangers.js';
import { oddWithoutRule } from './without-a-rule.js';

export const HOSTILE_CASES: readonly ConformanceCase[] = [
  ...BLIND_CASES,
  ...BROKEN_CASES,
  oddWithoutRule,
  anotherPort,
  samePortOfAnother,
  anotherLogicalPort,
  anotherDestination,
  backendAddressed,
  backendForged,
  synTwice,
  oldSyn,
  oldSynHandedOff,
  synFlood,
];
