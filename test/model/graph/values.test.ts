/** TLA+ values under tokens: the same value has the same token, whoever wrote it. */
import fc from 'fast-check';
import t from 'tap';
import { Values } from '../../../model/graph/values.js';
import type { Json } from '../../../model/tlc/value-json.js';

t.test('the order of fields and of a set does not matter, that of a sequence does', async (t) => {
  const values = new Values();
  t.equal(values.parse('[a |-> 1,\n  b |-> {3, 2}]'), values.parse('[b |-> {2,3}, a |-> 1]'));
  t.not(values.parse('<<1, 2>>'), values.parse('<<2, 1>>'));
  t.equal(values.parse('{[x |-> <<1>>], [x |-> <<>>]}'), values.parse('{[x|-><<>>],[x|-><<1>>]}'));
  t.equal(values.record({ a: '1', b: values.set(['3', '2', '3']) }), values.parse('[a |-> 1, b |-> {2, 3}]'));
  t.equal(values.parse('[a |-> [b |-> 1]'), undefined);
});

/** How TLC would print it. */
function printed(value: Json): string {
  if (Array.isArray(value)) return `<<${value.map(printed).join(', ')}>>`;
  if (value !== null && typeof value === 'object')
    return `[ ${Object.entries(value)
      .map(([name, field]) => `${name} |-> ${printed(field)}`)
      .join(',\n  ')} ]`;
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  return typeof value === 'string' ? `"${value}"` : `${value}`;
}

const name = fc.stringMatching(/^[a-z][a-zA-Z]{0,5}$/);
const tree = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: -9999, max: 9999 }),
    fc.boolean(),
    name,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 4 }),
  ),
})).value;

t.test('what is read is what was printed, and is restored from what was stored', async () => {
  fc.assert(
    fc.property(tree, (value) => {
      const values = new Values();
      const token = values.parse(printed(value)) ?? '';
      const plain = JSON.parse(JSON.stringify(value));
      const same = (seen: Json): boolean => canonical(seen) === canonical(plain);
      return same(values.json(token)) && same(Values.restored(values.stored()).json(token));
    }),
  );
});

function canonical(value: Json): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
