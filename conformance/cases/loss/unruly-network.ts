/** A network that loses, repeats and reorders what the client sends and gets. */
import type { ClientJob, Fault } from '../../../harness/world.js';
import type { CaseContext, ConformanceCase } from '../case.js';
import { expectReadBack, expectStored, gets, header, response, runAll, script, send, sendBody } from '../vocabulary.js';

const BODY = { size: 64 * 1024, seed: 19 };

const readsAndWrites = (own: string, other: string): ClientJob =>
  script(
    ...gets(`/${own}/64k`, `/${other}/64k`),
    send(header('PUT', `/${own}/written`, `Content-Length: ${BODY.size}`)),
    sendBody(BODY),
    response('PUT'),
    send(header('GET', `/${own}/written`)),
    response(),
  );

async function run(context: CaseContext): Promise<void> {
  const results = await runAll(context, [readsAndWrites('a', 'b'), readsAndWrites('b', 'a')]);
  context.expectOk(results);
  for (const [i, { responses }] of results.entries()) {
    context.expectBody(responses[0], 200, i === 0 ? '/a/64k' : '/b/64k');
    context.expectBody(responses[1], 200, i === 0 ? '/b/64k' : '/a/64k');
    expectStored(context, responses[2], BODY);
    expectReadBack(context, responses[3], BODY);
  }
}

const bothWays = (fault: (match: { from: string } | { to: string }) => Fault): Fault[] => [
  fault({ from: 'client' }),
  fault({ to: 'client' }),
];

export const duplicatedAndReordered: ConformanceCase = {
  id: 'BKD-1.segments-repeated-and-reordered',
  clauses: ['BKD-1', 'BKD-2', 'HOF-4'],
  summary: 'Every segment of the client arrives twice and many out of order; every body arrives whole.',
  worlds: ['sim', 'linux'],
  options: {
    faults: [
      ...bothWays((match) => ({ kind: 'duplicate', match })),
      ...bothWays((match) => ({ kind: 'reorder', match, rate: 0.1, ms: 3 })),
    ],
  },
  run,
};

export const onePercentLoss: ConformanceCase = {
  id: 'BKD-5.one-percent-loss',
  clauses: ['BKD-5', 'BKD-1', 'BKD-2', 'HOF-2'],
  summary: 'One segment in a hundred is lost in each direction; every body arrives whole.',
  worlds: ['sim', 'linux'],
  options: { faults: bothWays((match) => ({ kind: 'lose', match, rate: 0.01 })) },
  run,
};
