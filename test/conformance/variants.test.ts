/** Clauses that a declared variant replaces. */
import t from 'tap';
import type { ClauseFinding } from '../../conformance/judge.js';
import { REPLACED, withVariants } from '../../conformance/variants.js';
import { findClause } from '../../spec/requirements.js';

const found = (clause: string, verdict: ClauseFinding['finding']['verdict']): ClauseFinding => ({
  clause,
  finding: { verdict, exercised: 1, message: 'seen', evidence: [{ capture: 'c', frame: 1, note: '' }] },
});

t.test('a replaced clause is never a fail; what is kept all the same passes; others are left alone', (t) => {
  const findings = [
    found('REQ-3', 'fail'),
    found('SWT-6', 'pass'),
    found('RET-2', 'inconclusive'),
    found('RET-1', 'fail'),
  ];
  t.match(withVariants(findings, ['VAR-6']), [
    {
      finding: {
        verdict: 'unsupported',
        message: 'replaced by VAR-6, which the target declares; without it: fail: seen',
      },
    },
    { finding: { verdict: 'pass' } },
    { finding: { verdict: 'unsupported' } },
    { finding: { verdict: 'fail' } },
  ]);
  t.same(withVariants(findings, []), findings);
  t.same(withVariants(findings, ['VAR-3']), findings);
  t.end();
});

t.test('variants and the clauses that they replace are in the catalogue', (t) => {
  for (const [variant, clauses] of REPLACED) for (const id of [variant, ...clauses]) t.ok(findClause(id), id);
  t.end();
});
