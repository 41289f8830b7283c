/** Routers of somebody else between a vantage and the switch: how much more than the switch they lower the TTL. */
import { isBackend } from './connection.js';
import type { Frame } from './decode.js';
import type { Judged } from './judged.js';
import type { Packet } from './packets.js';
import { remembered } from './remembered.js';

/** Both ends of a packet's way, and the client, which may stand at its own distance. */
function pathOf(sent: Frame, arrived: Frame): string {
  const client = sent.vantage === 'client' ? sent.src : arrived.dst;
  return `${sent.vantage}>${arrived.vantage}>${client}`;
}

/** The least by which the TTL was lowered on each way. */
const leastOf = remembered((judged: Judged): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  for (const { sent, arrivals } of [...judged.packets, ...judged.others] as Packet<Frame>[]) {
    if (sent === undefined) continue;
    for (const arrived of arrivals) {
      const path = pathOf(sent, arrived);
      const drop = sent.ipv4.ttl - arrived.ipv4.ttl;
      const known = found.get(path);
      if (known === undefined || drop < known) found.set(path, drop);
    }
  }
  return found;
});

/** Whether one of the two vantages may stand behind a router. */
export function isDistant(judged: Judged, sent: Frame, arrived: Frame): boolean {
  const { distant } = judged.beside;
  return distant.has(sent.vantage) || distant.has(arrived.vantage);
}

/**
 * Hops beside the switch between two vantages, 0 where none of both is known to stand behind a router. Towards a client they are told by
 * what no rule touches.
 */
export function extraHops(judged: Judged, sent: Frame, arrived: Frame): number {
  const { distant } = judged.beside;
  if (!isDistant(judged, sent, arrived)) return 0;
  const least = leastOf(judged);
  const own = Math.max(0, (least.get(pathOf(sent, arrived)) ?? 1) - 1);
  const backend = isBackend(sent.vantage) ? sent.vantage : isBackend(arrived.vantage) ? arrived.vantage : undefined;
  if (backend === undefined || distant.has(backend)) return own;
  const client = sent.vantage === 'client' ? sent.src : arrived.dst;
  const plain = least.get(sent.vantage === 'client' ? `client>controller>${client}` : `controller>client>${client}`);
  return plain === undefined ? own : Math.max(0, plain - 1);
}
