/** A ladder as a table whose arrows are drawn and said: time, frame, from where to where, what. */
import { isGap, isMarked, type Ladder, type LadderRow } from '../ladder/rows.js';
import { gapWords, numberOf, seconds } from '../ladder/text.js';
import { attributes, escapeHtml, linked } from './escape.js';
import { LADDER_PITCH } from './style.js';

const HEIGHT = 20;

/** `id` begins the ids of the marked rows; `href` leads from the page to a file. */
export function ladderFigure(ladder: Ladder, id: string, href: (file: string) => string | undefined): string {
  const { columns, rows, files, conversation, filter } = ladder;
  const marked = rows.filter(isMarked);
  const frames = [...new Set(marked.filter(({ kind }) => kind === 'frame').map(({ number }) => number))];
  const links = files.map((file) => linked(href(file), `<code>${escapeHtml(file)}</code>`));
  const shown = [filter, ...(frames.length > 0 ? [frames.map((n) => `frame.number == ${n}`).join(' || ')] : [])];
  return [
    '<figure class="ladder">',
    `<figcaption>${escapeHtml(conversation)} in ${links.join(', ')}`,
    `<br><span class="soft">display filters: ${shown.map((text) => `<code>${escapeHtml(text)}</code>`).join(', ')}</span></figcaption>`,
    `<div class="scroll" role="region" tabindex="0"${attributes({ 'aria-label': `Ladder of ${conversation}` })}>`,
    '<table><thead><tr><th scope="col" class="number">seconds</th><th scope="col" class="number">frame</th>',
    `<th scope="col" class="lanes">${columns.map((name) => `<span>${escapeHtml(name)}</span>`).join('')}</th>`,
    '<th scope="col" class="what">segment or message</th></tr></thead><tbody>',
    ...rows.map((row) =>
      isGap(row)
        ? `<tr class="gap"><td></td><td></td><td class="lanes"></td><td>${gapWords(row.left)}</td></tr>`
        : ladderRow(row, ladder, id),
    ),
    '</tbody></table></div></figure>',
  ].join('\n');
}

export function rowId(id: string, file: string, number: number): string {
  return `${id}-${file.replace(/[^\w-]+/g, '_')}-${number}`;
}

function ladderRow(row: LadderRow, { columns, files }: Ladder, id: string): string {
  const bad = row.marks.length > 0;
  const classes = [row.kind === 'control' && 'control', bad && 'marked'].filter((name) => name !== false).join(' ');
  const notes = row.marks.map((note) => `<span class="note">\u25b2 ${escapeHtml(note)}</span>`);
  const anchor = bad ? rowId(id, files[row.file] ?? '', row.number) : undefined;
  return (
    `<tr${attributes({ class: classes === '' ? undefined : classes, id: anchor })}>` +
    `<td class="number">${seconds(row.t)}</td><td class="number">${escapeHtml(numberOf(row, files))}</td>` +
    `<td class="lanes"><span class="aside">${escapeHtml(row.from)} to ${escapeHtml(row.to)}</span>${arrow(row, columns)}</td>` +
    `<td class="what">${escapeHtml(row.label)}${notes.join('')}</td></tr>`
  );
}

function arrow(row: LadderRow, columns: readonly string[]): string {
  const at = (name: string): number => (columns.indexOf(name) + 0.5) * LADDER_PITCH;
  const [from, to] = [at(row.from), at(row.to)];
  const width = columns.length * LADDER_PITCH;
  const middle = HEIGHT / 2;
  const back = to > from ? -8 : 8;
  return (
    `<svg width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" aria-hidden="true">` +
    `<path d="M${from} ${middle}H${to + back / 2}"/><path d="M${to} ${middle}l${back} -4.5v9z"/></svg>`
  );
}
