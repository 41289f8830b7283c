/**
 * EST-3: Options negotiated at the handshake (MSS, window scale, SACK-permitted, timestamps) bind every later owner: none is
 * exceeded, added or dropped, and no owner sends beyond the client's (scaled) window. (SoCC'17 §2.1, §2.3, §2.4)
 */
import { type Connection, isSound, type Negotiated } from '../flows/connection.js';
import { isFlagged, optionOf, type Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import type { Check } from './check.js';
import { ackText, at, named, seqText, Tally } from './tally.js';

export const EST_3: Check = {
  clause: 'EST-3',
  method:
    'Options of the SYN-ACK must have been offered; timestamps are in every later segment or in none; SACK blocks, segment size and sequence range keep to what the client announced.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      const { start } = connection;
      if (start === undefined) {
        tally.doubt(`the handshake of ${connection.name} is not in the captures`);
        continue;
      }
      judgeHandshake(tally, start);
      for (const { head } of connection.packets) {
        if (head.towards !== 'client' || !isSound(head) || isFlagged(head, 'SYN')) continue;
        const offence = offenceOf(judged, start, head);
        if (offence !== undefined) tally.fail(offence, at(head, 'breaks what was negotiated'));
        else tally.hold();
      }
      judgeWindow(judged, tally, connection, start);
    }
    return tally.finding("segments kept to the handshake's options", 'no handshake in the captures');
  },
  regular: (connection) => connection.fromServers,
};

function judgeHandshake(tally: Tally, { syn, synAck }: Negotiated): void {
  for (const kind of ['window-scale', 'sack-permitted', 'timestamps'] as const) {
    if (optionOf(synAck, kind) !== undefined && optionOf(syn, kind) === undefined) {
      tally.fail(
        `expected no ${kind} option in the SYN-ACK, the SYN having none; ${named(synAck)} has one`,
        at(syn, `SYN without ${kind}`),
        at(synAck, `SYN-ACK with ${kind}`),
      );
    }
  }
}

function offenceOf(judged: Judged, start: Negotiated, head: Segment): string | undefined {
  for (const kind of ['mss', 'window-scale', 'sack-permitted'] as const) {
    if (optionOf(head, kind) !== undefined) return `expected ${kind} in SYN segments only; ${named(head)} has it`;
  }
  const stamped = optionOf(head, 'timestamps') !== undefined;
  if (stamped && !start.timestamps) return `expected no timestamps, none were negotiated; ${named(head)} has them`;
  // RFC 7323 §3.2: once negotiated, in every segment but a reset.
  if (!stamped && start.timestamps && !isFlagged(head, 'RST')) {
    return `expected timestamps, which were negotiated; ${named(head)} has none`;
  }
  if (!start.sackPermitted && optionOf(head, 'sack') !== undefined) {
    return `expected no SACK blocks, the client not permitting them; ${named(head)} has some`;
  }
  // RFC 6691: the MSS counts neither header, so options take from the payload.
  const size = head.length + head.tcp.optionBytes.length + head.ipv4.options.length;
  // Seen only as it arrived, it may have been joined by the receiver's card.
  const whole = head.direction === 'sent' && head.checksums === 'valid' && !judged.offloaded(head.vantage);
  if (size > start.clientMss && head.length > 0 && whole) {
    return `expected at most ${start.clientMss} bytes of payload and options (the client's MSS); ${named(head)} has ${size}`;
  }
  return undefined;
}

/** What lies behind the client's right edge, but for a probe of one byte (RFC 9293 §3.8.6.1). */
function judgeWindow(judged: Judged, tally: Tally, connection: Connection, start: Negotiated): void {
  const seesServers = ['controller', ...judged.hosts.backends.keys()].every((name) => judged.vantages.has(name));
  if (!judged.vantages.has('client') && !seesServers) return;
  const over: { readonly head: Segment; readonly edge: number; readonly next: Segment | undefined }[] = [];
  let edge = Number.NEGATIVE_INFINITY;
  let next: Segment | undefined;
  const packets = connection.packets.filter(({ head }) => isSound(head) && !isFlagged(head, 'RST'));
  const edges = packets.map(({ head }) => (head.towards === 'server' ? edgeOf(head, start) : Number.NEGATIVE_INFINITY));
  const highest = edges.map((one) => {
    edge = Math.max(edge, one);
    return edge;
  });
  for (let index = packets.length - 1; index >= 0; index--) {
    const head = packets[index]?.head;
    const known = highest[index];
    if (head === undefined || known === undefined) continue;
    if (head.towards === 'server') next = head;
    else if (head.length > 1 && known > Number.NEGATIVE_INFINITY && head.offset + head.length > known + 1) {
      over.push({ head, edge: known, next });
    }
  }
  for (const { head, edge: known, next: later } of over) {
    const end = head.offset + head.length;
    // Right edges do not move back: had a frame that the captures missed announced more, the next one would too.
    // Joined by a card, it is stamped as the first of what it was joined of.
    const joined = judged.offloaded(head.vantage);
    if (joined || later === undefined || edgeOf(later, start) >= end) {
      tally.doubt(`what window the client announced before ${named(head)} is not certain`);
      continue;
    }
    tally.fail(
      `expected nothing behind the client's right edge (relative ${known + 1}); ${named(head)} carries ${head.length} bytes from ${seqText(head)}`,
      at(head, "beyond the client's window"),
      at(later, `the client's window is still closed there, ack ${ackText(later)}`),
    );
  }
}

function edgeOf(segment: Segment, start: Negotiated): number {
  if (Number.isNaN(segment.acked)) return Number.NEGATIVE_INFINITY;
  return segment.acked + segment.window * (isFlagged(segment, 'SYN') ? 1 : 2 ** start.clientScale);
}
