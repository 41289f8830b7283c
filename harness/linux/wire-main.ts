/**
 * The links between the hosts and a switch that is not ours: forwards every frame between the two interfaces of each link, does to those that
 * leave the switch what the reference switch's rim would, and so keeps the captures outside of the switch's reach.
 */
import { createImpairment } from '../impair.js';
import type { Fault } from '../world.js';
import { answerLines } from './command-lines.js';
import { interfaceMtu } from './libc.js';
import { Origins } from './origins.js';
import { PacketSocket } from './packet-socket.js';
import { createRoleEnder, type RoleEnds } from './role-ender.js';

export interface WireLaunch {
  readonly links: readonly { readonly vantage: string; readonly host: string; readonly fabric: string }[];
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly ends?: RoleEnds;
}

const RING_SLOTS = 4096;
const BATCH = 64;

class Wire {
  readonly #sockets: PacketSocket[] = [];
  readonly #impairment;
  #stopped = false;

  constructor(launch: WireLaunch) {
    const impairment = createImpairment(launch.faults, launch.seed);
    this.#impairment = impairment;
    const ender = launch.ends && createRoleEnder(launch.ends);
    // Only who asks about frames has to know where they come from.
    const origins = launch.faults.length > 0 || ender ? new Origins() : undefined;
    for (const { vantage, host, fabric } of launch.links) {
      const outside = this.#open(host);
      const inside = this.#open(fabric);
      outside.onReadable(() => {
        outside.receive(BATCH, ({ bytes }) => {
          const enter = (frame: Uint8Array): void => {
            origins?.enter(vantage, frame);
            inside.send(frame);
          };
          for (const { delayMs } of impairment.enter({ from: vantage, bytes }).copies) {
            if (delayMs <= 0) enter(bytes);
            else {
              const late = bytes.slice();
              setTimeout(() => this.#stopped || enter(late), delayMs);
            }
          }
        });
      });
      inside.onReadable(() => {
        inside.receive(BATCH, ({ bytes }) => {
          if (!origins) {
            outside.send(bytes);
            return;
          }
          const frame = { from: origins.of(bytes), to: vantage, bytes };
          ender?.onFrame(frame);
          for (const { delayMs } of impairment.admit(frame).copies) {
            if (delayMs <= 0) outside.send(bytes);
            else setTimeout(() => this.#stopped || outside.send(bytes), delayMs);
          }
        });
      });
    }
  }

  #open(interfaceName: string): PacketSocket {
    const mtu = interfaceMtu(interfaceName);
    const socket = new PacketSocket({ interfaceName, outgoing: false, slots: RING_SLOTS, mtu });
    this.#sockets.push(socket);
    return socket;
  }

  get applied(): readonly number[] {
    return this.#impairment.applied;
  }

  /** Returns the frames that the wire itself lost. */
  stop(): number {
    this.#stopped = true;
    let lost = 0;
    for (const socket of this.#sockets) {
      lost += socket.drops() + socket.sendFailures;
      socket.close();
    }
    return lost;
  }
}

let wire: Wire | undefined;

answerLines((question) => {
  if (!wire) {
    wire = new Wire(question as unknown as WireLaunch);
    return { ready: true };
  }
  return { lost: wire.stop(), applied: wire.applied };
});
