/** What a case asks of a target, and the reason that is given where the target lacks it. */
import t from 'tap';
import { CASES } from '../../conformance/cases/index.js';
import { runCases } from '../../conformance/run.js';
import type { Capability } from '../../harness/target/capability.js';
import { lacking, neededBy } from '../../harness/target/needs.js';
import { REFERENCE_TARGET, type Target } from '../../harness/target/target.js';
import { defaultPolicy } from '../../harness/topology.js';
import { fakeCase, fakePlan, fakeWorld } from '../report/fakes.js';

t.test('needs are said, and implied by options', (t) => {
  t.same(neededBy({}), []);
  t.same(neededBy({ needs: ['sack'], options: { ruleCapacity: 1, serviceDelayMs: 0, initialSequence: 0 } }), [
    'sack',
    'rule-capacity',
    'service-delay',
    'initial-sequence',
  ]);
  const fault = { kind: 'drop', match: {} } as const;
  const end = { kind: 'crash', role: 'backend0', on: { frame: {} } } as const;
  const asked = neededBy({
    options: { controlFaults: [fault], roleFaults: [end], policy: defaultPolicy, bounds: { handoffMs: 1 } },
  });
  t.same(asked, ['control-faults', 'crash', 'policy', 'bounds']);
  t.same(neededBy({ options: { controlFaults: [], roleFaults: [] } }), [], 'no fault needs nothing');
  t.end();
});

t.test('the reference lacks nothing that a case asks', (t) => {
  for (const testCase of CASES) t.equal(lacking(testCase, REFERENCE_TARGET), undefined, testCase.id);
  t.end();
});

t.test('a case that asks too much is unsupported, with the reason, and no world is made', async (t) => {
  const log = { created: 0, destroyed: 0, finished: 0 };
  const target: Target = {
    ...REFERENCE_TARGET,
    name: 'small',
    selector: 'small.json',
    capabilities: new Set<Capability>(['read']),
  };
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(log),
    cases: [{ ...fakeCase('SWT-9.full', ['SWT-9']), options: { ruleCapacity: 1 } }],
    target: { judged: target, told: { roles: {}, variants: [], prism: [] } },
  });
  const [run] = await runCases(plan);
  t.match(run?.result, {
    verdict: 'unsupported',
    exercised: 0,
    message: /the target small does not declare rule-capacity \(a switch takes/,
    replay: /--target small\.json/,
  });
  t.equal(log.created, 0);
});
