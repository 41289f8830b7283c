/** SWT-3: What matches no rule is forwarded by the default IP table, unchanged above layer 2 but for a TTL lowered by one. (thesis §3.2) */
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { isBackend } from '../flows/connection.js';
import { explainArrival, possibleRules } from '../flows/rules.js';
import { isRewritten, strays } from '../flows/strays.js';
import { otherHops, unmatchedHops } from '../flows/unmatched.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';
import { failSwallowed } from './vanished.js';

export const SWT_3: Check = {
  clause: 'SWT-3',
  method:
    'Segments between client and controller, and all other traffic, must arrive as they were sent, with a TTL of one less.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const rules = possibleRules(judged);
    for (const hop of [...unmatchedHops(judged, rules), ...otherHops(judged, rules)]) {
      const { sent, arrived, alteration, byRule } = hop;
      if (alteration === undefined) tally.hold();
      else if (byRule === undefined) {
        tally.fail(
          `expected ${named(sent)} unchanged but for the TTL; ${named(arrived)} has ${alteration}`,
          at(sent, 'as sent'),
          at(arrived, alteration),
        );
      }
    }
    for (const connection of judged.connections) {
      for (const packet of connection.toServer) {
        const arrival = packet.arrivals.find(({ vantage }) => isBackend(vantage));
        if (arrival === undefined || packet.sent === undefined || packet.sent.dst === arrival.dst) continue;
        if (explainArrival(judged, rules, connection, packet, arrival) !== 'SWT-3') continue;
        // What a card joins is not seen as it was sent: the hand-off may not be recognised.
        const tell = judged.offloaded(arrival.vantage) ? tally.suspect.bind(tally) : tally.fail.bind(tally);
        tell(
          `expected ${named(packet.sent)} at the controller, no rule being in force; ${named(arrival)} shows it at ${arrival.vantage}`,
          at(packet.sent, 'as sent'),
          at(arrival, `rewritten to ${arrival.vantage}`),
        );
      }
    }
    for (const stray of strays(judged)) {
      const { sent, arrived, before, after } = stray;
      if (isRewritten(stray)) continue;
      const change =
        before.ip === after.ip
          ? `port ${after.port} instead of ${before.port}`
          : `address ${formatIpv4Address(after.ip)} instead of ${formatIpv4Address(before.ip)}`;
      tally.fail(
        `expected ${named(sent)} unchanged but for the TTL; ${named(arrived)} has ${change}`,
        at(sent, 'as sent'),
        at(arrived, change),
      );
    }
    failSwallowed(judged, tally, 'SWT-3');
    return tally.finding(
      'unmatched packets arrived unchanged',
      'no packet without a rule was seen both as sent and as it arrived',
    );
  },
  regular: (connection) => connection.unmatched,
};
