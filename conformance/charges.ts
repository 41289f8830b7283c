/** Failed expectations of a case, each charged to the clause that it speaks for, with the frames or control-log lines that show it. */
import { ControlMatcher } from '../harness/control-match.js';
import type { ControlLogEntry, JobResult } from '../harness/world.js';
import type { ConformanceCase, Failure } from './cases/case.js';
import { at } from './checks/tally.js';
import { type Diagnosis, diagnose } from './diagnosis/index.js';
import { isFlagged } from './flows/decode.js';
import type { AnalyseOutcome } from './flows/judged.js';
import type { ClauseFinding } from './judge.js';
import type { EvidenceFrame } from './verdict.js';

export interface CaseCharge {
  readonly clause: string;
  readonly message: string;
  /** Empty where neither frame nor line shows it. */
  readonly evidence: readonly EvidenceFrame[];
}

export interface Charging {
  readonly failures: readonly Failure[];
  readonly findings: readonly ClauseFinding[];
  /** The capture analysed, for what a client was not served; asked for only when something failed. */
  readonly analysed: () => Extract<AnalyseOutcome, { readonly ok: true }> | undefined;
  readonly results: readonly JobResult[];
  readonly log: { readonly name: string; readonly entries: readonly ControlLogEntry[] };
}

/**
 * An expectation that names its clause, or that the case's own story makes, is charged to that clause; one of a client's service to whoever the
 * frames show to have failed it. What frames show broken explains what the client missed: such expectations are charged to nobody then, and the
 * story's own only where no check judges its clause and something shows it.
 */
export function charge(testCase: ConformanceCase, given: Charging): CaseCharge[] {
  const { failures, findings } = given;
  if (failures.length === 0) return [];
  const about = testCase.id.split('.', 1)[0] ?? '';
  const broken = findings.some(({ finding }) => finding.verdict === 'fail');
  const judgedBy = (clause: string): ClauseFinding | undefined =>
    findings.find((one) => one.clause === clause && (one.incidental !== true || one.finding.verdict === 'fail'));
  const kept = (clause: string): boolean => judgedBy(clause)?.finding.verdict === 'pass';
  const charges: CaseCharge[] = [];
  let sought: { readonly diagnosis: CaseCharge | undefined } | undefined;
  for (const { message, clause, service, frames = [] } of failures) {
    if (clause !== undefined) charges.push({ clause, message, evidence: frames });
    else if (broken) {
      // Without anything to show for it, it may be a consequence.
      const shown = service !== true && judgedBy(about) === undefined && frames.length > 0;
      if (shown) charges.push({ clause: about, message, evidence: frames });
      // A role that the case's own message or frame has put out of action leaves frames that are broken behind it.
      if (service === true && sought === undefined) {
        sought = { diagnosis: isTrial(about) ? seek(testCase, about, given) : undefined };
        if (sought.diagnosis?.clause === about) charges.push(sought.diagnosis);
      }
    } else if (service === true || (kept(about) && frames.length === 0)) {
      // One fault explains everything that a client missed.
      if (sought?.diagnosis !== undefined) continue;
      sought ??= { diagnosis: seek(testCase, about, given) };
      const { diagnosis } = sought;
      charges.push(
        diagnosis === undefined
          ? { clause: about, message, evidence: frames }
          : { ...diagnosis, message: `${message}: ${diagnosis.message}`, evidence: [...diagnosis.evidence, ...frames] },
      );
    } else charges.push({ clause: about, message, evidence: frames });
  }
  return charges.map((one) => (one.evidence.length > 0 ? one : { ...one, evidence: witness(given) }));
}

/** Of a story without an end of its own to show: the last reset that the servers sent, or else the last that a client said. */
function witness(given: Charging): readonly EvidenceFrame[] {
  const packets = given.analysed()?.judged.packets ?? [];
  const reset = packets.findLast(({ head }) => head.towards === 'client' && isFlagged(head, 'RST'));
  if (reset !== undefined) return [at(reset.head, 'the last reset')];
  const last = packets.findLast(({ head }) => head.towards === 'server');
  return last === undefined ? [] : [at(last.head, 'the last segment of a client')];
}

/** What the case does to control messages is what its clause is about: a role that stumbles over it breaks that clause. */
function seek(testCase: ConformanceCase, about: string, given: Charging): CaseCharge | undefined {
  const analysed = given.analysed();
  if (analysed === undefined) return undefined;
  const ended = new Set((testCase.options?.roleFaults ?? []).map(({ role }) => role));
  const diagnosis = diagnose(analysed.judged, ended);
  if (diagnosis === undefined) return undefined;
  if (diagnosis.kind === 'content') return diagnosis;
  const { evidence, message } = diagnosis;
  if (wasForged(testCase, about, diagnosis, given.results, analysed.origin))
    return { clause: about, message, evidence };
  const trial = trialOf(testCase, about, diagnosis, given.log, analysed.origin);
  return trial === undefined ? diagnosis : { clause: about, message, evidence: [trial, ...evidence] };
}

/** What is forged in a hostile story is what its clause is about: whoever stumbles behind it, and was meant, breaks that clause. */
function wasForged(
  { id }: ConformanceCase,
  about: string,
  { role, t }: Diagnosis,
  results: readonly JobResult[],
  origin: bigint,
): boolean {
  const meant = /-at-(?:the|a)-(controller|switch|backend)$/.exec(id)?.[1];
  // A stranger's words are in no log: it speaks before anybody else does.
  if (about === 'SEC-3') return meant !== undefined && role.startsWith(meant);
  const forged = results.flatMap(({ observations = [] }) => observations).find((step) => step.do === 'forge');
  if (forged === undefined || !HOSTILE.test(about) || Number(BigInt(forged.t) - origin) > t) return false;
  return meant === undefined || role.startsWith(meant);
}

/** Clauses about what nobody should be able to do by frames. */
const HOSTILE = /^(SEC-|SWT-10$|HOF-5$)/;

/** Clauses about control messages that no frame shows. */
const OF_CONTROL = ['ERR-4', 'SWT-9'];

/** The case itself does what its clause is about: it speaks or forges what nobody should obey or die of. */
const isTrial = (about: string): boolean => OF_CONTROL.includes(about) || about === 'SWT-10';

/** The line of the control log at which the case tried the role that stumbled, before it did. */
function trialOf(
  { options }: ConformanceCase,
  about: string,
  { role, t }: Diagnosis,
  log: Charging['log'],
  origin: bigint,
): EvidenceFrame | undefined {
  const faults = options?.controlFaults ?? [];
  if (!OF_CONTROL.includes(about)) return undefined;
  const matcher = new ControlMatcher();
  for (const [index, { at, direction, peer, message, t: when }] of log.entries.entries()) {
    if (direction !== 'sent') continue;
    const travelling = { from: at, to: peer, message };
    matcher.note(travelling);
    if (Number(BigInt(when) - origin) > t) break;
    const tried = faults.find(
      ({ kind, match }) => matcher.matches(match, travelling) && (role === peer || (kind === 'drop' && role === at)),
    );
    if (tried !== undefined)
      return { capture: log.name, frame: index + 1, note: `${message.verb}: ${DONE[tried.kind]} by the case` };
  }
  return undefined;
}

const DONE = {
  drop: 'lost',
  delay: 'delayed',
  repeat: 'sent again',
  refuse: 'refused',
  follow: 'followed by a line that is no message, or none of its receiver',
} as const;
