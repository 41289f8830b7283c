/** SWT-8: A rule touches its own connection only. (SoCC'17 §2.3) */
import { confirmedRules } from '../flows/confirmed.js';
import { isBackend } from '../flows/connection.js';
import { disturbanceOf } from '../flows/in-force.js';
import { certainRules, explainArrival, possibleRules, routingOf } from '../flows/rules.js';
import { otherHops, unmatchedHops } from '../flows/unmatched.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

export const SWT_8: Check = {
  clause: 'SWT-8',
  method:
    'While a connection is handed off, packets of other connections and other traffic must not be rewritten as its rule would.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const possible = possibleRules(judged);
    const certain = certainRules(judged);
    for (const { connection, sent, arrived, alteration, byRule } of [
      ...unmatchedHops(judged, possible),
      ...otherHops(judged, possible),
    ]) {
      if (byRule !== undefined) {
        tally.fail(
          `expected the rule of ${byRule.connection.name} to leave ${named(sent)} alone; ${named(arrived)} has ${alteration}`,
          at(sent, 'as sent'),
          at(arrived, `${alteration}, as the rule to ${byRule.backend} makes it`),
        );
      } else if (certain.ofOthers(connection, arrived.t) !== undefined) tally.hold();
    }
    for (const connection of judged.connections) {
      for (const rule of confirmedRules(connection)) {
        const disturbed = disturbanceOf(judged, connection, rule);
        if (disturbed === undefined || judged.log === undefined) continue;
        const { lastMet, missed, request, other } = disturbed;
        const { name } = judged.log;
        tally.fail(
          `expected the rule of ${connection.name} to outlast what is asked for ${other.name}; behind line ${request.line} of ${name} (${request.message.verb}) nothing met it any more, the first being ${named(missed)}`,
          at(missed, 'met no rule'),
          { capture: name, frame: request.line, note: `${request.message.verb} of another connection's rule` },
          ...(lastMet ? [at(lastMet, 'the last that met it')] : []),
        );
      }
      // A connection with a rule of its own must keep to that one.
      for (const { arrival } of routingOf(judged, connection).routed) {
        if (certain.ofOthers(connection, arrival.t) !== undefined) tally.hold();
      }
      for (const packet of connection.toServer) {
        const arrival = packet.arrivals.find(({ vantage }) => isBackend(vantage));
        if (arrival === undefined || packet.sent === undefined || packet.sent.dst === arrival.dst) continue;
        if (explainArrival(judged, possible, connection, packet, arrival) !== 'SWT-8') continue;
        const other = possible.ofOthers(connection, arrival.t, arrival.vantage);
        tally.fail(
          `expected ${named(packet.sent)} of ${connection.name} at the controller; the rule of ${other?.connection.name} took it to ${arrival.vantage} in ${named(arrival)}`,
          at(packet.sent, 'as sent'),
          at(arrival, `at ${arrival.vantage}`),
        );
      }
    }
    return tally.finding(
      "packets kept their way while another connection's rule was in force",
      'nothing else was sent while a connection was handed off',
    );
  },
  regular: () => 0,
  beside: ({ arrivals }, others) => arrivals.reduce((sum, t) => sum + (others(t) ? 1 : 0), 0),
};
