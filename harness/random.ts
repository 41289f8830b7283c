/** Seeded randomness: independent streams of one seed, each known by its label, so that a new user of randomness changes nobody else's. */

export interface Random {
  /** 0 .. 2^32 - 1. */
  u32(): number;
  /** 0 <= x < 1. */
  fraction(): number;
  /** A whole number, 0 <= x < bound (at most 2^32). */
  below(bound: number): number;
}

/** The stream `label` of `seed` (any number). */
export function createRandom(seed: number, label: string): Random {
  // The sfc32 generator (PractRand), seeded with four FNV-1a hashes.
  let [a, b, c, d] = [hash(`a ${seed} ${label}`), hash(`b ${seed} ${label}`), hash(`c ${seed} ${label}`), 1];
  const u32 = (): number => {
    const sum = (a + b + d) >>> 0;
    d = (d + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  for (let i = 0; i < 12; i++) u32();
  const fraction = (): number => u32() / 0x1_0000_0000;
  return { u32, fraction, below: (bound) => Math.floor(fraction() * bound) };
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}
