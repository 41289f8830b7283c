/**
 * SWT-5: A rewritten segment differs only in: addresses and MACs, checksums, TTL (kept or lowered by one), FIN towards the backend,
 * window towards the client. Everything else is kept: ports, numbers, other flags, options, IP id, urgent pointer, payload. (SoCC'17 §2.4)
 */
import { isBackend, senderOf } from '../flows/connection.js';
import type { Frame, Segment } from '../flows/decode.js';
import { extraHops, isDistant } from '../flows/hops.js';
import type { Judged } from '../flows/judged.js';
import { changesOf } from '../flows/packets.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const SWT_5: Check = {
  clause: 'SWT-5',
  method:
    'A segment between client and backend, as sent and as it arrived, must agree in every field that the clause keeps.',
  needs: 'captures',
  timeless: true,
  judge(judged) {
    const tally = new Tally();
    for (const packet of judged.packets) {
      const { sent } = packet;
      if (sent === undefined) continue;
      for (const arrived of packet.arrivals) {
        const rewritten =
          sent.towards === 'server'
            ? isBackend(arrived.vantage)
            : isBackend(senderOf(packet)) && arrived.vantage === 'client';
        if (!rewritten) continue;
        const changes = changesOf(sent, arrived).map(
          ({ field, before, after }) => `${field} ${after} instead of ${before}`,
        );
        const kept = sent.ipv4.ttl - extraHops(judged, sent, arrived);
        const ttl = kept - arrived.ipv4.ttl;
        // Behind a router two numbers are not known for certain, and a switch may lower the TTL of what it rewrites or keep it.
        const most = isDistant(judged, sent, arrived) ? 2 : 1;
        if (ttl < 0 || ttl > most) changes.push(`TTL ${arrived.ipv4.ttl} instead of ${kept} or one less`);
        const [change] = changes;
        if (change === undefined) tally.hold();
        else if (!packet.twins) {
          tally.fail(
            `expected ${named(sent)} to be kept but for addresses; ${named(arrived)} has ${changes.join(', ')}`,
            at(sent, 'as sent'),
            at(arrived, change),
          );
        }
      }
    }
    for (const { sent, arrived, before, after } of otherPorts(judged)) {
      tally.fail(
        `expected ${named(sent)} to be kept but for addresses; ${named(arrived)} has server port ${after} instead of ${before}`,
        at(sent, 'as sent'),
        at(arrived, `server port ${after} instead of ${before}`),
      );
    }
    const gap = missingVantages(judged.vantages, 'client', ...judged.hosts.backends.keys());
    return tally.finding(
      'rewritten segments kept everything else',
      gap ?? 'no rewritten segment was seen both as sent and as it arrived',
    );
  },
  regular: (connection) => connection.rewritten,
};

interface OtherPort {
  readonly sent: Segment;
  readonly arrived: Frame;
  readonly before: number;
  readonly after: number;
}

/** Segments between client and backend that are seen to arrive nowhere, but as one of another server port with the same numbers and IP id. */
function otherPorts(judged: Judged): OtherPort[] {
  const strays = new Map<string, Frame[]>();
  for (const { sent, arrivals } of judged.others) {
    const [arrived] = arrivals;
    const tcp = arrived?.view.tcp;
    if (sent !== undefined || arrived === undefined || tcp === undefined) continue;
    const towards = isBackend(arrived.vantage) ? 'server' : arrived.vantage === 'client' ? 'client' : undefined;
    if (towards === undefined) continue;
    const client = towards === 'server' ? `${arrived.src}:${tcp.srcPort}` : `${arrived.dst}:${tcp.dstPort}`;
    const key = `${towards}|${client}|${tcp.seq}|${tcp.ack}|${arrived.ipv4.id}|${tcp.payloadLength}`;
    const list = strays.get(key);
    if (list) list.push(arrived);
    else strays.set(key, [arrived]);
  }
  if (strays.size === 0) return [];
  const found: OtherPort[] = [];
  for (const { sent, arrivals } of judged.packets) {
    if (sent === undefined || arrivals.length > 0) continue;
    const { towards, tcp } = sent;
    if (towards === 'client' && !isBackend(sent.vantage)) continue;
    const client = towards === 'server' ? `${sent.src}:${tcp.srcPort}` : `${sent.dst}:${tcp.dstPort}`;
    const key = `${towards}|${client}|${sent.seq}|${sent.ack}|${sent.ipv4.id}|${sent.length}`;
    const arrived = strays.get(key)?.shift();
    const other = arrived?.view.tcp;
    if (arrived === undefined || other === undefined) continue;
    const [before, after] = towards === 'server' ? [tcp.dstPort, other.dstPort] : [tcp.srcPort, other.srcPort];
    found.push({ sent, arrived, before, after });
  }
  return found;
}
