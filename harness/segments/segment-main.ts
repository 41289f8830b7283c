/** The process that plays a segment story inside the client's namespace, over AF_PACKET: a SegmentLaunch in, a JobResult out, both JSON. */
import { text } from 'node:stream/consumers';
import { realtimeNs } from '../linux/libc.js';
import { PacketSocket } from '../linux/packet-socket.js';
import { Scapy } from '../scapy/bridge.js';
import type { JobResult } from '../world.js';
import type { Craft } from './craft.js';
import { type PlayerOptions, type PlayerOutput, SegmentPlayer } from './player.js';
import { needsCrafting } from './story.js';

export interface SegmentLaunch {
  readonly cast: PlayerOptions;
  readonly timeoutMs: number;
  /** The interpreter that has scapy, where the story needs it. */
  readonly python?: string;
}

/** A megabyte of full segments that come in one burst. */
const RING_SLOTS = 1024;
const BATCH = 64;

/** Loaded before the story begins, so that its frames leave when it says. */
async function startScapy(interpreter: string | undefined): Promise<Scapy> {
  const scapy = new Scapy(interpreter);
  await scapy.craft([]);
  return scapy;
}

const { cast, timeoutMs, python } = JSON.parse(await text(process.stdin)) as SegmentLaunch;
const scapy = needsCrafting(cast.story) ? await startScapy(python) : undefined;
const socket = new PacketSocket({ interfaceName: 'link', outgoing: false, slots: RING_SLOTS });
const player = new SegmentPlayer(cast);
const now = (): number => Number(realtimeNs() / 1000n);
let alarm: NodeJS.Timeout | undefined;
let finished = false;

const result = await new Promise<JobResult>((resolve, reject) => {
  const patience = setTimeout(() => perform(player.giveUp(now(), timeoutMs)), timeoutMs);
  async function sendCrafted(items: readonly Craft[]): Promise<void> {
    if (scapy === undefined) throw new Error('a story without forged frames asks for one');
    for (const bytes of await scapy.craft(items)) socket.send(bytes);
    perform(player.crafted(now()));
  }
  function perform(outputs: readonly PlayerOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'frame':
          socket.send(output.bytes);
          break;
        case 'craft':
          sendCrafted(output.items).catch(reject);
          break;
        case 'end':
          clearTimeout(patience);
          finished = true;
          resolve(output.result);
          break;
      }
    }
    clearTimeout(alarm);
    const { wakeAt } = player;
    if (!finished && wakeAt !== null)
      alarm = setTimeout(() => perform(player.wake(now())), Math.max(0, Math.ceil((wakeAt - now()) / 1000)));
  }
  socket.onReadable(() => socket.receive(BATCH, (frame) => perform(player.receive(frame.bytes, now()))));
  perform(player.wake(now()));
});
clearTimeout(alarm);
socket.close();
await scapy?.close();
process.stdout.write(JSON.stringify(result));
