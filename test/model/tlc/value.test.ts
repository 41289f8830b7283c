/** Values as TLC prints them: whatever is printed parses back, and whatever else comes in is an error, never an exception. */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { parseTlaValue, type TlaValue } from '../../../model/tlc/value.js';
import { type Json, toJson } from '../../../model/tlc/value-json.js';
import { formatTlaValue } from '../../../model/tlc/value-text.js';
import { holds } from '../../wire/property.js';

/** As TLC prints: `space` is what it puts between signs, a line break with indentation in long values. */
function print(value: TlaValue, space: string): string {
  const list = (values: readonly TlaValue[]) => values.map((item) => print(item, space)).join(`,${space}`);
  switch (value.kind) {
    case 'integer':
      return String(value.value);
    case 'string':
      return `"${value.value.replace(/[\\"\n\t\r\f]/g, (sign) => ESCAPED[sign] ?? `\\${sign}`)}"`;
    case 'boolean':
      return value.value ? 'TRUE' : 'FALSE';
    case 'model':
      return value.name;
    case 'sequence':
      return `<<${list(value.items)}>>`;
    case 'set':
      return `{${list(value.items)}}`;
    case 'interval':
      return `${value.from}..${value.to}`;
    case 'record':
      return `[${value.fields.map(([name, field]) => `${name} |->${space}${print(field, space)}`).join(`,${space}`)}]`;
    case 'function': {
      const entries = value.entries.map(([key, entry]) => `${print(key, space)} :>${space}${print(entry, space)}`);
      return `(${entries.join(`${space}@@${space}`)})`;
    }
  }
}

const ESCAPED: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\f': '\\f' };

const integer = fc.integer({ min: -2147483648, max: 2147483647 });
const name = fc.stringMatching(/^[a-z]\w{0,8}$/);
const { value: anyValue } = fc.letrec<{ value: TlaValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    integer.map((value): TlaValue => ({ kind: 'integer', value })),
    fc.string({ unit: 'grapheme' }).map((value): TlaValue => ({ kind: 'string', value })),
    fc.boolean().map((value): TlaValue => ({ kind: 'boolean', value })),
    name.map((name): TlaValue => ({ kind: 'model', name })),
    fc.tuple(integer, integer).map(([from, to]): TlaValue => ({ kind: 'interval', from, to })),
    fc.array(tie('value'), { maxLength: 4 }).map((items): TlaValue => ({ kind: 'sequence', items })),
    fc.array(tie('value'), { maxLength: 4 }).map((items): TlaValue => ({ kind: 'set', items })),
    fc
      .array(fc.tuple(name, tie('value')), { minLength: 1, maxLength: 4 })
      .map((fields): TlaValue => ({ kind: 'record', fields })),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { minLength: 1, maxLength: 3 })
      .map((entries): TlaValue => ({ kind: 'function', entries })),
  ),
}));

t.test('print, then parse', (t) => {
  holds(
    t,
    fc.property(anyValue, fc.constantFrom(' ', '', '\n     '), (value, space) => {
      deepStrictEqual(parseTlaValue(print(value, space)), { ok: true, value });
    }),
    1000,
  );
  t.end();
});

t.test('what TLC prints and does not read', (t) => {
  for (const [printed, read] of [
    ['[port |-> -80, IFs |-> 1]', '[port |-> (-80), IFs |-> 1]'],
    ['[ IF |-> {s1},\n  b |-> "s1\\n" ]', '("IF" :> {m_s1} @@ "b" :> "s1\\n")'],
    ['(-1 :> <<TRUE, s1>> @@ 2 :> -2..0)', '((-1) :> <<TRUE, m_s1>> @@ 2 :> ((-2) .. 0))'],
  ] as const) {
    const result = parseTlaValue(printed);
    t.ok(result.ok);
    if (result.ok)
      t.equal(
        formatTlaValue(result.value, (name) => `m_${name}`),
        read,
      );
  }
  t.end();
});

t.test('any text is a value or a named error', (t) => {
  const signs = fc.constantFrom(
    '<<',
    '>>',
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '|->',
    ':>',
    '@@',
    '..',
    ',',
    '"',
    '-',
    '1',
    'a',
    ' ',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(signs).map((parts) => parts.join('')),
  );
  holds(
    t,
    fc.property(texts, (text) => {
      const result = parseTlaValue(text);
      if (result.ok) JSON.stringify(toJson(result.value));
      else if (result.error.offset > text.length) throw new Error(`offset ${result.error.offset}`);
    }),
    2000,
  );
  t.end();
});

for (const [text, json] of [
  ['-5', -5],
  ['1..3', [1, 2, 3]],
  ['3..1', []],
  ['1..1000000', '1..1000000'],
  ['<< >>', []],
  ['{"b", "a"}', ['b', 'a']],
  ['[port |-> 80, up |-> TRUE]', { port: 80, up: true }],
  ['(s1 :> 1 @@ "x" :> 2 @@ -3 :> s1)', { s1: 1, x: 2, '-3': 's1' }],
  [
    '(FALSE :> 1 @@ <<1, 2>> :> 2)',
    [
      [false, 1],
      [[1, 2], 2],
    ],
  ],
  // A string and a model value of the same name are two arguments.
  [
    '("a" :> 1 @@ a :> 2)',
    [
      ['a', 1],
      ['a', 2],
    ],
  ],
  ['(__proto__ :> 1)', JSON.parse('{"__proto__":1}')],
  ['"q\\"uo\\\\te\\n\\ttab"', 'q"uo\\te\n\ttab'],
  [
    '<< [name |-> "a",\n     n |-> 1],\n   [name |-> "b",\n     n |-> 2] >>',
    [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ],
  ],
] as const satisfies readonly (readonly [string, Json])[])
  t.test(text, (t) => {
    const result = parseTlaValue(text);
    t.ok(result.ok);
    if (result.ok) t.strictSame(toJson(result.value), json);
    t.end();
  });

for (const [text, problem, offset] of [
  ['', 'incomplete', 0],
  ['<<1, ', 'incomplete', 5],
  ['"abc', 'incomplete', 4],
  ['{1 2}', 'unexpected', 3],
  ['1 2', 'unexpected', 2],
  ['[a = 1]', 'unexpected', 3],
  ['99999999999999999999', 'number-too-big', 0],
  ['<<'.repeat(100_000), 'too-deep', 1000],
] as const)
  t.test(`${text.slice(0, 30)}: ${problem}`, (t) => {
    t.match(parseTlaValue(text), { ok: false, error: { problem, offset } });
    t.end();
  });
