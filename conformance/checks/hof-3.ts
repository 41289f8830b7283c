/**
 * HOF-3: The hand-off carries: client and logical addresses and ports, next sequence and acknowledgement numbers, negotiated options of both
 * directions, timestamp state, the request. (SoCC'17 §2.3)
 */
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { seqAdd, seqGt, seqLt } from '../../reference-impl/wire/seq.js';
import { type Connection, countBefore, senderOf } from '../flows/connection.js';
import { optionOf } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import type { Packet } from '../flows/packets.js';
import { between } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

export const HOF_3: Check = {
  clause: 'HOF-3',
  method:
    'In the control log, the hand-off message must name the connection and hold the numbers, options and timestamps that frames show at that moment.',
  needs: 'control-log',
  judge(judged) {
    const tally = new Tally();
    if (judged.log === undefined)
      return tally.finding('', 'no control log: what the hand-off carried is not seen in frames');
    for (const exchange of judged.handoffs) judgeMessage(judged, tally, exchange);
    return tally.finding(
      'hand-off messages that hold what frames show',
      'the control log has no hand-off of a captured connection',
    );
  },
  regular: () => 0,
};

/** What is compared, as frames show it, as the message has it. */
type Comparison = readonly [what: string, expected: string | number | boolean, seen: string | number | boolean];

function judgeMessage(
  judged: Judged,
  tally: Tally,
  { connection, request, response, handoff, begins }: HandedExchange,
): void {
  const { start } = connection;
  const told = handoff.log?.handoff;
  if (told?.message.verb !== 'handoff' || start === undefined) return;
  const { conn, snapshot } = told.message;
  const { synAck } = start;
  // The controller hands on what it got, whatever became of it on the way (SWT-3).
  const syn =
    connection.packets
      .find(({ head }) => head === start.syn)
      ?.arrivals.find(({ vantage }) => vantage === 'controller') ?? start.syn;
  const offers = (kind: 'sack-permitted' | 'timestamps'): boolean =>
    optionOf(syn, kind) !== undefined && optionOf(synAck, kind) !== undefined;
  const mine = optionOf(syn, 'window-scale');
  const theirs = optionOf(synAck, 'window-scale');
  const scales = mine !== undefined && theirs !== undefined ? `${Math.min(mine.shift, 14)}/${theirs.shift}` : 'none';
  const { windowScale } = snapshot;
  const { logicalIp, logicalPort } = judged.hosts;
  const settled: Comparison[] = [
    ['client', connection.client, `${conn.client.ip}:${conn.client.port}`],
    ['logical address', `${formatIpv4Address(logicalIp)}:${logicalPort}`, `${conn.logical.ip}:${conn.logical.port}`],
    ['client MSS', optionOf(syn, 'mss')?.value ?? 536, snapshot.clientMss],
    ['window scales', scales, windowScale === null ? 'none' : `${windowScale.client}/${windowScale.own}`],
    ['SACK-permitted', offers('sack-permitted'), snapshot.sackPermitted],
    ['timestamps', offers('timestamps'), snapshot.timestamps !== null],
  ];
  const differs = (compared: readonly Comparison[]): boolean => {
    const [what, expected, seen] = compared.find(([, one, other]) => one !== other) ?? [];
    if (what === undefined) return false;
    tally.fail(
      `expected ${what} ${expected} in the hand-off of ${connection.name}, as frames show; line ${told.line} has ${seen}`,
      { capture: judged.log?.name ?? '', frame: told.line, note: `${what} ${seen}` },
      { ...at(syn, 'the SYN'), background: true },
      { ...at(synAck, 'the SYN-ACK'), background: true },
    );
    return true;
  };
  if (differs(settled)) return;
  if (response === undefined) {
    tally.doubt(`the response that line ${told.line} hands off is not in the captures`);
    return;
  }
  // What the controller acknowledged wrongly is REQ-2's; it may hand that on.
  const acks = between(connection.toClient, begins, told.t).filter((packet) => senderOf(packet) === 'controller');
  const acknowledged = acks.at(-1)?.head.ack;
  const ack = snapshot.ack === acknowledged ? acknowledged : seqAdd(syn.seq, 1 + request.headerEnd);
  const seq = seqAdd(synAck.seq, 1 + response.start);
  const numbers: Comparison[] = [
    ['seq', seq, snapshot.seq],
    ['ack', ack, snapshot.ack],
  ];
  if (differs(numbers)) return;
  const { sent, heard } = stampsOf(connection).before(told.t);
  const value = sent && optionOf(sent.head, 'timestamps')?.value;
  if (
    snapshot.timestamps !== null &&
    sent !== undefined &&
    value !== undefined &&
    seqLt(snapshot.timestamps.value, value)
  ) {
    tally.fail(
      `expected a timestamp of at least ${value} in the hand-off, as sent in ${named(sent.head)}; line ${told.line} has ${snapshot.timestamps.value}`,
      { capture: judged.log?.name ?? '', frame: told.line, note: `timestamp ${snapshot.timestamps.value}` },
      { ...at(sent.head, `TSval ${value}`), background: true },
    );
    return;
  }
  const { timestamps } = snapshot;
  const ahead = timestamps !== null && heard !== undefined && seqGt(timestamps.recent, heard);
  if (ahead && differs([['latest timestamp of the client', heard, timestamps.recent]])) return;
  tally.hold();
}

/** Time stamps of a connection by time, found once: a connection may be handed off thousands of times. */
class Stamps {
  readonly #sent: readonly Packet[];
  /** When a later stamp of the client than any before was seen first, in order. */
  readonly #heard: { readonly t: number; readonly stamp: number }[] = [];

  constructor({ toClient, toServer }: Connection) {
    this.#sent = toClient.filter(({ head }) => optionOf(head, 'timestamps') !== undefined);
    for (const { head } of toServer) {
      const stamp = optionOf(head, 'timestamps')?.value;
      const last = this.#heard.at(-1);
      if (stamp !== undefined && (last === undefined || seqGt(stamp, last.stamp)))
        this.#heard.push({ t: head.t, stamp });
    }
  }

  /** What was sent to the client last, and the latest stamp that it had sent, at `t`. */
  before(t: number): { readonly sent: Packet | undefined; readonly heard: number | undefined } {
    return {
      sent: this.#sent[countBefore(this.#sent, (packet) => packet.head.t <= t) - 1],
      heard: this.#heard[countBefore(this.#heard, (one) => one.t <= t) - 1]?.stamp,
    };
  }
}

const known = new WeakMap<Connection, Stamps>();

function stampsOf(connection: Connection): Stamps {
  const stamps = known.get(connection) ?? new Stamps(connection);
  known.set(connection, stamps);
  return stamps;
}
