/** Ranks keep the order of numbers and who is whose neighbour. */
import fc from 'fast-check';
import t from 'tap';
import { Numbers } from '../../../model/trace/numbers.js';

t.test('order and neighbours', async (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -1, max: 2 ** 31 }), { minLength: 2 }), (offsets) => {
      const numbers = new Numbers(100, 'server');
      for (const offset of offsets) numbers.add(offset);
      for (const a of offsets)
        for (const b of offsets) {
          if (numbers.unit(a) < numbers.unit(b) !== a < b) return false;
          if (b === a + 1 && numbers.unit(b) !== numbers.unit(a) + 1) return false;
        }
      return numbers.unit(-1) === 100 && numbers.unit(0) === 101;
    }),
  );
  t.pass('for any numbers');
});

t.test('back to words', async (t) => {
  const numbers = new Numbers(0, 'client');
  for (const offset of [79, 80, 1500]) numbers.add(offset);
  t.equal(numbers.words(0), "the client's SYN");
  t.equal(numbers.words(1), 'client byte 0');
  t.equal(numbers.words(numbers.unit(1500)), 'client byte 1500');
  t.equal(numbers.words(99), 'unit 99 of the client stream');
  t.equal(numbers.unit(81), numbers.unit(80), 'a number that was not noted counts as the one before');
  t.throws(() => numbers.add(5));
});
