/** SWT-2: A segment from that backend to that client leaves with the logical IP address (and the fabric's MAC) as source. (SoCC'17 §2.3, thesis §3.2) */
import { formatIpv4Address, formatMacAddress } from '../../reference-impl/wire/addresses.js';
import { senderOf } from '../flows/connection.js';
import { giveUps } from '../flows/former.js';
import { NO_MAC } from '../flows/link.js';
import { isRewritten, strays } from '../flows/strays.js';
import type { Check } from './check.js';
import { lateRule } from './hof-1.js';
import { at, missingVantages, named, Tally } from './tally.js';
import { failSwallowed } from './vanished.js';

export const SWT_2: Check = {
  clause: 'SWT-2',
  method:
    'What a backend sends while it owns the connection must reach the client from the logical address and the MAC of the fabric.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const { logicalIp, fabricMac, serverNames } = judged.hosts;
    const reports = new Map(
      judged.connections.flatMap(giveUps).map(({ exchange, t }) => [exchange.handoff, t] as const),
    );
    for (const { connection, handoff, packets } of judged.handoffs) {
      const late = handoff.log && lateRule(judged, connection, handoff.log.handoff);
      const gaveUp = reports.get(handoff) ?? Number.POSITIVE_INFINITY;
      // Once the removal is confirmed no rule has to match, whatever a backend goes on with that was taken for dead.
      const removal = handoff.log?.remove;
      const removed = removal?.answer?.ok === true ? removal.answer.t : Number.POSITIVE_INFINITY;
      for (const packet of packets) {
        const { sent } = packet;
        if (sent === undefined || senderOf(packet) !== handoff.backend) continue;
        for (const arrival of packet.arrivals) {
          if (arrival.vantage !== 'client') continue;
          const foreign = arrival.src !== logicalIp;
          const stranger = fabricMac !== undefined && arrival.srcMac !== NO_MAC && arrival.srcMac !== fabricMac;
          if (!foreign && !stranger) {
            tally.hold();
            continue;
          }
          // A former owner's segment matches no rule any more: that is HOF-4's. What a late rule missed is HOF-1's.
          if (sent.t > Math.min(gaveUp, removed) || (late !== undefined && sent.t <= late.t)) continue;
          const seen = foreign ? formatIpv4Address(arrival.src) : formatMacAddress(arrival.srcMac);
          const wanted = foreign ? formatIpv4Address(logicalIp) : formatMacAddress(fabricMac ?? 0);
          tally.fail(
            `expected ${wanted} as source of what ${handoff.backend} sent in ${named(sent)}; ${named(arrival)} has ${seen}`,
            at(sent, `sent by ${handoff.backend}`),
            at(arrival, `from ${seen}`),
          );
        }
      }
    }
    for (const { toClient, client } of judged.connections) {
      for (const { sent, arrivals } of toClient) {
        if (sent !== undefined) continue;
        const arrival = arrivals.find(
          ({ vantage, src }) => vantage === 'client' && serverNames.get(src)?.startsWith('backend'),
        );
        if (arrival === undefined || judged.addressed(client, arrival.src)) continue;
        tally.suspect(
          `${named(arrival)} reached the client from ${formatIpv4Address(arrival.src)}; whether that backend was the owner when it sent it is not in the captures`,
          at(arrival, `from ${serverNames.get(arrival.src)}`),
        );
      }
    }
    for (const stray of strays(judged)) {
      const { sent, arrived, before, after } = stray;
      if (sent.towards !== 'client' || !isRewritten(stray) || before.port !== after.port) continue;
      tally.fail(
        `expected ${formatIpv4Address(logicalIp)} as source of what ${sent.vantage} sent in ${named(sent)}; ${named(arrived)} has ${formatIpv4Address(after.ip)}`,
        at(sent, `sent by ${sent.vantage}`),
        at(arrived, `from ${formatIpv4Address(after.ip)}`),
      );
    }
    failSwallowed(judged, tally, 'SWT-2');
    const gap = missingVantages(judged.vantages, 'client', ...judged.hosts.backends.keys());
    return tally.finding(
      "segments of backends reached the client as the logical server's",
      gap ?? 'no segment of a backend in the captures',
    );
  },
  regular: (connection) => connection.exchanges.reduce((sum, { fromBackend }) => sum + fromBackend, 0),
};
