/** EST-4: A retransmitted SYN is answered with the same initial sequence number and makes no second connection; a lost SYN-ACK is repeated. (D of EST-1) */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { type Connection, isSound } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** A SYN that was repeated and heard this long ago in vain was ignored. */
const SILENCE_NS = 1e9;
/** So often a client must have asked in vain. */
const SYNS = 3;

export const EST_4: Check = {
  clause: 'EST-4',
  method:
    "All SYN-ACKs that answer one SYN must have the same sequence number, and a SYN that comes again to the controller's link, its SYN-ACK being lost, must be answered again.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) judgeSyns(judged, tally, connection);
    const gap = missingVantages(judged.vantages, 'controller');
    return tally.finding(
      'handshakes whose SYN or SYN-ACK was repeated',
      gap ?? 'no SYN was sent again in the captures',
    );
  },
  regular: () => 0,
};

function judgeSyns(judged: Judged, tally: Tally, { start, packets, name }: Connection): void {
  if (start === undefined) return;
  const { syn, synAck } = start;
  const answers = packets
    .map(({ head }) => head)
    .filter(
      (head) =>
        head.towards === 'client' &&
        isFlagged(head, 'SYN') &&
        isFlagged(head, 'ACK') &&
        isSound(head) &&
        head.ack === seqAdd(syn.seq, 1),
    );
  const other = answers.find((head) => head.seq !== synAck.seq);
  if (other !== undefined) {
    tally.fail(
      `expected every SYN-ACK to the SYN of ${name} to have seq ${synAck.seq}; ${named(other)} has ${other.seq}`,
      at(synAck, `seq ${synAck.seq}`),
      at(other, `seq ${other.seq}`),
    );
    return;
  }
  const arrivals = packets
    .filter(({ head }) => head.towards === 'server' && isFlagged(head, 'SYN') && head.seq === syn.seq && isSound(head))
    .flatMap((packet) => packet.arrivals.filter(({ vantage }) => vantage === 'controller'))
    .sort((a, b) => a.t - b.t);
  const again = arrivals.slice(1).filter(({ t }) => t > synAck.t);
  const [first] = again;
  const last = again.at(-1);
  if (first === undefined || last === undefined) {
    if (answers.length > 1) tally.hold();
    return;
  }
  // Behind the client's acknowledgement a late SYN wants no other answer (RFC 9293 §3.10.7.4 asks for a challenge ACK).
  const acknowledged = packets.find(({ head }) => head.towards === 'server' && head.acked >= 0 && isSound(head));
  const awaited = again.filter(({ t }) => acknowledged === undefined || t < acknowledged.head.t);
  if (awaited.length === 0 || answers.some(({ t }) => t >= first.t)) {
    tally.hold();
    return;
  }
  if (awaited.length >= SYNS - 1 && judged.end - last.t > SILENCE_NS && !judged.missedFrames('controller')) {
    tally.fail(
      `expected the SYN-ACK again for the SYN that came again in ${named(first)}; ${awaited.length} came and nothing answered`,
      at(synAck, 'the only SYN-ACK'),
      at(first, 'the SYN comes again'),
      at(last, 'the last one'),
    );
  } else tally.doubt(`the answer to the repeated SYN of ${name} is not in the captures`);
}
