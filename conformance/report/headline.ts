/** What a failure is called where there is room for one line: the leading clause, where it is seen, what was expected. */
import type { Offence, Result } from '../verdict.js';

/** `CAPTURE frame 12 (client)`, or `LOG line 5`. */
export function placeOf({ capture, frame, vantage }: NonNullable<Offence['at']>): string {
  const unit = capture.endsWith('.ndjson') ? 'line' : 'frame';
  return `${capture} ${unit} ${frame}${vantage === undefined ? '' : ` (${vantage})`}`;
}

/** One line: the clause that frames show broken and where, or what was expected and the clause that it is charged to. */
export function offenceLine({ clause, by, message, at }: Offence): string {
  const place = at === undefined ? '' : placeOf(at);
  if (by === 'check') return `${clause}${place === '' ? '' : ` in ${place}`}: ${message}`;
  const where = [clause ?? '', place].filter((part) => part !== '').join(', ');
  return where === '' ? message : `${message} (${where})`;
}

/** The leading failure of a case that failed; of anything else its message. */
export function headline({ verdict, message, leading }: Result): string {
  return verdict === 'fail' && leading !== undefined ? offenceLine(leading) : message;
}

/** Consequences that are named one by one; the others are counted. */
const MOST_BESIDE = 4;

/** One line for each of the other failures of a case that failed. */
export function besideLines({ verdict, beside = [] }: Result): string[] {
  if (verdict !== 'fail') return [];
  const shown = beside.slice(0, MOST_BESIDE).map(offenceLine);
  const rest = beside.length - shown.length;
  return rest > 0
    ? [
        ...shown,
        `and ${rest} more: ${beside
          .slice(MOST_BESIDE)
          .map(({ clause }) => clause ?? 'an expectation')
          .join(', ')}`,
      ]
    : shown;
}

const NO_CLAUSE = 'no clause';

/** How many of the failed cases each clause leads. */
export function leads(results: readonly Result[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { verdict, leading } of results)
    if (verdict === 'fail' && leading !== undefined) {
      const by = leading.by === 'check' ? (leading.clause ?? NO_CLAUSE) : NO_CLAUSE;
      counts.set(by, (counts.get(by) ?? 0) + 1);
    }
  return counts;
}

/** One line over all failed cases; undefined where fewer than two failed. */
export function leadsLine(results: readonly Result[]): string | undefined {
  const counts = [...leads(results)].sort(
    ([a, x], [b, y]) => Number(a === NO_CLAUSE) - Number(b === NO_CLAUSE) || y - x,
  );
  const failed = counts.reduce((sum, [, count]) => sum + count, 0);
  if (failed < 2) return undefined;
  return `${failed} cases failed, led by ${counts.map(([clause, count]) => `${clause} in ${count}`).join(', ')}`;
}

/** Orders failures: the clause that leads most cases first, cases before the checks of all captures, what no clause leads last. */
export function compareFailures(counts: ReadonlyMap<string, number>): (a: Result, b: Result) => number {
  const weight = ({ leading, id, clauses }: Result): number => {
    if (leading?.by === 'check') return -(counts.get(leading.clause ?? '') ?? 0);
    const [clause = ''] = id.startsWith('check.') ? clauses : [];
    return 1_000_000 - (counts.get(clause) ?? 0);
  };
  return (a, b) => weight(a) - weight(b);
}
