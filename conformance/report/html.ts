/** The report as one self-contained HTML page: readable without scripts, in light and dark, on a phone and on paper. */
import { createHash } from 'node:crypto';
import { REQUIREMENTS } from '../../spec/requirements.js';
import { VERDICTS } from '../result-schema.js';
import { badge, clauseMatrix, clauseTable } from './html/clauses.js';
import { attributes, escapeHtml } from './html/escape.js';
import { problemSections } from './html/problems.js';
import { SCRIPT } from './html/script.js';
import { STYLE } from './html/style.js';
import { caseTable, extraTable } from './html/tables.js';
import type { Report } from './matrix.js';
import { countsLine } from './text.js';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing is loaded, and nothing runs or styles but what this file holds: a text that slipped through could do nothing. */
const POLICY = `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(SCRIPT)}; base-uri 'none'; form-action 'none'`;

/** Answers a whole HTML document; the links in it are the report's `href`s. */
export function htmlReport(report: Report): string {
  const { document } = report;
  const failures = problemSections(report);
  const cases = caseTable(report);
  const sections = [
    { id: 'failures', title: 'What did not pass', body: failures },
    {
      id: 'clauses',
      title: 'Clauses',
      body: `<p class="soft">A verdict, and how often the clause's premise occurred, or how many cases tell of it where no frame can.</p>\n${clauseTable(report)}`,
    },
    { id: 'cases', title: 'Cases', body: cases },
    ...(document.tables ?? []).map((table, i) => ({
      id: `table-${i + 1}`,
      title: escapeHtml(table.name),
      body: extraTable(table),
    })),
  ].filter(({ body }) => body !== '');
  const links = [{ id: 'matrix', title: 'Clauses by role' }, ...sections];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="generator"${attributes({ content: `${document.tool} ${document.version}` })}>
<title>${document.summary.fail + document.summary.error > 0 ? '\u2717' : '\u2713'} Prism conformance: ${countsLine(document.summary)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Prism conformance</h1>
${counts(report)}
${runDetails(report)}
${(document.leftOut ?? []).map((text) => `<p>${badge('inconclusive', 'note')} ${escapeHtml(text)}</p>`).join('\n')}
<nav aria-label="Sections"><ul>${links.map(({ id, title }) => `<li><a href="#${id}">${title}</a></li>`).join('')}</ul></nav>
</header>
<main>
<section id="matrix"><h2>Clauses by role</h2>
${clauseMatrix(report)}
</section>
${filterForm()}
${sections.map(({ id, title, body }) => `<section id="${id}"><h2>${title}</h2>\n${body}\n</section>`).join('\n')}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function counts({ document: { summary } }: Report): string {
  const shown = VERDICTS.filter((verdict) => summary[verdict] > 0 || verdict === 'pass' || verdict === 'fail');
  return `<ul class="counts">${shown.map((verdict) => `<li>${badge(verdict, `${summary[verdict]} ${verdict}`)}</li>`).join('')}</ul>`;
}

function runDetails({ document }: Report): string {
  const { command, target, seed, tool, version, startedAt, durationMs } = document;
  const details: Readonly<Record<string, string>> = {
    command: `<code>${escapeHtml(command)}</code>`,
    target: escapeHtml(target),
    ...(seed === null ? {} : { seed: String(seed) }),
    when: `<time datetime="${escapeHtml(startedAt)}">${escapeHtml(startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))}</time>, ${(durationMs / 1000).toFixed(1)} s`,
    by: escapeHtml(`${tool} ${version}`),
  };
  return `<dl class="run">${Object.entries(details)
    .map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`)
    .join('')}</dl>`;
}

/** Hidden until the script shows it. */
function filterForm(): string {
  const roles = [...new Set(REQUIREMENTS.clauses.map(({ role }) => role))];
  const choice = (name: string, options: readonly (readonly [string, string])[]): string =>
    `<label>${name}<select name="${name}"><option value="">any</option>${options
      .map(([value, text]) => `<option value="${value}">${text}</option>`)
      .join('')}</select></label>`;
  return [
    '<form class="filter" hidden aria-label="Filter">',
    choice('verdict', [...VERDICTS.map((v) => [v, v] as const), ['none', 'not judged']]),
    choice('level', Object.entries(REQUIREMENTS.levels)),
    choice(
      'role',
      roles.map((role) => [role, role]),
    ),
    '<label>text<input type="search" name="text" autocomplete="off"></label>',
    '<button type="reset">show all</button><output aria-live="polite"></output>',
    '</form>',
  ].join('\n');
}
