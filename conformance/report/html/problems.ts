/** What did not pass: the clauses' text on one side, what the frames show on the other. */
import { findClause } from '../../../spec/requirements.js';
import type { EvidenceFrame } from '../../verdict.js';
import { besideLines, headline, leadsLine } from '../headline.js';
import type { ProblemLadders } from '../ladder/problems.js';
import { type Problem, problemKey, problems, type Report } from '../matrix.js';
import { badge, clauseCard, filterAttributes } from './clauses.js';
import { attributes, escapeHtml, linked } from './escape.js';
import { ladderFigure, rowId } from './ladder.js';

const LEGEND =
  '<p class="soft">In a ladder every row is a frame as one side of the switch saw it, numbered as Wireshark does; seq, ack and win are as Wireshark ' +
  'shows them, counted from the SYN and scaled. Dashed are control messages, numbered by their line in the log, with the time until they arrived.</p>';

/** Empty where everything passed. */
export function problemSections(report: Report): string {
  const all = problems(report);
  if (all.length === 0) return '';
  const ids = new Map(all.map((problem, i) => [problemKey(problem), `problem-${i + 1}`]));
  const led = leadsLine(report.columns.flatMap(({ results }) => results));
  const sections = all.map((problem) => problemSection(report, problem, ids));
  return [
    ...(led === undefined ? [] : [`<p><strong>${escapeHtml(led)}</strong></p>`]),
    ...((report.ladders?.size ?? 0) > 0 ? [LEGEND] : []),
    ...sections,
  ].join('\n');
}

function problemSection(report: Report, problem: Problem, ids: ReadonlyMap<string, string>): string {
  const { column, result } = problem;
  const id = ids.get(problemKey(problem)) ?? '';
  const clauses = result.clauses.flatMap((clause) => findClause(clause) ?? []);
  const drawn = report.ladders?.get(problemKey(problem));
  const href = report.href ?? (() => undefined);
  const evidence = [
    ...(drawn?.ladders ?? []).map((ladder, i) => ladderFigure(ladder, `${id}-${i + 1}`, href)),
    frameList(drawn?.undrawn ?? result.evidence, href),
    elsewhereList(drawn?.elsewhere ?? [], ids, report),
    ...(drawn?.notes ?? []).map((note) => `<p class="soft">${escapeHtml(note)}</p>`),
  ].filter((part) => part !== '');
  const cards = result.clauses.map(clauseCard).join('');
  const beside =
    cards !== '' && evidence.length > 0
      ? `<div class="beside"><div>${cards}</div><div>${evidence.join('\n')}</div></div>`
      : `<div class="beside alone"><div>${cards}${evidence.join('\n')}</div></div>`;
  return [
    `<section class="problem"${attributes({ id })}${filterAttributes([result.verdict], clauses)}>`,
    `<header>${badge(result.verdict)}<h3><code>${escapeHtml(result.id)}</code></h3><span class="soft">${escapeHtml(column)}</span></header>`,
    `<p>${escapeHtml(headline(result))}</p>`,
    ...besideList(besideLines(result)),
    beside,
    ...(result.replay === '' ? [] : [`<p>Again: <code>${escapeHtml(result.replay)}</code></p>`]),
    '</section>',
  ].join('\n');
}

/** What else is wrong, the likelier causes first. */
function besideList(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [`<ol class="beside-list">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ol>`];
}

type Href = NonNullable<Report['href']>;

function frameName({ capture, frame }: EvidenceFrame, href: Href): string {
  return `${linked(href(capture), `<code>${escapeHtml(capture)}</code>`)} ${unitOf(capture)} ${frame}`;
}

/** What is counted in a file of evidence. */
function unitOf(file: string): string {
  return file.endsWith('.ndjson') ? 'line' : 'frame';
}

function frameList(frames: readonly EvidenceFrame[], href: Href): string {
  if (frames.length === 0) return '';
  const items = frames.map((frame) => `<li>${frameName(frame, href)}: ${escapeHtml(frame.note)}</li>`);
  return `<ul class="frames">${items.join('')}</ul>`;
}

/** Frames that another problem's ladder shows: a link to the row. */
function elsewhereList(frames: ProblemLadders['elsewhere'], ids: ReadonlyMap<string, string>, report: Report): string {
  if (frames.length === 0) return '';
  const items = frames.map(({ frame, problem }) => {
    const { capture, frame: number, note } = frame;
    const ladders = report.ladders?.get(problemKey(problem))?.ladders ?? [];
    const index = ladders.findIndex(({ files, rows }) =>
      rows.some(
        (row) => row.kind !== 'gap' && row.marks.length > 0 && row.number === number && files[row.file] === capture,
      ),
    );
    const id = ids.get(problemKey(problem)) ?? '';
    const target = index < 0 ? id : rowId(`${id}-${index + 1}`, capture, number);
    const name = `<a${attributes({ href: `#${target}` })}><code>${escapeHtml(capture)}</code> ${unitOf(capture)} ${number}</a>`;
    return `<li>${name}: ${escapeHtml(note)} <span class="soft">(drawn with ${escapeHtml(problem.result.id)})</span></li>`;
  });
  return `<ul class="frames">${items.join('')}</ul>`;
}
