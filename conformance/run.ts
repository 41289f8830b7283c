/** Runs conformance cases, each in a world of its own, and judges what they left: one result a case, one a passively checked clause. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { lacking } from '../harness/target/needs.js';
import type { Target } from '../harness/target/target.js';
import { defaultPolicy } from '../harness/topology.js';
import {
  type Fault,
  type World,
  WorldError,
  type WorldFactory,
  type WorldKind,
  type WorldOptions,
  type WorldTarget,
} from '../harness/world.js';
import { compareClauses } from '../spec/requirements.js';
import { caseVerdict, MAX_EVIDENCE } from './case-verdict.js';
import type { ConformanceCase, Failure } from './cases/case.js';
import { createContext } from './cases/context.js';
import { caseEvidence, type Shown } from './cases/evidence.js';
import { EVERY_ROLE, type Suspects } from './cause.js';
import { charge } from './charges.js';
import { parseControlLog } from './control-log.js';
import { excuse } from './excuses.js';
import { analyse } from './flows/judged.js';
import type { ClauseFinding, JudgeEvidence } from './judge.js';
import { momentsOf } from './moments.js';
import { withVariants } from './variants.js';
import { type EvidenceFrame, NOT_RUN, type Result } from './verdict.js';

/** How long one case may take by the wall clock, from building its world to tearing it down, in ms. */
const CASE_LIMIT_MS = 180_000;

/** The same for a case that says it is slow. */
const SLOW_CASE_LIMIT_MS = 1_800_000;

/** How long connections and rules may take to be gone once the clients have ended, in ms of the world's time. */
const SETTLE_MS = { sim: 30_000, linux: 5_000 } as const satisfies Record<WorldKind, number>;

/** How often a case is tried on Linux whose premise does not come about. */
const PREMISE_ATTEMPTS = 3;

export interface RunPlan {
  readonly cases: readonly ConformanceCase[];
  readonly worlds: readonly {
    readonly kind: WorldKind;
    readonly create: WorldFactory;
    /** How many cases may run at once; 1 when absent. Every case has a world of its own, so they share only the machine. */
    readonly sideBySide?: number;
  }[];
  readonly judge: JudgeEvidence;
  readonly seed: number;
  readonly without: Parameters<WorldFactory>[1]['without'];
  /** What is judged, and what its worlds are told of it; the reference when absent. */
  readonly target?: { readonly judged: Target; readonly told: WorldTarget };
  /** Each case writes into `OUT/<world>/<case id>/`. */
  readonly out: string;
  /** Whether the Linux world finds a client program here; a case that lacks one is an `error`, or `inconclusive` when `tolerant`. */
  readonly isInstalled: (program: string) => boolean;
  readonly tolerant?: boolean;
  readonly caseLimitMs?: number;
  /** No further case is begun when so many have failed. */
  readonly bail?: number;
  /** Told of each case that has finished, in the order in which they do. */
  readonly onResult?: (run: CaseRun) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Aborting it destroys the world that is running. */
  readonly signal?: AbortSignal;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly world: WorldKind;
  /** The case that begins. */
  readonly id: string;
}

/** One case in one world. */
export interface CaseRun {
  readonly world: WorldKind;
  readonly result: Result;
  /** What the passive checks found in its capture; empty when there is none. */
  readonly findings: readonly ClauseFinding[];
  /** The world could not be built, so that no later case was tried in it. */
  readonly worldFailed?: boolean;
  /** What the case is about did not come about. */
  readonly premiseMissed?: boolean;
}

/** The command that runs a selector again under the same conditions. */
export function replayCommand(
  selector: string,
  world: WorldKind,
  plan: Pick<RunPlan, 'seed' | 'without' | 'target'>,
): string {
  const target = plan.target ? ` --target ${plan.target.judged.selector}` : '';
  const without = plan.without.length > 0 ? ` --without ${plan.without.join(' ')}` : '';
  return `prism test ${selector} --world ${world}${target} --seed ${plan.seed}${without}`;
}

