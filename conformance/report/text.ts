/** Reports as plain text, for the terminal and for summary.txt. */
import type { Summary } from '../result-schema.js';
import { NOT_RUN, type Result, type Verdict } from '../verdict.js';
import { besideLines, headline, leadsLine, placeOf } from './headline.js';
import type { Ladder } from './ladder/rows.js';
import { ladderText } from './ladder/text.js';
import { shortened } from './ladder/window.js';
import {
  type ClauseCell,
  caseColumns,
  caseRows,
  clauseRows,
  NOT_CHOSEN,
  notJudged,
  type Problem,
  problemKey,
  problems,
  type Report,
} from './matrix.js';

/** Colours a text by its verdict; plain text when nobody wants colours. */
export type Paint = (verdict: Verdict, text: string) => string;

const plain: Paint = (_verdict, text) => text;

interface Cell {
  readonly verdict: Verdict | undefined;
  readonly text: string;
}

function caseCell(result: Result | undefined): Cell {
  return result === undefined
    ? { verdict: undefined, text: '-' }
    : { verdict: result.verdict, text: `${result.verdict} ${result.exercised}` };
}

function clauseCell(cell: ClauseCell): Cell {
  if (cell.kind === 'not-judged') return { verdict: undefined, text: '-' };
  const { verdict, count, by } = cell;
  const cases = by === 'check' ? '' : count === 1 ? ' case' : ' cases';
  return { verdict, text: `${verdict} ${count}${cases}` };
}

/** A table of `first` column, verdict columns, `last` column; widths fit the widest cell. */
function table(
  head: { first: string; columns: readonly string[] },
  rows: readonly { first: string; cells: readonly Cell[]; last: string }[],
  paint: Paint,
): string[] {
  const firstWidth = Math.max(head.first.length, ...rows.map((r) => r.first.length));
  const widths = head.columns.map((name, i) => Math.max(name.length, ...rows.map((r) => r.cells[i]?.text.length ?? 0)));
  const line = (first: string, cells: readonly string[], last: string): string =>
    [first.padEnd(firstWidth), ...cells, last].join('  ').trimEnd();
  return [
    line(
      head.first,
      head.columns.map((name, i) => name.padEnd(widths[i] ?? 0)),
      '',
    ),
    ...rows.map(({ first, cells, last }) => {
      const padded = cells.map(({ verdict, text }, i) => {
        const wide = text.padEnd(widths[i] ?? 0);
        return verdict === undefined ? wide : paint(verdict, wide);
      });
      return line(first, padded, last);
    }),
  ];
}

/**
 * One line a clause that was judged: verdict and how often it was exercised in each column. Then why others were not, a line for each reason;
 * unless `whole`, a single line where only some cases were chosen.
 */
export function clauseTable(report: Report, paint: Paint = plain, whole = false): string[] {
  const all = clauseRows(report);
  const rows = all
    .filter(({ cells }) => cells.some(({ kind }) => kind === 'judged'))
    .map(({ clause, cells }) => ({ first: clause.id, cells: cells.map(clauseCell), last: clause.title }));
  const reasons = notJudged(all);
  const lines =
    reasons.has(NOT_CHOSEN) && !whole
      ? [`not judged by what was chosen: ${all.length - rows.length} clauses`]
      : [...reasons].map(([reason, ids]) => `not judged: ${ids.join(', ')}: ${reason}`);
  return [
    ...table({ first: 'CLAUSE', columns: report.columns.map((c) => c.name.toUpperCase()) }, rows, paint),
    ...(lines.length > 0 ? ['', ...lines] : []),
  ];
}

/** One line a case. */
export function caseTable(report: Report, paint: Paint = plain): string[] {
  const rows = caseRows(report)
    // Of a run that was stopped, what nobody ran is told by their number.
    .filter(({ cells }) => !cells.every((cell) => cell?.message.startsWith(NOT_RUN) ?? true))
    .map(({ id, cells }) => ({ first: id, cells: cells.map(caseCell), last: '' }));
  return rows.length === 0
    ? []
    : table({ first: 'CASE', columns: caseColumns(report).map((c) => c.name.toUpperCase()) }, rows, paint);
}

/** How much of a problem's ladders the text shows. */
export interface LadderRoom {
  /** Rows of one ladder. */
  readonly rows: number;
  /** Ladders in all, from the first. */
  readonly ladders: number;
}

const NO_ROOM: LadderRoom = { rows: 0, ladders: 0 };

