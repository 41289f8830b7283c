/** The mutants as a collection: well-formed, linked both ways, one at least for every must, and a third of them on Linux. */
import t from 'tap';
import { listClauses, listMutants } from '../../cli/catalogue.js';
import { CASES } from '../../conformance/cases/index.js';
import { MutantList } from '../../conformance/mutants/list-schema.js';
import { worldsOf } from '../../conformance/mutants/select.js';
import { MUTANTS, mutantNamed } from '../../harness/mutants/index.js';
import { CLAUSES } from '../../spec/requirements.js';

const FAMILIES = /^(EST|REQ|HOF|SWT|BKD|RET|ERR|SEC)-/;

/** Musts of which no case sends what would break them yet. */
const UNBROKEN: readonly string[] = [];

t.test('ids are unique and begin with the clause that must name the mutant', async (t) => {
  t.equal(new Set(MUTANTS.map(({ id }) => id)).size, MUTANTS.length);
  for (const { id, clause } of MUTANTS) {
    t.match(id, /^[a-z]{3}-\d+\.[a-z0-9]+(-[a-z0-9]+)*$/, id);
    t.equal(id.split('.')[0], clause.toLowerCase(), id);
    t.equal(mutantNamed(id)?.id, id);
  }
});

t.test('there are at least 50, and every must has one', async (t) => {
  t.ok(MUTANTS.length >= 50, `${MUTANTS.length} mutants`);
  const musts = CLAUSES.filter(({ id, level }) => level === 'M' && FAMILIES.test(id)).map(({ id }) => id);
  t.same(
    musts.filter((id) => !MUTANTS.some(({ clause }) => clause === id)),
    UNBROKEN,
  );
  for (const { clause, id } of MUTANTS)
    t.ok(
      CLAUSES.some((known) => known.id === clause),
      `${id}: ${clause}`,
    );
});

t.test('a third of them run on Linux, all of them in the simulated world', async (t) => {
  const linux = MUTANTS.filter((mutant) => worldsOf(mutant).includes('linux')).length;
  t.ok(3 * linux >= MUTANTS.length, `${linux} of ${MUTANTS.length}`);
  for (const mutant of MUTANTS) t.ok(worldsOf(mutant).includes('sim'), mutant.id);
});

t.test('cases exist, run where the mutant runs, and one of them is about its clause', async (t) => {
  for (const mutant of MUTANTS) {
    t.ok(mutant.cases.length > 0, `${mutant.id} has cases`);
    for (const id of mutant.cases) {
      const found = CASES.find((c) => c.id === id);
      t.ok(found, `${mutant.id}: ${id}`);
      t.same(
        worldsOf(mutant).filter((world) => !found?.worlds.includes(world)),
        [],
        `${id} runs where ${mutant.id} does`,
      );
    }
  }
});

t.test('a summary is one sentence that an implementer would recognise', async (t) => {
  for (const { id, summary } of MUTANTS) t.match(summary, /^[A-Z][^\n]{15,150}\.$/, id);
});

t.test('clauses name their mutants, mutants their clause', async (t) => {
  for (const { id, evidence } of listClauses())
    t.same(
      evidence.mutants,
      MUTANTS.filter(({ clause }) => clause === id).map((mutant) => mutant.id),
      id,
    );
  t.same(
    MutantList.parse({ schema: 'prism-list/1', mutants: listMutants() }).mutants.map(({ id }) => id),
    MUTANTS.map(({ id }) => id),
  );
});