/** Rejects with the signal's reason as soon as it is aborted; the promise itself goes on. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

class CaseTimeout extends Error {}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n')[0] ?? text;
}

/** A target's declared bounds hold where the case asks for none of its own. */
function boundsOf(testCase: ConformanceCase, { target }: RunPlan): Pick<WorldOptions, 'bounds'> {
  const handoffMs = target?.judged.bounds.handoffMs;
  if (handoffMs === undefined) return {};
  const asked: Partial<WorldOptions> = testCase.options ?? {};
  return { bounds: { handoffMs, ...asked.bounds } };
}

/** The limit is the controller's: it holds where that is under test. */
function headerLimitOf({ target }: RunPlan): number | undefined {
  return target?.judged.roles.controller === undefined ? undefined : target.judged.bounds.headerLimit;
}

/** A target that may be silent for longer says so. */
function silenceOf({ target }: RunPlan): Pick<WorldOptions, 'silenceMs'> {
  const silenceMs = target?.judged.bounds.silenceMs;
  return silenceMs === undefined ? {} : { silenceMs };
}

/** The roles that something of the target's own plays; every role for the reference, which nobody is beside. */
function suspectsOf({ target }: RunPlan): Suspects {
  const kinds = ['controller', 'switch', 'backend'] as const;
  const foreign = kinds.filter((kind) => {
    const role = target?.judged.roles[kind];
    return role !== undefined && role.kind !== 'builtin';
  });
  return foreign.length === 0 ? EVERY_ROLE : new Set(foreign);
}

/**
 * Whether nobody but the switch can have lost a frame. A busy machine may lose one on Linux, too: there it is said of a run that failed only, which
 * a lost frame explains.
 */
function isLossless({ options = {} }: ConformanceCase, world: WorldKind, failed: boolean): boolean {
  const untouched = (options.faults ?? []).length === 0 && (options.roleFaults ?? []).length === 0;
  return untouched && (world === 'sim' || failed);
}

