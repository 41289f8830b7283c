/** Result documents for tests of the formats: one of every verdict, and any that fast-check makes up. */
import fc from 'fast-check';
import { type ResultDocument, resultDocument } from '../../conformance/result-schema.js';
import type { Result, Verdict } from '../../conformance/verdict.js';
import { CLAUSES } from '../../spec/requirements.js';

export function resultOf(id: string, verdict: Verdict, rest: Partial<Result> = {}): Result {
  return {
    id,
    clauses: ['REQ-2'],
    verdict,
    exercised: verdict === 'pass' || verdict === 'fail' ? 3 : 0,
    message: `${id} is ${verdict}`,
    evidence: verdict === 'fail' ? [{ capture: 'sim/story/capture.pcapng', frame: 12, note: 'ack 105' }] : [],
    replay: `prism test ${id}`,
    ...rest,
  };
}

export function documentOf(results: readonly Result[], world: ResultDocument['world'] = 'sim'): ResultDocument {
  const run = {
    version: '0',
    command: 'prism test',
    startedAt: new Date(0),
    finishedAt: new Date(1500),
    seed: 1,
    target: 'reference',
    world,
  };
  return resultDocument(run, results);
}

/** Text as bad as it gets: controls, markup, line ends of every kind, halves of surrogate pairs, TAP's and YAML's own marks. */
export const awkwardText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
  fc.string({
    unit: fc.constantFrom('#', '\\', '\n', '\r', ' ', '-', '.', ':', ']]>', '<', '&', '"', "'", '\0', 'ok', 'SKIP'),
  }),
);

export const anyResult: fc.Arbitrary<Result> = fc.record({
  id: awkwardText.map((text) => `x${text}`),
  clauses: fc.subarray(CLAUSES.slice(0, 6).map(({ id }) => id)),
  verdict: fc.constantFrom<Verdict>('pass', 'fail', 'inconclusive', 'unsupported', 'error'),
  exercised: fc.integer({ min: 1, max: 1e6 }),
  message: awkwardText,
  evidence: fc.array(fc.record({ capture: awkwardText, frame: fc.integer({ min: 1, max: 1e6 }), note: awkwardText }), {
    maxLength: 3,
  }),
  replay: awkwardText,
});
