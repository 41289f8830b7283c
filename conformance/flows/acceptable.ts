/** Which segments no receiver takes, whatever they say: what somebody else than the client slipped in (RFC 9293 §3.10.7.4, RFC 7323 §5.3, RFC 5961 §5). */
import { seqDiff } from '../../reference-impl/wire/seq.js';
import { findTcpOption } from '../../reference-impl/wire/tcp.js';
import { isFlagged, type Segment } from './decode.js';

/** Clocks of one client never run back by so much, in its timestamps' unit; a segment that was overtaken on a link may be a little older. */
const OLDER = 1000;

/** Bytes of the server's that a capture with gaps may lack between two of its frames. */
const MOST_UNSEEN = 1 << 26;

/** Watches the segments of one connection in order of time, each with its places known. */
export class Acceptance {
  /** Where what the server has sent ends, its FIN counted. */
  #serverEnd = 0;
  #latest: number | undefined;

  /** A segment as it was sent, or as it first showed. False for a client's that its server drops. */
  accepts(segment: Segment): boolean {
    if (segment.towards === 'client') {
      const end = segment.offset + segment.length + (isFlagged(segment, 'FIN') ? 1 : 0);
      if (end > this.#serverEnd) this.#serverEnd = end;
      return true;
    }
    if (isFlagged(segment, 'SYN') || isFlagged(segment, 'RST')) return true;
    if (Number.isNaN(segment.acked) || segment.acked > this.#serverEnd + MOST_UNSEEN || segment.acked < 0) return false;
    const timestamp = findTcpOption(segment.tcp.options, 'timestamps')?.value;
    if (timestamp === undefined) return true;
    if (this.#latest !== undefined && seqDiff(timestamp, this.#latest) < -OLDER) return false;
    if (this.#latest === undefined || seqDiff(timestamp, this.#latest) > 0) this.#latest = timestamp;
    return true;
  }
}