async function runCase(plan: RunPlan, world: RunPlan['worlds'][number], testCase: ConformanceCase): Promise<CaseRun> {
  const replay = replayCommand(testCase.id, world.kind, plan);
  const failed = (message: string, worldFailed = false): CaseRun => ({
    world: world.kind,
    result: {
      id: testCase.id,
      clauses: testCase.clauses,
      verdict: 'error',
      exercised: 0,
      message,
      evidence: [],
      replay,
    },
    findings: [],
    ...(worldFailed ? { worldFailed } : {}),
  });
  const lacks = plan.target && lacking(testCase, plan.target.judged);
  if (lacks !== undefined) {
    const run = failed(lacks);
    return { ...run, result: { ...run.result, verdict: 'unsupported' } };
  }
  const missing = world.kind === 'linux' ? (testCase.programs ?? []).filter((p) => !plan.isInstalled(p)) : [];
  if (missing.length > 0) {
    const run = failed(`needs ${missing.join(', ')}, which is not installed here`);
    return plan.tolerant ? { ...run, result: { ...run.result, verdict: 'inconclusive' } } : run;
  }

  const folder = join(plan.out, world.kind, testCase.id);
  await mkdir(folder, { recursive: true });
  const timeout = new AbortController();
  const limit = plan.caseLimitMs ?? (testCase.slow ? SLOW_CASE_LIMIT_MS : CASE_LIMIT_MS);
  const timer = setTimeout(() => timeout.abort(new CaseTimeout(`did not end within ${limit / 1000} s`)), limit);
  const signal = plan.signal ? AbortSignal.any([plan.signal, timeout.signal]) : timeout.signal;
  const faults: readonly Fault[] = testCase.options?.faults ?? [];
  const creating = world.create(folder, {
    policy: defaultPolicy,
    ...testCase.options,
    seed: plan.seed,
    without: plan.without,
    faults,
    ...boundsOf(testCase, plan),
    ...silenceOf(plan),
    ...(plan.target && { target: plan.target.told }),
  });
  let live: World | undefined;
  try {
    live = await abortable(creating, signal);
    const context = createContext(live, headerLimitOf(plan));
    try {
      await abortable(testCase.run(context), signal);
    } catch (error) {
      // A story that stumbles over what it has already found to be wrong has failed; by itself, that is our own defect.
      if (context.failures.length === 0 || signal.aborted || error instanceof WorldError) throw error;
    }
    await abortable(live.settle(SETTLE_MS[world.kind]), signal);
    const evidence = await abortable(live.finish(), signal);
    await writeFile(join(folder, 'topology.json'), `${JSON.stringify(evidence.topology, null, 2)}\n`);
    if (evidence.captureDrops > 0)
      return failed(`the capture missed ${evidence.captureDrops} frames, so that nothing can be concluded from it`);

    const nameOf = (path: string): string => relative(plan.out, path).split(sep).join('/');
    const log = parseControlLog(await readFile(evidence.controlLog, 'utf8'));
    if (!log.ok) return failed(`the control log is not readable: ${log.error}`);
    const capture = await readFile(evidence.capture);
    const input = {
      captures: [{ name: nameOf(evidence.capture), bytes: capture }],
      topology: evidence.topology,
      controlLog: { name: nameOf(evidence.controlLog), entries: log.entries },
      lossless: isLossless(testCase, world.kind, context.failures.length > 0),
    };
    const judged = plan.judge(input);
    if (!judged.ok) return failed(`the capture is not readable: ${judged.error}`);
    const findings = withVariants(judged.findings, plan.target?.judged.variants ?? []);
    const { topology } = evidence;
    const missed = [...(evidence.missedFaults ?? [])];
    const captureName = nameOf(evidence.capture);
    const shown = (one: Shown): EvidenceFrame =>
      'line' in one
        ? { capture: input.controlLog.name, frame: one.line, note: one.note }
        : { capture: captureName, ...one };
    const expectOf = (condition: boolean, failure: Failure): void => {
      if (!condition) context.failures.push(failure);
    };
    testCase.afterwards?.(
      caseEvidence({
        topology,
        control: log.entries,
        capture,
        results: context.results,
        expect: (condition, message, ...shownBy) => expectOf(condition, { message, frames: shownBy.map(shown) }),
        expectServed: (condition, message, ...shownBy) =>
          expectOf(condition, { message, service: true, frames: shownBy.map(shown) }),
        expectFor: (clause, condition, message, ...shownBy) =>
          expectOf(condition, { message, clause, frames: shownBy.map(shown) }),
        premise(condition, message) {
          if (!condition) missed.push(message);
        },
      }),
    );
    const judgement = {
      failedExpectation: context.failures[0]?.message,
      findings,
      capture: captureName,
      missedFaults: missed,
      momentOf: momentsOf(capture, log.entries),
      suspects: suspectsOf(plan),
      charges: charge(testCase, {
        failures: context.failures,
        findings,
        analysed() {
          const analysed = analyse(input);
          return analysed.ok ? analysed : undefined;
        },
        log: input.controlLog,
        results: context.results,
      }),
    };
    const result = caseVerdict(testCase, replay, judgement);
    const premiseMissed = missed.length > 0 && result.verdict === 'inconclusive';
    return { world: world.kind, result, findings, ...(premiseMissed ? { premiseMissed } : {}) };
  } catch (error) {
    // A world that is still being built when the case is given up has to be waited for, or it would be left behind.
    const left = live ?? (await creating.catch(() => undefined));
    await left?.destroy();
    if (plan.signal?.aborted) throw plan.signal.reason;
    return failed(oneLine(error), left === undefined && error instanceof WorldError);
  } finally {
    clearTimeout(timer);
    await live?.destroy();
  }
}

