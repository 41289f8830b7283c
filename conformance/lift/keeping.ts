/** What a receiver may have kept that came before its turn: Handoff.tla's receivers keep nothing, so a segment that fills a hole is brought with it. */
import { isFlagged, type Segment } from '../flows/decode.js';

interface Host {
  /** Everything before it has arrived. */
  next: number;
  kept: { start: number; end: number; fin: boolean }[];
}

export class Keeping {
  readonly #hosts = new Map<string, Host>();
  readonly #bounds: readonly number[];

  /** `bounds`: where a new owner may begin, as offsets in the client's stream. */
  constructor(bounds: readonly number[]) {
    this.#bounds = [...bounds].sort((a, b) => a - b);
  }

  /** A client's segment arrives at a host; answers up to where its data reaches with what was kept, and whether a FIN that was kept follows. */
  arrived(name: string, segment: Segment): { readonly end: number; readonly fin: boolean } {
    const host = this.#hosts.get(name) ?? { next: 0, kept: [] };
    this.#hosts.set(name, host);
    const start = segment.offset;
    const end = start + segment.length;
    const fin = isFlagged(segment, 'FIN');
    if (segment.length === 0 && !fin) return { end, fin };
    const begins = this.#bounds.findLast((bound) => bound <= start) ?? 0;
    if (start > Math.max(host.next, begins)) {
      host.kept.push({ start, end, fin });
      return { end, fin };
    }
    const reach = { end, fin };
    for (;;) {
      const more = host.kept.find(
        (range) => range.start <= reach.end && (range.end > reach.end || (range.fin && !reach.fin)),
      );
      if (more === undefined) break;
      host.kept.splice(host.kept.indexOf(more), 1);
      reach.end = Math.max(reach.end, more.end);
      reach.fin ||= more.fin;
    }
    host.next = Math.max(host.next, reach.end);
    return reach;
  }
}
