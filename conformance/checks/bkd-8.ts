/**
 * BKD-8: Timestamps never run backwards across owners; echoes stay valid (an echo of 0 is allowed from a new owner until the client has
 * spoken). (SoCC'17 §2.4, RFC 7323 §4, §5)
 */
import { seqDiff, seqGt, seqLt } from '../../reference-impl/wire/seq.js';
import { type Connection, isSound, senderOf } from '../flows/connection.js';
import { isFlagged, optionOf, type Segment } from '../flows/decode.js';
import { afterGivingUp, controllerIntrusions, giveUps } from '../flows/former.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { handedOff } from '../flows/rules.js';
import { misled, reportDifferences } from '../flows/told.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** A stamp that a sender's own later segment falls behind by reordering in its card is no clock running backwards. */
const REORDERING_NS = 1e6;
/** Repetitions of one SYN lie within so many ticks of a client's clock (RFC 6298 §2: 1, 2, 4 s and so on). */
const MOST_OF_SYNS = 130_000;
/** A new owner that has heard the client this long ago knows what to echo. */
const ECHO_LEARNT_NS = 100e6;

export const BKD_8: Check = {
  clause: 'BKD-8',
  method:
    "In order of sending, no owner's TSval may be below one sent before, and every TSecr must lie between the client's first and latest TSval.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      if (connection.start === undefined) tally.doubt(`the start of ${connection.name} is not in the captures`);
      else if (connection.start.timestamps) {
        // Whoever was told other stamps than there were goes on with those: HOF-3's, or BKD-6's.
        const told = handedOff(connection).find(
          (exchange) => misled(judged, exchange) || misreported(judged, exchange),
        );
        const { syn, synAck } = connection.start;
        if (told === undefined) judgeClock(tally, connection, syn, synAck);
        else tally.doubt(`control messages of ${connection.name} say something else than frames show`);
      }
    }
    const gap = missingVantages(judged.vantages, 'controller', ...judged.hosts.backends.keys());
    return tally.finding(
      'changes of owner and echoes with valid timestamps',
      gap ?? 'no connection with timestamps was handed off',
    );
  },
  regular: (connection) => (connection.timestamps ? connection.changesOfOwner : 0),
};

/** Whether the report of a hand-off gives the next owner wrong time stamps. */
function misreported(judged: Judged, exchange: HandedExchange): boolean {
  return reportDifferences(judged, exchange).some(({ field }) => field === 'timestamps');
}

function judgeClock(tally: Tally, connection: Connection, syn: Segment, synAck: Segment): void {
  // What was sent by somebody who did not own the connection is HOF-4's.
  const disowned = new Set<Segment>(handedOff(connection).flatMap((exchange) => [...controllerIntrusions(exchange)]));
  for (const giveUp of giveUps(connection)) for (const { head } of afterGivingUp(giveUp)) disowned.add(head);
  const ofSyn = optionOf(syn, 'timestamps')?.value ?? 0;
  // What the SYN-ACK echoes may be an earlier SYN that was not captured.
  const echoOfSyn = synAck && optionOf(synAck, 'timestamps')?.echo;
  const firstClient =
    echoOfSyn !== undefined && echoOfSyn !== 0 && seqLt(echoOfSyn, ofSyn) && seqDiff(ofSyn, echoOfSyn) < MOST_OF_SYNS
      ? echoOfSyn
      : ofSyn;
  let latestClient = firstClient;
  let highest: { value: number; sender: string; segment: Segment } | undefined;
  let owner: string | undefined;
  /** When the client first spoke to this owner. */
  let heard: Segment | undefined;
  let echoed = false;
  const spokenTo = new Map<string, Segment[]>();
  for (const { arrivals } of connection.toServer) {
    for (const arrival of arrivals) {
      if (!isSound(arrival) || optionOf(arrival, 'timestamps') === undefined) continue;
      const list = spokenTo.get(arrival.vantage);
      if (list) list.push(arrival);
      else spokenTo.set(arrival.vantage, [arrival]);
    }
  }
  for (const packet of connection.packets) {
    const { head } = packet;
    const stamps = optionOf(head, 'timestamps');
    if (stamps === undefined || !isSound(head)) continue;
    if (head.towards === 'server') {
      if (seqGt(stamps.value, latestClient)) latestClient = stamps.value;
      continue;
    }
    const sender = senderOf(packet);
    if (sender === undefined || isFlagged(head, 'RST') || disowned.has(head)) continue;
    const changed = sender !== owner;
    if (changed) {
      echoed = false;
      heard = (spokenTo.get(sender) ?? []).find(({ t }) => owner === undefined || t > (highest?.segment.t ?? 0));
      owner = sender;
    }
    if (highest !== undefined && seqLt(stamps.value, highest.value)) {
      if (highest.sender !== sender || head.t - highest.segment.t > REORDERING_NS) {
        tally.fail(
          `expected a TSval of at least ${highest.value}, as ${highest.sender} sent in ${named(highest.segment)}; ${sender} sent ${stamps.value} in ${named(head)}`,
          at(highest.segment, `TSval ${highest.value} of ${highest.sender}`),
          at(head, `TSval ${stamps.value} of ${sender}`),
        );
        // One clock that is behind is one offence, not one for each of its segments.
        highest = { value: stamps.value, sender, segment: head };
      }
    } else {
      if (changed && highest !== undefined) tally.hold();
      highest = { value: stamps.value, sender, segment: head };
    }
    if (stamps.echo === 0 && firstClient !== 0) {
      const late = heard !== undefined && head.t - heard.t > ECHO_LEARNT_NS;
      if (!isFlagged(head, 'ACK') || (!echoed && !late)) continue;
      tally.fail(
        `expected the client's latest TSval as echo; ${named(head)} of ${sender} has 0, though the client had spoken to it`,
        ...(heard ? [at(heard, `the client speaks to ${sender}`)] : []),
        at(head, 'TSecr 0'),
      );
      continue;
    }
    echoed = true;
    // Only what lies outside of all the client ever said is certain: a frame between may be missing.
    const future = seqGt(stamps.echo, latestClient) && !saidLater(connection, head, stamps.echo);
    if (future || seqLt(stamps.echo, firstClient)) {
      tally.fail(
        `expected an echo between ${firstClient} and ${latestClient}, the client's TSvals so far; ${named(head)} of ${sender} has ${stamps.echo}`,
        at(head, `TSecr ${stamps.echo}`),
      );
    }
  }
}

/** A frame of the client with that stamp may be missing, if the next one has at least as much. */
function saidLater(connection: Connection, head: Segment, echo: number): boolean {
  const next = connection.toServer.find(
    (packet) => packet.head.t > head.t && isSound(packet.head) && optionOf(packet.head, 'timestamps') !== undefined,
  );
  const value = next && optionOf(next.head, 'timestamps')?.value;
  return value === undefined || !seqLt(value, echo);
}
