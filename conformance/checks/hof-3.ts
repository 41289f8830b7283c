/**
 * HOF-3: The hand-off carries: client and logical addresses and ports, next sequence and acknowledgement numbers, negotiated options of both
 * directions, timestamp state, the request. (SoCC'17 §2.3)
 */
import type { HandedExchange, Judged } from '../flows/judged.js';
import type { LoggedRequest } from '../flows/logged.js';
import { handoffDifferences, meantBy } from '../flows/told.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Check } from './check.js';
import { at, Tally } from './tally.js';

export const HOF_3: Check = {
  clause: 'HOF-3',
  method:
    'In the control log, the hand-off message must name the connection and hold the request, numbers, window, options and timestamps that frames show at that moment.',
  needs: 'control-log',
  judge(judged) {
    const tally = new Tally();
    if (judged.log === undefined)
      return tally.finding('', 'no control log: what the hand-off carried is not seen in frames');
    for (const exchange of judged.handoffs) judgeMessage(judged, tally, exchange);
    judgeStrays(judged, tally);
    return tally.finding(
      'hand-off messages that hold what frames show',
      'the control log has no hand-off of a captured connection',
    );
  },
  regular: () => 0,
};

function judgeMessage(judged: Judged, tally: Tally, exchange: HandedExchange): void {
  const { connection, response, handoff } = exchange;
  const told = handoff.log?.handoff;
  if (told?.message.verb !== 'handoff' || connection.start === undefined) return;
  const [first, ...more] = handoffDifferences(judged, exchange);
  if (first !== undefined) {
    const others = more.length === 0 ? '' : `; and ${more.map(({ what }) => what).join(', ')}`;
    tally.fail(
      `expected ${first.what} ${first.expected} in the hand-off of ${connection.name}, as frames show; line ${told.line} has ${first.seen}${others}`,
      line(judged, told, `${first.what} ${first.seen}`),
      ...first.shownBy.map(({ segment, note }) => ({ ...at(segment, note), background: true as const })),
    );
  } else if (response === undefined)
    tally.doubt(`the response that line ${told.line} hands off is not in the captures`);
  else tally.hold();
}

/** Hand-offs under the name of a client whose they are not, and those of clients that no frame knows, while every frame of clients was seen. */
function judgeStrays(judged: Judged, tally: Tally): void {
  const { log } = judged;
  for (const connection of judged.connections) {
    for (const told of connection.log) {
      const meant = meantBy(judged, connection, told);
      if (meant === undefined) continue;
      tally.fail(
        `expected client ${meant.client} in the hand-off of its request; line ${told.line} has ${connection.client}`,
        line(judged, told, `client ${connection.client}`),
      );
    }
  }
  const whole =
    judged.vantages.has('client') &&
    judged.vantages.has('controller') &&
    !judged.missedFrames('client') &&
    !judged.beside.partial;
  if (log === undefined || !whole) return;
  const clients = new Set(judged.connections.map(({ client }) => client));
  for (const [client, requests] of log.byClient) {
    if (clients.has(client) || judged.beside.earlier.has(client)) continue;
    for (const told of requests) {
      if (told.message.verb !== 'handoff' || told.from !== 'controller' || told.t > judged.end || told.t < 0) continue;
      tally.fail(
        `expected a hand-off of a client that has a connection; line ${told.line} hands off ${client}, of which no frame is seen`,
        line(judged, told, `client ${client}`),
      );
    }
  }
}

function line({ log }: Judged, { line: number }: LoggedRequest, note: string): EvidenceFrame {
  return { capture: log?.name ?? '', frame: number, note };
}
