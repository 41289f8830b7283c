/** RET-7: A pipelined request sent early is neither lost nor executed twice. (SoCC'17 §2.4) */
import type { Connection, Exchange } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import type { LoggedRequest } from '../flows/logged.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

/** Who has acknowledged a request and is silent for so long has forgotten it. */
const FORGOTTEN_NS = 10e9;

export const RET_7: Check = {
  clause: 'RET-7',
  method:
    'A request of which the client sent bytes before the response before it was acknowledged must be answered, or stay unacknowledged; the control log must not show it handed off again once it was completed.',
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      for (const exchange of connection.exchanges) if (isEarly(exchange)) judgeEarly(judged, tally, exchange);
    }
    return tally.finding('requests that were sent early and answered once', 'no request was sent early');
  },
  regular: () => 0,
};

function isEarly({ connection, index, request }: Exchange): boolean {
  const before = connection.exchanges[index - 1];
  const done = before?.handoff?.doneFrom;
  const [first] = connection.dataSent.overlapping(request.start, request.headerEnd).sort((a, b) => a.t - b.t);
  return done !== undefined && first !== undefined && first.t < done;
}

function judgeEarly(judged: Judged, tally: Tally, exchange: Exchange): void {
  const { connection, request, response, handoff } = exchange;
  const again = servedAgain(connection, exchange);
  if (again !== undefined) {
    tally.fail(
      `expected the request ${request.method} ${request.target} of ${connection.name} to be executed once; line ${again.line} hands it off again`,
      { capture: judged.log?.name ?? '', frame: again.line, note: 'handed off again' },
    );
    return;
  }
  if (response !== undefined || handoff !== undefined) {
    tally.hold();
    return;
  }
  const taken = connection.serverAcks.covering(request.headerEnd);
  const until = taken === undefined ? 0 : taken.t + FORGOTTEN_NS;
  const closed = connection.packets.some(
    ({ head }) => head.t < until && (isFlagged(head, 'RST') || isFlagged(head, 'FIN')),
  );
  if (taken === undefined || closed || connection.unread !== undefined || judged.end < until || connection.to < until) {
    tally.doubt(`what became of the request ${request.method} ${request.target} is not in the captures`);
    return;
  }
  // A hand-off that was asked for and failed, or is under way, is no forgetting.
  if (connection.log.some(({ message, t }) => t >= taken.t && (message.verb === 'handoff' || message.verb === 'add'))) {
    tally.doubt(`a hand-off of ${request.method} ${request.target} is under way`);
    return;
  }
  tally.fail(
    `expected the request ${request.method} ${request.target}, sent early and acknowledged in ${named(taken)}, to be answered; ${FORGOTTEN_NS / 1e9} s later there is nothing`,
    at(taken, 'acknowledged'),
  );
}

/** A second hand-off of the same bytes of the stream, both completed. */
function servedAgain({ log, exchanges }: Connection, { handoff }: Exchange): LoggedRequest | undefined {
  const first = handoff?.log;
  if (first === undefined || first.report?.message.verb !== 'complete') return undefined;
  if (first.handoff.message.verb !== 'handoff') return undefined;
  const { snapshot, handoff: number } = first.handoff.message;
  const own = new Set(exchanges.map((one) => one.handoff?.log?.handoff));
  return log.find(
    (one) =>
      !own.has(one) &&
      one.message.verb === 'handoff' &&
      one.message.handoff !== number &&
      one.message.snapshot.ack === snapshot.ack &&
      one.t > first.handoff.t &&
      one.answer?.ok === true,
  );
}
