/** Modules are joined in the order of EXTENDS, each once, to statements that the embedded checker cannot misread. */
import t from 'tap';
import { joinModules, usedBy } from '../../../model/embedded/join.js';
import { RefusedError } from '../../../model/embedded/refusal.js';

function module(name: string, body: string): Record<string, string> {
  return { [`${name}.tla`]: `Prose == [ with "signs\n---- MODULE ${name} ----\n${body}\n====\nMore prose.\n` };
}

const definition = (text: string): string => text.split('\n').at(-1) ?? '';

function refusal(modules: Record<string, string>, root = 'M'): unknown {
  try {
    return joinModules(modules, root);
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

t.test('two modules over a third', (t) => {
  const joined = joinModules(
    {
      ...module('M', 'EXTENDS Left, Right, TLC\nRoot == L + R'),
      ...module('Left', 'EXTENDS Base\nVARIABLE x \\* one\nL == x + N'),
      ...module('Right', 'EXTENDS Base, Sequences\nCONSTANTS\n  P,  (* two *)\n  Q\nVARIABLES y,\n  z\nR == Len(y)'),
      ...module('Base', 'EXTENDS Naturals\nCONSTANT N\nASSUME Small == N < 3\nRECURSIVE F(_)\nF(n) == F(n - 1)'),
      ...module('Unused', 'LAMBDA'),
    },
    'M',
  );
  t.same(joined.standard, ['Naturals', 'Sequences', 'TLC']);
  t.same(joined.constants, ['N', 'P', 'Q']);
  t.same(joined.variables, ['x', 'y', 'z']);
  t.same(
    joined.definitions.map(({ name, parameters }) => [name, parameters]),
    [
      ['F', ['n']],
      ['L', []],
      ['R', []],
      ['Root', []],
    ],
  );
  t.same(
    joined.statements.map(({ defines, module, text }) => [defines, module, definition(text)]),
    [
      [null, 'Base', 'ASSUME (N < 3)'],
      [null, 'Base', 'RECURSIVE F(_)'],
      ['F', 'Base', 'F(n__F) == (F(n__F - 1))'],
      ['L', 'Left', 'L == (x + N)'],
      ['R', 'Right', 'R == (Len(y))'],
      ['Root', 'M', 'Root == (L + R)'],
    ],
  );
  t.match(joined.statements[3], { line: 5, column: 1 });
  t.same([...usedBy(['Root'], joined)].sort(), ['L', 'R', 'Root']);
  t.same(joined.assumed, ['N']);
  t.end();
});

t.test('parameters get names of their own, fields keep theirs', (t) => {
  const { statements } = joinModules(
    module(
      'M',
      'F(a, b) == [a |-> b, b |-> r.a, c |-> [s EXCEPT !.a = a]]\nG(a) == [x \\in a |-> F(a, x)] \\in [a : a]',
    ),
    'M',
  );
  t.same(
    statements.map(({ text }) => definition(text)),
    [
      'F(a__F, b__F) == ([a |-> b__F, b |-> r.a, c |-> [s EXCEPT !.a = a__F]])',
      'G(a__G) == ([x \\in a__G |-> F(a__G, x)] \\in [a: a__G])',
    ],
  );
  t.end();
});

t.test('a definition is also an assumption, which the checker does not drop', (t) => {
  const { statements } = joinModules(module('M', 'A == 1 + 1'), 'M');
  t.equal(statements[0]?.text, 'ASSUME (TRUE \\/ (1 + 1))\nA == (1 + 1)');
  t.end();
});

t.test('what is refused', (t) => {
  const unsupported: readonly (readonly [body: string, what: RegExp])[] = [
    ['EXTENDS Bags', /the module Bags/],
    ['CONSTANT Op(_)', /an operator as a constant/],
    ['F(G(_), x) == G(x)', /an operator as an argument, of F/],
    ['f[x \\in S] == x', /the definition of a function, f/],
    ['A == 1\na ++ b == a\nC == 1', /whose name is a sign/],
    ['LOCAL A == 1', /LOCAL/],
    ['INSTANCE Naturals', /INSTANCE/],
    ['---- MODULE Inner ----', /within a module/],
    ['a__b == 1', /two underscores/],
  ];
  for (const [body, what] of unsupported) t.match(refusal(module('M', body)), { kind: 'unsupported', what }, body);

  const wrong: readonly (readonly [modules: Record<string, string>, message: RegExp, line: number | null])[] = [
    [module('N', 'A == 1'), /no module M/, null],
    [{ 'M.tla': 'A == 1' }, /header/, null],
    [{ 'M.tla': '---- MODULE N ----\n====' }, /is called N/, null],
    [{ 'M.tla': '---- MODULE M ----\nA == 1' }, /====/, null],
    [module('M', 'A == 1\nA == 2'), /A is defined or declared twice/, null],
    [{ ...module('M', 'EXTENDS N\nA == 1'), ...module('N', 'VARIABLE A') }, /A is defined or declared twice/, null],
    [{ ...module('M', 'EXTENDS N'), ...module('N', 'EXTENDS M') }, /M EXTENDS N EXTENDS M/, null],
    [module('M', 'A == 1\n1 + 1'), /1 is not expected/, 4],
    [module('M', '= 1'), /begins no definition/, 3],
    [module('M', 'VARIABLE 1'), /1 in a list of names/, 3],
  ];
  for (const [modules, message, line] of wrong)
    t.match(refusal(modules), { kind: 'parse-error', message, line }, String(message));
  t.end();
});
