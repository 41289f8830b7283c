/**
 * SWT-5: A rewritten segment differs only in: addresses and MACs, checksums, TTL (kept or lowered by one), FIN towards the backend,
 * window towards the client. Everything else is kept: ports, numbers, other flags, options, IP id, urgent pointer, payload. (SoCC'17 §2.4)
 */
import { isBackend, senderOf } from '../flows/connection.js';
import { extraHops, isDistant } from '../flows/hops.js';
import { changesOf } from '../flows/packets.js';
import { isRewritten, strays } from '../flows/strays.js';
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
    for (const stray of strays(judged)) {
      const { sent, arrived } = stray;
      const [before, after] = [stray.before.port, stray.after.port];
      if (before === after || !isRewritten(stray)) continue;
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
