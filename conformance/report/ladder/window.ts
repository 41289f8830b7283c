/** Which rows of a long conversation a ladder shows: those around what is marked, how it began, how it ended. */
import { isMarked, type Ladder, type LadderGap, type LadderRow } from './rows.js';

/** How a conversation began and how it ended are worth as much as what is this many rows from a mark. */
const ENDS_DISTANCE = 5;

/**
 * At most `limit` rows (marked ones first, then the nearest to them; what comes before weighs more than what comes after), and a gap for each
 * stretch that was left out, now or before. `limit` is at least 1.
 */
export function windowed(rows: readonly (LadderRow | LadderGap)[], limit: number): (LadderRow | LadderGap)[] {
  const distance = distances(rows);
  const candidates = [...rows.keys()].filter((i) => rows[i]?.kind !== 'gap');
  const kept = new Set(candidates.sort((a, b) => (distance[a] ?? 0) - (distance[b] ?? 0) || a - b).slice(0, limit));
  const shown: (LadderRow | LadderGap)[] = [];
  let left = 0;
  const close = (): void => {
    if (left > 0) shown.push({ kind: 'gap', left });
    left = 0;
  };
  for (const [index, row] of rows.entries()) {
    if (row.kind === 'gap') left += row.left;
    else if (kept.has(index)) {
      close();
      shown.push(row);
    } else left++;
  }
  close();
  return shown;
}

/** The same ladder in fewer rows. */
export function shortened(ladder: Ladder, limit: number): Ladder {
  return { ...ladder, rows: windowed(ladder.rows, limit) };
}

function distances(rows: readonly (LadderRow | LadderGap)[]): number[] {
  const distance = rows.map((_, i) => ENDS_DISTANCE + 3 * Math.min(i, rows.length - 1 - i));
  /** One pass each way: how far the nearest mark is. */
  const sweep = (indexes: readonly number[], weight: number): void => {
    let since = Number.POSITIVE_INFINITY;
    for (const i of indexes) {
      since = isMarked(rows[i]) ? 0 : since + weight;
      distance[i] = Math.min(distance[i] ?? since, since);
    }
  };
  const order = [...rows.keys()];
  sweep(order, 1.5);
  sweep(order.reverse(), 1);
  return distance;
}
