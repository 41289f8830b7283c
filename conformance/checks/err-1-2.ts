/**
 * ERR-1: On a backend's failure report the controller resets the client's connection, such that the client really is reset. (SoCC'17 §2.4)
 * ERR-2: A backend that crashes or falls silent is noticed within the declared bound: rules removed, client reset. (SoCC'17 §2.4)
 */
import { type Connection, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { resetOfClient } from '../flows/resets.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** Unless the topology declares another bound. */
const BOUND_MS = 60_000;

/** What is announced and lost is announced again: so much later at the most, nanoseconds. */
function slackOf(bound: number): number {
  return Math.min(10e9, Math.max(2e9, bound));
}

function boundOf(judged: Judged): number {
  return (judged.topology.bounds?.handoffMs ?? BOUND_MS) * 1e6;
}

/** The client's own end of the connection in (from, to]: then nobody has to reset it. */
function gaveUp(connection: Connection, from: number, to: number): boolean {
  return connection.toServer.some(({ head }) => head.t > from && head.t <= to && isFlagged(head, 'RST'));
}

/** Holds, fails, or says why not: within `bound` from `since` on the controller must have reset the client. */
function expectReset(
  judged: Judged,
  tally: Tally,
  { connection }: HandedExchange,
  since: number,
  bound: number,
  why: string,
  ...evidence: readonly EvidenceFrame[]
): void {
  const due = since + bound + slackOf(bound);
  const until = Math.min(due, connection.to);
  const outcome = resetOfClient(connection, since, until);
  if (outcome.kind === 'reset') tally.hold();
  else if (gaveUp(connection, since, until) || connection.to < due)
    tally.doubt(`the client ended ${connection.name} itself`);
  else if (outcome.kind === 'in vain')
    tally.fail(
      `expected ${connection.name} to be reset ${why}; the client did not take the reset in ${named(outcome.last)} and goes on in ${named(outcome.spoke)}`,
      ...evidence,
      at(outcome.last, 'a reset with a number that the client does not take'),
      at(outcome.spoke, 'the client goes on'),
    );
  else if (outcome.kind === 'unclear' || judged.end < due)
    tally.doubt(`the captures end before ${connection.name} has to be reset`);
  else if (judged.missedFrames('controller')) tally.doubt('the captures missed frames of the controller');
  else tally.fail(`expected ${connection.name} to be reset ${why}; the controller sent no reset`, ...evidence);
}

export const ERR_1: Check = {
  clause: 'ERR-1',
  method:
    "After a failure report in the control log the controller's RST must reach the client with the number that it waits for, at once or after a challenge.",
  needs: 'control-log',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      const report = exchange.handoff.log?.report;
      if (report?.message.verb !== 'failed' || report.message.reason === 'client-reset') continue;
      // An answer that says that nobody knows this hand-off any more: it has been dealt with.
      if (report.answer?.ok === false) continue;
      expectReset(
        judged,
        tally,
        exchange,
        report.t,
        boundOf(judged),
        `after the failure report in line ${report.line}`,
        {
          capture: judged.log?.name ?? '',
          frame: report.line,
          note: 'the backend reports failure',
        },
      );
    }
    const gap = judged.log === undefined ? 'no control log' : missingVantages(judged.vantages, 'client', 'controller');
    return tally.finding('failure reports after which the client was reset', gap ?? 'no backend reported failure');
  },
  regular: () => 0,
};

export const ERR_2: Check = {
  clause: 'ERR-2',
  method:
    'A backend that owes part of a response and sends nothing for longer than the bound (60 s unless the topology says otherwise) must be followed by a reset of the client.',
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    const bound = boundOf(judged);
    for (const exchange of judged.handoffs) {
      const { connection, handoff, begins } = exchange;
      if (
        handoff.doneFrom < Number.POSITIVE_INFINITY ||
        handoff.log?.report !== undefined ||
        connection.unread !== undefined
      )
        continue;
      if (exchange.index !== connection.exchanges.length - 1) continue;
      const last = lastOf(exchange);
      const since = last?.t ?? handoff.log?.handoff.t ?? begins;
      if (!Number.isFinite(since)) continue;
      // A backend that goes on to be spoken to has not been noticed yet; one that spoke a moment ago need not be.
      if (connection.toClient.some(({ head }) => head.t > since && !isFlagged(head, 'RST'))) continue;
      const evidence = last === undefined ? [] : [at(last, `the last of ${handoff.backend}`)];
      expectReset(
        judged,
        tally,
        exchange,
        since,
        bound,
        `within ${bound / 1e9} s of ${handoff.backend}'s silence`,
        ...evidence,
      );
    }
    const gap = missingVantages(judged.vantages, 'client', 'controller', ...judged.hosts.backends.keys());
    return tally.finding(
      'silent backends after which the client was reset',
      gap ?? 'no backend fell silent within a response',
    );
  },
  regular: () => 0,
};

function lastOf({ connection, handoff }: HandedExchange): Segment | undefined {
  return connection.toClient.findLast((packet) => senderOf(packet) === handoff.backend)?.head;
}
