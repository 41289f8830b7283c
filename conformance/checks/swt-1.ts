/** SWT-1: A client segment that matches a rule by its four-tuple leaves with the backend's IP and MAC address as destination. (SoCC'17 §2.3, thesis §3.2) */
import { formatIpv4Address, formatMacAddress } from '../../reference-impl/wire/addresses.js';
import { type Connection, isBackend, isSound } from '../flows/connection.js';
import type { Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import { NO_MAC } from '../flows/link.js';
import { handedOff, hasVariant, type Misrouted, routingOf, spansOf } from '../flows/rules.js';
import { isRewritten, strays } from '../flows/strays.js';
import type { Check } from './check.js';
import { lateRule } from './hof-1.js';
import { at, missingVantages, named, Tally } from './tally.js';
import { failSwallowed } from './vanished.js';

export const SWT_1: Check = {
  clause: 'SWT-1',
  method:
    "What the client sends after hearing from a backend, and what arrives before the backend has its last acknowledgement, must arrive on that backend's link with its IP and MAC address.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      const { routed, misrouted } = routingOf(judged, connection);
      tally.hold(routed.length);
      for (const one of misrouted) {
        if (one.early || ruleWasLate(judged, one)) continue;
        const { exchange, packet, arrival } = one;
        const { backend, firstAtClient } = exchange.handoff;
        const where =
          isBackend(arrival.vantage) && arrival.vantage === backend ? destination(arrival) : `at ${arrival.vantage}`;
        tally.fail(
          `expected a segment of ${connection.name} at ${backend} with its addresses${byLog(one, judged.log?.name)}; ${named(arrival)} shows it ${where}`,
          ...(firstAtClient ? [at(firstAtClient, `${backend} has taken over`)] : []),
          ...(packet.sent ? [at(packet.sent, 'sent by the client')] : []),
          at(arrival, `arrived ${where}`),
        );
      }
      const known = new Set(misrouted.map(({ arrival }) => arrival));
      for (const { arrivals } of connection.toServer) {
        for (const arrival of arrivals) {
          if (!isBackend(arrival.vantage) || known.has(arrival) || !isSound(arrival)) continue;
          if (misruled(judged, connection, arrival)) continue;
          const ruled = spansOf(connection).some(
            ({ backend, from, to }) => backend === arrival.vantage && from <= arrival.t && arrival.t <= to,
          );
          if (!ruled) continue;
          const wrong = wrongAddress(judged, arrival);
          if (wrong !== undefined)
            tally.fail(
              `expected ${wrong} in ${named(arrival)}; it is ${destination(arrival)}`,
              at(arrival, 'half rewritten'),
            );
        }
      }
    }
    for (const stray of strays(judged)) {
      const { sent, arrived, before, after } = stray;
      if (sent.towards !== 'server' || !isRewritten(stray) || before.port !== after.port) continue;
      tally.fail(
        `expected the address of ${arrived.vantage} as destination of ${named(sent)}; ${named(arrived)} has ${formatIpv4Address(after.ip)}`,
        at(sent, 'sent by the client'),
        at(arrived, `for ${formatIpv4Address(after.ip)}`),
      );
    }
    failSwallowed(judged, tally, 'SWT-1');
    const gap = missingVantages(judged.vantages, ...judged.hosts.backends.keys());
    return tally.finding(
      "client segments reached the owner's link rewritten",
      gap ?? 'no client segment during a hand-off in the captures',
    );
  },
  regular: (connection) => connection.exchanges.reduce((sum, { routed }) => sum + routed, 0),
};

/** What went through a rule to a backend's link has that backend's addresses. */
function wrongAddress(judged: Judged, arrival: Segment): string | undefined {
  const backend = judged.hosts.backends.get(arrival.vantage);
  if (backend === undefined || hasVariant(judged, 'VAR-4')) return undefined;
  if (arrival.dst !== backend.ip) return `${arrival.vantage}'s address ${formatIpv4Address(backend.ip)}`;
  if (backend.mac !== undefined && arrival.dstMac !== NO_MAC && arrival.dstMac !== backend.mac)
    return `${arrival.vantage}'s MAC ${formatMacAddress(backend.mac)}`;
  return undefined;
}

/** How the log knows that the rule was in force. */
function byLog({ confirmed }: Misrouted, log: string | undefined): string {
  return confirmed === undefined || log === undefined
    ? ''
    : `, its rule being in force since line ${confirmed.ok.line} of ${log}`;
}

function destination({ dst, dstMac }: Segment): string {
  return `for ${formatIpv4Address(dst)} at ${formatMacAddress(dstMac)}`;
}

/** A rule to other addresses than the backend's is HOF-1's. */
function misruled(judged: Judged, connection: Connection, { t }: Segment): boolean {
  const exchange = handedOff(connection).findLast(({ begins }) => begins <= t);
  const log = exchange?.handoff.log;
  return log !== undefined && lateRule(judged, connection, log.handoff)?.t === Number.POSITIVE_INFINITY;
}

/** What is missing because the rule came late is HOF-1's. */
function ruleWasLate(judged: Judged, { exchange, packet }: Misrouted): boolean {
  const { log } = exchange.handoff;
  if (log === undefined) return false;
  const late = lateRule(judged, exchange.connection, log.handoff);
  return late !== undefined && (packet.sent?.t ?? 0) <= late.t;
}
