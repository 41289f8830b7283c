/** What a run of the model checker amounts to: results by operator, lines for people, or an end that is nobody's verdict. */
import type { Result } from '../../conformance/verdict.js';
import type { ModelRun } from '../../model/spec/check.js';
import { violatedOperator } from '../../model/spec/mutants.js';
import { propertiesIn } from '../../model/tlc/configuration.js';
import type { TlcOutcome } from '../../model/tlc/outcome.js';
import { clauseOf } from '../../spec/formal.js';
import { Failure } from '../failure.js';

export interface RunView {
  readonly run: ModelRun;
  /** The specification is as pinned: counts, actions and situations are judged too. */
  readonly whole: boolean;
  /** One command that does it again. */
  readonly replay: string;
}

const count = (n: number): string => n.toLocaleString('en-US');

/** `2 invariants`, `1 invariant`. */
const several = (n: number, word: string): string =>
  `${count(n)} ${n === 1 ? word : word.replace(/y$/, 'ie').concat('s')}`;

function clausesOf(operator: string): string[] {
  return /^[A-Z]{3}_\d+/.test(operator) ? [clauseOf(operator)] : [];
}

export function resultsOf({ run, whole, replay }: RunView): Result[] {
  const { model, operators, outcome, actions, situations } = run;
  const violated = violatedOperator(outcome);
  const distinct = outcome.distinct ?? 0;
  const result = (name: string, rest: Pick<Result, 'clauses' | 'verdict' | 'exercised' | 'message'>): Result => ({
    id: `${model.id}/${name}`,
    ...rest,
    evidence: [],
    replay,
  });
  const judged = operators.map(({ name }) => {
    const clauses = clausesOf(name);
    if (name === violated)
      return result(name, { clauses, verdict: 'fail', exercised: Math.max(1, distinct), message: violation(run) });
    if (violated !== null || distinct === 0)
      return result(name, {
        clauses,
        verdict: 'inconclusive',
        exercised: distinct,
        message: distinct === 0 ? 'the model has no state' : `not decided: the run ended where ${violated} is violated`,
      });
    return result(name, {
      clauses,
      verdict: 'pass',
      exercised: distinct,
      message: `holds in ${count(distinct)} states`,
    });
  });
  if (violated !== null || !whole) {
    const named = judged.some((r) => r.verdict === 'fail') || violated === null;
    return named
      ? judged
      : [
          ...judged,
          result(violated, { clauses: [], verdict: 'fail', exercised: Math.max(1, distinct), message: violation(run) }),
        ];
  }
  const extra = [
    result('states', {
      clauses: [],
      verdict: distinct === model.distinct ? 'pass' : 'fail',
      exercised: Math.max(1, distinct),
      message:
        distinct === model.distinct
          ? `${count(distinct)} distinct states, as pinned`
          : `${count(distinct)} distinct states instead of ${count(model.distinct)}: the specification has changed; say so in models.json`,
    }),
  ];
  // A model that asks for the situations has every kind of misfortune, and so every action.
  if (situations !== null && actions.taken.length + actions.never.length > 0)
    extra.push(
      result('actions', {
        clauses: [],
        verdict: actions.never.length === 0 ? 'pass' : 'fail',
        exercised: actions.taken.length,
        message:
          actions.never.length === 0
            ? `${several(actions.taken.length, 'action')}, each taken`
            : `never taken: ${actions.never.join(', ')}`,
      }),
    );
  if (situations !== null)
    extra.push(
      result('situations', {
        clauses: [],
        verdict: situations.never.length === 0 && situations.met.length > 0 ? 'pass' : 'fail',
        exercised: situations.met.length,
        message:
          situations.never.length === 0
            ? `${several(situations.met.length, 'situation')}, each met`
            : `never met: ${situations.never.join('; ')}`,
      }),
    );
  return [...judged, ...extra];
}

function violation({ outcome }: ModelRun): string {
  switch (outcome.kind) {
    case 'invariant':
    case 'action-property':
      return `violated after ${several(outcome.trace.length - 1, 'step')}`;
    case 'liveness':
      return outcome.lasso.kind === 'stuttering'
        ? `violated: nothing happens any more after ${several(outcome.trace.length - 1, 'step')}`
        : `violated: ${several(outcome.trace.length - 1, 'step')}, and from the ${outcome.lasso.index}. state on for ever the same`;
    default:
      return outcome.kind;
  }
}

