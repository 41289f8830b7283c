/** Which combinations ran: only what ran counts, what was left out is said. */
import t from 'tap';
import { STACK_ROWS } from '../../conformance/cases/clients/stack-factors.js';
import { CASES } from '../../conformance/cases/index.js';
import {
  CombinationList,
  combinationsLine,
  combinationsOf,
  combinationsTable,
  leftOutLines,
} from '../../conformance/report/combinations.js';
import type { Verdict } from '../../conformance/verdict.js';
import { prism } from '../cli/run-cli.js';

const everything = combinationsOf(undefined, []);
const bbr = { factor: 'congestion', level: 'bbr', reason: 'not in this kernel' };

t.test('every row is a case, and all rows together make every pair meet', async (t) => {
  t.equal(everything.rows.length, STACK_ROWS.length);
  for (const row of everything.rows)
    t.ok(
      CASES.some((c) => c.id === row.case),
      row.case,
    );
  t.same(everything.pairs, { covered: 403, total: 403 });
});

t.test('what did not run made no pair meet', async (t) => {
  const [first, second] = everything.rows;
  const verdicts = new Map<string, Verdict>([
    [first?.case ?? '', 'fail'],
    [second?.case ?? '', 'inconclusive'],
  ]);
  const some = combinationsOf(verdicts, []);
  const factors = Object.keys(some.factors).length;
  t.equal(some.pairs.covered, (factors * (factors - 1)) / 2, 'one row is one pair of each two factors');
  t.equal(
    combinationsLine(some, 'linux'),
    `Client stacks on linux: 1 of ${STACK_ROWS.length} combinations ran, 45 of 403 pairs of settings met`,
  );
  const table = combinationsTable(some, 'linux');
  t.same(
    table.rows.map((row) => [row[0], row.at(-1)]),
    [
      [first?.case, 'fail'],
      [second?.case, 'inconclusive'],
    ],
  );
  t.ok(table.rows.every((row) => row.length === table.columns.length));
});

t.test('a level that is not here takes its pairs with it, and is said', async (t) => {
  const without = combinationsOf(undefined, [bbr]);
  // Eight programs with a kernel of their own, and every level of the other eight factors.
  t.equal(without.pairs.covered, 403 - (8 + 4 + 2 + 2 + 2 + 2 + 3 + 2 + 2));
  t.same(leftOutLines(without, 'linux'), [
    'left out of the client stacks on linux: congestion bbr (not in this kernel)',
  ]);
  const cells = combinationsTable(without, 'linux').rows.flat();
  t.ok(cells.includes('bbr (left out)') && !cells.includes('bbr'));
});

t.test('prism list combinations writes what its schema says', async (t) => {
  const { code, stdout } = await prism(['list', 'combinations', '--json'], { cwd: t.testdir({}) });
  t.equal(code, 0);
  const list = CombinationList.parse(JSON.parse(stdout));
  t.equal(list.combinations.length, STACK_ROWS.length);
  t.equal(list.pairs.total, 403);
});
