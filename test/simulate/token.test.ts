/** Replay tokens: every plan has one, every other word is refused in a line. */
import fc from 'fast-check';
import t from 'tap';
import { readToken, writeToken } from '../../harness/replay/token.js';
import { INVARIANTS, type InvariantName } from '../../harness/simulate/invariants.js';
import { FAULT_KINDS, type Plan } from '../../harness/simulate/plan.js';
import { readSimulationToken, type SimulationToken, writeSimulationToken } from '../../harness/simulate/token.js';
import { REMEDY_NAMES } from '../../reference-impl/core/remedies.js';

const plans: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: 64 }).chain((connections) =>
  fc.record({
    seed: fc.integer({ min: 0, max: 0xffffffff }),
    faults: fc.subarray([...FAULT_KINDS]),
    connections: fc.constant(connections),
    skip: fc.subarray(Array.from({ length: connections }, (_, i) => i)),
    requests: fc.option(fc.integer({ min: 1, max: 1000 })),
    faultMs: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
    without: fc.subarray([...REMEDY_NAMES]),
  }),
);
const names = Object.keys(INVARIANTS) as InvariantName[];
const tokens: fc.Arbitrary<SimulationToken> = fc.record({
  plan: plans,
  invariant: fc.option(fc.constantFrom(...names)),
});

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const word = writeSimulationToken(token);
      const read = readSimulationToken(word);
      return /^[A-Za-z0-9.+_-]+$/.test(word) && read.ok && JSON.stringify(read.token) === JSON.stringify(token);
    }),
  );
});

t.test('a sign that is changed, lost or put in is noticed', async () => {
  fc.assert(
    fc.property(tokens, fc.nat(), fc.constantFrom('0', 'x', '-', '.', ''), fc.boolean(), (token, at, sign, keep) => {
      const word = writeSimulationToken(token);
      const i = at % word.length;
      const other = word.slice(0, i) + sign + word.slice(keep ? i : i + 1);
      return other === word || !readSimulationToken(other).ok;
    }),
  );
});

t.test('any text is read or refused in one line', async () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^sim1-[a-z0-9.+-]*$/)),
      (text) => {
        const read = readSimulationToken(text);
        return read.ok || /^[^\n]+$/.test(read.error);
      },
    ),
  );
});

t.test('a body that makes no sense is refused, though its check sum fits', async (t) => {
  const good = '1.loss.3.1.all.all.none.progress';
  t.ok(readSimulationToken(writeToken({ kind: 'sim1', body: good })).ok);
  for (const [body, why] of [
    ['1.loss.3.1.all.all.none', /fields/],
    ['01.loss.3.1.all.all.none.progress', /seed/],
    ['4294967296.loss.3.1.all.all.none.progress', /seed/],
    ['1.flood.3.1.all.all.none.progress', /kinds of fault/],
    ['1.loss+loss.3.1.all.all.none.progress', /kinds of fault/],
    ['1.loss.65.1.all.all.none.progress', /number of connections/],
    ['1.loss.3.3.all.all.none.progress', /left out/],
    ['1.loss.3.1+1.all.all.none.progress', /left out/],
    ['1.loss.3.1.0.all.none.progress', /requests/],
    ['1.loss.3.1.all.x.none.progress', /time of the faults/],
    ['1.loss.3.1.all.all.luck.progress', /remedy/],
    ['1.loss.3.1.all.all.none.luck', /invariant/],
  ] as const)
    t.match(readSimulationToken(writeToken({ kind: 'sim1', body })), { ok: false, error: why }, body);
  t.match(readSimulationToken(writeToken({ kind: 'sim2', body: good })), { ok: false });
});

t.test('the envelope takes any kind', async (t) => {
  const word = writeToken({ kind: 'story1', body: 'a-b.c' });
  t.same(readToken(word), { ok: true, parts: { kind: 'story1', body: 'a-b.c' } });
  t.throws(() => writeToken({ kind: 'Story', body: 'a' }), RangeError);
  t.throws(() => writeToken({ kind: 'story1', body: 'a b' }), RangeError);
});
