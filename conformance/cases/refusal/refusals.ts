/** Requests that nobody should serve: the controller answers or resets, and hands nothing off. */
import type { CaseContext, ConformanceCase } from '../case.js';
import { lineOf, logged } from '../evidence.js';
import { expectObjects, gets, header, response, runOne, script, send, waitClose } from '../vocabulary.js';

/** What refuses the request: one of these answers and the end of the connection, or a reset (REQ-7 allows both). */
async function expectRefused(context: CaseContext, text: string, statuses: readonly number[]): Promise<void> {
  const result = await runOne(context, script(send(text), response(), waitClose));
  const status = result.responses[0]?.status;
  const reset = status === undefined && result.closedBy === 'server-rst';
  const refused = status !== undefined && statuses.includes(status);
  const seen = status === undefined ? (result.closedBy ?? result.error ?? 'silence') : `status ${status}`;
  context.expect(reset || refused, `expected status ${statuses.join(' or ')} or a reset, got ${seen}`);
  const ended = result.closedBy === 'server-fin' || result.closedBy === 'server-rst';
  context.expect(ended, `expected the server to end the connection, saw ${result.closedBy ?? 'nothing'}`);
}

/** Who refuses must do it without a backend: neither a rule nor a hand-off is asked for but for the two requests behind. */
export function refuses(
  story: string,
  summary: string,
  text: string | ((headerLimit: number) => string),
  statuses: readonly number[],
): ConformanceCase {
  return {
    id: `REQ-7.${story}`,
    clauses: ['REQ-7', 'RET-6'],
    summary,
    worlds: ['sim', 'linux'],
    async run(context) {
      await expectRefused(context, typeof text === 'string' ? text : text(context.headerLimit), statuses);
      // Who refused one connection still serves the next.
      expectObjects(context, await runOne(context, script(...gets('/a/1', '/b/1'))), ['/a/1', '/b/1']);
    },
    afterwards({ control, expect }) {
      const sent = logged(control, 'handoff', 'sent');
      const handoffs = new Set(sent.map(({ message }) => 'id' in message && message.id));
      // The refused request came first.
      const shownBy = sent.slice(0, 1).map((entry) => lineOf(control, entry, 'the request that should be refused'));
      expect(
        handoffs.size <= 2,
        `expected two hand-offs, of the requests behind the refused one, saw ${handoffs.size}`,
        ...shownBy,
      );
    },
  };
}

export const malformedRequest = refuses(
  'malformed-request-line',
  'A request line without a target is answered 400 or reset (RFC 9112 §3).',
  'GET\r\nHost: p\r\n\r\n',
  [400],
);

export const headerTooLong = refuses(
  'header-too-long',
  'A header beyond the declared limit, 64 KiB unless declared otherwise, is answered 431 or reset (RFC 6585 §5).',
  (headerLimit) => filled(headerLimit + 2 * 1024),
  [431],
);

/** A header of so many bytes. */
const filled = (length: number): string => {
  const bare = header('GET', '/a/1k', 'X-Filler: ');
  return header('GET', '/a/1k', `X-Filler: ${'x'.repeat(length - bare.length)}`);
};

export const headerOneByteTooLong = refuses(
  'header-one-byte-too-long',
  'A header one byte beyond the declared limit, 64 KiB unless declared otherwise, is answered 431 or reset (RFC 6585 §5).',
  (headerLimit) => filled(headerLimit + 1),
  [431],
);

export const headerAtTheLimit: ConformanceCase = {
  id: 'REQ-1.header-at-the-limit',
  clauses: ['REQ-1', 'REQ-2', 'REQ-3', 'BKD-1'],
  summary: 'A header of exactly the declared limit, 64 KiB unless declared otherwise, is read whole and handed off.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const result = await runOne(context, script(send(filled(context.headerLimit)), response(), ...gets('/b/1')));
    expectObjects(context, result, ['/a/1k', '/b/1']);
  },
};

export const unsupportedMethod = refuses(
  'unsupported-method',
  'A method that is not supported is answered 501 or 405, or reset (RFC 9110 §15.6.2, §15.5.6).',
  header('DELETE', '/a/1'),
  [501, 405],
);
