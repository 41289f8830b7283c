/** Comments leave everything else where it is, and signs are cut as TLA+ cuts them. */
import t from 'tap';
import { tokens, withoutComments } from '../../../model/embedded/tokens.js';

const signs = (text: string): string[] => tokens(text).map((token) => token.text);

t.test('comments', (t) => {
  t.equal(withoutComments('a \\* b "c\nd'), 'a        \nd');
  t.equal(withoutComments('a (* b (* c *)\n *) d'), 'a             \n    d');
  t.equal(withoutComments('(* "a *) b'), '         b', 'a quotation mark in a comment is no string');
  t.equal(withoutComments('(* \\* a *) b'), '           b', 'a line comment in a comment does not hide its end');
  t.equal(withoutComments('"(* \\* a" \\* b'), '"(* \\* a"     ', 'nor is a comment in a string one');
  t.end();
});

t.test('signs', (t) => {
  t.same(signs('Init /\\ [][Next]_vars'), ['Init', '/\\', '[]', '[', 'Next', ']', '_vars']);
  t.same(signs('<<>> <> <=> => =< <<1>>_x'), ['<<', '>>', '<>', '<=>', '=>', '=<', '<<', '1', '>>', '_x']);
  t.same(signs('a|->b \\in 1..N ~>c'), ['a', '|->', 'b', '\\in', '1', '..', 'N', '~>', 'c']);
  t.same(signs("x' = A \\ {-1} ----- 2b ===="), ['x', "'", '=', 'A', '\\', '{', '-', '1', '}', '-----', '2b', '====']);
  t.end();
});

t.test('places', (t) => {
  t.match(tokens('a\n\n  bc d'), [
    { text: 'a', line: 1, column: 1 },
    { text: 'bc', line: 3, column: 3, offset: 5, end: 7 },
    { text: 'd', line: 3, column: 6 },
  ]);
  t.end();
});
