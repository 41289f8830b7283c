/** Clauses on the page: the matrix by group and role, the table with every clause's text, and a clause beside a failure. */
import { type Clause, findClause, REQUIREMENTS } from '../../../spec/requirements.js';
import type { Verdict } from '../../verdict.js';
import { type ClauseCell, type ClauseRow, clauseRows, type Report, SEVERITY } from '../matrix.js';
import { attributes, escapeHtml } from './escape.js';

type Shade = Verdict | 'none';

/** What a verdict looks like where there is no room for the word, and where colours are not seen. */
const SIGNS: Readonly<Record<Shade, string>> = {
  pass: '\u2713',
  fail: '\u2717',
  inconclusive: '?',
  unsupported: '\u2013',
  error: '!',
  none: '\u00b7',
};

const ROLES: readonly Clause['role'][] = ['controller', 'switch', 'backend', 'system', 'gateway', 'node'];

export function badge(verdict: Verdict, text: string = verdict): string {
  return `<span class="badge ${verdict}">${escapeHtml(text)}</span>`;
}

function shadeOf(cell: ClauseCell): Shade {
  return cell.kind === 'judged' ? cell.verdict : 'none';
}

function worst(cells: readonly ClauseCell[]): Shade {
  const verdicts = cells.flatMap((cell) => (cell.kind === 'judged' ? [cell.verdict] : []));
  return verdicts.sort((a, b) => SEVERITY[a] - SEVERITY[b])[0] ?? 'none';
}

/** The attributes that the filter looks at. */
export function filterAttributes(shades: readonly Shade[], clauses: readonly Clause[]): string {
  return attributes({
    'data-verdict': [...new Set(shades)].join(' '),
    'data-level': [...new Set(clauses.map(({ level }) => level))].join(' '),
    'data-role': [...new Set(clauses.map(({ role }) => role))].join(' '),
  });
}

/** Groups of clauses by the role that they bind, a badge each. */
export function clauseMatrix(report: Report): string {
  const rows = clauseRows(report);
  const roles = ROLES.filter((role) => rows.some(({ clause }) => clause.role === role));
  const names = report.columns.map(({ name }) => name);
  const chip = ({ clause, cells }: ClauseRow): string => {
    const shade = worst(cells);
    const said = cells
      .map((cell, i) => `${names[i]} ${cell.kind === 'judged' ? cell.verdict : 'not judged'}`)
      .join(', ');
    return (
      `<li${filterAttributes(cells.map(shadeOf), [clause])}><a class="badge ${shade}"${attributes({ href: `#${clause.id}`, title: `${clause.title}: ${said}` })}>` +
      `<span aria-hidden="true">${SIGNS[shade]}</span> ${clause.id}<span class="aside"> ${escapeHtml(said)}</span></a></li>`
    );
  };
  const lines = REQUIREMENTS.groups.map(({ id, title }) => {
    const own = rows.filter(({ clause }) => clause.id.startsWith(`${id}-`));
    const cells = roles.map((role) => {
      const chips = own.filter(({ clause }) => clause.role === role).map(chip);
      return `<td${attributes({ 'data-label': chips.length > 0 ? role : undefined })}>${chips.length > 0 ? `<ul>${chips.join('')}</ul>` : ''}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(title)} <span class="level">${id}</span></th>${cells.join('')}</tr>`;
  });
  const legend = (Object.keys(SIGNS) as Shade[]).map(
    (shade) =>
      `<span class="badge ${shade}"><span aria-hidden="true">${SIGNS[shade]}</span> ${shade === 'none' ? 'not judged' : shade}</span>`,
  );
  return [
    '<table class="matrix cards"><thead><tr><th scope="col">group</th>',
    ...roles.map((role) => `<th scope="col">${role}</th>`),
    '</tr></thead><tbody>',
    ...lines,
    '</tbody></table>',
    `<p class="soft">${legend.join(' ')}${names.length > 1 ? ` the worst of ${names.join(', ')}` : ''}</p>`,
  ].join('\n');
}

/** Every clause of the catalogue: level, role, a verdict in each column or why there is none, text and source. */
export function clauseTable(report: Report): string {
  const head = ['clause', 'binds', ...report.columns.map(({ name }) => name), 'what it says'];
  const rows = clauseRows(report).map(({ clause, cells }) => {
    const { id, level, role, title, statement, source } = clause;
    return (
      `<tr id="${id}"${filterAttributes(cells.map(shadeOf), [clause])}><th scope="row">${id} <span class="level">${levelName(level)}</span></th>` +
      `<td data-label="binds">${role}</td>` +
      cells.map((cell, i) => verdictCell(cell, report.columns[i]?.name ?? '')).join('') +
      `<td><b>${escapeHtml(title)}.</b> ${escapeHtml(statement)} <span class="soft">(${escapeHtml(source)})</span></td></tr>`
    );
  });
  return `<table class="cards"><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function verdictCell(cell: ClauseCell, column: string): string {
  const open = `<td class="verdict"${attributes({ 'data-label': column })}>`;
  if (cell.kind === 'not-judged') return `${open}<span class="soft">not judged: ${escapeHtml(cell.reason)}</span></td>`;
  const count = `${cell.count}${cell.by === 'check' ? '' : cell.count === 1 ? ' case' : ' cases'}`;
  const why = cell.verdict === 'pass' ? '' : ` <span class="soft">${escapeHtml(shortened(cell.message))}</span>`;
  return `${open}<span${attributes({ class: `badge ${cell.verdict}`, title: cell.message })}>${cell.verdict} <small>${count}</small></span>${why}</td>`;
}

/** The whole of it stands under what did not pass. */
function shortened(message: string): string {
  return message.length > 90 ? `${message.slice(0, 88).trimEnd()} \u2026` : message;
}

function levelName(level: Clause['level']): string {
  return REQUIREMENTS.levels[level];
}

/** A clause's text and where it comes from. Empty for an id that the catalogue lacks. */
export function clauseCard(id: string): string {
  const clause = findClause(id);
  if (clause === undefined) return '';
  const { level, role, title, statement, source } = clause;
  return [
    '<div class="clause">',
    `<h4><a href="#${id}">${id}</a> ${escapeHtml(title)} <span class="level">${levelName(level)}, ${role}</span></h4>`,
    `<p>${escapeHtml(statement)}</p>`,
    `<p class="soft">${escapeHtml(spelled(source))}</p>`,
    '</div>',
  ].join('\n');
}

/** `P2.2, D of REQ-1` in full: `Prism, SoCC'17, section 2.2, derived, needed for REQ-1`. */
function spelled(source: string): string {
  return source
    .replace(/\b([PTW])(?=\d)|\b(K) (?=[IVX])/g, (letters) => `${REQUIREMENTS.sources[letters.trim()] ?? letters} `)
    .replace(/\bD\b( of\b)?/g, (_, of) => (of === undefined ? 'derived' : 'derived, needed for'));
}
