/** The TAP stream, read back by a parser that is not ours. */
import fc from 'fast-check';
import t from 'tap';
import { Parser, type Result as TapPoint } from 'tap-parser';
import { tapReport } from '../../conformance/report/tap.js';
import type { Result } from '../../conformance/verdict.js';
import { anyResult, documentOf, resultOf } from './documents.js';

interface ReadBack {
  readonly points: readonly TapPoint[];
  readonly bailout: string | boolean;
  readonly plan: string;
  readonly ok: boolean;
  /** Lines that are no TAP. */
  readonly extra: string;
  readonly failures: readonly unknown[];
}

function readBack(stream: string): ReadBack {
  const points: TapPoint[] = [];
  let extra = '';
  let plan = '';
  const parser = new Parser();
  parser.on('assert', (point: TapPoint) => points.push(point));
  parser.on('extra', (text: string) => {
    extra += text;
  });
  parser.on('plan', ({ start, end }: { start: number; end: number }) => {
    plan = `${start}..${end}`;
  });
  parser.end(stream);
  const { results } = parser;
  return {
    points,
    extra,
    plan,
    ok: results?.ok ?? false,
    bailout: results?.bailout ?? false,
    failures: results?.failures ?? [],
  };
}

const story = resultOf('REQ-2.story', 'fail');

t.test('each verdict has its point, and what it rests on below it', async (t) => {
  const results = [
    resultOf('a', 'pass'),
    story,
    resultOf('b', 'inconclusive'),
    resultOf('c', 'unsupported'),
    resultOf('d', 'unsupported', {
      waiver: { reason: 'ticket #7', link: 'https://example.org/7', expires: '2027-01-01' },
    }),
  ];
  const { points, ok, extra, plan, bailout } = readBack(tapReport(documentOf(results), false));
  t.equal(extra, '');
  t.equal(plan, '1..5');
  t.equal(bailout, false);
  t.equal(ok, false, 'the fail counts, the waived one does not');
  t.match(points, [
    { ok: true, name: 'sim a', skip: false },
    { ok: false, name: 'sim REQ-2.story', skip: false, todo: false },
    { ok: true, skip: 'inconclusive: b is inconclusive' },
    { ok: true, skip: 'unsupported: c is unsupported' },
    { ok: false, todo: /waived: ticket .*7/ },
  ]);
  t.same(points[1]?.diag, {
    verdict: 'fail',
    clauses: ['REQ-2'],
    exercised: 3,
    message: 'REQ-2.story is fail',
    evidence: [{ capture: 'sim/story/capture.pcapng', frame: 12, note: 'ack 105' }],
    replay: 'prism test REQ-2.story',
  });
  t.equal(
    readBack(
      tapReport(
        documentOf([
          resultOf('d', 'unsupported', {
            waiver: { reason: 'w', link: 'https://example.org/7', expires: '2027-01-01' },
          }),
        ]),
        false,
      ),
    ).ok,
    true,
    'waived alone',
  );
});

t.test('strict: what stayed open is not ok', async (t) => {
  const open = documentOf([resultOf('b', 'inconclusive'), resultOf('c', 'unsupported')]);
  t.equal(readBack(tapReport(open, false)).ok, true);
  t.match(readBack(tapReport(open, true)).points, [
    { ok: false, skip: false },
    { ok: false, skip: false },
  ]);
});

t.test('a name that looks like a directive is a name', async (t) => {
  const { points } = readBack(
    tapReport(documentOf([resultOf('a # SKIP b', 'fail'), resultOf('c # todo', 'pass')]), false),
  );
  t.match(points, [
    { ok: false, skip: false, todo: false, name: 'sim a # SKIP b' },
    { ok: true, skip: false, todo: false, name: 'sim c # todo' },
  ]);
});

t.test('a failure of the harness bails out, behind every point', async (t) => {
  const { bailout, points } = readBack(tapReport(documentOf([resultOf('a', 'pass'), resultOf('e', 'error')]), false));
  t.match(bailout, /the harness failed: e is error/);
  t.equal(points.length, 2);
});

t.test('nothing judged is a plan of none, with the reason', async (t) => {
  t.match(tapReport(documentOf([]), false), /^1\.\.0 # SKIP /m);
});

t.test('any text comes back as a point, and as it was', async () => {
  fc.assert(
    fc.property(fc.array(anyResult, { maxLength: 4 }), fc.boolean(), (results: readonly Result[], strict) => {
      const document = documentOf(results);
      const stream = tapReport(document, strict);
      const back = readBack(stream);
      const wanted = results.length;
      if (back.points.length !== wanted || back.extra !== '') return false;
      // Raw, these could end a line or turn the reading direction for one reader and not for another.
      if (/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(stream)) return false;
      if (results.some(({ verdict }) => verdict === 'error') !== (back.bailout !== false)) return false;
      return results.every((result, i) => {
        const point = back.points[i];
        const diag = point?.diag;
        const open = result.verdict === 'inconclusive' || result.verdict === 'unsupported';
        return (
          point?.ok === (result.verdict === 'pass' || (open && !strict)) &&
          (point.skip !== false) === (open && !strict) &&
          point.todo === false &&
          diag?.message === result.message &&
          diag.replay === (result.replay === '' ? undefined : result.replay) &&
          JSON.stringify(diag.evidence ?? []) === JSON.stringify(result.evidence)
        );
      });
    }),
    { numRuns: 300, seed: 5 },
  );
});
