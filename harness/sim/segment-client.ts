/** Segment stories in virtual time: their players beside the simulated client, on the same link. */
import { craft } from '../segments/craft.js';
import { type PlayerOptions, type PlayerOutput, SegmentPlayer } from '../segments/player.js';
import type { JobResult } from '../world.js';
import { MICROSECOND, MILLISECOND, type VirtualClock } from './clock.js';

export class SimSegmentClients {
  readonly #players: ((bytes: Uint8Array) => void)[] = [];

  constructor(
    readonly clock: VirtualClock,
    /** Where virtual time begins, in microseconds since the epoch. */
    readonly epoch: number,
    readonly transmit: (bytes: Uint8Array) => void,
  ) {}

  /** A frame arrives on the link; each player knows its own. */
  receive(bytes: Uint8Array): void {
    for (const receive of this.#players) receive(bytes);
  }

  /** Plays a story from now on; `done` gets the result, once. */
  play(options: PlayerOptions, timeoutMs: number, done: (result: JobResult) => void): void {
    const player = new SegmentPlayer(options);
    const now = (): number => this.epoch + Math.floor(this.clock.now / MICROSECOND);
    const alarm = this.clock.timer(() => perform(player.wake(now())));
    const patience = this.clock.timer(() => perform(player.giveUp(now(), timeoutMs)));
    const perform = (outputs: readonly PlayerOutput[]): void => {
      for (const output of outputs) {
        switch (output.kind) {
          case 'frame':
            this.transmit(output.bytes);
            break;
          case 'craft':
            for (const item of output.items) for (const bytes of craft(item)) this.transmit(bytes);
            this.clock.after(0, () => perform(player.crafted(now())));
            break;
          case 'end':
            patience.set(null);
            done(output.result);
            break;
        }
      }
      const { wakeAt } = player;
      alarm.set(wakeAt === null ? null : (wakeAt - this.epoch) * MICROSECOND);
    };
    this.#players.push((bytes) => perform(player.receive(bytes, now())));
    patience.set(this.clock.now + timeoutMs * MILLISECOND);
    perform(player.wake(now()));
  }
}
