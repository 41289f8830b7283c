/** Proves that the judge is awake: each mutant is run against its cases until one of them names the clause that it breaks. */
import { join } from 'node:path';
import type { Mutant } from '../../harness/mutants/mutant.js';
import type { WorldFactory, WorldKind } from '../../harness/world.js';
import { compareClauses } from '../../spec/requirements.js';
import type { ConformanceCase } from '../cases/case.js';
import type { JudgeEvidence } from '../judge.js';
import { type CaseRun, runCases } from '../run.js';
import type { EvidenceFrame, Offence, Result } from '../verdict.js';
import { impatient } from './impatient.js';

/** Most frames that one result names. */
const MAX_EVIDENCE = 12;

export interface KillPlan {
  readonly mutants: readonly Mutant[];
  /** Every case there is; mutants name theirs by id. */
  readonly cases: readonly ConformanceCase[];
  readonly world: WorldKind;
  /** Worlds of the reference as it is (undefined), or broken. */
  readonly worldOf: (mutant: Mutant | undefined) => WorldFactory;
  /** How many cases may run at once; 1 when absent. */
  readonly sideBySide?: number;
  readonly judge: JudgeEvidence;
  readonly seed: number;
  /** Each run writes into `OUT/<mutant>/<world>/<case>/`; those of the unbroken reference into `OUT/reference/`. */
  readonly out: string;
  readonly isInstalled: (program: string) => boolean;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly id: string }) => void;
  readonly onResult?: (kill: Kill) => void;
  /** Aborting it ends what is running and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What became of one mutant. */
export interface Kill {
  readonly mutant: Mutant;
  readonly result: Result;
  /** The case that killed it; undefined where none did. */
  readonly by?: string;
  /** Clauses that the decisive case named beside the right one. */
  readonly others: readonly string[];
  /** Whether the right clause led in one of its cases; absent where nothing killed it. */
  readonly leading?: boolean;
}

/** The command that runs one mutant again under the same conditions. */
export function mutantCommand(id: string, plan: Pick<KillPlan, 'world' | 'seed'>): string {
  return `prism mutants ${id} --world ${plan.world} --seed ${plan.seed}`;
}