/** What was to happen in a moment can miss it on a machine with other things to do; that concludes nothing, so it is tried again. */
async function runUntilPremise(
  plan: RunPlan,
  world: RunPlan['worlds'][number],
  testCase: ConformanceCase,
): Promise<CaseRun> {
  for (let attempt = 1; ; attempt++) {
    const run = await runCase(plan, world, testCase);
    // The simulated world would only do the same again.
    if (run.premiseMissed !== true || world.kind === 'sim' || attempt === PREMISE_ATTEMPTS) return run;
  }
}

/** What a run came to, whether or not it came to its end. */
export interface RunOutcome {
  /** World by world, in the order of the cases. */
  readonly runs: readonly CaseRun[];
  /** Cases that were not begun or not finished; in the same order. */
  readonly notRun: readonly {
    readonly world: WorldKind;
    readonly testCase: ConformanceCase;
    readonly reason: string;
  }[];
}

/**
 * World by world, as many cases side by side as the world allows. Ends early when it is aborted (what is running is destroyed, its cases count as
 * not run), when `plan.bail` cases have failed (what is running finishes), and in a world that cannot be built. Rejects only when the disk
 * fails, and not before every world that was begun is gone.
 */
export async function runUntilStopped(plan: RunPlan): Promise<RunOutcome> {
  await mkdir(plan.out, { recursive: true });
  const total = plan.worlds.reduce(
    (sum, { kind }) => sum + plan.cases.filter((c) => c.worlds.includes(kind)).length,
    0,
  );
  const runs: CaseRun[] = [];
  const notRun: RunOutcome['notRun'][number][] = [];
  let begun = 0;
  let failed = 0;
  for (const world of plan.worlds) {
    const cases = plan.cases.filter((c) => c.worlds.includes(world.kind));
    const waiting = cases.entries();
    const finished: CaseRun[] = [];
    let unbuilt: string | undefined;
    const stopped = (): string | undefined => {
      if (plan.signal?.aborted) return oneLine(plan.signal.reason);
      if (unbuilt !== undefined) return unbuilt;
      if (plan.bail !== undefined && failed >= plan.bail)
        return `stopped after ${failed} failed ${failed === 1 ? 'case' : 'cases'} (--bail ${plan.bail})`;
      return undefined;
    };
    const worker = async (): Promise<void> => {
      for (const [index, testCase] of waiting) {
        if (stopped() !== undefined) return;
        plan.onProgress?.({ done: begun++, total, world: world.kind, id: testCase.id });
        try {
          const run = await runUntilPremise(plan, world, testCase);
          finished[index] = run;
          if (run.result.verdict === 'fail') failed++;
          if (run.worldFailed === true) unbuilt ??= `the world ${world.kind} could not be built for ${testCase.id}`;
          plan.onResult?.(run);
        } catch (error) {
          if (plan.signal?.aborted) return;
          throw error;
        }
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: world.sideBySide ?? 1 }, worker));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    // Flat, because a run that was stopped leaves holes.
    runs.push(...finished.flat());
    const reason = stopped();
    for (const [index, testCase] of cases.entries())
      if (finished[index] === undefined)
        notRun.push({ world: world.kind, testCase, reason: reason ?? 'nobody ran it' });
  }
  return { runs, notRun };
}

/** The runs of `runUntilStopped`; rejects with the signal's reason when aborted. */
export async function runCases(plan: RunPlan): Promise<CaseRun[]> {
  const { runs } = await runUntilStopped(plan);
  plan.signal?.throwIfAborted();
  return [...runs];
}

/** Nothing is concluded of a case that was not run, and it says why. */
export function notRunResults(
  { notRun }: Pick<RunOutcome, 'notRun'>,
  world: WorldKind,
  plan: Parameters<typeof replayCommand>[2],
): Result[] {
  return notRun
    .filter((left) => left.world === world)
    .map(({ testCase: { id, clauses }, reason }) => ({
      id,
      clauses,
      verdict: 'inconclusive',
      exercised: 0,
      message: NOT_RUN + reason,
      evidence: [],
      replay: replayCommand(id, world, plan),
    }));
}

