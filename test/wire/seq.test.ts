/** Sequence numbers compare across the wrap. */
import fc from 'fast-check';
import t from 'tap';
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqMin } from '../../reference-impl/wire/index.js';
import { holds } from './property.js';

const seq = fc.integer({ min: 0, max: 0xffffffff });
/** Closer than half the number space, where order is defined. */
const distance = fc.integer({ min: 1, max: 0x7fffffff });

t.test('the wrap', async (t) => {
  t.equal(seqAdd(0xffffffff, 1), 0);
  t.equal(seqAdd(0, -1), 0xffffffff);
  t.equal(seqDiff(5, 0xfffffffb), 10);
  t.equal(seqDiff(0xfffffffb, 5), -10);
  t.ok(seqLt(0xfffffff0, 0x10));
  t.ok(seqGt(0x10, 0xfffffff0));
  t.equal(seqMax(0xfffffff0, 0x10), 0x10);
  t.equal(seqMin(0xfffffff0, 0x10), 0xfffffff0);
});

t.test('what is added is the difference, wherever one starts', async (t) => {
  holds(
    t,
    fc.property(seq, distance, (a, n) => seqDiff(seqAdd(a, n), a) === n && seqDiff(a, seqAdd(a, n)) === -n),
  );
});

t.test('order holds on either side of any number', async (t) => {
  holds(
    t,
    fc.property(seq, distance, (a, n) => {
      const b = seqAdd(a, n);
      return seqLt(a, b) && seqLe(a, b) && seqGt(b, a) && seqGe(b, a) && seqLe(a, a) && seqGe(a, a) && !seqLt(a, a);
    }),
  );
});
