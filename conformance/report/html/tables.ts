/** The page's other tables: cases by world, and whatever else a run has to tell. */
import { findClause } from '../../../spec/requirements.js';
import type { ExtraTable } from '../../result-schema.js';
import type { Result } from '../../verdict.js';
import { caseColumns, caseRows, type Report } from '../matrix.js';
import { badge, filterAttributes } from './clauses.js';
import { attributes, escapeHtml, linked } from './escape.js';

/** Empty where no case was run. */
export function caseTable(report: Report): string {
  const rows = caseRows(report);
  if (rows.length === 0) return '';
  const columns = caseColumns(report);
  const head = ['case', ...columns.map(({ name }) => name), 'clauses', 'story'];
  const lines = rows.map(({ id, summary, clauses, cells }) => {
    const known = clauses.flatMap((clause) => findClause(clause) ?? []);
    const verdicts = cells.flatMap((cell) => (cell === undefined ? [] : [cell.verdict]));
    return (
      `<tr${filterAttributes(verdicts, known)}><th scope="row"><code>${escapeHtml(id)}</code></th>` +
      cells.map((cell, i) => caseCell(cell, columns[i]?.name ?? '', report)).join('') +
      `<td data-label="clauses">${clauses.map((clause) => linked(findClause(clause) && `#${clause}`, escapeHtml(clause))).join(', ')}</td>` +
      `<td>${escapeHtml(summary)}</td></tr>`
    );
  });
  return tableOf(head, lines);
}

/** The verdict, and the capture where the run left one. */
function caseCell(cell: Result | undefined, column: string, report: Report): string {
  const open = `<td class="verdict"${attributes({ 'data-label': column })}>`;
  if (cell === undefined) return `${open}<span class="soft">not run</span></td>`;
  const capture = report.href?.(`${column}/${cell.id}/capture.pcapng`);
  return `${open}${badge(cell.verdict)}${capture === undefined ? '' : ` ${linked(capture, 'capture')}`}</td>`;
}

export function extraTable({ columns, rows }: ExtraTable): string {
  const lines = rows.map(
    (row) =>
      `<tr>${row.map((text, i) => `<td${attributes({ 'data-label': columns[i] })}>${escapeHtml(text)}</td>`).join('')}</tr>`,
  );
  return tableOf(columns, lines, 'cards extra');
}

function tableOf(head: readonly string[], lines: readonly string[], classes = 'cards'): string {
  const cells = head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  return `<table class="${classes}"><thead><tr>${cells}</tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table>`;
}
