/** Request targets: in absolute form, with a query, encoded, and very long (RFC 9112 §3.2, RFC 3986). */
import type { ConformanceCase } from '../case.js';
import { expectObjects, header, response, runAll, script, send } from '../vocabulary.js';

function served(
  id: string,
  clauses: readonly string[],
  summary: string,
  texts: readonly [string, string][],
): ConformanceCase {
  return {
    id,
    clauses,
    summary,
    worlds: ['sim', 'linux'],
    async run(context) {
      const results = await runAll(
        context,
        texts.map(([text]) => script(send(text), response())),
      );
      for (const [i, result] of results.entries()) expectObjects(context, result, [texts[i]?.[1] ?? '']);
    },
  };
}

export const absoluteForm = served(
  'REQ-6.absolute-form',
  ['REQ-6', 'REQ-1', 'REQ-2'],
  'A target in absolute form is served by the backend that its path names, not by what its authority looks like.',
  [
    ['GET http://p/a/8k HTTP/1.1\r\nHost: p\r\n\r\n', '/a/8k'],
    ['GET http://a/b/8k HTTP/1.1\r\nHost: a\r\n\r\n', '/b/8k'],
  ],
);

export const queries = served(
  'REQ-6.query-that-names-the-other',
  ['REQ-6', 'REQ-1'],
  "A query that holds the other backend's prefix, plain and encoded, does not change who serves the path.",
  [
    [header('GET', '/a/8k?of=/b/8k'), '/a/8k'],
    [header('GET', '/b/8k?of=%2Fa%2F8k&x=%00'), '/b/8k'],
  ],
);

const LONG = 40_000;

export const longTarget: ConformanceCase = {
  id: 'REQ-1.long-target',
  clauses: ['REQ-1', 'REQ-2', 'REQ-6', 'BKD-1'],
  summary: 'A target of 40,000 bytes goes whole to the backend of its prefix, which says that it has no such object.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const results = await runAll(
      context,
      ['/a/', '/b/'].map((prefix) => script(send(header('GET', prefix + 'x'.repeat(LONG))), response())),
    );
    context.expectOk(results);
    for (const { responses } of results) {
      const status = responses[0]?.status;
      context.expect(
        status === 404 || status === 414,
        `expected status 404 or 414, got ${status ?? 'no response'}`,
        'service',
      );
    }
  },
};
