/** The result document: its shape, its exit code, and the published schemas that must not be stale. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import {
  exitCodeOf,
  type RunDescription,
  resultDocument,
  summarise,
  VERDICTS,
} from '../../conformance/result-schema.js';
import { publishedSchemas } from '../../conformance/schemas.js';
import type { Result } from '../../conformance/verdict.js';

const run: RunDescription = {
  version: '0.1.0',
  command: 'prism test',
  startedAt: new Date(1000),
  finishedAt: new Date(3500),
  seed: 1,
  target: 'reference',
  world: 'sim',
};
const result: Result = {
  id: 'check.REQ-2',
  clauses: ['REQ-2'],
  verdict: 'pass',
  exercised: 4,
  message: '',
  evidence: [],
  replay: '',
};

t.test('a document says what was run and counts its verdicts', (t) => {
  const document = resultDocument(run, [
    result,
    { ...result, id: 'check.REQ-3', verdict: 'inconclusive', exercised: 0 },
  ]);
  t.match(document, {
    schema: 'prism-result/1',
    durationMs: 2500,
    summary: { pass: 1, fail: 0, inconclusive: 1, unsupported: 0, error: 0 },
  });
  t.end();
});

t.test('a pass that was never exercised cannot be written', (t) => {
  t.throws(() => resultDocument(run, [{ ...result, exercised: 0 }]), /exercised at least once/);
  t.end();
});

t.test(
  'exit codes: an error outweighs a fail, a fail outweighs what is open, and only strict minds what is open',
  (t) => {
    const count = fc.integer({ min: 0, max: 3 });
    const counts = fc.record({ pass: count, fail: count, inconclusive: count, unsupported: count, error: count });
    const waiver = { reason: 'known', link: 'https://example.org/2', expires: '2030-01-01' };
    fc.assert(
      fc.property(counts, count, fc.boolean(), (s, waived, strict) => {
        const results = VERDICTS.flatMap((verdict) =>
          Array.from({ length: s[verdict] }, () => ({ ...result, verdict })),
        );
        for (let i = 0; i < waived; i++) results.push({ ...result, verdict: 'unsupported', waiver });
        const code = exitCodeOf(results, strict);
        if (s.error > 0) return code === 4;
        if (s.fail > 0) return code === 1;
        return code === (strict && s.inconclusive + s.unsupported > 0 ? 3 : 0);
      }),
    );
    t.same(summarise([]), { pass: 0, fail: 0, inconclusive: 0, unsupported: 0, error: 0 });
    t.end();
  },
);

t.test('the published schemas are those of the code (npm run schemas)', (t) => {
  const folder = new URL('../../schemas/', import.meta.url);
  const published = publishedSchemas();
  t.same(readdirSync(folder).sort(), [...published.keys()].sort());
  for (const [name, text] of published) t.equal(readFileSync(new URL(name, folder), 'utf8'), text, name);
  t.notMatch([...published.values()].join(''), /"additionalProperties": true/);
  t.end();
});
