/** HOF-4: At most one owner at any time; a former owner sends nothing more on the connection. (SoCC'17 §2, §2.3) */
import { senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import { afterGivingUp, controllerIntrusions, type GiveUp, giveUps, strangers } from '../flows/former.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { between } from '../flows/rules.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const HOF_4: Check = {
  clause: 'HOF-4',
  method:
    "By sending times: between a backend's first and last segment for a request the controller sends nothing, and after the controller speaks again the backend sends nothing until its next hand-off.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) judgeHandoff(judged, tally, exchange);
    for (const connection of judged.connections) {
      for (const giveUp of giveUps(connection)) {
        const [stray] = afterGivingUp(giveUp);
        const { backend } = giveUp.exchange.handoff;
        if (stray === undefined) tally.hold();
        else {
          tally.fail(
            `expected nothing from ${backend} after it gave the connection up (${shown(giveUp)}); it sent ${named(stray.head)}`,
            giveUpFrame(judged, giveUp),
            at(stray.head, `${backend} is no owner any more`),
          );
        }
      }
    }
    const gap = missingVantages(judged.vantages, 'controller');
    return tally.finding(
      'moves of ownership after which the former owner kept silent',
      gap ?? 'no move of ownership in the captures',
    );
  },
  regular: (connection) => 2 * connection.exchanges.length,
};

function judgeHandoff(judged: Judged, tally: Tally, exchange: HandedExchange): void {
  const { connection, handoff, begins } = exchange;
  const { backend, first, last } = handoff;
  const [intrusion] = controllerIntrusions(exchange);
  if (intrusion !== undefined && last !== undefined) {
    // A controller that gives a silent backend up resets the client; whether it may is not seen in frames.
    const aborts = connection.toClient.some(
      (packet) =>
        senderOf(packet) === 'controller' &&
        isFlagged(packet.head, 'RST') &&
        packet.head.t >= intrusion.t &&
        handoff.doneFrom > packet.head.t,
    );
    const message = `expected nothing from the controller while ${backend} owns the connection; it sent ${named(intrusion)}, and ${backend} went on in ${named(last)}`;
    const evidence = [at(intrusion, 'the controller is not the owner'), at(last, `${backend} is`)];
    if (aborts) tally.suspect(message, ...evidence);
    else tally.fail(message, ...evidence);
  } else if (first !== undefined) tally.hold();
  const [stranger] = strangers(judged, exchange);
  if (stranger !== undefined) {
    tally.fail(
      `expected segments of ${backend} only; ${senderOf(stranger)} sent ${named(stranger.head)}`,
      at(stranger.head, 'of a backend that never owned the connection'),
    );
  }
  // An owner that resets the connection does not go on with it: it was not the owner yet.
  const told = handoff.log?.handoff.t ?? Number.NEGATIVE_INFINITY;
  const early = between(connection.toClient, begins, first?.t ?? handoff.interrupted).find(
    (packet) =>
      senderOf(packet) === backend &&
      isFlagged(packet.head, 'RST') &&
      packet.head.t < (first?.t ?? Number.POSITIVE_INFINITY),
  )?.head;
  if (early === undefined) return;
  const message = `expected nothing from ${backend} before it takes over; it reset the connection in ${named(early)}`;
  const evidence = [at(early, 'RST of no owner'), ...(first ? [at(first, `${backend} takes over`)] : [])];
  if (first !== undefined || early.t < told) tally.fail(message, ...evidence);
  else tally.suspect(message, ...evidence);
}

function shown({ shownBy }: GiveUp): string {
  if ('done' in shownBy) return `the whole response acknowledged in ${named(shownBy.done)}`;
  return 'line' in shownBy
    ? `line ${shownBy.line} of the control log`
    : `the controller speaks in ${named(shownBy.frame)}`;
}

/** The frame or log line by which a give-up is known. */
export function giveUpFrame(judged: Judged, { shownBy }: GiveUp): EvidenceFrame {
  if ('line' in shownBy) return { capture: judged.log?.name ?? '', frame: shownBy.line, note: 'the backend reports' };
  if ('done' in shownBy) return at(shownBy.done, 'the whole response is acknowledged');
  return at(shownBy.frame, 'the controller speaks again');
}
