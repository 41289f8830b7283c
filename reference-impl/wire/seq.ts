/** Sequence numbers: unsigned 32 bits with wrap-around (RFC 9293 §3.4). The only place where they are compared. */
export type Seq = number;

export function seqAdd(a: Seq, n: number): Seq {
  return (a + n) >>> 0;
}

/** a - b as a signed 32-bit number: the distance from b forward to a, negative when a is behind b. */
export function seqDiff(a: Seq, b: Seq): number {
  return (a - b) | 0;
}

export function seqLt(a: Seq, b: Seq): boolean {
  return seqDiff(a, b) < 0;
}

export function seqLe(a: Seq, b: Seq): boolean {
  return seqDiff(a, b) <= 0;
}

export function seqGt(a: Seq, b: Seq): boolean {
  return seqDiff(a, b) > 0;
}

export function seqGe(a: Seq, b: Seq): boolean {
  return seqDiff(a, b) >= 0;
}

export function seqMax(a: Seq, b: Seq): Seq {
  return seqLt(a, b) ? b : a;
}

export function seqMin(a: Seq, b: Seq): Seq {
  return seqLt(a, b) ? a : b;
}
