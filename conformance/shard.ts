/** A run cut into shards: `--shard 2/3` runs the second of three parts, which together are the whole and share nothing. */

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

/** Most shards a run can be cut into: more than any CI has machines, few enough that a mistyped number is noticed. */
const MOST_SHARDS = 256;

/** Reads `i/n` with 1 <= i <= n <= 256; undefined for anything else. */
export function parseShard(text: string): Shard | undefined {
  const match = /^([1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(text);
  if (match === null) return undefined;
  const [index, of] = [Number(match[1]), Number(match[2])];
  return index <= of && of <= MOST_SHARDS ? { index, of } : undefined;
}

/** Every n-th item: neighbours in a list tend to cost alike, so that the shards do too. */
export function shardOf<Item>(items: readonly Item[], { index, of }: Shard): Item[] {
  return items.filter((_, position) => position % of === index - 1);
}
