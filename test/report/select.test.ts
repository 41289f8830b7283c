/** Selectors: ids, clauses, globs, and the suggestions for what matches nothing. */
import t from 'tap';
import { type Selection, select } from '../../conformance/select.js';
import { didYouMean, nearest } from '../../harness/nearest.js';
import { fakeCase } from './fakes.js';

const linuxOnly = { ...fakeCase('REQ-5.wget', ['REQ-5']), worlds: ['linux'] as const };
const CASES = [fakeCase('REQ-2.payload', ['REQ-2', 'REQ-5']), fakeCase('HOF-6.alternate', ['HOF-6']), linuxOnly];
const CLAUSES = ['REQ-2', 'REQ-5', 'HOF-3', 'HOF-6', 'HOF-7'];

function chosen(...selectors: string[]): Selection {
  const selected = select(selectors, CASES, CLAUSES, ['sim']);
  if (!selected.ok) throw new Error(selected.error);
  return selected.selection;
}
const ids = (selection: Selection): string[] => selection.cases.map((c) => c.id);
function refusal(...selectors: string[]): string {
  const selected = select(selectors, CASES, CLAUSES, ['sim']);
  return selected.ok ? 'accepted' : selected.error;
}

t.test('no selector: everything that runs there', (t) => {
  t.same(ids(chosen()), ['REQ-2.payload', 'HOF-6.alternate']);
  t.equal(chosen().clauses.size, CLAUSES.length);
  t.end();
});

t.test('a case id asks about its clauses, a clause id only about itself', (t) => {
  t.same([...chosen('REQ-2.payload').clauses], ['REQ-2', 'REQ-5']);
  t.same(ids(chosen('REQ-5')), ['REQ-2.payload']);
  t.same([...chosen('REQ-5').clauses], ['REQ-5']);
  t.same(ids(chosen('check.req-5')), ['REQ-2.payload'], 'as a result names it, in any case');
  t.end();
});

t.test('globs match cases and clauses; order is the list’s', (t) => {
  t.same(ids(chosen('HOF-*', '*pay*')), ['REQ-2.payload', 'HOF-6.alternate']);
  t.same(ids(chosen('HOF-?')), ['HOF-6.alternate'], 'clauses without a case are no obstacle to a glob');
  t.end();
});

t.test('a slow case runs only when it is meant', (t) => {
  const cases = [...CASES, { ...fakeCase('REQ-2.slow', ['REQ-2']), slow: true }];
  const selected = (...selectors: string[]) => {
    const outcome = select(selectors, cases, CLAUSES, ['sim']);
    return outcome.ok ? ids(outcome.selection) : outcome.error;
  };
  t.same(selected(), ['REQ-2.payload', 'HOF-6.alternate']);
  t.same(selected('REQ-2', 'REQ-2.*'), ['REQ-2.payload']);
  t.same(selected('REQ-2.slow'), ['REQ-2.slow']);
  t.end();
});

t.test('an empty selection is refused in one line that helps', (t) => {
  t.match(refusal('REQ-22'), /nothing is called 'REQ-22' \(did you mean REQ-2/);
  t.match(refusal('REQ-2', 'zzzzzz'), /nothing is called 'zzzzzz'; see/);
  t.match(refusal('HOF-3'), /no case exercises HOF-3 yet/);
  t.match(refusal('REQ-5.wget'), /runs only with --world linux/);
  t.match(select([], [], CLAUSES, ['sim']), { ok: false });
  t.match(refusal('('), /nothing is called/, 'characters of regular expressions mean themselves');
  t.end();
});

t.test('nearest words', (t) => {
  t.same(nearest('tset', ['verify', 'test', 'check']), ['test'], 'a swap counts once');
  t.same(nearest('pipelined', ['RET-7.pipelined-request', 'REQ-1.x']), ['RET-7.pipelined-request']);
  t.equal(didYouMean('xyzzyx', ['test']), '');
  t.equal(didYouMean('SWT-1', ['SWT-2', 'SWT-1x', 'BKD-9']), ' (did you mean SWT-1x or SWT-2?)');
  t.end();
});
