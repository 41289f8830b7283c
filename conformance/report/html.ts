/** The report as one self-contained HTML page: readable without scripts, in light and dark. */
import { findClause, REQUIREMENTS } from '../../spec/requirements.js';
import type { Result } from '../verdict.js';
import { type CaseRow, caseRows, clauseRows, problems, type Report } from './matrix.js';
import { countsLine } from './text.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c);
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --pass: #1a7f37; --fail: #cf222e; --open: #9a6700; --error: #8250df; }
@media (prefers-color-scheme: dark) { :root { --pass: #3fb950; --fail: #ff7b72; --open: #d29922; --error: #bc8cff; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td.verdict { white-space: nowrap; font-weight: 600; }
small, .source { opacity: .7; font-weight: 400; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .error { color: var(--error); }
.inconclusive, .unsupported { color: var(--open); }
section.problem { border-left: 3px solid var(--line); padding-left: 1rem; margin: 1.2rem 0; }
.scroll { overflow-x: auto; }`;

function verdictCell(cell: Result | undefined): string {
  if (cell === undefined) return '<td class="verdict">–</td>';
  return `<td class="verdict ${cell.verdict}" title="${escapeHtml(cell.message)}">${cell.verdict} <small>${cell.exercised}</small></td>`;
}

/** Which letters of a clause's source mean which text. */
function sourceTitle(source: string): string {
  const letters = new Set(source.match(/\b[PTKWD](?=[\d ]|$)/g) ?? []);
  return Object.entries(REQUIREMENTS.sources)
    .filter(([letter]) => letters.has(letter))
    .map(([letter, text]) => `${letter}: ${text}`)
    .join('; ');
}

function clauseMatrix(report: Report): string {
  const head = report.columns.map((c) => `<th>${escapeHtml(c.name)}</th>`).join('');
  const rows = clauseRows(report).map(
    ({ clause, cells }) =>
      `<tr id="${clause.id}"><th>${clause.id} <small>${clause.level}</small></th>${cells.map(verdictCell).join('')}` +
      `<td><b>${escapeHtml(clause.title)}.</b> ${escapeHtml(clause.statement)} ` +
      `<span class="source" title="${escapeHtml(sourceTitle(clause.source))}">(${escapeHtml(clause.source)})</span></td></tr>`,
  );
  return `<div class="scroll"><table><thead><tr><th>clause</th>${head}<th>what it says</th></tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

function caseMatrix(report: Report, rows: readonly CaseRow[]): string {
  const head = report.columns.map((c) => `<th>${escapeHtml(c.name)}</th>`).join('');
  const lines = rows.map(({ id, cells }) => {
    const text = cells.find((cell) => cell?.verdict === 'pass')?.message ?? '';
    return `<tr><th><code>${escapeHtml(id)}</code></th>${cells.map(verdictCell).join('')}<td>${escapeHtml(text)}</td></tr>`;
  });
  return `<h2>Cases</h2>\n<div class="scroll"><table><thead><tr><th>case</th>${head}<th>story</th></tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table></div>`;
}

function problemSection(column: string, result: Result): string {
  const clauses = result.clauses.map(
    (id) => `<a href="#${id}" title="${escapeHtml(findClause(id)?.statement ?? '')}">${id}</a>`,
  );
  const frames = result.evidence.map(({ capture, frame, note }) => {
    return `<li><code>${escapeHtml(capture)}</code> frame ${frame}: ${escapeHtml(note)}</li>`;
  });
  return [
    '<section class="problem">',
    `<h3><span class="${result.verdict}">${result.verdict}</span> <code>${escapeHtml(result.id)}</code> <small>${escapeHtml(column)}</small></h3>`,
    `<p>${clauses.join(', ')}: ${escapeHtml(result.message)}</p>`,
    ...(frames.length > 0 ? [`<ul>${frames.join('')}</ul>`] : []),
    ...(result.replay === '' ? [] : [`<p>again: <code>${escapeHtml(result.replay)}</code></p>`]),
    '</section>',
  ].join('\n');
}

export function htmlReport(report: Report): string {
  const { document } = report;
  const bad = problems(report);
  const cases = caseRows(report);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Prism conformance: ${countsLine(document.summary)}</title>
<style>${STYLE}</style>
<h1>Prism conformance</h1>
<p><b>${countsLine(document.summary)}</b><br>
<code>${escapeHtml(document.command)}</code>, target ${escapeHtml(document.target)}, seed ${document.seed ?? 'none'},
${escapeHtml(document.tool)} ${escapeHtml(document.version)}, ${escapeHtml(document.startedAt)}, ${(document.durationMs / 1000).toFixed(1)} s</p>
${report.leftOut.map((text) => `<p class="inconclusive">${escapeHtml(text)}</p>`).join('\n')}
${bad.length > 0 ? `<h2>What did not pass</h2>\n${bad.map(({ column, result }) => problemSection(column, result)).join('\n')}` : ''}
<h2>Clauses</h2>
<p>A verdict, and how often the clause's premise occurred. M must, S should, Y may.</p>
${clauseMatrix(report)}
${cases.length > 0 ? caseMatrix(report, cases) : ''}
</html>
`;
}
