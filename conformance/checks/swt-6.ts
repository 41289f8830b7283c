/** SWT-6: While a read is handed off, the receive window the client sees from the backend is zero (made so by switch or backend). (SoCC'17 §2.4, thesis §3.2) */
import { isSound, senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import { afterGivingUp, giveUps } from '../flows/former.js';
import type { Packet } from '../flows/packets.js';
import { hasVariant } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const SWT_6: Check = {
  clause: 'SWT-6',
  method: 'Every segment of the backend that serves a read must reach the client with a window of zero.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    if (hasVariant(judged, 'VAR-6'))
      tally.unsupported('VAR-6: a lock at the switch takes the place of the closed window');
    const gap = missingVantages(judged.vantages, 'client', ...judged.hosts.backends.keys());
    const strays = new Set<Packet>(
      judged.connections.flatMap((connection) => giveUps(connection).flatMap(afterGivingUp)),
    );
    for (const { request, handoff, packets } of judged.handoffs) {
      if (request.kind !== 'read') continue;
      for (const packet of packets) {
        if (senderOf(packet) !== handoff.backend || isFlagged(packet.head, 'RST') || strays.has(packet)) continue;
        for (const arrival of packet.arrivals) {
          if (arrival.vantage !== 'client' || !isSound(arrival)) continue;
          // From a foreign address it is no segment of the connection to the client: that is EST-2's and SWT-2's.
          if (arrival.src !== judged.hosts.logicalIp) continue;
          if (arrival.window === 0) tally.hold();
          else if (!packet.twins) {
            tally.fail(
              `expected window 0 from ${handoff.backend} during a read; the client got window ${arrival.window} in ${named(arrival)}`,
              at(arrival, `window ${arrival.window}`),
            );
          }
        }
      }
    }
    return tally.finding(
      'segments of backends closed the window during a read',
      gap ?? 'no read was handed off in the captures',
    );
  },
  regular: ({ exchanges }) =>
    exchanges.reduce((sum, { kind, fromBackend }) => sum + (kind === 'read' ? fromBackend : 0), 0),
};