/**
 * First what leads the failed cases; then a block for each result that did not pass: what, why, which frames, what went on around them, how to
 * run it again. Those that stayed open for the same reason share a block.
 */
export function problemBlocks(report: Report, paint: Paint = plain, room: LadderRoom = NO_ROOM): string[] {
  const many = report.columns.length > 1;
  const led = leadsLine(report.columns.flatMap(({ results }) => results));
  let left = room.ladders;
  const blocks = grouped(problems(report)).flatMap((group) => {
    const [problem, ...others] = group;
    if (others.length > 0) return openBlock(group, many, paint);
    const drawn = (report.ladders?.get(problemKey(problem))?.ladders ?? []).slice(0, left);
    left -= drawn.length;
    return ['', ...problemBlock(problem, many, paint, drawn, room.rows)];
  });
  return led === undefined ? blocks : ['', led, ...blocks];
}

function problemBlock(
  { column, result }: Problem,
  many: boolean,
  paint: Paint,
  ladders: readonly Ladder[],
  rows: number,
): string[] {
  const { id, verdict, clauses, evidence, replay } = result;
  return [
    `${paint(verdict, verdict.toUpperCase())} ${id}${many ? ` in ${column}` : ''}: ${headline(result)}`,
    ...besideLines(result).map((line) => `  then: ${line}`),
    ...(id.startsWith('check.') || clauses.length === 0 ? [] : [`  clauses: ${clauses.join(', ')}`]),
    ...evidence.map((frame) => `  ${placeOf(frame)}: ${frame.note}`),
    ...ladders.flatMap((ladder) => ladderText(shortened(ladder, rows)).map((line) => `  ${line}`)),
    ...(replay === '' ? [] : [`  again: ${replay}`]),
  ];
}

type Group = readonly [Problem, ...Problem[]];

/** Results of one column that stayed open for the same reason stand together, where the first of them stood. */
function grouped(all: readonly Problem[]): Group[] {
  const groups = new Map<string, [Problem, ...Problem[]]>();
  for (const problem of all) {
    const { column, result } = problem;
    const open = result.verdict === 'unsupported' || result.verdict === 'inconclusive';
    const key =
      open && result.evidence.length === 0 ? `${column}\0${result.verdict}\0${result.message}` : problemKey(problem);
    const group = groups.get(key);
    if (group) group.push(problem);
    else groups.set(key, [problem]);
  }
  return [...groups.values()];
}

/** Ids that a shared block lists; the report lists all. */
const MOST_LISTED = 12;

function openBlock(group: Group, many: boolean, paint: Paint): string[] {
  const [{ column, result }] = group;
  const ids = group.map((problem) => problem.result.id);
  const rest = ids.length - MOST_LISTED;
  const listed = ids.slice(0, MOST_LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return [
    '',
    `${paint(result.verdict, result.verdict.toUpperCase())} ${ids.length} results${many ? ` in ${column}` : ''}: ${result.message}`,
    `  ${listed}`,
  ];
}

/** `41 pass, 1 fail` and so on; verdicts that did not occur are left out, but for pass and fail. */
export function countsLine(summary: Summary): string {
  const rest = (['inconclusive', 'unsupported', 'error'] as const)
    .filter((v) => summary[v] > 0)
    .map((v) => `${summary[v]} ${v}`);
  return [`${summary.pass} pass`, `${summary.fail} fail`, ...rest].join(', ');
}

/** summary.txt. */
export function summaryText(report: Report): string {
  const { document } = report;
  const lines = [
    `${document.tool} ${document.version}: ${document.command}`,
    `started ${document.startedAt}, took ${(document.durationMs / 1000).toFixed(1)} s, seed ${document.seed ?? 'none'}, target ${document.target}`,
    '',
    ...clauseTable(report, plain, true),
    '',
    ...caseTable(report),
    ...problemBlocks(report, plain, { rows: 30, ladders: Number.POSITIVE_INFINITY }),
    ...(report.document.tables ?? []).flatMap(({ name, columns, rows }) => [
      '',
      name,
      ...textTable([columns, ...rows]),
    ]),
    '',
    ...(report.document.leftOut ?? []),
    countsLine(document.summary),
  ];
  return `${lines.join('\n')}\n`;
}

function textTable(rows: readonly (readonly string[])[]): string[] {
  const width = (i: number): number => Math.max(...rows.map((row) => row[i]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(width(i)))
      .join('  ')
      .trimEnd(),
  );
}
