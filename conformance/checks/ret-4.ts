/** RET-4: The controller can close by itself: FIN, then a proper teardown. (SoCC'17 §2.5) */
import { type Connection, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import { handedOff } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** A response that ends the connection is followed by the FIN at once, or by the next tick of some timer. */
const AT_ONCE_NS = 10e9;

export const RET_4: Check = {
  clause: 'RET-4',
  method:
    "After a response that announces the connection's end and was acknowledged whole, the controller must send FIN, not RST and not nothing; its FIN must be acknowledged and the client's answered.",
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) judgeClose(judged, tally, connection);
    const gap = missingVantages(judged.vantages, 'client', 'controller');
    return tally.finding(
      'connections that the controller closed',
      gap ?? 'the controller had nothing to close by itself',
    );
  },
  regular: () => 0,
};

function judgeClose(judged: Judged, tally: Tally, connection: Connection): void {
  const { start, unread, toClient, toServer, clientFin, ended } = connection;
  if (start === undefined || unread !== undefined) return;
  const last = handedOff(connection).at(-1);
  const response = last?.response;
  if (last === undefined || last.index !== connection.exchanges.length - 1) return;
  const { takenBack, doneFrom, log } = last.handoff;
  if (response?.close !== true || response.untilClose || log?.report?.message.verb === 'failed') return;
  if (takenBack === undefined || doneFrom === Number.POSITIVE_INFINITY) return;
  const said = toClient.filter((packet) => senderOf(packet) === 'controller' && packet.head.t >= takenBack.t);
  const first = said.find(({ head }) => isFlagged(head, 'FIN') || isFlagged(head, 'RST'))?.head;
  const clientSpoke = (until: number): Segment | undefined =>
    toServer.find(({ head }) => head.t > doneFrom && head.t < until && (isFlagged(head, 'RST') || head.length > 0))
      ?.head;
  if (first === undefined) {
    const gone = clientFin !== undefined || clientSpoke(doneFrom + AT_ONCE_NS) !== undefined;
    if (gone || judged.end < doneFrom + AT_ONCE_NS || connection.to < doneFrom + AT_ONCE_NS)
      tally.doubt(`the captures end before ${connection.name} has to be closed, or the client ends it`);
    else
      tally.fail(
        `expected a FIN of the controller behind the response that ends ${connection.name}; ${AT_ONCE_NS / 1e9} s after its acknowledgement there is none`,
        at(takenBack, 'the controller is back'),
      );
  } else if (isFlagged(first, 'RST')) {
    if (clientFin !== undefined || clientSpoke(first.t) !== undefined || first.t > doneFrom + AT_ONCE_NS)
      tally.doubt(`${connection.name} was reset for a reason of its own`);
    else
      tally.fail(
        `expected a FIN of the controller behind the response that ends ${connection.name}; it sent RST in ${named(first)}`,
        at(first, 'RST instead of FIN'),
      );
  } else if (ended !== undefined) tally.hold();
  else tally.doubt(`the close of ${connection.name} is not whole in the captures`);
}
