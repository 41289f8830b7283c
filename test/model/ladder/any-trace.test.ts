/** Ladders of whatever comes: they are made, printed and as wide as asked, also of states that are only nearly those of Handoff.tla. */
import fc from 'fast-check';
import t from 'tap';
import { ladder } from '../../../model/ladder/ladder.js';
import { ladderText } from '../../../model/ladder/text.js';
import type { State, TraceState } from '../../../model/tlc/messages.js';
import type { Lasso } from '../../../model/tlc/outcome.js';
import type { Json } from '../../../model/tlc/value-json.js';
import { holds } from '../../wire/property.js';
import { changed, fromBackend, fromClient, fromController, LENT } from './story.js';

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    ...[fc.constant(null), fc.boolean(), fc.integer(), fc.string({ unit: 'binary', maxLength: 8 })],
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 5 }), tie('json'), { maxKeys: 3 }),
  ),
}));

const NAMES = ['client', 'controller', 'switch', 'backend', 'net', 'control', 'served', 'toString', '__proto__', 'x'];
const anyState: fc.Arbitrary<State> = fc.dictionary(fc.constantFrom(...NAMES), json);

const host = fc.constantFrom('client', 'logical', 'b1', 'b2', 'none');
const more = fc.record({
  at: fc.constantFrom('fabric', 'host'),
  ...{ by: host, src: host, dst: host, seq: fc.nat(3), fin: fc.boolean(), data: fc.array(fc.nat(3), { maxLength: 2 }) },
});
const segment = fc
  .tuple(fc.constantFrom(fromClient, fromBackend, fromController), fc.option(more))
  .map(([make, fields]) => make(fields ?? {}));
const segments = fc.array(segment, { maxLength: 3 });
const links = fc.record({ client: segments, logical: segments, b1: segments, b2: segments });
const message = fc.record({
  type: fc.constantFrom('add', 'added', 'refused', 'remove', 'removed', 'handoff', 'complete', 'failed', 'new'),
  ...{ handoff: fc.nat(2), backend: host, from: host, copy: fc.boolean() },
});
const field = fc.tuple(fc.constantFrom('client', 'controller', 'switch', 'log'), fc.string({ maxLength: 4 }), json);

/** A state of the protocol, more or less: its network and control messages are anything, and some field is. */
const nearlyState: fc.Arbitrary<State> = fc
  .record({
    net: fc.record({ up: links, down: links, late: segments }),
    control: fc.array(fc.oneof({ weight: 9, arbitrary: message }, json), { maxLength: 3 }),
    field,
  })
  .map(({ net, control, field: [variable, name, value] }) => {
    const state = changed(LENT, { net, control, [variable]: { [name]: value } });
    return Object.fromEntries(Object.entries(state ?? {}));
  });

const ACTIONS = [
  'Lose',
  'LoseControl',
  'ControlRejected',
  'Timers',
  'Forward',
  'An action of quite a long name',
  'a\nb',
];
const trace = (state: fc.Arbitrary<State>): fc.Arbitrary<TraceState[]> =>
  fc
    .array(fc.tuple(state, fc.option(fc.constantFrom(...ACTIONS))), { maxLength: 5 })
    .map((steps) => steps.map(([state, action], i) => ({ index: i + 1, action, location: null, state })));
const lasso: fc.Arbitrary<Lasso | null> = fc.oneof(
  fc.constant(null),
  fc.constant({ kind: 'stuttering' as const }),
  fc.nat(6).map((index) => ({ kind: 'back-to' as const, index })),
);
const width = fc.oneof(fc.integer({ min: 40, max: 160 }), fc.double({ min: 40, max: 160, noNaN: true }));

for (const [what, state] of [
  ['any states', anyState],
  ['states that are nearly those of Handoff.tla', nearlyState],
  ['both', fc.oneof(anyState, nearlyState)],
] as const)
  t.test(what, async (t) => {
    holds(
      t,
      fc.property(trace(state), lasso, width, (trace, lasso, width) => {
        const made = ladder(trace, lasso);
        const lines = ladderText(made, { width });
        const steps = new Set(made.rows.map(({ step }) => step));
        return (
          lines.every((line) => line.length <= width && /^[ -~]*$/.test(line) && !line.endsWith(' ')) &&
          trace.every(({ index }) => steps.has(index)) &&
          made.rows.every(({ kind, to }) => kind === 'note' || made.columns.includes(to))
        );
      }),
    );
  });

t.test('nearly a state is drawn', async (t) => {
  holds(
    t,
    fc.property(nearlyState, (state) => {
      const { columns } = ladder([{ index: 1, action: null, location: null, state }]);
      return columns.length === 5;
    }),
  );
});
