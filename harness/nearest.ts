/** The known words nearest to a mistyped one, for "did you mean". */

/** Number of insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(substitution, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Up to three candidates, nearest first: those that contain the word, or are at most a third of it away. */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const wanted = word.toLowerCase().replace(/[*?]/g, '');
  const scored: { candidate: string; score: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const text = candidate.toLowerCase();
    const head = text.slice(0, wanted.length);
    const score =
      wanted.length >= 2 && text.includes(wanted) ? 0.5 : Math.min(distance(wanted, text), distance(wanted, head) + 1);
    if (score <= Math.max(1, Math.ceil(wanted.length / 3))) scored.push({ candidate, score });
  }
  scored.sort(
    (a, b) => a.score - b.score || a.candidate.length - b.candidate.length || (a.candidate < b.candidate ? -1 : 1),
  );
  return scored.slice(0, 3).map(({ candidate }) => candidate);
}

/** ` (did you mean A, B or C?)`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  const last = found.pop();
  if (last === undefined) return '';
  return ` (did you mean ${found.length > 0 ? `${found.join(', ')} or ${last}` : last}?)`;
}
