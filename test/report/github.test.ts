/** Annotations and summary for GitHub Actions: nothing in a message can become a command or break the table. */
import t from 'tap';
import { githubAnnotations, githubSummary } from '../../conformance/report/github.js';
import { resultDocument } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';

const result: Result = {
  id: 'check.REQ-2',
  clauses: ['REQ-2'],
  verdict: 'fail',
  exercised: 2,
  message: 'expected 100%\n::error::not this | nor this',
  evidence: [{ capture: 'a.pcapng', frame: 12, note: '' }],
  replay: '',
};
const document = resultDocument(
  {
    version: '0.1.0',
    command: 'prism test',
    startedAt: new Date(0),
    finishedAt: new Date(1000),
    seed: 1,
    target: 'a|b',
    world: 'linux',
    shard: '1/3',
  },
  [
    { ...result, verdict: 'inconclusive', id: 'check.RET-2', message: 'not seen' },
    result,
    {
      ...result,
      verdict: 'unsupported',
      waiver: { reason: 'known', link: 'https://example.org/2', expires: '2030-01-01' },
    },
    { ...result, verdict: 'pass', id: 'check.EST-1' },
  ],
);

t.test('one line a problem, escaped, the waived one left out', (t) => {
  t.same(githubAnnotations(document), [
    '::error title=fail%3A check.REQ-2::expected 100%25%0A::error::not this | nor this (a.pcapng frame 12)',
    '::warning title=inconclusive%3A check.RET-2::not seen (a.pcapng frame 12)',
  ]);
  t.end();
});

t.test('a table of what did not pass', (t) => {
  const text = githubSummary(document);
  t.match(text, /of a\\\|b, world linux, shard 1\/3\n\n1 pass, 1 fail, 1 inconclusive, 1 unsupported in 1.0 s/);
  t.match(
    text,
    /\| fail \| check.REQ-2 \| REQ-2 Header-only acknowledgement \| expected 100% ::error::not this \\\| nor/,
  );
  t.end();
});
