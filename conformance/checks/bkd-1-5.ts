/**
 * BKD-1: The response continues the client's byte stream without gap or overlap. (SoCC'17 §2.4)
 * BKD-5: The owner retransmits what is lost; no one else does. (SoCC'17 §2)
 */
import { type Connection, countBefore, isBackend, isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import { handedOff } from '../flows/rules.js';
import { ByteStream } from '../flows/stream.js';
import { misled } from '../flows/told.js';
import type { Check } from './check.js';
import { at, missingVantages, named, seqText, Tally } from './tally.js';

interface Run {
  readonly start: number;
  readonly end: number;
  readonly owner: string;
  readonly segment: Segment;
}

interface Sending {
  /** Bytes sent again by whom they were sent first. */
  readonly repeated: number;
  /** Bytes sent again by somebody else. */
  readonly foreign: { readonly segment: Segment; readonly run: Run; readonly sender: string }[];
  /** Bytes sent again with another content. */
  readonly changed: readonly { readonly segment: Segment; readonly run: Run | undefined; readonly offset: number }[];
  /** Where a segment left a hole before it. */
  readonly holes: readonly { readonly from: number; readonly segment: Segment }[];
}

/** Follows what the servers sent on a connection, by whom. */
function followSending({ toClient }: Connection): Sending {
  const sent = new ByteStream();
  const runs: Run[] = [];
  let high = 0;
  let repeated = 0;
  const foreign: Sending['foreign'][number][] = [];
  const changed: Sending['changed'][number][] = [];
  const holes: Sending['holes'][number][] = [];
  for (const packet of toClient) {
    const sender = senderOf(packet);
    const segment = packet.sent;
    if (sender === undefined || segment === undefined || !isSound(segment) || isFlagged(segment, 'SYN')) continue;
    const { offset, length } = segment;
    if (length === 0 || Number.isNaN(offset)) continue;
    const end = offset + length;
    // A keep-alive may carry one byte of garbage below what was sent (RFC 9293 §3.8.4).
    if (length === 1 && offset < high) continue;
    const conflict = sent.insert(offset, segment.payload);
    if (offset < high) {
      const run = runs[countBefore(runs, (candidate) => candidate.end <= offset)];
      const known = run !== undefined && run.start < end ? run : undefined;
      if (conflict !== undefined) changed.push({ segment, run: known, offset: conflict });
      else if (known !== undefined && known.owner !== sender) foreign.push({ segment, run: known, sender });
      else repeated++;
    } else if (offset > high) holes.push({ from: high, segment });
    if (end > high) {
      const start = Math.max(offset, high);
      const last = runs.at(-1);
      if (last !== undefined && last.owner === sender && last.end === start) runs[runs.length - 1] = { ...last, end };
      else runs.push({ start, end, owner: sender, segment });
      high = end;
    }
  }
  return { repeated, foreign, changed, holes };
}

export const BKD_1: Check = {
  clause: 'BKD-1',
  method:
    "A backend's first response byte must have the next number of the server's stream; later ones leave no hole that the client waits at, and a number is never sent with two contents.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const gap = missingVantages(judged.vantages, ...judged.hosts.backends.keys());
    for (const connection of judged.connections) {
      const handed = handedOff(connection).filter(({ handoff }) => handoff.first !== undefined);
      if (handed.length === 0) continue;
      if (connection.start === undefined) {
        tally.doubt(`the start of ${connection.name} is not in the captures`);
        continue;
      }
      // Who is told another number begins there: that is HOF-3's.
      const told = handed.find((exchange) => misled(judged, exchange))?.handoff.log?.handoff;
      if (told !== undefined) {
        tally.doubt(`line ${told.line} handed off something else than frames show`);
        continue;
      }
      const { changed, holes } = followSending(connection);
      const bad = new Set<Segment>();
      for (const { segment, run, offset } of changed) {
        if (!isBackend(segment.vantage)) continue;
        bad.add(segment);
        tally.fail(
          `expected each byte to be sent with one content; ${named(segment)} has another one at relative ${offset + 1} with seq ${seqText(segment)}`,
          ...(run ? [at(run.segment, 'sent first')] : []),
          at(segment, 'overlaps it with other bytes'),
        );
      }
      for (const { from, segment } of holes) {
        if (!isBackend(segment.vantage)) continue;
        // Filled later, or seen on its way only: sent in another order, or missed by the capture.
        if (fills(connection, from, segment.offset)) continue;
        const stuck = connection.toServer.findLast(({ head }) => isSound(head) && !Number.isNaN(head.acked))?.head;
        const highest = connection.toServer.reduce(
          (most, { head }) => (isSound(head) && head.acked > most ? head.acked : most),
          -1,
        );
        if (highest >= segment.offset) continue;
        if (stuck === undefined || stuck.t <= segment.t || highest > from) {
          tally.doubt(`whether the client got what lies before ${named(segment)} is not in the captures`);
          continue;
        }
        bad.add(segment);
        tally.fail(
          `expected seq at relative ${from + 1}, the next number; ${named(segment)} has ${seqText(segment)}, ${segment.offset - from} bytes further, and the client still waits in ${named(stuck)}`,
          at(segment, 'leaves a gap'),
          at(stuck, 'the client waits before the gap'),
        );
      }
      for (const { packets, handoff } of handed) {
        const spoke = packets.some((packet) => senderOf(packet) === handoff.backend && packet.head.length > 0);
        const offended = packets.some(({ sent }) => sent !== undefined && bad.has(sent));
        if (spoke && !offended) tally.hold();
      }
    }
    return tally.finding(
      'responses of backends continued the stream',
      gap ?? 'no response of a backend in the captures',
    );
  },
  regular: (connection) => connection.exchanges.length,
};

/** Whether [from, to) was sent by somebody at any time, or arrived at the client. */
function fills(connection: Connection, from: number, to: number): boolean {
  if (connection.serverData.missing(from, to, Number.POSITIVE_INFINITY) === undefined) return true;
  return connection.serverStream.read(from, to - from).length === to - from;
}

export const BKD_5: Check = {
  clause: 'BKD-5',
  method: 'Whoever sends bytes that were sent before must be the one who sent them first.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      if (connection.start === undefined) {
        tally.doubt(`the start of ${connection.name} is not in the captures`);
        continue;
      }
      const told = handedOff(connection).find((exchange) => misled(judged, exchange))?.handoff.log?.handoff;
      if (told !== undefined) {
        tally.doubt(`line ${told.line} handed off something else than frames show`);
        continue;
      }
      const { repeated, foreign, changed } = followSending(connection);
      for (const { segment, run } of changed) {
        // What its owner changes is BKD-1's.
        const sender = segment.vantage;
        if (run === undefined || run.owner === sender) continue;
        foreign.push({ segment, run, sender });
      }
      tally.hold(repeated);
      for (const { segment, run, sender } of foreign) {
        tally.fail(
          `expected ${run.owner} to repeat what it sent in ${named(run.segment)}; ${sender} sent it in ${named(segment)} with seq ${seqText(segment)}`,
          at(run.segment, `sent first by ${run.owner}`),
          at(segment, `sent again by ${sender}`),
        );
      }
    }
    const gap = missingVantages(judged.vantages, 'controller', ...judged.hosts.backends.keys());
    return tally.finding('segments repeated by their owner', gap ?? 'no server segment was sent twice');
  },
  regular: (connection) => connection.repeated,
};
