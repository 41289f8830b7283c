/** Clauses by worlds and roles: the arrangement of results that the terminal table and the HTML report show. */
import { CLAUSES, type Clause } from '../../spec/requirements.js';
import { CASES } from '../cases/index.js';
import { CHECKS } from '../checks/index.js';
import type { ResultDocument } from '../result-schema.js';
import type { Result, Verdict } from '../verdict.js';
import { compareFailures, leads } from './headline.js';
import type { ProblemLadders } from './ladder/problems.js';
import { suitesOf } from './outcome.js';

export interface Column {
  /** A world; `captures` is the column of `prism check`, `spec` that of the model checker. */
  readonly name: string;
  readonly results: readonly Result[];
}

/** What a command hands to every kind of report. */
export interface Report {
  readonly document: ResultDocument;
  readonly columns: readonly Column[];
  /** By `problemKey`. */
  readonly ladders?: ReadonlyMap<string, ProblemLadders>;
  /** The link from the page to a file of the run, such as a capture; undefined where there is none. */
  readonly href?: (file: string) => string | undefined;
}

export type ClauseCell =
  | {
      readonly kind: 'judged';
      readonly verdict: Verdict;
      /** `check`: of the passive check, or of the operators in the column of the model checker. `cases`: of stories alone. */
      readonly by: 'check' | 'cases';
      /** How often the premise occurred, by the check; or how many cases there were. */
      readonly count: number;
      readonly message: string;
    }
  | { readonly kind: 'not-judged'; readonly reason: string };

export interface ClauseRow {
  readonly clause: Clause;
  /** One for each column of the report. */
  readonly cells: readonly ClauseCell[];
}

export const isPassive = (result: Result): boolean => result.id.startsWith('check.');

/** Every clause of the catalogue, judged or not. */
export function clauseRows(report: Report): ClauseRow[] {
  const columns = report.columns.map(({ name, results }) => ({ name, byClause: groupByClause(results) }));
  return CLAUSES.map((clause) => ({
    clause,
    cells: columns.map(({ name, byClause }) => clauseCell(clause, name, byClause.get(clause.id) ?? [])),
  }));
}

function groupByClause(results: readonly Result[]): Map<string, Result[]> {
  const byClause = new Map<string, Result[]>();
  for (const result of results) {
    for (const id of result.clauses) {
      const list = byClause.get(id);
      if (list) list.push(result);
      else byClause.set(id, [result]);
    }
  }
  return byClause;
}

/** A case that fails for a clause outweighs a check that saw nothing wrong: frames may not show what the client missed. */
function clauseCell(clause: Clause, column: Column['name'], results: readonly Result[]): ClauseCell {
  const check = results.find((r) => r.id === `check.${clause.id}`);
  const cases = results.filter((r) => !isPassive(r));
  const failing = cases.find((r) => r.verdict === 'fail');
  if (check !== undefined && (check.verdict === 'fail' || failing === undefined)) {
    const { verdict, exercised, message } = check;
    return { kind: 'judged', verdict, by: 'check', count: exercised, message };
  }
  for (const verdict of ['fail', 'error', 'pass', 'inconclusive', 'unsupported'] as const) {
    const [first, ...others] = cases.filter((r) => r.verdict === verdict);
    if (first === undefined) continue;
    const message = `${first.id}${others.length > 0 ? ` and ${others.length} more` : ''}: ${first.message}`;
    return { kind: 'judged', verdict, by: 'cases', count: others.length + 1, message };
  }
  return { kind: 'not-judged', reason: reasonOf(clause, column) };
}

/** Of a clause whose cases were not chosen. */
export const NOT_CHOSEN = 'none of its cases was run';

const CHECKED = new Set(CHECKS.map(({ clause }) => clause));
const TOLD = new Set(CASES.flatMap(({ clauses }) => clauses));

