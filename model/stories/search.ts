/** Looks for a story that fails: random ones by fast-check, which makes the first that fails short. */
import type * as FastCheck from 'fast-check';

/** A row of numbers, each choosing among what could happen then, in a world made from a seed. */
export interface Row {
  readonly seed: number;
  readonly choices: readonly number[];
}

/** How a story went. */
export interface Telling {
  readonly failed: boolean;
  /** What was really chosen; fewer than the row has where it ended early. */
  readonly choices: readonly number[];
}

export interface SearchOptions {
  readonly stories: number;
  /** Of the search: the same stories for the same seed. */
  readonly seed: number;
  /** Seeds of worlds, from 0 to here. */
  readonly highestWorld: number;
  /** Most choices of one story. */
  readonly longest: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (stories: number, shrinking: boolean) => void;
}

export interface Searched {
  /** Told before the first that failed, and with it. */
  readonly stories: number;
  /** Of those: what was chosen altogether. */
  readonly steps: number;
  /** A short one that fails, as really chosen; null when none does. */
  readonly failing: Row | null;
}

/** Told to make one short, by fast-check and then by leaving out; bounded by number, not by time, so that the same search ends alike everywhere. */
const MOST_SHRINKING = 1000;
/** Told by one check of fast-check's, which nothing ends before its time. */
const PORTION = 50;
/** Odd, so that no two seeds become the same. */
const SPREAD = 0x9e3779b1;
/** Choices are taken modulo what is possible: from many numbers, so that all are about equally likely. */
const HIGHEST = 999;

/** Rejects with the signal's reason when it is aborted, and with whatever `tell` throws. */
export async function searchStories(tell: (row: Row) => Telling, options: SearchOptions): Promise<Searched> {
  const { signal, onProgress } = options;
  // Loaded where it is needed: it takes longer than the rest of the command line.
  const fc: typeof FastCheck = await import('fast-check');
  const rows = fc.record({
    seed: fc.nat({ max: options.highestWorld }),
    choices: fc.array(fc.nat({ max: HIGHEST }), { maxLength: options.longest, size: 'max' }),
  });
  let stories = 0;
  let steps = 0;
  let shrinking = 0;
  let broken: { readonly error: unknown } | null = null;
  let best: Row | null = null;
  const fails = async (row: Row): Promise<boolean> => {
    if (signal?.aborted === true || broken !== null || shrinking >= MOST_SHRINKING) return false;
    // An interrupt has to be heard between two stories.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      const told = tell(row);
      if (best === null) {
        stories++;
        steps += told.choices.length;
      } else shrinking++;
      onProgress?.(stories, best !== null);
      if (told.failed) best = { seed: row.seed, choices: told.choices };
      return told.failed;
    } catch (error) {
      // What breaks the search itself is no story that fails.
      broken = { error };
      return false;
    }
  };
  const property = fc.asyncProperty(rows, async (row) => !(await fails(row)));
  for (let told = 0; told < options.stories && best === null && broken === null; told += PORTION) {
    signal?.throwIfAborted();
    const numRuns = Math.min(PORTION, options.stories - told);
    await fc.check(property, { numRuns, seed: Math.imul(options.seed + told, SPREAD) });
  }
  const found = best as Row | null;
  shrinking = 0;
  if (found !== null) best = await withoutNeedless(found, fails, () => best);
  signal?.throwIfAborted();
  const thrown = broken as { readonly error: unknown } | null;
  if (thrown !== null) throw thrown.error;
  return { stories, steps, failing: best };
}

/** Leaves out single choices, the last first, as long as it fails without them. */
async function withoutNeedless(
  found: Row,
  fails: (row: Row) => Promise<boolean>,
  latest: () => Row | null,
): Promise<Row> {
  let row = found;
  for (let improved = true; improved; ) {
    improved = false;
    for (let at = row.choices.length - 1; at >= 0; at--) {
      if (!(await fails({ seed: row.seed, choices: row.choices.toSpliced(at, 1) }))) continue;
      row = latest() ?? row;
      improved = true;
    }
  }
  return row;
}
