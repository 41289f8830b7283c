/** Tokens of ways through the explored world: every way has one, every other word is refused in a line. */
import fc from 'fast-check';
import t from 'tap';
import { HIGHEST_CHOICE } from '../../../harness/replay/choices.js';
import { writeToken } from '../../../harness/replay/token.js';
import { type RefineToken, readRefineToken, writeRefineToken } from '../../../model/refine/token.js';
import { REMEDY_NAMES } from '../../../reference-impl/core/remedies.js';

const tokens: fc.Arbitrary<RefineToken> = fc.record({
  misfortune: fc.nat({ max: 2 }),
  live: fc.boolean(),
  without: fc.subarray([...REMEDY_NAMES]),
  choices: fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: HIGHEST_CHOICE })), { maxLength: 120 }),
});

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const word = writeRefineToken(token);
      const read = readRefineToken(word ?? '');
      return read.ok && JSON.stringify(read.token) === JSON.stringify(token);
    }),
  );
});

t.test('any text is read or refused in one line', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^refine1-[a-z0-9._-]*$/)), (text) => {
      const read = readRefineToken(text);
      return read.ok || /^[^\n]+$/.test(read.error);
    }),
  );
});

t.test('a way that is too long has none; a body that makes no sense is refused', async (t) => {
  const way = { misfortune: 2, live: false, without: [], choices: Array.from({ length: 1800 }, () => 1) };
  t.ok(writeRefineToken(way), '1800 steps fit');
  t.equal(writeRefineToken({ ...way, choices: [...way.choices, 1] }), null);
  t.equal(writeRefineToken({ ...way, choices: way.choices.map(() => 40) }), null, 'three signs each');
  for (const body of [
    '3.live.none.0',
    '1.late.none.0',
    '1.live.nobody.0',
    '1.live.none._05',
    '1.live.none.0.0',
    '1.live.none._1',
    '1.live.backend-guard+backend-guard.1',
    '1.live.none',
  ]) {
    const read = readRefineToken(writeToken({ kind: 'refine1', body }));
    t.match(read.ok ? 'read' : read.error, /^this version does not know/, body);
  }
  t.ok(
    readRefineToken(writeToken({ kind: 'refine1', body: '1.live.none.' })).ok,
    'no choice at all: the initial state',
  );
});
