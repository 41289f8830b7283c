/** Reports as plain text, for the terminal and for summary.txt. */
import type { Summary } from '../result-schema.js';
import type { Result, Verdict } from '../verdict.js';
import { caseRows, clauseRows, problems, type Report } from './matrix.js';

/** Colours a text by its verdict; plain text when nobody wants colours. */
export type Paint = (verdict: Verdict, text: string) => string;

const plain: Paint = (_verdict, text) => text;

function cellText(cell: Result | undefined): string {
  return cell === undefined ? '-' : `${cell.verdict} ${cell.exercised}`;
}

/** A table of `first` column, verdict columns, `last` column; widths fit the widest cell. */
function table(
  head: { first: string; columns: readonly string[]; last: string },
  rows: readonly { first: string; cells: readonly (Result | undefined)[]; last: string }[],
  paint: Paint,
): string[] {
  const firstWidth = Math.max(head.first.length, ...rows.map((r) => r.first.length));
  const widths = head.columns.map((name, i) => Math.max(name.length, ...rows.map((r) => cellText(r.cells[i]).length)));
  const line = (first: string, cells: readonly string[], last: string): string =>
    [first.padEnd(firstWidth), ...cells, last].join('  ').trimEnd();
  return [
    line(
      head.first,
      head.columns.map((name, i) => name.padEnd(widths[i] ?? 0)),
      head.last,
    ),
    ...rows.map((row) => {
      const cells = widths.map((width, i) => {
        const cell = row.cells[i];
        const text = cellText(cell).padEnd(width);
        return cell === undefined ? text : paint(cell.verdict, text);
      });
      return line(row.first, cells, row.last);
    }),
  ];
}

/** One line a clause: verdict and how often it was exercised in each column. */
export function clauseTable(report: Report, paint: Paint = plain): string[] {
  const rows = clauseRows(report).map(({ clause, cells }) => ({ first: clause.id, cells, last: clause.title }));
  return table({ first: 'CLAUSE', columns: report.columns.map((c) => c.name.toUpperCase()), last: '' }, rows, paint);
}

/** One line a case. */
export function caseTable(report: Report, paint: Paint = plain): string[] {
  const rows = caseRows(report).map(({ id, cells }) => ({ first: id, cells, last: '' }));
  return rows.length === 0
    ? []
    : table({ first: 'CASE', columns: report.columns.map((c) => c.name.toUpperCase()), last: '' }, rows, paint);
}

/** A block for each result that did not pass: what, why, which frames, how to run it again. */
export function problemBlocks(report: Report, paint: Paint = plain): string[] {
  const many = report.columns.length > 1;
  return problems(report).flatMap(({ column, result }) => [
    '',
    `${paint(result.verdict, result.verdict.toUpperCase())} ${result.id}${many ? ` in ${column}` : ''}: ${result.message}`,
    ...(result.id.startsWith('check.') || result.clauses.length === 0
      ? []
      : [`  clauses: ${result.clauses.join(', ')}`]),
    ...result.evidence.map(({ capture, frame, note }) => `  ${capture} frame ${frame}: ${note}`),
    ...(result.replay === '' ? [] : [`  again: ${result.replay}`]),
  ]);
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
    ...clauseTable(report),
    '',
    ...caseTable(report),
    ...problemBlocks(report),
    '',
    ...report.leftOut,
    countsLine(document.summary),
  ];
  return `${lines.join('\n')}\n`;
}
