/** HOF-7: Several connections are handed off at once without disturbing one another. (SoCC'17 §2) */
import { isBackend, senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { HandedExchange } from '../flows/judged.js';
import { changesOf } from '../flows/packets.js';
import { certainRules, routingOf } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const HOF_7: Check = {
  clause: 'HOF-7',
  method:
    'Hand-offs of different connections that overlap in time must each be answered to the end, with no segment of one delivered as, or to the backend of, the other.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const certain = certainRules(judged);
    const overlaps = ({ connection, handoff }: HandedExchange): boolean =>
      handoff.first !== undefined &&
      (certain.ofOthers(connection, handoff.first.t) !== undefined ||
        certain.ofOthers(connection, handoff.until) !== undefined);
    for (const exchange of judged.handoffs) {
      if (!overlaps(exchange)) continue;
      const { connection, handoff } = exchange;
      if (handoff.doneFrom < Number.POSITIVE_INFINITY) {
        tally.hold();
        continue;
      }
      const reset = connection.toClient.find(
        (packet) =>
          isFlagged(packet.head, 'RST') &&
          senderOf(packet) === handoff.backend &&
          packet.head.t > (handoff.first?.t ?? 0),
      );
      if (reset !== undefined) {
        tally.suspect(
          `${handoff.backend} reset ${connection.name} in ${named(reset.head)} while another connection was handed off`,
          at(reset.head, 'RST'),
        );
      } else tally.doubt(`the end of an overlapping hand-off of ${connection.name} is not in the captures`);
    }
    for (const connection of judged.connections) {
      for (const { exchange, arrival } of routingOf(judged, connection).misrouted) {
        // At the own backend's link with another's MAC it is no rule's of somebody else.
        const astray = isBackend(arrival.vantage) && arrival.vantage !== exchange.handoff.backend;
        const other = astray ? certain.ofOthers(connection, arrival.t, arrival.vantage) : undefined;
        if (other === undefined) continue;
        tally.fail(
          `expected the segment of ${connection.name} at ${exchange.handoff.backend}; ${named(arrival)} shows it at ${arrival.vantage}, which serves ${other.connection.name}`,
          at(arrival, 'delivered to the backend of another connection'),
        );
      }
      for (const { sent, arrivals } of connection.packets) {
        if (sent === undefined || certain.ofOthers(connection, sent.t) === undefined) continue;
        for (const arrival of arrivals) {
          if (arrival.client === sent.client || !changesOf(sent, arrival).some(({ field }) => field === 'client port'))
            continue;
          tally.fail(
            `expected the segment of ${sent.client} to stay its own; ${named(arrival)} delivers it as one of ${arrival.client}`,
            at(sent, `sent on ${sent.client}`),
            at(arrival, `arrived on ${arrival.client}`),
          );
        }
      }
    }
    const gap = missingVantages(judged.vantages, ...judged.hosts.backends.keys());
    return tally.finding(
      'hand-offs that overlapped with others and completed',
      gap ?? 'no two connections were handed off at once',
    );
  },
  regular: () => 0,
  beside: ({ exchanges }, others) =>
    exchanges.filter(({ first, doneFrom }) => others(first) || others(doneFrom)).length,
};