/** One line for each reason; empty for a run that came to its end. */
export function notRunLines({ runs, notRun }: RunOutcome): string[] {
  const total = runs.length + notRun.length;
  const reasons = new Map<string, number>();
  for (const { reason } of notRun) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return [...reasons].map(([reason, count]) => `${NOT_RUN}${count} of ${total} cases: ${reason}`);
}

/** Findings of one capture with the command that makes that capture again (empty where there is none). */
export interface CaptureFindings {
  readonly findings: readonly ClauseFinding[];
  readonly replay: string;
}

/**
 * One result for each clause over all captures, in the catalogue's order: any fail makes it fail; else any pass makes it pass, with all that
 * exercised it added up; else it is inconclusive (or unsupported, where every capture says so).
 */
export function passiveResults(captures: readonly CaptureFindings[], replayOf: (clause: string) => string): Result[] {
  const clauses = [...new Set(captures.flatMap((c) => c.findings.map((f) => f.clause)))].sort(compareClauses);
  return clauses.map((clause) => {
    const all = captures.flatMap((c) =>
      c.findings.filter((f) => f.clause === clause).map((f) => ({ ...f.finding, replay: c.replay })),
    );
    const exercised = all.reduce((sum, f) => sum + f.exercised, 0);
    const of = (verdict: Result['verdict']): typeof all => all.filter((f) => f.verdict === verdict);
    const base = { id: `check.${clause}`, clauses: [clause], exercised };
    const failing = of('fail');
    const [worst] = failing;
    if (worst) {
      const more = failing.length > 1 ? ` (and in ${failing.length - 1} more captures)` : '';
      const evidence = failing.flatMap((f) => f.evidence).slice(0, MAX_EVIDENCE);
      return {
        ...base,
        verdict: 'fail',
        exercised: Math.max(1, exercised),
        message: worst.message + more,
        evidence,
        replay: worst.replay,
      };
    }
    const replay = replayOf(clause);
    const passing = of('pass');
    const [best] = [...passing].sort((a, b) => b.exercised - a.exercised);
    if (best) {
      const counted =
        passing.length > 1 ? `in ${passing.length} captures; the most in one: ${best.message}` : best.message;
      return { ...base, verdict: 'pass', exercised: Math.max(1, exercised), message: counted, evidence: [], replay };
    }
    const [open] = of('inconclusive');
    if (open) return { ...base, verdict: 'inconclusive', message: open.message, evidence: [], replay };
    return { ...base, verdict: 'unsupported', message: all[0]?.message ?? '', evidence: [], replay };
  });
}

/**
 * What a run of one world amounts to: its cases, then its passive checks, those of other clauses than `clauses` only where they fail; what the
 * target's waivers cover is excused. A case that has a waiver of its own fails no clause either.
 */
export function worldResults(
  runs: readonly CaseRun[],
  world: WorldKind,
  clauses: ReadonlySet<string>,
  plan: RunPlan,
): Result[] {
  const own = runs.filter((run) => run.world === world);
  const waivers = plan.target?.judged.waivers ?? [];
  const excused = new Set(waivers.map((waiver) => waiver.case));
  const captures = own.map((run) => ({
    findings: run.findings.filter(({ finding }) => finding.verdict !== 'fail' || !excused.has(run.result.id)),
    replay: run.result.replay,
  }));
  const told = new Set(own.flatMap(({ result }) => result.clauses));
  const incidental = new Set(captures.flatMap((c) => c.findings.filter((f) => f.incidental).map((f) => f.clause)));
  const passive = passiveResults(captures, (clause) => replayCommand(clause, world, plan)).filter(
    ({ verdict, clauses: [clause = ''] }) =>
      verdict === 'fail' ||
      // Of such a clause the cases tell what frames leave open.
      (clauses.has(clause) && !(verdict === 'inconclusive' && incidental.has(clause) && told.has(clause))),
  );
  return excuse([...own.map((run) => run.result), ...passive], waivers);
}
