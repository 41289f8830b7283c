/** Clauses, operators, checks, cases, remedies and mutants name each other, and no link dangles. */
import t from 'tap';
import { listCases, listClauses, listOperators, listSpecMutants, listSpecRemedies } from '../../cli/catalogue.js';
import { CHECKS } from '../../conformance/checks/index.js';
import { faultsOf } from '../../model/spec/mutants.js';
import { isRemedyName } from '../../reference-impl/core/remedies.js';
import { readSpecification, shippedSpecification } from '../../spec/formal.js';
import { definitionOf, operatorsIn, operatorsOf, reconfigured, situationsOf } from '../../spec/operators.js';
import { CLAUSES, findClause } from '../../spec/requirements.js';

const specification = readSpecification(shippedSpecification());
const operators = operatorsOf(specification).map(({ name }) => name);

t.test('every operator that is checked states a clause, and every clause names its operators', async (t) => {
  const named = CLAUSES.flatMap((clause) => clause.operators);
  t.same([...named].sort(), [...operators].sort());
  for (const { id, clauses } of listOperators()) {
    t.ok(findClause(clauses[0] ?? ''), id);
    t.ok(findClause(clauses[0] ?? '')?.operators.includes(id), `${clauses[0]} names ${id}`);
    t.ok(definitionOf(specification, id).length > 0, `${id} stands in Clauses.tla`);
  }
});

t.test('nothing in Clauses.tla that is named like a clause goes unchecked', async (t) => {
  const defined = [...(specification.modules['Clauses.tla'] ?? '').matchAll(/^([A-Z]{3}_\d+\w*) *==/gm)].map(
    ([, name]) => name,
  );
  t.same([...defined].sort(), [...operators].sort());
});

t.test('the model of continuous integration checks every operator; deep, every invariant', async (t) => {
  const names = (cfg: string) => operatorsIn(specification.configurations[cfg] ?? '').map(({ name }) => name);
  t.same(names('MCci.cfg').sort(), [...operators].sort());
  t.same(
    names('MCdeep.cfg').sort(),
    operatorsOf(specification)
      .filter(({ kind }) => kind === 'invariant')
      .map(({ name }) => name)
      .sort(),
  );
});

t.test('a clause has an operator, or the reason why the model cannot speak about it', async (t) => {
  for (const { id, operators, unmodelled } of CLAUSES)
    t.equal(operators.length === 0, unmodelled !== undefined, `${id}: one of the two`);
});

t.test('every must is judged by an operator, a check or a case, or says what is missing', async (t) => {
  for (const { id, level, evidence, pending } of listClauses()) {
    const judged = evidence.operators.length + evidence.checks.length + evidence.cases.length > 0;
    if (level === 'M')
      t.equal(judged, pending === undefined, `${id}: ${judged ? 'judged, so nothing is pending' : 'pending'}`);
  }
  const pending = CLAUSES.filter((clause) => clause.pending !== undefined && !/^(KNI|MEM)/.test(clause.id));
  t.same(
    pending.map(({ id }) => id),
    [],
    'nothing of Prism slips into this list unnoticed',
  );
});

t.test('checks and cases judge clauses that exist', async (t) => {
  for (const { clause } of CHECKS) t.ok(findClause(clause), clause);
  for (const { id, clauses } of listCases()) for (const clause of clauses) t.ok(findClause(clause), `${id}: ${clause}`);
});

t.test('every operator is named by a fault that it must catch, and every fault fits the text', async (t) => {
  const faults = faultsOf(specification);
  t.ok(specification.mutants.length >= 25, `${specification.mutants.length} seeded faults`);
  t.equal(new Set(faults.map(({ id }) => id)).size, faults.length, 'ids are unique');
  for (const name of operators)
    t.ok(
      specification.mutants.some((mutant) => mutant.operator === name),
      `a seeded fault for ${name}`,
    );
  for (const { id, operator, model } of faults)
    t.ok(
      operatorsIn(specification.configurations[model.cfg] ?? '').some(({ name }) => name === operator),
      `${id}: ${model.id} checks ${operator}`,
    );
  t.same(
    listSpecMutants().map(({ id }) => id),
    faults.map(({ id }) => id),
  );
});

t.test('every remedy of the specification is a constant of Handoff.tla that every model sets', async (t) => {
  const [, block = ''] =
    /The remedies, BOOLEAN each\.([\s\S]*?)^VARIABLES/m.exec(specification.modules['Handoff.tla'] ?? '') ?? [];
  const constants = [...block.matchAll(/^ {2}([A-Z][A-Za-z]+),? +\\\*/gm)];
  t.same(
    constants.map(([, name]) => name).sort(),
    specification.remedies.map(({ id }) => id).sort(),
    'the block of remedies in Handoff.tla',
  );
  for (const { cfg } of specification.models)
    for (const { id } of specification.remedies)
      t.match(specification.configurations[cfg], new RegExp(`^  ${id} = TRUE$`, 'm'), `${cfg}: ${id}`);
  for (const { id, reference, operator } of listSpecRemedies()) {
    t.ok(reference === null || isRemedyName(reference), `${id}: ${reference}`);
    t.ok(operators.includes(operator), `${id}: ${operator}`);
  }
});

t.test('situations are all given a register, and asked for by the model of continuous integration', async (t) => {
  const situations = situationsOf(specification);
  t.match(specification.modules['Witnesses.tla'], new RegExp(`ASSUME \\\\A i \\\\in 1\\.\\.${situations.length} :`));
  t.match(specification.configurations['MCci.cfg'], /\bSometimes\b/);
  for (let hazard = 1; hazard <= 10; hazard++)
    t.ok(
      situations.some((text) => text.startsWith(`H${hazard} `)),
      `hazard ${hazard}`,
    );
});

t.test('a configuration is changed where it is asked to be, and nowhere else', async (t) => {
  const cfg = specification.configurations['MCci.cfg'] ?? '';
  const changed = reconfigured(cfg, { constants: { EarlyGuard: 'FALSE' }, only: ['HOF_5', 'RET_2'] });
  t.match(changed, /^ {2}EarlyGuard = FALSE$/m);
  t.match(changed, /^ {2}DrainRules = TRUE$/m);
  t.same(operatorsIn(changed), [
    { name: 'HOF_5', kind: 'invariant' },
    { name: 'RET_2', kind: 'liveness' },
  ]);
  t.equal(reconfigured(cfg, {}), cfg);
  t.throws(() => reconfigured(cfg, { constants: { Nonsense: 'FALSE' } }), RangeError);
});