function reasonOf({ id, pending, unmodelled }: Clause, column: Column['name']): string {
  if (column === 'spec') return unmodelled ?? 'not checked in this run';
  if (pending !== undefined) return pending;
  if (column === 'captures') {
    if (CHECKED.has(id)) return 'not asked for';
    return TOLD.has(id) ? 'captures alone do not show it; cases do (prism test)' : 'nothing judges it yet';
  }
  if (TOLD.has(id)) return NOT_CHOSEN;
  return CHECKED.has(id) ? 'not asked for' : 'nothing judges it yet';
}

/** Clauses that no column judges, by the reason (of the last column, which is a world's), in the catalogue's order. */
export function notJudged(rows: readonly ClauseRow[]): Map<string, string[]> {
  const byReason = new Map<string, string[]>();
  for (const { clause, cells } of rows) {
    const last = cells.at(-1);
    if (last?.kind !== 'not-judged' || cells.some(({ kind }) => kind === 'judged')) continue;
    const ids = byReason.get(last.reason);
    if (ids) ids.push(clause.id);
    else byReason.set(last.reason, [clause.id]);
  }
  return byReason;
}

export interface CaseRow {
  readonly id: string;
  /** One sentence; empty for a case that this version does not know. */
  readonly summary: string;
  readonly clauses: readonly string[];
  /** One for each of `caseColumns`. */
  readonly cells: readonly (Result | undefined)[];
}

/** Those in which cases run. */
export function caseColumns({ columns }: Report): Column[] {
  return columns.filter(({ name }) => name !== 'spec');
}

export function caseRows(report: Report): CaseRow[] {
  const columns = caseColumns(report);
  const ids = new Set(columns.flatMap(({ results }) => results.filter((r) => !isPassive(r)).map((r) => r.id)));
  const known = new Map(CASES.map((c) => [c.id, c]));
  return [...ids].map((id) => {
    const cells = columns.map(({ results }) => results.find((r) => r.id === id));
    const told = known.get(id);
    return {
      id,
      summary: told?.summary ?? cells.find((cell) => cell?.verdict === 'pass')?.message ?? '',
      clauses: told?.clauses ?? cells.find((cell) => cell !== undefined)?.clauses ?? [],
      cells,
    };
  });
}

export interface Problem {
  readonly column: string;
  readonly result: Result;
}

export function problemKey({ column, result }: Problem): string {
  return `${column}/${result.id}`;
}

/** The worst first. */
export const SEVERITY = { error: 0, fail: 1, inconclusive: 2, unsupported: 3, pass: 4 } as const satisfies Record<
  Verdict,
  number
>;

/** Everything that did not pass, the worst first, with the column it is in; also what the document lists beside the columns. */
export function problems({ columns, document }: Pick<Report, 'columns' | 'document'>): Problem[] {
  const shown = new Set(columns.flatMap(({ name, results }) => results.flatMap(({ id }) => [id, `${name}/${id}`])));
  const isShown = (id: string): boolean =>
    shown.has(id) || columns.some(({ name }) => name === 'spec' && id.startsWith(`${name}/`));
  const beside = suitesOf(document).map(({ name, results }) => ({
    name,
    results: results.filter(({ id }) => !isShown(id) && !isShown(`${name}/${id}`)),
  }));
  const byLead = compareFailures(leads(columns.flatMap(({ results }) => results)));
  return [...columns, ...beside]
    .flatMap(({ name, results }) => results.map((result) => ({ column: name, result })))
    .filter(({ result }) => result.verdict !== 'pass')
    .sort(
      (a, b) =>
        SEVERITY[a.result.verdict] - SEVERITY[b.result.verdict] ||
        (a.result.verdict === 'fail' ? byLead(a.result, b.result) : 0),
    );
}

/** The columns of a document that was stored: one for each world whose results it lists, the specification's first. */
export function columnsOf(document: ResultDocument): Column[] {
  const columns = suitesOf(document).filter(({ results }) => results.some(({ clauses }) => clauses.length > 0));
  return columns.sort((a, b) => Number(b.name === 'spec') - Number(a.name === 'spec'));
}
