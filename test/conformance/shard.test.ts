/** Shards: which there are, and that together they are the whole. */
import fc from 'fast-check';
import t from 'tap';
import { parseShard, shardOf } from '../../conformance/shard.js';

t.test('i/n with 1 <= i <= n, and nothing else', (t) => {
  t.same(parseShard('2/3'), { index: 2, of: 3 });
  t.same(parseShard('256/256'), { index: 256, of: 256 });
  for (const text of ['0/3', '4/3', '1/0', '1/257', '1', '1/', '/1', '-1/3', '1/3 ', '1.0/3', '01/3', '']) {
    t.equal(parseShard(text), undefined, JSON.stringify(text));
  }
  t.end();
});

t.test('the shards of a list are the list, each item once, and differ by one item at most', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.integer({ min: 1, max: 256 }), (items, of) => {
      const shards = Array.from({ length: of }, (_, i) => shardOf(items, { index: i + 1, of }));
      const sizes = shards.map((shard) => shard.length);
      const all = shards.flat();
      return (
        all.length === items.length &&
        items.every((item) => all.includes(item)) &&
        Math.max(...sizes) - Math.min(...sizes) <= 1
      );
    }),
    { numRuns: 50 },
  );
  t.end();
});