/** Runs the mutants, several at once where the plan allows it; the order of the answers is theirs. Rejects only when aborted or when the disk fails. */
export async function killMutants(plan: KillPlan): Promise<Kill[]> {
  const kills: Kill[] = [];
  const waiting = plan.mutants.entries();
  const sound = new Map<string, Promise<CaseRun>>();
  let begun = 0;
  const worker = async (): Promise<void> => {
    for (const [index, mutant] of waiting) {
      plan.signal?.throwIfAborted();
      plan.onProgress?.({ done: begun++, total: plan.mutants.length, id: mutant.id });
      const kill = await killMutant(plan, mutant, sound);
      kills[index] = kill;
      plan.onResult?.(kill);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: plan.sideBySide ?? 1 }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return kills;
}

/** `sound`: what each case said of the unbroken reference, found once and shared. */
async function killMutant(plan: KillPlan, mutant: Mutant, sound: Map<string, Promise<CaseRun>>): Promise<Kill> {
  const end = (verdict: Result['verdict'], message: string, more: Partial<Result> = {}): Result => ({
    id: mutant.id,
    clauses: [mutant.clause],
    verdict,
    exercised: verdict === 'error' ? 0 : 1,
    message,
    evidence: [],
    replay: mutantCommand(mutant.id, plan),
    ...more,
  });
  const survived: string[] = [];
  const misnamed: CaseRun[] = [];
  let kill: Kill | undefined;
  for (const id of mutant.cases) {
    const testCase = plan.cases.find((candidate) => candidate.id === id);
    if (testCase === undefined) return { mutant, others: [], result: end('error', `there is no case ${id}`) };
    if (!testCase.worlds.includes(plan.world)) continue;
    let reference = sound.get(id);
    if (reference === undefined) {
      reference = runOne(plan, testCase, undefined);
      sound.set(id, reference);
      // Whoever asks first may be aborted before it is asked again.
      reference.catch(() => undefined);
    }
    const unbroken = (await reference).result;
    if (unbroken.verdict !== 'pass')
      return {
        mutant,
        others: [],
        result: end(
          'error',
          `proves nothing: the unbroken reference ends in ${unbroken.verdict} at ${id}: ${unbroken.message}`,
        ),
      };
    const run = await runOne(plan, testCase, mutant);
    const { verdict, clauses, message } = run.result;
    if (verdict === 'error') return { mutant, others: [], result: end('error', `${id}: ${message}`) };
    if (verdict === 'fail' && clauses.includes(mutant.clause)) {
      const others = clauses.filter((clause) => clause !== mutant.clause);
      const leading = run.result.leading?.clause === mutant.clause;
      if (leading) return { mutant, by: id, others, leading, result: killed(mutant, run, others, end) };
      // It is killed; another of its cases may put the right clause first.
      kill ??= { mutant, by: id, others, leading, result: killed(mutant, run, others, end) };
    } else if (verdict === 'fail') misnamed.push(run);
    else survived.push(id);
  }
  if (kill !== undefined) return kill;
  const [other] = misnamed;
  if (other !== undefined) {
    const named = [...new Set(misnamed.flatMap(({ result }) => result.clauses))].sort(compareClauses);
    return {
      mutant,
      others: named,
      result: end(
        'fail',
        `${named.join(', ')} named it, not ${mutant.clause} (${mutant.summary}); ${other.result.id}: ${other.result.message}`,
        { evidence: other.result.evidence },
      ),
    };
  }
  if (survived.length === 0)
    return { mutant, others: [], result: end('error', `no case of it runs in the world ${plan.world}`) };
  return { mutant, others: [], result: end('fail', `survived ${survived.join(', ')}: ${mutant.summary}`) };
}

function killed(
  { clause }: Mutant,
  { result, findings }: CaseRun,
  others: readonly string[],
  end: (verdict: Result['verdict'], message: string, more: Partial<Result>) => Result,
): Result {
  const finding = findings.find((found) => found.clause === clause && found.finding.verdict === 'fail')?.finding;
  const also = others.length > 0 ? ` (named beside it: ${others.join(', ')})` : '';
  const evidence: readonly EvidenceFrame[] =
    finding !== undefined && finding.evidence.length > 0 ? finding.evidence : result.evidence;
  return end('pass', `killed by ${result.id}: ${finding?.message ?? result.message}${also}`, {
    exercised: Math.max(1, finding?.exercised ?? result.exercised),
    evidence: evidence.slice(0, MAX_EVIDENCE),
    ...(result.leading && { leading: result.leading }),
    ...(result.beside && { beside: result.beside }),
  });
}

/** One case against one mutant, or against the reference as it is. */
async function runOne(plan: KillPlan, testCase: ConformanceCase, mutant: Mutant | undefined): Promise<CaseRun> {
  const folder = mutant?.id ?? 'reference';
  const [run] = await runCases({
    cases: [testCase],
    worlds: [{ kind: plan.world, create: impatient(plan.worldOf(mutant)) }],
    // Evidence names captures relative to the folder of the whole run.
    judge: (input) =>
      plan.judge({
        ...input,
        captures: input.captures.map((capture) => ({ ...capture, name: `${folder}/${capture.name}` })),
        ...(input.controlLog
          ? { controlLog: { ...input.controlLog, name: `${folder}/${input.controlLog.name}` } }
          : {}),
      }),
    seed: plan.seed,
    without: [],
    out: join(plan.out, folder),
    isInstalled: plan.isInstalled,
    ...(plan.signal ? { signal: plan.signal } : {}),
  });
  if (run === undefined) throw new Error(`${testCase.id} has not run`);
  // What the case itself names is named from its own folder.
  const named = (frame: EvidenceFrame): EvidenceFrame =>
    frame.capture.startsWith(`${folder}/`) ? frame : { ...frame, capture: `${folder}/${frame.capture}` };
  const placed = (offence: Offence): Offence =>
    offence.at?.capture.startsWith(`${folder}/`) === false
      ? { ...offence, at: { ...offence.at, capture: `${folder}/${offence.at.capture}` } }
      : offence;
  const { leading, beside, ...result } = run.result;
  return {
    ...run,
    result: {
      ...result,
      evidence: result.evidence.map(named),
      ...(leading && { leading: placed(leading) }),
      ...(beside && { beside: beside.map(placed) }),
    },
  };
}
