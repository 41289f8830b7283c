/** RET-1: Rules are removed after completion is reported and before the window reopens. (SoCC'17 §2.5, steps 10 and 11) */
import { removedBefore } from '../flows/confirmed.js';
import { isBackend } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import type { LoggedRequest } from '../flows/logged.js';
import { between, explainArrival, handedOff, hasVariant, possibleRules, routingOf } from '../flows/rules.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const RET_1: Check = {
  clause: 'RET-1',
  method:
    'What the client sends after hearing from the controller again must not reach the backend, nor what it sends before completion the controller; in the control log, remove is answered after complete and before that.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    if (hasVariant(judged, 'VAR-7'))
      tally.unsupported('VAR-7: ownership moves on without passing through the controller');
    if (hasVariant(judged, 'VAR-3')) tally.unsupported('VAR-3: rules stay until the next request is parsed');
    const rules = possibleRules(judged);
    for (const connection of judged.connections) {
      for (const { exchange, packet, arrival, early } of routingOf(judged, connection).misrouted) {
        if (!early) continue;
        tally.fail(
          `expected the rule of ${connection.name} to stay until ${exchange.handoff.backend} has the last acknowledgement; ${named(arrival)} and what follows went to the controller`,
          ...(packet.sent ? [at(packet.sent, 'sent during the hand-off')] : []),
          at(arrival, "on the controller's link"),
        );
        break;
      }
      for (const packet of connection.toServer) {
        const arrival = packet.arrivals.find(({ vantage }) => isBackend(vantage));
        if (arrival === undefined || explainArrival(judged, rules, connection, packet, arrival) !== 'RET-1') continue;
        const removal = removedBefore(connection, packet.sent?.t ?? 0, arrival.t);
        if (removal?.answer !== undefined && judged.log !== undefined) {
          const { name } = judged.log;
          tally.fail(
            `expected no segment at ${arrival.vantage} once the removal of the rule of ${connection.name} is confirmed (line ${removal.answer.line} of ${name}); ${named(arrival)} still went there`,
            { capture: name, frame: removal.answer.line, note: 'the removal is confirmed' },
            ...(packet.sent ? [at(packet.sent, 'sent after that')] : []),
            at(arrival, `on ${arrival.vantage}'s link`),
          );
          continue;
        }
        const reopened = handedOff(connection).findLast(
          ({ handoff }) =>
            handoff.backend === arrival.vantage &&
            (handoff.takenBackAtClient?.t ?? Number.POSITIVE_INFINITY) < (packet.sent?.t ?? 0),
        )?.handoff.takenBackAtClient;
        tally.fail(
          `expected no segment at ${arrival.vantage} once the client has heard from the controller again; ${named(arrival)} still went there`,
          ...(reopened ? [at(reopened, 'the controller is back')] : []),
          ...(packet.sent ? [at(packet.sent, 'sent after that')] : []),
          at(arrival, `on ${arrival.vantage}'s link`),
        );
      }
    }
    for (const exchange of judged.handoffs) {
      if (!judgeLog(judged, tally, exchange)) judgeFrames(tally, exchange);
    }
    const gap = missingVantages(judged.vantages, 'client', 'controller');
    return tally.finding(
      'take-backs with the rules gone in time',
      gap ?? 'no take-back in the captures after which the client spoke',
    );
  },
  regular: (connection) => connection.exchanges.filter((exchange) => exchange.spokeAfter).length,
};

/** From the log: complete, remove answered, the controller's first segment. Says whether the log could tell. */
function judgeLog(judged: Judged, tally: Tally, { handoff, connection }: HandedExchange): boolean {
  const { log, takenBack } = handoff;
  if (log === undefined || judged.log === undefined || !judged.log.showsSwitch) return false;
  const { report, remove } = log;
  const { name } = judged.log;
  const line = (number: number, note: string): EvidenceFrame => ({ capture: name, frame: number, note });
  if (remove !== undefined && (report === undefined || remove.t < report.t)) {
    // A backend that fell silent does not report: its rules go without.
    if (report?.message.verb === 'complete') {
      tally.fail(
        `expected the rule of ${connection.name} to be removed after complete in line ${report.line} of ${name}; line ${remove.line} removes it before`,
        line(remove.line, 'remove'),
        line(report.line, 'complete'),
      );
    }
    return true;
  }
  if (report?.message.verb !== 'complete' || takenBack === undefined || isFlagged(takenBack, 'RST'))
    return report !== undefined;
  const answer = remove?.answer;
  if (answer?.ok === true && answer.t <= takenBack.t) {
    tally.hold();
    return true;
  }
  if (answer === undefined && judged.log.end < takenBack.t) {
    tally.doubt(`${name} ends before the rule of ${connection.name} can have been removed`);
    return true;
  }
  tally.fail(
    `expected the rule of ${connection.name} to be gone before the controller speaks again in ${named(takenBack)}; ${fate(answer)}`,
    at(takenBack, 'the controller speaks'),
    ...(remove
      ? [line(answer?.line ?? remove.line, answer === undefined ? 'remove' : 'the answer to remove')]
      : [line(report.line, 'complete')]),
  );
  return true;
}

function fate(answer: LoggedRequest['answer']): string {
  if (answer === undefined) return 'its removal was not confirmed';
  return answer.ok
    ? `its removal is confirmed in line ${answer.line} only`
    : `its removal is refused in line ${answer.line}`;
}

/** From frames: what the client sends then arrives at the controller. */
function judgeFrames(tally: Tally, { connection, index, handoff }: HandedExchange): void {
  const { takenBackAtClient, doneFrom } = handoff;
  if (takenBackAtClient === undefined || doneFrom === Number.POSITIVE_INFINITY) return;
  const next = connection.exchanges[index + 1]?.headerAt?.t ?? connection.to;
  const back = between(connection.toServer, takenBackAtClient.t, next).some(
    ({ sent, arrivals }) =>
      sent !== undefined && sent.t > takenBackAtClient.t && arrivals.some(({ vantage }) => vantage === 'controller'),
  );
  if (back) tally.hold();
}
