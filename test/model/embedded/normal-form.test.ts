/** What columns and precedence say is said in parentheses, and what the embedded checker ranks otherwise is refused. */
import t from 'tap';
import { joinModules } from '../../../model/embedded/join.js';
import { RefusedError } from '../../../model/embedded/refusal.js';

/** Of the expression that begins in column 8; its further lines are indented as they stand. */
function normal(expression: string): string | undefined {
  const module = `---- MODULE M ----\nThis == ${expression}\n====\n`;
  const [statement] = joinModules({ 'M.tla': module }, 'M').statements;
  return statement?.text
    .split('\n')
    .at(-1)
    ?.replace(/^This == \((.*)\)$/, '$1');
}

function refusal(expression: string): unknown {
  try {
    return normal(expression);
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

t.test('precedence', (t) => {
  t.equal(normal('a => b /\\ c'), '(a => (b /\\ c))');
  t.equal(normal('a \\/ b => c'), '((a \\/ b) => c)');
  t.equal(normal('a /\\ b => c \\/ d'), '((a /\\ b) => (c \\/ d))');
  t.equal(normal('a <=> b => c'), '((a <=> b) => c)');
  t.equal(normal('~a = b /\\ c'), '(~(a = b) /\\ c)');
  t.equal(normal('x = 1 /\\ y \\in {1, 2} /\\ z'), '(x = 1 /\\ y \\in {1, 2} /\\ z)');
  t.equal(normal('f(a /\\ b, c)[d => e].g'), 'f((a /\\ b), c)[(d => e)].g');
  t.end();
});

t.test('what extends as far as it can', (t) => {
  t.equal(normal('\\A x \\in S, y \\in T : x => y /\\ z'), '\\A x \\in S, y \\in T : ((x => (y /\\ z)))');
  t.equal(normal('a /\\ \\E x \\in S \\ T : b \\/ c'), '(a /\\ (\\E x \\in S \\ T : ((b \\/ c))))');
  t.equal(normal('IF a THEN b ELSE c => d'), 'IF (a) THEN (b) ELSE ((c => d))');
  t.equal(normal('CASE a -> b [] c -> []<>(d) [] OTHER -> e'), 'CASE (a) -> (b) [] (c) -> ([]<>(d)) [] OTHER -> (e)');
  t.equal(
    normal('LET f(x) == x => y\n            z == 1 IN f(z) /\\ a'),
    'LET f(x) == ((x => y)) z == (1) IN ((f(z) /\\ a))',
  );
  t.equal(normal('{x \\in S : a => b} \\cup {x : y \\in S}'), '{x \\in S: (a => b)} \\cup {x: y \\in S}');
  t.equal(normal('[s EXCEPT !.a = @ /\\ b, ![c /\\ d].e = 1]'), '[s EXCEPT !.a = (@ /\\ b), ![(c /\\ d)].e = 1]');
  t.equal(normal('[a |-> b => c, d |-> e]'), '[a |-> (b => c), d |-> e]');
  t.end();
});

t.test('lists', (t) => {
  t.equal(
    normal(`/\\ a
        /\\ \\/ b
           \\/ c => d
        /\\ e`),
    '(a /\\ (b \\/ (c => d)) /\\ e)',
  );
  t.equal(
    normal(`(/\\ a
         /\\ \\E x \\in S : b
         /\\ c) /\\ d`),
    '(((a /\\ (\\E x \\in S : (b)) /\\ c)) /\\ d)',
    'their columns count within parentheses too',
  );
  t.equal(
    normal(`/\\ a
        /\\ b
     => c`),
    '((a /\\ b) => c)',
  );
  t.equal(
    normal(`\\A x \\in S : a =>
           /\\ b
           /\\ c`),
    '\\A x \\in S : ((a => (b /\\ c)))',
  );
  t.equal(normal('\\/ a'), 'a');
  t.end();
});

t.test('what TLA+ does not take', (t) => {
  for (const text of [
    'a /\\ b \\/ c',
    'a => b => c',
    'a <=> b <=> c',
    'a /\\',
    'IF a THEN b',
    '(a',
    'a)',
    'LET b IN c',
  ])
    t.match(refusal(text), { kind: 'parse-error', module: 'M' }, text);
  t.match(refusal('b /\\\n c \\/ d'), { line: 3 });
  t.end();
});

t.test('what the checker ranks otherwise', (t) => {
  for (const text of ['5 % 3 * 2', 'A \\cup B \\X C', 'A \\X B \\X C', 'A \\ B \\ C', '1 :> 2 \\cup a'])
    t.match(refusal(text), { kind: 'unsupported', what: /without parentheses/ }, text);
  for (const text of [
    '(5 % 3) * 2',
    '1 + 2 * 3 - 4',
    '1..N + 1',
    's \\o t \\o u',
    'A \\cup B \\cup C',
    '1 :> 2 @@ 3 :> 4',
  ])
    t.equal(refusal(text), text);
  t.equal(normal('a - 1 = b % 2 /\\ c'), '(a - 1 = b % 2 /\\ c)');
  t.end();
});
