/** RET-3: A FIN the client sent during hand-off is honoured afterwards: the close completes. (SoCC'17 §2.4, §2.5) */
import { type Connection, isSound, senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { between, handedOff, spanOf } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** A FIN that came this often in vain was refused. */
const FINS = 3;
/** A server that has acknowledged the client's FIN and answered everything closes within this. */
const CLOSING_NS = 30e9;

export const RET_3: Check = {
  clause: 'RET-3',
  method:
    "A FIN that the client sent while handed off must be acknowledged by the controller afterwards, and the controller's own FIN must follow and be acknowledged.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      const fin = connection.clientFin;
      if (fin === undefined) continue;
      const during = handedOff(connection).findLast((exchange) => {
        const { handoff, request, headerSent, begins } = exchange;
        if (fin.offset < request.headerEnd || fin.segment.t < (headerSent?.t ?? begins)) return false;
        if (fin.segment.t <= handoff.doneFrom) return true;
        // Behind the last acknowledgement it counts when the rule still took it to the backend.
        return between(connection.toServer, begins, spanOf(exchange).to).some(
          ({ head, arrivals }) => isFlagged(head, 'FIN') && arrivals.some(({ vantage }) => vantage === handoff.backend),
        );
      });
      if (during !== undefined) judgeClose(judged, tally, connection, during);
    }
    const gap = missingVantages(judged.vantages, 'client', 'controller');
    return tally.finding(
      'closes that completed after a FIN during a hand-off',
      gap ?? 'no client sent a FIN during a hand-off',
    );
  },
  regular: (connection) => (connection.heldFins > 0 ? 1 : 0),
};

function judgeClose(judged: Judged, tally: Tally, connection: Connection, { handoff }: HandedExchange): void {
  const fin = connection.clientFin;
  if (fin === undefined) return;
  const behind = fin.offset + 1;
  const byController = connection.toClient.filter(
    (packet) => senderOf(packet) === 'controller' && isSound(packet.head),
  );
  const clientReset = connection.toServer.some(({ head }) => isFlagged(head, 'RST'));
  const acknowledged = byController.find(({ head }) => head.acked >= behind && !isFlagged(head, 'RST'))?.head;
  const closing = byController.find(({ head }) => isFlagged(head, 'FIN'))?.head;
  if (acknowledged !== undefined && closing !== undefined) {
    const finished = connection.toServer.some(
      ({ head }) => head.acked > closing.offset + closing.length && isSound(head),
    );
    if (finished) tally.hold();
    else tally.doubt(`the end of the close of ${connection.name} is not in the captures`);
    return;
  }
  const reset = byController.find(({ head }) => isFlagged(head, 'RST'))?.head;
  const completed = handoff.doneFrom < Number.POSITIVE_INFINITY;
  if (clientReset || !completed || handoff.log?.report?.message.verb === 'failed') {
    tally.doubt(`the hand-off of ${connection.name} during which the client sent its FIN did not complete`);
    return;
  }
  if (reset !== undefined && reset.t > handoff.doneFrom) {
    tally.fail(
      `expected the close that the client began in ${named(fin.segment)} to complete; the controller reset the connection in ${named(reset)}`,
      at(fin.segment, "the client's FIN"),
      at(reset, 'RST instead of a close'),
    );
    return;
  }
  const again = between(connection.toServer, handoff.doneFrom, judged.end)
    .flatMap(({ arrivals }) => arrivals)
    .filter(({ vantage, flags }) => vantage === 'controller' && isFlagged({ flags }, 'FIN'));
  const last = again.at(-1);
  if (acknowledged === undefined && again.length >= FINS && last !== undefined) {
    tally.fail(
      `expected the controller to acknowledge the client's FIN; it came ${again.length} times after the hand-off, last in ${named(last)}, in vain`,
      at(fin.segment, "the client's FIN"),
      at(last, 'repeated'),
    );
    return;
  }
  const answered =
    connection.unread === undefined && connection.exchanges.every(({ response }) => response?.end !== undefined);
  if (acknowledged !== undefined && answered && judged.end - acknowledged.t > CLOSING_NS) {
    tally.fail(
      `expected the controller to close after it acknowledged the client's FIN in ${named(acknowledged)}; ${Math.round((judged.end - acknowledged.t) / 1e9)} s later it has not`,
      at(fin.segment, "the client's FIN"),
      at(acknowledged, 'acknowledged, and left open'),
    );
    return;
  }
  tally.doubt(`the end of the close of ${connection.name} is not in the captures`);
}
