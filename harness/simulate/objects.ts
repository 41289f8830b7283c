/** What the backends of a simulation serve, and where its payloads come from: views of one text, so that a run makes none of its own. */
import { generateBody } from '../objects.js';

const TEXT = generateBody({ size: 1 << 20, seed: 2017 });

/** `size` bytes of the text at `at`, both taken modulo what there is. */
export function textAt(at: number, size: number): Uint8Array {
  const begin = at % (TEXT.length >>> 1);
  return TEXT.subarray(begin, begin + Math.min(size, TEXT.length >>> 1));
}

const SIZES = [0, 1, 100, 1000, 1448, 3000, 8000, 20_000, 64_000, 150_000, 300_000] as const;

/** Of the objects' sizes the first so many are small. */
export const SMALL_OBJECTS = 7;

/** Names under `/a/` and `/b/`, from small to large. */
export const OBJECT_NAMES: readonly string[] = SIZES.map(String);

/** Different content under every path, so that a mix-up shows. */
export const SIMULATED_OBJECTS: ReadonlyMap<string, Uint8Array> = new Map(
  ['/a/', '/b/'].flatMap((prefix, p) =>
    SIZES.map((size, i) => [`${prefix}${size}`, textAt(7919 * (1 + i) + 101 * p, size)] as const),
  ),
);