/** The specification's word on each clause, as a column of a report: of several operators the worst. */
export function byClause(results: readonly Result[]): Result[] {
  const rank = { error: 0, fail: 1, inconclusive: 2, unsupported: 3, pass: 4 } as const;
  const worst = new Map<string, Result>();
  for (const result of results) {
    for (const clause of result.clauses) {
      const other = worst.get(clause);
      if (other === undefined || rank[result.verdict] < rank[other.verdict])
        worst.set(clause, { ...result, id: `check.${clause}`, clauses: [clause] });
    }
  }
  return [...worst.values(), ...results.filter(({ clauses }) => clauses.length === 0)];
}

/** The figures of a run in a line or two. */
export function figures({ run, whole }: RunView): string[] {
  const { model, operators, outcome, actions, situations } = run;
  const { distinct, generated, depth, durationMs } = outcome;
  const pinned = whole && distinct === model.distinct && violatedOperator(outcome) === null ? ' (as pinned)' : '';
  const invariants = operators.filter((o) => o.kind === 'invariant').length;
  const facts = [
    ...(distinct === null ? [] : [`${count(distinct)} distinct states${pinned}`]),
    ...(generated === null ? [] : [`${count(generated)} generated`]),
    ...(depth === null ? [] : [`depth ${depth}`]),
    `${(durationMs / 1000).toFixed(1)} s`,
  ];
  const looked = [
    several(invariants, 'invariant'),
    ...(operators.length > invariants ? [several(operators.length - invariants, 'liveness property')] : []),
    ...(actions.taken.length > 0 ? [`${several(actions.taken.length, 'action')} taken`] : []),
    ...(situations === null ? [] : [`${several(situations.met.length, 'situation')} met`]),
  ];
  return [`${model.id}: ${model.summary}`, `  ${facts.join(', ')}`, `  ${looked.join(', ')}`];
}

/** Throws for an outcome that says nothing of the protocol; the message is one line, the exit code 2 or 4. */
export function assertVerdict(
  outcome: TlcOutcome,
  context: { folder: string; model: string; heapMegabytes: number },
): void {
  const reason = noVerdict(outcome, context);
  if (reason !== undefined) throw new Failure(reason.code, `${context.model}: ${reason.message}`);
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

export function noVerdict(
  outcome: TlcOutcome,
  { folder, heapMegabytes }: { folder: string; heapMegabytes: number },
): { code: 2 | 4; message: string } | undefined {
  switch (outcome.kind) {
    case 'ok':
    case 'invariant':
    case 'action-property':
    case 'liveness':
      return undefined;
    case 'parse-error': {
      const { module, line, column, message } = outcome;
      const file = module === null ? folder : `${folder}/${/\.(cfg|tla)$/.test(module) ? module : `${module}.tla`}`;
      const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
      return { code: 2, message: `${place}: ${message.trim().replace(/\s+/g, ' ')}` };
    }
    case 'assumption':
      return { code: 2, message: `${folder}: ${firstLine(outcome.message)}` };
    case 'evaluation-error':
      return {
        code: 2,
        message: `${folder}: cannot be evaluated: ${outcome.message.trim().replace(/\s+/g, ' ').slice(0, 400)}`,
      };
    case 'deadlock':
      return { code: 2, message: `${folder}: a deadlock, which no configuration of ours asks for` };
    case 'out-of-memory':
      return {
        code: 4,
        message: `TLC ran out of memory with a heap of ${heapMegabytes} MiB; give it more with --heap MIB`,
      };
    case 'disk-full':
      return {
        code: 4,
        message: 'the disk is full: TLC keeps its states in the temporary folder; free some, or set TMPDIR',
      };
    case 'time-out':
      return {
        code: 4,
        message: `not done within ${outcome.timeoutMs / 1000} s; give it more with --time-limit SECONDS`,
      };
    case 'interrupted':
      return { code: 4, message: 'interrupted' };
    case 'killed':
      return {
        code: 4,
        message: `something killed the JVM (signal ${outcome.signal}); if that was for memory, see --heap`,
      };
    case 'internal':
      return { code: 4, message: `TLC failed: ${outcome.message.trim().split('\n').slice(-1).join('')}` };
  }
}

/** Whether the configuration asks for anything that distributed TLC cannot tell. */
export function hasLiveness(cfg: string): boolean {
  return propertiesIn(cfg).length > 0;
}
