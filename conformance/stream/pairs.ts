/** Which frame is the arrival of which: the plain case, where every segment that was sent arrived once, or was lost. */
import { type FlowFrames, Place, STRIDE, Word } from './frames.js';

/** Nothing stays in the fabric longer. */
const MAX_FLIGHT_NS = 30e9;
const FIN = 1 << 16;

let mates = new Int32Array(1024);
let slots = new Int32Array(4096);

/**
 * For each frame of a flow the other end of its flight, -1 for what never arrived; undefined where something arrived that was not sent, twice,
 * or before it was sent, or where two segments have the same numbers and IP id. The answer is good until the next call.
 */
export function pairPlainly(frames: FlowFrames): Int32Array | undefined {
  const { count, words, t } = frames;
  if (mates.length < count) mates = new Int32Array(2 * count);
  let bits = 6;
  while (1 << bits < 2 * count) bits++;
  const capacity = 1 << bits;
  if (slots.length < capacity) slots = new Int32Array(capacity);
  slots.fill(0, 0, capacity);
  mates.fill(-1, 0, count);
  const shift = 32 - bits;
  const mask = capacity - 1;
  for (let pass = 0; pass < 2; pass++) {
    for (let index = 0; index < count; index++) {
      const w = index * STRIDE;
      const low = words[w + Word.LENGTH_FLAGS_PLACE] ?? 0;
      if ((((low >>> 24) & Place.SENT) !== 0) !== (pass === 0)) continue;
      const seq = words[w + Word.SEQ] ?? 0;
      const ack = words[w + Word.ACK] ?? 0;
      const id = (words[w + Word.WINDOW_ID] ?? 0) >>> 16;
      // Length, flags but for FIN, and direction.
      const kept = low & ((Place.TO_SERVER << 24) | 0xffffff) & ~FIN;
      let slot = Math.imul(seq ^ Math.imul(ack, 0x9e3779b1) ^ (id << 11) ^ kept, 0x85ebca6b) >>> shift;
      for (;;) {
        const known = (slots[slot] ?? 0) - 1;
        if (known < 0) {
          if (pass === 1) return undefined;
          slots[slot] = index + 1;
          break;
        }
        const k = known * STRIDE;
        const same =
          words[k + Word.SEQ] === seq &&
          words[k + Word.ACK] === ack &&
          (words[k + Word.WINDOW_ID] ?? 0) >>> 16 === id &&
          ((words[k + Word.LENGTH_FLAGS_PLACE] ?? 0) & ((Place.TO_SERVER << 24) | 0xffffff) & ~FIN) === kept;
        if (!same) {
          slot = (slot + 1) & mask;
          continue;
        }
        if (pass === 0 || mates[known] !== -1) return undefined;
        const flight = (t[index] ?? 0) - (t[known] ?? 0);
        if (flight < 0 || flight >= MAX_FLIGHT_NS) return undefined;
        mates[known] = index;
        mates[index] = known;
        break;
      }
    }
  }
  return mates;
}
