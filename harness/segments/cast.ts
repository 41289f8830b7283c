/** Who plays a segment story: addresses from the topology, numbers from the world's seed. */
import { createRandom } from '../random.js';
import type { Topology } from '../topology.js';
import { WorldError } from '../world.js';
import type { PlayerOptions } from './player.js';
import type { SegmentStory } from './story.js';

/** Below Linux's ip_local_port_range, above the ports of a flood. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

/**
 * `index`: which of the world's segment stories it is, from 0; each has numbers and a port of its own.
 * @throws WorldError for a client that the topology has not, or whose addresses it does not tell.
 */
export function castPlayer(topology: Topology, story: SegmentStory, seed: number, index: number): PlayerOptions {
  const which = story.client ?? 1;
  const client = topology.clients?.[which];
  if (which < 1 || client?.mac === undefined) throw new WorldError(`the topology has no packet-level client ${which}`);
  const { ip, port, mac } = topology.logical;
  if (mac === undefined) throw new WorldError('the topology does not tell the MAC address behind the logical address');
  const random = createRandom(seed, `segments ${index}`);
  return {
    story,
    client: { ip: client.ip, mac: client.mac },
    logical: { ip, port, mac },
    port: story.port ?? FIRST_PORT + ((random.below(PORTS / 2) * 2 + index) % PORTS),
    isn: random.u32(),
    timestampOffset: random.u32(),
  };
}
