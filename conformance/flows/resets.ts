/** Whether a client was reset by its server: a number that it takes, or its silence afterwards. */
import { type Connection, senderOf } from './connection.js';
import { isFlagged, type Segment } from './decode.js';

export type ResetOutcome =
  /** By a segment with exactly the number that the client waits for (RFC 5961 §3.2), or one after which it was silent. */
  | { readonly kind: 'reset'; readonly by: Segment }
  /** The client did not take any of them and went on. */
  | { readonly kind: 'in vain'; readonly last: Segment; readonly spoke: Segment }
  | { readonly kind: 'unclear'; readonly last: Segment }
  | { readonly kind: 'none' };

/** What became of the resets that the controller sent in (from, to]. */
export function resetOfClient(connection: Connection, from: number, to: number): ResetOutcome {
  let last: Segment | undefined;
  let outside = true;
  for (const packet of connection.toClient) {
    const { head, arrivals } = packet;
    if (head.t <= from || head.t > to || !isFlagged(head, 'RST') || senderOf(packet) !== 'controller') continue;
    last = head;
    const arrived = arrivals.find(({ vantage }) => vantage === 'client');
    if (arrived === undefined) continue;
    let expected = 0;
    for (const { head: own } of connection.toServer)
      if (own.t <= arrived.t && own.acked > expected) expected = own.acked;
    if (head.offset === expected) return { kind: 'reset', by: head };
    // What lies before that is in no window; what lies behind it, some stacks take.
    outside &&= head.offset < expected;
  }
  if (last === undefined) return { kind: 'none' };
  const { t } = last;
  // One answer to a reset is the challenge; who repeats data afterwards is alive.
  const spoke = connection.toServer.filter(({ head }) => head.t > t && !isFlagged(head, 'RST'))[1]?.head;
  return spoke === undefined || !outside ? { kind: 'unclear', last } : { kind: 'in vain', last, spoke };
}
