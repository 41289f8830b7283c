/** EST-2: Every segment the client receives comes from the logical address and port, whoever sent it. (SoCC'17 §2.1, §2.3) */
import { formatIpv4Address, formatMacAddress } from '../../reference-impl/wire/addresses.js';
import type { Judged } from '../flows/judged.js';
import { NO_MAC } from '../flows/link.js';
import { strays } from '../flows/strays.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const EST_2: Check = {
  clause: 'EST-2',
  method:
    'Every TCP segment that reaches a connected port of the client must have the logical address and port and the MAC of the fabric as source.',
  needs: 'captures',
  timeless: true,
  judge(judged) {
    const tally = new Tally();
    const { hosts } = judged;
    const gap = missingVantages(judged.vantages, 'client');
    for (const connection of judged.connections) {
      for (const { sent, arrivals, head } of connection.packets) {
        // Somebody on the client's own link pretends to be a server.
        if (sent?.vantage === 'client') continue;
        for (const arrival of arrivals) {
          if (arrival.vantage !== 'client' || head.towards !== 'client') continue;
          const { src, srcMac } = arrival;
          if (src !== hosts.logicalIp) {
            const name = hosts.serverNames.get(src) ?? 'another host';
            const message = `expected ${formatIpv4Address(hosts.logicalIp)} as source of ${named(arrival)}; it is ${formatIpv4Address(src)} of ${name}`;
            // That is another connection, which the client opened from the same port.
            if (judged.addressed(connection.client, src)) continue;
            if (connection.start === undefined) tally.suspect(message, at(arrival, `from ${name}`));
            else tally.fail(message, at(arrival, `from ${name}`));
          } else if (hosts.fabricMac !== undefined && srcMac !== NO_MAC && srcMac !== hosts.fabricMac) {
            tally.fail(
              `expected the fabric's MAC ${formatMacAddress(hosts.fabricMac)} as source of ${named(arrival)}; it is ${formatMacAddress(srcMac)}`,
              at(arrival, `from ${formatMacAddress(srcMac)}`),
            );
          } else tally.hold();
        }
      }
    }
    for (const { sent, arrived, before, after } of strays(judged)) {
      if (sent.towards !== 'client' || before.port !== after.port) continue;
      tally.fail(
        `expected ${formatIpv4Address(hosts.logicalIp)} as source of ${named(arrived)}; it is ${formatIpv4Address(after.ip)}, which nobody has`,
        at(arrived, `from ${formatIpv4Address(after.ip)}`),
      );
    }
    judgePorts(judged, tally);
    return tally.finding(
      'segments reached the client from the logical address',
      gap ?? 'the client received no segment',
    );
  },
  regular: (connection) => connection.toClient,
};

/** What comes from a server to a connected port of the client, but from another port than the logical one. */
function judgePorts({ connections, hosts, others }: Judged, tally: Tally): void {
  const connected = new Map(connections.map((connection) => [connection.client, connection]));
  const place = (ip: number, port: number): string => `${formatIpv4Address(ip)}:${port}`;
  // What the client has spoken to by itself may answer it.
  const spokenTo = new Set(
    others.flatMap(({ head: { src, dst, view } }) =>
      view.tcp === undefined ? [] : [`${place(src, view.tcp.srcPort)}>${place(dst, view.tcp.dstPort)}`],
    ),
  );
  for (const { sent, arrivals } of others) {
    if (sent?.vantage === 'client') continue;
    for (const arrival of arrivals) {
      const { src, dst, view, vantage } = arrival;
      const { tcp } = view;
      if (vantage !== 'client' || tcp === undefined || tcp.srcPort === hosts.logicalPort) continue;
      if (src !== hosts.logicalIp && !hosts.serverNames.has(src)) continue;
      const connection = connected.get(place(dst, tcp.dstPort));
      if (connection?.start === undefined) continue;
      if (spokenTo.has(`${connection.client}>${place(src, tcp.srcPort)}`)) continue;
      tally.fail(
        `expected ${place(hosts.logicalIp, hosts.logicalPort)} as source of ${named(arrival)}; it is ${place(src, tcp.srcPort)}`,
        at(arrival, `from port ${tcp.srcPort}`),
      );
    }
  }
}
