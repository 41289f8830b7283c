/** What an offence by the order of frames, or by the absence of one, is worth where captures contradict themselves. */
import type { Finding } from '../checks/check.js';

/** Why neither order nor absence of frames can be trusted. */
export interface Doubt {
  /** By how much stamps are off, nanoseconds. */
  readonly ns: number;
  readonly why: string;
}

/** Frames are missing on both sides. */
export const SKETCHY: Doubt = {
  ns: 0,
  why: 'many packets are seen at one of their ends only, so that frames are missing all over the captures',
};

/** An offence that rests on which frames there are, and in which order, is none where that is not certain. */
export function doubted(finding: Finding, doubt: Doubt | undefined): Finding {
  if (doubt === undefined || finding.verdict !== 'fail') return finding;
  const { exercised, evidence, message } = finding;
  return {
    verdict: 'inconclusive',
    exercised,
    evidence,
    message: `cannot be judged because ${doubt.why}; as it looks: ${message}`,
  };
}
