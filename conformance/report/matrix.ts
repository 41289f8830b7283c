/** Clauses by worlds: the arrangement of results that the terminal table and the HTML report show. */
import type { WorldKind } from '../../harness/world.js';
import { CLAUSES, type Clause } from '../../spec/requirements.js';
import type { ResultDocument } from '../result-schema.js';
import type { Result } from '../verdict.js';

/** What a command hands to every kind of report. */
export interface Report {
  readonly document: ResultDocument;
  /** One column each; `captures` is the column of `prism check`, `spec` that of the model checker. */
  readonly columns: readonly { readonly name: WorldKind | 'captures' | 'spec'; readonly results: readonly Result[] }[];
  /** One line for each thing that could not be done here, and how to get it. */
  readonly leftOut: readonly string[];
}

export interface ClauseRow {
  readonly clause: Clause;
  /** The passive verdict in each column; undefined where that column does not judge the clause. */
  readonly cells: readonly (Result | undefined)[];
}

export const isPassive = (result: Result): boolean => result.id.startsWith('check.');

export function clauseRows(report: Report): ClauseRow[] {
  return CLAUSES.map((clause) => ({
    clause,
    cells: report.columns.map(({ results }) => results.find((r) => r.id === `check.${clause.id}`)),
  })).filter(({ cells }) => cells.some((cell) => cell !== undefined));
}

export interface CaseRow {
  readonly id: string;
  readonly cells: readonly (Result | undefined)[];
}

export function caseRows(report: Report): CaseRow[] {
  const ids = new Set(report.columns.flatMap(({ results }) => results.filter((r) => !isPassive(r)).map((r) => r.id)));
  return [...ids].map((id) => ({ id, cells: report.columns.map(({ results }) => results.find((r) => r.id === id)) }));
}

/** Everything that did not pass, the worst first, with the column it is in. */
export function problems(report: Report): { readonly column: string; readonly result: Result }[] {
  const rank = { error: 0, fail: 1, inconclusive: 2, unsupported: 3, pass: 4 } as const;
  return report.columns
    .flatMap(({ name, results }) => results.map((result) => ({ column: name, result })))
    .filter(({ result }) => result.verdict !== 'pass')
    .sort((a, b) => rank[a.result.verdict] - rank[b.result.verdict]);
}
