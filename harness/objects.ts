/** The objects that the reference backends serve, and the deterministic content of every test body. */
import type { BodySpec } from './world.js';

/** Sizes served under `/a/NAME` and `/b/NAME`, in bytes. */
export const OBJECT_SIZES = {
  '0': 0,
  '1': 1,
  '1k': 1024,
  '8k': 8 * 1024,
  '64k': 64 * 1024,
  '1m': 1024 * 1024,
  '8m': 8 * 1024 * 1024,
} as const satisfies Record<string, number>;

/**
 * `size` bytes from a 32-bit xorshift generator; the same spec always gives the same bytes. Lower-case letters only, so that no packet
 * dissector takes a piece of a body for a header and calls a sound frame malformed.
 */
export function generateBody(spec: BodySpec): Uint8Array {
  const bytes = new Uint8Array(spec.size);
  let x = (Math.imul(spec.seed, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
  for (let at = 0; at < bytes.length; ) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    // One letter of sixteen for each four bits; the world makes many megabytes of this at every start.
    for (let shift = 0; shift < 32 && at < bytes.length; shift += 4) bytes[at++] = 0x61 + ((x >>> shift) & 15);
  }
  return bytes;
}

/** The seed of an object's content: different for every path, so that a mixed-up backend shows in the hash. */
export function objectSeed(path: string): number {
  let h = 0x811c9dc5;
  for (const c of new TextEncoder().encode(path)) h = Math.imul(h ^ c, 0x01000193) >>> 0;
  return h;
}

/** Every object: path to content spec. */
export function objectCatalogue(): Map<string, BodySpec> {
  const catalogue = new Map<string, BodySpec>();
  for (const prefix of ['/a/', '/b/'])
    for (const [name, size] of Object.entries(OBJECT_SIZES))
      catalogue.set(prefix + name, { size, seed: objectSeed(prefix + name) });
  return catalogue;
}

const LARGE_UNIT = 1024 * 1024;

/** Large objects, served under `/a/NAME` and `/b/NAME` beside the catalogue's: a unit of 1 MiB from `seed`, so many times. */
export const LARGE_OBJECTS: ReadonlyMap<string, { readonly unit: BodySpec; readonly times: number }> = new Map(
  ['/a/', '/b/'].flatMap((prefix) =>
    Object.entries({ '64m': 64, '1g': 1024 }).map(
      ([name, times]) =>
        [prefix + name, { unit: { size: LARGE_UNIT, seed: objectSeed(prefix + name) }, times }] as const,
    ),
  ),
);
