/** Waivers: what they excuse, what they leave alone, and when they are an error. */
import t from 'tap';
import { excuse, needless, unusable } from '../../conformance/excuses.js';
import { exitCodeOf } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import type { Waiver } from '../../harness/target/manifest.js';

const fail = (id: string, ...clauses: string[]): Result => ({
  id,
  clauses,
  verdict: 'fail',
  exercised: 3,
  message: 'PSH was cleared',
  evidence: [{ capture: 'capture.pcapng', frame: 7, note: 'here' }],
  replay: 'prism test SWT-5 --world sim --seed 1',
});
const pass = (id: string, ...clauses: string[]): Result => ({ ...fail(id, ...clauses), verdict: 'pass', evidence: [] });
const clause: Waiver = { clause: 'SWT-5', reason: 'PSH', link: 'https://example.org/1', expires: '2030-01-01' };
const story: Waiver = { case: 'REQ-2.story', reason: 'known', link: 'https://example.org/2', expires: '2030-01-01' };

t.test('a waived clause excuses its row and every case that names nothing else', (t) => {
  const results = excuse(
    [fail('check.SWT-5', 'SWT-5'), fail('SWT-5.story', 'SWT-5'), fail('SWT-5.other', 'SWT-5', 'SWT-4')],
    [clause],
  );
  t.same(
    results.map((r) => r.verdict),
    ['unsupported', 'unsupported', 'fail'],
  );
  t.match(results[0], {
    waiver: { reason: 'PSH', link: 'https://example.org/1', expires: '2030-01-01' },
    message: /waived until 2030-01-01: PSH \(https.*\); without the waiver: fail: PSH was cleared/,
    evidence: [{ frame: 7 }],
  });
  t.equal(exitCodeOf(results.slice(0, 2), true), 0, 'strictness does not count it');
  t.end();
});

t.test('a waived case excuses that case alone, and no error is ever excused', (t) => {
  const error: Result = { ...fail('REQ-2.story', 'REQ-2'), verdict: 'error' };
  t.same(
    excuse([fail('REQ-2.story', 'REQ-2'), fail('REQ-2.other', 'REQ-2'), error], [story]).map((r) => r.verdict),
    ['unsupported', 'fail', 'error'],
  );
  t.same(excuse([pass('REQ-2.story', 'REQ-2')], [story]), [pass('REQ-2.story', 'REQ-2')]);
  t.end();
});

t.test('a waiver that excuses nothing any more is an error', (t) => {
  const needed = excuse([fail('check.SWT-5', 'SWT-5'), fail('REQ-2.story', 'REQ-2')], [clause, story]);
  t.same(needless(needed, [clause, story]), []);
  const idle = excuse([pass('check.SWT-5', 'SWT-5'), pass('REQ-2.story', 'REQ-2')], [clause, story]);
  t.match(needless(idle, [clause, story]), [
    { id: 'waiver.SWT-5', clauses: ['SWT-5'], verdict: 'error' },
    { id: 'waiver.REQ-2.story', clauses: [], verdict: 'error', message: /not needed any more/ },
  ]);
  t.end();
});

t.test('a waiver that names nothing or has expired is not usable', (t) => {
  const known = { clauses: new Set(['SWT-5']), cases: new Set(['REQ-2.story']) };
  t.same(unusable([clause, story], '2030-01-01', known), [], 'the last day counts');
  t.match(unusable([clause], '2030-01-02', known), [/waiver of SWT-5 expired on 2030-01-01/]);
  t.match(unusable([{ ...clause, clause: 'SWT-99' }], '2026-01-01', known), [/names the clause SWT-99/]);
  t.match(unusable([{ ...story, case: 'x' }], '2026-01-01', known), [/names the case x/]);
  t.end();
});
