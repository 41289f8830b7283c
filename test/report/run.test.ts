/** The runner: one world a case, verdicts from expectations and captures, nothing left behind. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { caseVerdict } from '../../conformance/case-verdict.js';
import type { CaseEvidence } from '../../conformance/cases/evidence.js';
import { type CaseRun, passiveResults, replayCommand, runCases, worldResults } from '../../conformance/run.js';
import { WorldError } from '../../harness/world.js';
import { type FakeLog, fakeCase, fakePlan, fakeWorld, finding, judgeWith } from './fakes.js';

const newLog = (): FakeLog => ({ created: 0, destroyed: 0, finished: 0 });
const only = (runs: CaseRun[]): CaseRun => {
  const [run] = runs;
  if (!run || runs.length !== 1) throw new Error(`expected one run, got ${runs.length}`);
  return run;
};

t.test('a case that went well passes, exercised as often as its least exercised clause', async (t) => {
  const log = newLog();
  const out = t.testdir();
  const plan = fakePlan(out, {
    create: fakeWorld(log),
    cases: [fakeCase('REQ-2.a', ['REQ-2', 'REQ-3'])],
    judge: judgeWith(finding('REQ-2', 'pass', 5), finding('REQ-3', 'pass', 2), finding('SWT-1', 'pass', 1)),
  });
  const run = only(await runCases(plan));
  t.match(run.result, { id: 'REQ-2.a', verdict: 'pass', exercised: 2, clauses: ['REQ-2', 'REQ-3'] });
  t.equal(run.result.replay, 'prism test REQ-2.a --world sim --seed 7');
  t.ok(existsSync(join(out, 'sim/REQ-2.a/topology.json')));
  t.same(log, { created: 1, destroyed: 1, finished: 1 });
});

t.test('a violated clause names itself and its frames, not the clauses that were kept', async (t) => {
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(newLog()),
    cases: [fakeCase('HOF-6.a', ['HOF-6', 'HOF-7', 'REQ-2'], async (c) => c.expect(false, 'body differs'))],
    judge: judgeWith(
      finding('HOF-6', 'pass'),
      finding('HOF-7', 'inconclusive'),
      finding('REQ-2', 'fail'),
      finding('SWT-6', 'fail'),
    ),
  });
  const { result } = only(await runCases(plan));
  t.equal(result.verdict, 'fail');
  t.same(result.clauses, ['REQ-2', 'SWT-6'], 'nor those that could not be judged for what is broken');
  t.match(result.message, /^REQ-2: .*; SWT-6: .*; body differs$/, 'what was expected comes behind what frames show');
  t.match(result.leading, { clause: 'REQ-2', by: 'check', at: { frame: 7 } });
  t.match(result.beside, [{ clause: 'SWT-6' }, { clause: null, by: 'case', message: 'body differs' }]);
  t.match(result.evidence[0], { frame: 7 });
});

t.test('a failed expectation without anything to show for it is not charged where a clause is broken', async (t) => {
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(newLog()),
    cases: [fakeCase('RET-7.a', ['RET-7', 'HOF-6'], async (c) => c.expect(false, 'no response'))],
    judge: judgeWith(finding('HOF-6', 'inconclusive'), finding('REQ-2', 'fail')),
  });
  t.same(only(await runCases(plan)).result.clauses, ['REQ-2']);
});

t.test('an expectation that shows its frame, or names its clause, is charged beside a broken one', async (t) => {
  const shows = fakeCase('RET-7.a', ['RET-7'], async () => undefined, {
    afterwards({ expect, expectFor }) {
      expect(false, 'sent twice', { frame: 3, note: 'again' });
      expectFor('SWT-9', false, 'refused', { line: 4, note: 'refused' });
    },
  });
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(newLog()),
    cases: [shows],
    judge: judgeWith(finding('REQ-2', 'fail')),
  });
  const { result } = only(await runCases(plan));
  t.same(result.clauses, ['REQ-2', 'SWT-9', 'RET-7']);
  t.match(result.evidence, [
    { capture: 'c.pcapng', frame: 7, note: 'seen' },
    { capture: /control\.ndjson$/, frame: 4, note: 'refused' },
    { capture: 'sim/RET-7.a/capture.pcapng', frame: 3, note: 'again' },
  ]);
});

t.test(
  'without any broken frame an expectation is charged to what the case is about, not to what was kept',
  async (t) => {
    const plan = fakePlan(t.testdir(), {
      create: fakeWorld(newLog()),
      cases: [fakeCase('REQ-5.a', ['REQ-5', 'REQ-2', 'HOF-6'], async (c) => c.expect(false, 'lost'))],
      judge: judgeWith(finding('REQ-5', 'pass'), finding('REQ-2', 'pass'), finding('HOF-6', 'inconclusive')),
    });
    t.same(only(await runCases(plan)).result.clauses, ['REQ-5']);
  },
);

t.test('an expectation that fails without any broken frame is charged to the case', async (t) => {
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(newLog()),
    cases: [fakeCase('REQ-5.a', ['REQ-5'], async (c) => c.expect(false, 'lost'))],
    judge: judgeWith(finding('REQ-5', 'pass')),
  });
  const { result } = only(await runCases(plan));
  t.match(result, { verdict: 'fail', clauses: ['REQ-5'], message: 'lost' });
  t.match(result.evidence, [{ capture: 'sim/REQ-5.a/capture.pcapng', frame: 1 }]);
});

t.test('what a case is about and its capture cannot show is inconclusive', async (t) => {
  const judgement = {
    failedExpectation: undefined,
    capture: 'c',
    findings: [finding('HOF-1', 'inconclusive'), finding('EST-1', 'inconclusive')],
  };
  t.match(caseVerdict(fakeCase('HOF-1.a', ['HOF-1', 'ERR-4']), '', judgement), {
    verdict: 'inconclusive',
    clauses: ['HOF-1'],
    exercised: 0,
  });
  t.match(
    caseVerdict(fakeCase('ERR-4.a', ['ERR-4']), '', judgement),
    { verdict: 'pass', exercised: 1 },
    'a clause without a check rests on the story',
  );
});

t.test('what an incidental check leaves open is not held against a case that made it come about', async (t) => {
  const open = { ...finding('RET-5', 'inconclusive'), incidental: true } as const;
  const judgement = { failedExpectation: undefined, capture: 'c', findings: [open] };
  t.match(caseVerdict(fakeCase('RET-5.a', ['RET-5']), '', judgement), { verdict: 'pass', clauses: ['RET-5'] });
  const broken = { ...finding('RET-5', 'fail'), incidental: true } as const;
  t.match(caseVerdict(fakeCase('RET-5.a', ['RET-5']), '', { ...judgement, findings: [broken] }), { verdict: 'fail' });
});

t.test('a misfortune that did not happen proves nothing, whatever came of it', async (t) => {
  const missedFaults = ['no control message to drop: {"verb":"add"}'];
  const judgement = { failedExpectation: undefined, capture: 'c', findings: [finding('RET-6', 'pass')], missedFaults };
  const testCase = fakeCase('ERR-3.a', ['ERR-3', 'RET-6']);
  t.match(caseVerdict(testCase, '', judgement), {
    verdict: 'inconclusive',
    clauses: ['ERR-3', 'RET-6'],
    exercised: 0,
    message: /the premise did not happen: no control message to drop/,
  });
  t.match(caseVerdict(testCase, '', { ...judgement, failedExpectation: 'not reset' }), {
    verdict: 'inconclusive',
    message: /the premise did not happen.*; not reset/,
  });
  t.match(
    caseVerdict(testCase, '', { ...judgement, findings: [finding('SWT-1', 'fail')] }),
    { verdict: 'fail', clauses: ['SWT-1'] },
    'what frames show broken is broken all the same',
  );
});

t.test('what a case finds afterwards counts as what it found while it ran', async (t) => {
  const testCase = {
    ...fakeCase('ERR-3.a', ['ERR-3']),
    afterwards: ({ control, expect }: CaseEvidence) => expect(control.length > 0, 'nobody said anything'),
  };
  const plan = fakePlan(t.testdir(), { create: fakeWorld(newLog()), cases: [testCase] });
  t.match(only(await runCases(plan)).result, { verdict: 'fail', clauses: ['ERR-3'], message: 'nobody said anything' });
});

t.test('failures of the harness are errors, never fails, and leave nothing', async (t) => {
  t.test('a world that cannot be built ends its world', async (t) => {
    const create = async (): Promise<never> => {
      throw new WorldError('port 80 is in use');
    };
    const runs = await runCases(
      fakePlan(t.testdir(), { create, cases: [fakeCase('A-1.a', []), fakeCase('A-1.b', [])] }),
    );
    t.match(only(runs), { worldFailed: true, result: { verdict: 'error', message: 'port 80 is in use' } });
  });
  for (const [what, run, message] of [
    [
      'a world that fails in the middle',
      () => Promise.reject(new WorldError('the switch process died')),
      'the switch process died',
    ],
    ['a defect of the case', () => Promise.reject(new TypeError('x is not a function')), 'x is not a function'],
    ['a case that never ends', () => new Promise<void>(() => undefined), 'did not end within 0.05 s'],
  ] as const)
    t.test(what, async (t) => {
      const log = newLog();
      const plan = fakePlan(t.testdir(), {
        create: fakeWorld(log),
        cases: [fakeCase('A-1.a', ['REQ-1'], run)],
        caseLimitMs: 50,
      });
      t.match(only(await runCases(plan)).result, { verdict: 'error', exercised: 0, message });
      t.ok(log.destroyed >= 1);
    });
  t.test('missed frames', async (t) => {
    const plan = fakePlan(t.testdir(), {
      create: fakeWorld(newLog(), { captureDrops: 4 }),
      cases: [fakeCase('A-1.a', [])],
    });
    t.match(only(await runCases(plan)).result, { verdict: 'error', message: /missed 4 frames/ });
  });
  t.test('an unreadable capture', async (t) => {
    const plan = fakePlan(t.testdir(), {
      create: fakeWorld(newLog()),
      cases: [fakeCase('A-1.a', [])],
      judge: () => ({ ok: false, error: 'truncated at byte 9' }),
    });
    t.match(only(await runCases(plan)).result, { verdict: 'error', message: /truncated at byte 9/ });
  });
});

t.test('a story that stumbles over what it has found wrong has failed', async (t) => {
  const story = fakeCase('REQ-5.a', ['REQ-5'], async (c) => {
    c.expect(false, 'no response');
    throw new TypeError('undefined');
  });
  const plan = fakePlan(t.testdir(), { create: fakeWorld(newLog()), cases: [story] });
  t.match(only(await runCases(plan)).result, { verdict: 'fail', message: 'no response' });
});

t.test('a missing client program is an error, or inconclusive for a tolerant run', async (t) => {
  const needs = { ...fakeCase('HOF-6.curl', ['HOF-6']), programs: ['curl'] };
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(newLog()),
    kind: 'linux',
    cases: [needs],
    isInstalled: () => false,
  });
  t.match(only(await runCases(plan)).result, { verdict: 'error', message: /needs curl/ });
  t.match(only(await runCases({ ...plan, tolerant: true })).result, { verdict: 'inconclusive' });
  t.match(only(await runCases({ ...plan, worlds: plan.worlds.map((w) => ({ ...w, kind: 'sim' })) })).result, {
    verdict: 'pass',
  });
});

t.test(
  'an interrupt destroys the world, also one that is still being built, and rejects with its reason',
  async (t) => {
    for (const slow of ['run', 'create'] as const) {
      const log = newLog();
      const controller = new AbortController();
      const reason = new Error('interrupted');
      const inner = fakeWorld(log);
      const create: typeof inner = async (folder, options) => {
        if (slow === 'create') {
          controller.abort(reason);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return inner(folder, options);
      };
      const run = async (): Promise<void> => {
        controller.abort(reason);
        await new Promise(() => undefined);
      };
      const plan = fakePlan(t.testdir({ [slow]: {} }), {
        create,
        cases: [fakeCase('A-1.a', [], run)],
        signal: controller.signal,
      });
      await t.rejects(runCases(plan), reason);
      t.match(log, { created: 1, finished: 0 });
      t.ok(log.destroyed >= 1, slow);
    }
  },
);

t.test('passive results: any fail fails, else any pass passes with all that exercised it', async (t) => {
  const captures = [
    {
      findings: [finding('SWT-1', 'pass', 4), finding('REQ-2', 'pass', 1), finding('HOF-1', 'inconclusive')],
      replay: 'first',
    },
    {
      findings: [finding('SWT-1', 'pass', 6), finding('REQ-2', 'fail', 2), finding('HOF-1', 'inconclusive')],
      replay: 'second',
    },
  ];
  const results = passiveResults(captures, (clause) => `again ${clause}`);
  t.match(
    results.map((r) => [r.id, r.verdict, r.exercised, r.replay]),
    [
      ['check.REQ-2', 'fail', 3, 'second'],
      ['check.HOF-1', 'inconclusive', 0, 'again HOF-1'],
      ['check.SWT-1', 'pass', 10, 'again SWT-1'],
    ],
    'in the order of the catalogue',
  );
});

t.test('clauses that nobody asked about appear only where they fail', async (t) => {
  const plan = fakePlan(t.testdir(), {
    create: fakeWorld(newLog()),
    cases: [fakeCase('REQ-2.a', ['REQ-2'])],
    judge: judgeWith(finding('REQ-2', 'pass'), finding('SWT-1', 'pass'), finding('SWT-6', 'fail')),
  });
  const results = worldResults(await runCases(plan), 'sim', new Set(['REQ-2']), plan);
  t.same(
    results.map((r) => r.id),
    ['REQ-2.a', 'check.REQ-2', 'check.SWT-6'],
  );
});

t.test('the replay command carries everything that matters', (t) => {
  t.equal(
    replayCommand('REQ-2', 'linux', { seed: 9, without: ['header-only-ack', 'window-closing'] }),
    'prism test REQ-2 --world linux --seed 9 --without header-only-ack window-closing',
  );
  t.end();
});
