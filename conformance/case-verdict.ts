/** The verdict of one case, from what it expected and what the checks found in what it left. */

import { compareClauses } from '../spec/requirements.js';
import type { ConformanceCase } from './cases/case.js';
import { byCause, type Charge, type MomentOf, type Suspects } from './cause.js';
import type { CaseCharge } from './charges.js';
import type { ClauseFinding } from './judge.js';
import { type EvidenceFrame, NO_SINGLE_FRAME, type Result } from './verdict.js';

/** Most frames that one result names: enough to see it, few enough to read. */
export const MAX_EVIDENCE = 12;

export interface Judgement {
  readonly failedExpectation: string | undefined;
  readonly findings: readonly ClauseFinding[];
  readonly capture: string;
  /** Faults of the case that were done to nothing; none when absent. */
  readonly missedFaults?: readonly string[];
  /** What failed expectations are charged to (`charges.ts`); when absent, the one that failed alone to the clause that the case is named after. */
  readonly charges?: readonly CaseCharge[];
  /** When frames were seen and messages were logged; unknown when absent. */
  readonly momentOf?: MomentOf;
  /** Whose clauses come first; every role when absent. */
  readonly suspects?: Suspects;
}

/**
 * A case fails when an expectation failed or any passive check fails on its capture. The failing result names the clauses that frames show
 * broken, and those that its failed expectations are charged to; clauses, messages and frames are in the order of cause (`cause.ts`).
 */
export function caseVerdict(testCase: ConformanceCase, replay: string, judgement: Judgement): Result {
  const { failedExpectation, findings } = judgement;
  const broken = findings.filter(({ finding }) => finding.verdict === 'fail');
  const base = { id: testCase.id, replay };
  const [missed] = judgement.missedFaults ?? [];
  // What was expected under a misfortune that stayed away says nothing, neither kept nor disappointed.
  if (missed !== undefined && broken.length === 0) {
    const but = failedExpectation === undefined ? '' : `; ${failedExpectation}`;
    const message = `the premise did not happen: ${missed}${but}`;
    return { ...base, clauses: testCase.clauses, verdict: 'inconclusive', exercised: 0, message, evidence: [] };
  }
  if (failedExpectation !== undefined || broken.length > 0) return failure(testCase, replay, judgement, broken);
  const own = findings.filter(
    ({ clause, incidental, finding: { verdict } }) =>
      testCase.clauses.includes(clause) && (incidental !== true || verdict === 'pass'),
  );
  const open = own.filter(({ finding }) => finding.verdict === 'inconclusive' || finding.verdict === 'unsupported');
  if (open.length > 0) {
    return {
      ...base,
      clauses: open.map(({ clause }) => clause).sort(compareClauses),
      verdict: open.some(({ finding }) => finding.verdict === 'inconclusive') ? 'inconclusive' : 'unsupported',
      exercised: Math.min(...open.map(({ finding }) => finding.exercised)),
      message: open.map(({ clause, finding }) => `${clause}: ${finding.message}`).join('; '),
      evidence: [],
    };
  }
  return {
    ...base,
    clauses: testCase.clauses,
    verdict: 'pass',
    exercised: Math.max(1, own.length > 0 ? Math.min(...own.map(({ finding }) => finding.exercised)) : 1),
    message: testCase.summary,
    evidence: [],
  };
}

function failure(
  testCase: ConformanceCase,
  replay: string,
  judgement: Judgement,
  broken: readonly ClauseFinding[],
): Result {
  const { failedExpectation, capture, momentOf = () => undefined, suspects } = judgement;
  const [about = ''] = testCase.id.split('.', 1);
  const alone = failedExpectation !== undefined && broken.length === 0;
  const charged: readonly CaseCharge[] =
    judgement.charges ?? (alone ? [{ clause: about, message: failedExpectation, evidence: [] }] : []);
  const charges: Charge[] = [
    ...broken.map(({ clause, finding: { message, evidence } }): Charge => ({ clause, by: 'check', message, evidence })),
    ...charged.map((one): Charge => ({ ...one, by: 'case' })),
  ];
  if (failedExpectation !== undefined && charged.length === 0)
    charges.push({ clause: null, by: 'case', message: failedExpectation, evidence: [] });
  const ordered = byCause(charges, momentOf, suspects);
  const offences = ordered.map(({ offence }) => offence);
  const [leading, ...beside] = offences;
  const said = new Set(offences.map(({ clause, message }) => (clause === null ? message : `${clause}: ${message}`)));
  const evidence = distinct(ordered.flatMap(({ charge }) => charge.evidence));
  if (evidence.length === 0) evidence.push({ capture, frame: 1, note: NO_SINGLE_FRAME });
  return {
    id: testCase.id,
    clauses: [...new Set(offences.flatMap(({ clause }) => clause ?? []))],
    verdict: 'fail',
    exercised: Math.max(1, ...broken.map(({ finding }) => finding.exercised)),
    message: [...said].join('; '),
    evidence: evidence.slice(0, MAX_EVIDENCE),
    replay,
    ...(leading === undefined ? {} : { leading }),
    ...(beside.length === 0 ? {} : { beside }),
  };
}

function distinct(frames: readonly EvidenceFrame[]): EvidenceFrame[] {
  return [...new Map(frames.map((frame) => [JSON.stringify(frame), frame])).values()];
}
