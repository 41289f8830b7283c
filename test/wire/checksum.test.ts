/** Checksums: the examples of RFC 1071 and RFC 1624, and increments against full computation. */
import fc from 'fast-check';
import t from 'tap';
import {
  checksum,
  pseudoHeaderSum,
  sum16,
  updateChecksum,
  updateChecksum32,
  writeU16,
  writeU32,
} from '../../reference-impl/wire/index.js';
import { holds } from './property.js';

t.test('RFC 1071 §3', async (t) => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  t.equal(sum16(bytes), 0xddf2);
  t.equal(checksum(bytes), 0x220d);
});

t.test('RFC 1624 §4: equation 3 gives 0x0000 where equation 2 would give 0xffff', async (t) => {
  t.equal(updateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000);
});

t.test('both forms of zero', async (t) => {
  t.equal(updateChecksum(0x0000, 0x1234, 0x1234), 0x0000);
  t.equal(updateChecksum(0xffff, 0x1234, 0x1234), 0x0000, 'a sum of zero becomes the form that a computation gives');
  t.equal(updateChecksum(0xffff, 0xffff, 0x0000), 0x0000, 'even where nothing at all is left to sum');
});

t.test('an odd last byte is the high half of a word; ranges end with the array', async (t) => {
  t.equal(sum16(Uint8Array.of(0x12, 0x34, 0x56)), 0x12 * 256 + 0x34 + 0x5600);
  t.equal(sum16(Uint8Array.of(0x12, 0x34), 0, 100), 0x1234);
  t.equal(sum16(Uint8Array.of(0x12, 0x34, 0x56, 0x78), 1, 3), 0x3456);
  t.equal(sum16(new Uint8Array(0)), 0);
  t.equal(sum16(new Uint8Array(0), 0, 0, 0x1fffe), 0xffff);
});

t.test('the largest packet of ones does not overflow', async (t) => {
  t.equal(sum16(new Uint8Array(65536).fill(0xff), 0, 65536, 0xffff), 0xffff);
});

/** One word at a time, with the carry added at once: the definition, in the plainest form. */
function plainSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

const bytes = fc.uint8Array({ minLength: 4, maxLength: 200 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

t.test('the sum is that of the definition', async (t) => {
  holds(
    t,
    fc.property(bytes, (b) => sum16(b) === plainSum(b)),
  );
});

t.test('the sum over data with its checksum is all ones', async (t) => {
  holds(
    t,
    fc.property(bytes, u16, (b, initial) => {
      const even = b.length & ~1;
      const whole = new Uint8Array(even + 2);
      whole.set(b.subarray(0, even));
      writeU16(whole, even, checksum(b, 0, even, initial));
      return sum16(whole, 0, whole.length, initial) === 0xffff;
    }),
  );
});

t.test('an increment gives what a full computation gives', async (t) => {
  holds(
    t,
    fc.property(bytes, fc.nat(), u16, (b, where, word) => {
      const at = (where % (b.length >> 1)) * 2;
      const before = checksum(b, 0, b.length, 1);
      const old = (b[at] ?? 0) * 256 + (b[at + 1] ?? 0);
      if (at + 1 >= b.length) return true;
      writeU16(b, at, word);
      return updateChecksum(before, old, word) === checksum(b, 0, b.length, 1);
    }),
  );
  holds(
    t,
    fc.property(u32, u32, u16, (old, value, rest) => {
      const b = new Uint8Array(6);
      writeU16(b, 4, rest);
      writeU32(b, 0, old);
      const before = checksum(b, 0, 6, 1);
      writeU32(b, 0, value);
      return updateChecksum32(before, old, value) === checksum(b, 0, 6, 1);
    }),
  );
});

t.test('the pseudo-header is the sum of its words', async (t) => {
  holds(
    t,
    fc.property(u32, u32, u16, (src, dst, length) => {
      const b = new Uint8Array(12);
      writeU32(b, 0, src);
      writeU32(b, 4, dst);
      b[9] = 6;
      writeU16(b, 10, length);
      return pseudoHeaderSum(src, dst, 6, length) === sum16(b);
    }),
  );
});
