/**
 * Segments that were lost in connections otherwise regular. One may have arrived after all, as somebody else's: with another port or address.
 * Then it has to come before the checks together with what arrived.
 */
import type { Frame } from '../flows/decode.js';
import type { Flow } from './flow-table.js';
import { FlowFrames, Place, STRIDE, Word } from './frames.js';

/** More are not remembered. */
const MOST = 20_000;

/** What a hop hardly changes: numbers, IP id and length. */
function keyOf(seq: number, ack: number, id: number, length: number): number {
  return Math.imul(seq ^ Math.imul(ack, 0x9e3779b1) ^ (id << 11), 0x85ebca6b) * 65536 + (length & 0xffff);
}

function keyOfWords(words: Uint32Array, w: number): number {
  return keyOf(
    words[w + Word.SEQ] ?? 0,
    words[w + Word.ACK] ?? 0,
    (words[w + Word.WINDOW_ID] ?? 0) >>> 16,
    words[w + Word.LENGTH_FLAGS_PLACE] ?? 0,
  );
}

export class LostSegments {
  readonly #byKey = new Map<number, Flow>();

  /** Keeps copies of the frames of a regular flow that never arrived. */
  remember(flow: Flow, mates: Int32Array): void {
    const { frames } = flow;
    const { words, t } = frames;
    for (let index = 0; index < frames.count; index++) {
      if (mates[index] !== -1 || this.#byKey.size >= MOST) continue;
      const w = index * STRIDE;
      const place = (words[w + Word.LENGTH_FLAGS_PLACE] ?? 0) >>> 24;
      if ((place & Place.SENT) === 0) continue;
      const bytes = frames.frame(index);
      const kept = new FlowFrames(frames.store);
      const file = (words[w + Word.CAPTURED_FILE] ?? 0) >>> 20;
      const ip = words[w + Word.IP] ?? 0;
      kept.add(t[index] ?? 0, words[w + Word.NUMBER] ?? 0, file, place, bytes, 0, bytes.length, ip);
      this.#byKey.set(keyOfWords(words, w), { ...flow, frames: kept });
    }
  }

  /** Takes out those that something among these frames may be the arrival of. */
  claimedBy(flows: readonly Flow[], others: readonly Frame[]): Flow[] {
    if (this.#byKey.size === 0) return [];
    const claimed: Flow[] = [];
    const claim = (key: number): void => {
      const flow = this.#byKey.get(key);
      if (flow === undefined) return;
      this.#byKey.delete(key);
      claimed.push(flow);
    };
    for (const { frames } of flows) {
      for (let index = 0; index < frames.count; index++) {
        const w = index * STRIDE;
        const sent = ((frames.words[w + Word.LENGTH_FLAGS_PLACE] ?? 0) >>> 24) & Place.SENT;
        if (sent === 0) claim(keyOfWords(frames.words, w));
      }
    }
    for (const { view, ipv4, direction } of others) {
      const { tcp } = view;
      if (tcp !== undefined && direction === 'arrived') claim(keyOf(tcp.seq, tcp.ack, ipv4.id, tcp.payloadLength));
    }
    return claimed;
  }
}
