/** The catalogue of clauses holds together. */
import t from 'tap';
import { CLAUSES, compareClauses, findClause, REQUIREMENTS } from '../../spec/requirements.js';

t.test('ids are unique, grouped in order, and their letters explained', (t) => {
  t.equal(new Set(CLAUSES.map((c) => c.id)).size, CLAUSES.length);
  const groups = REQUIREMENTS.groups.map((g) => g.id);
  t.same([...new Set(CLAUSES.map((c) => c.id.slice(0, 3)))], groups);
  for (const { id, source } of CLAUSES) {
    t.ok(
      Object.keys(REQUIREMENTS.sources).some((letter) => source.startsWith(letter)),
      `${id}: ${source}`,
    );
  }
  t.end();
});

t.test('clauses that statements and sources refer to exist', (t) => {
  for (const { id, statement, source } of CLAUSES)
    for (const reference of `${statement} ${source}`.match(/\b[A-Z]{3}-\d+\b/g) ?? [])
      t.ok(findClause(reference), `${id} refers to ${reference}`);
  t.end();
});

t.test('clauses sort as the catalogue does, numbers as numbers', (t) => {
  t.same(['SWT-10', 'XXX-1', 'SWT-9', 'EST-1'].sort(compareClauses), ['EST-1', 'SWT-9', 'SWT-10', 'XXX-1']);
  t.equal(findClause('HOF-99'), undefined);
  t.end();
});
