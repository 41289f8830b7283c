/** Covering arrays: every pair that may meet does, none that may not, in few rows, and always the same. */
import * as fc from 'fast-check';
import t from 'tap';
import { mayMeet, STACK_FACTORS, STACK_ROWS, type StackRow } from '../../conformance/cases/clients/stack-factors.js';
import {
  type Allowed,
  coveringArray,
  type Factors,
  holds,
  pairsOf,
  type Row,
} from '../../harness/clients/covering-array.js';

/** Fewest rows that any array has: two factors' pairs each need a row of their own. */
function lowerBound(factors: Factors, allowed: Allowed): number {
  const counts = new Map<string, number>();
  for (const { left, right } of pairsOf(factors, allowed)) {
    const both = `${left.factor} ${right.factor}`;
    counts.set(both, (counts.get(both) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

const levelsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `l${i}`);
const anyFactors = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 })
  .map((sizes): Factors => Object.fromEntries(sizes.map((size, i) => [`f${i}`, levelsOf(size)])));

const everything: Allowed = () => true;

function wellFormed(rows: readonly Row[], factors: Factors): boolean {
  const names = Object.keys(factors).join();
  return rows.every(
    (row) => Object.keys(row).join() === names && names.split(',').every((f) => factors[f]?.includes(row[f] ?? '')),
  );
}

t.test('without constraints every pair is covered, and not with many more rows than needed', async () => {
  fc.assert(
    fc.property(anyFactors, (factors) => {
      const rows = coveringArray(factors, everything);
      const covered = pairsOf(factors, everything).every((pair) => rows.some((row) => holds(row, pair)));
      const bound = lowerBound(factors, everything);
      return wellFormed(rows, factors) && covered && rows.length <= Math.ceil(bound * 1.6) + 3;
    }),
    { numRuns: 60 },
  );
});

t.test('what must not meet does not, and everything else does', async () => {
  // The first factor decides what of the others goes with it, as a program does; its first level goes with all.
  fc.assert(
    fc.property(anyFactors, fc.integer({ min: 2, max: 7 }), (factors, salt) => {
      const forbids: Allowed = ({ left, right }) => {
        const [level, other] = [left.level, right.level].map((name) => Number(name.slice(1)));
        if (left.factor !== 'f0' || other === 0 || level === 0) return true;
        return ((level ?? 0) * 31 + (other ?? 0) * 7 + Number(right.factor.slice(1))) % salt !== 0;
      };
      const rows = coveringArray(factors, forbids);
      const may = new Set(pairsOf(factors, forbids).map((pair) => JSON.stringify(pair)));
      return (
        wellFormed(rows, factors) &&
        pairsOf(factors, everything).every(
          (pair) => rows.some((row) => holds(row, pair)) === may.has(JSON.stringify(pair)),
        )
      );
    }),
    { numRuns: 60 },
  );
});

t.test('a pair that fits into no row is an error, not a gap', async (t) => {
  const factors = { a: ['0', '1'], b: ['0', '1'], c: ['0'] };
  const contradictory: Allowed = ({ left, right }) =>
    !(left.factor === 'b' && left.level === '1' && right.factor === 'c');
  t.throws(() => coveringArray(factors, contradictory), { name: 'RangeError', message: /b=1 fits into no row/ });
});

t.test('the rows of the stacks', async (t) => {
  const pairs = pairsOf(STACK_FACTORS, mayMeet);
  t.equal(pairs.length, 403, 'a narrower array is noticed');
  const rows: readonly Row[] = STACK_ROWS;
  t.same(
    pairs.filter((pair) => !rows.some((row) => holds(row, pair))),
    [],
  );
  const forbidden = pairsOf(STACK_FACTORS, (pair) => !mayMeet(pair));
  t.same(
    rows.filter((row) => forbidden.some((pair) => holds(row, pair))),
    [],
  );
  const bound = lowerBound(STACK_FACTORS, mayMeet);
  t.ok(rows.length <= bound * 1.6, `${rows.length} rows, at least ${bound} are needed`);
  t.same(coveringArray(STACK_FACTORS, mayMeet), STACK_ROWS, 'the same every time');
  const own = STACK_ROWS.filter(({ program }: StackRow) => program === 'lwip' || program === 'scapy');
  t.ok(own.length > 0 && own.every((row) => row.timestamps === 'on' && row.mtu === '1500'));
});
