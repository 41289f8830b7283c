/** Clients that wait: the last thing that nobody answered, and who should have. */
import { at, named } from '../checks/tally.js';
import { type Connection, type Exchange, type Handoff, isSound } from '../flows/connection.js';
import { endOf, isFlagged, type Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import type { LoggedRequest } from '../flows/logged.js';
import type { Packet } from '../flows/packets.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Diagnosis } from './diagnosis.js';

/** Who left each connection waiting that did not end. */
export function stalls(judged: Judged): Diagnosis[] {
  return judged.connections.flatMap((connection) => {
    const found = stalled(judged, connection, givenUp(connection));
    return found === undefined ? [] : [found];
  });
}

/** Nobody gives up sooner, in ns: the stories wait for seconds. */
const PATIENCE_NS = 2e9;

/** When the client gave up waiting, by a RST or FIN after a long silence of the servers; Infinity where it did not. */
function givenUp({ packets }: Connection): number {
  let heard = Number.NEGATIVE_INFINITY;
  for (const { head } of packets) {
    const leaves = head.towards === 'server' && (isFlagged(head, 'RST') || isFlagged(head, 'FIN'));
    if (leaves && head.t - heard > PATIENCE_NS) return head.t;
    if (head.towards === 'client') heard = head.t;
  }
  return Number.POSITIVE_INFINITY;
}

/** Whoever had to act next on a connection that did not move any more until `until`; undefined where it cannot be told. */
export function stalled(judged: Judged, connection: Connection, until: number): Diagnosis | undefined {
  if (connection.ended !== undefined && connection.ended.t < until) return undefined;
  const asking = connection.packets.filter((packet) => asks(packet, connection) && packet.head.t < until);
  const waits = new Waiting(judged, asking.at(-1), until);
  const established = connection.toServer.some(
    ({ head }) => head.acked >= 0 && isSound(head) && !isFlagged(head, 'RST'),
  );
  if (connection.start === undefined || !established) return handshakeStalled(waits, connection);
  const open = connection.exchanges.find(
    ({ response, handoff }) => response?.end === undefined || (handoff?.doneFrom ?? 0) === Number.POSITIVE_INFINITY,
  );
  const reached = connection.exchanges.findLast((exchange) => exchange !== open && exchange.handoff !== undefined);
  const previous = open === undefined ? reached : before(connection, open);
  const held = previous && returnStalled(waits, connection, previous, open);
  if (held !== undefined) return held;
  return open === undefined ? tailStalled(waits, connection) : exchangeStalled(waits, connection, open);
}

function before({ exchanges }: Connection, { index }: Exchange): Exchange | undefined {
  return exchanges[index - 1];
}

/** Whether the sender waits for an answer to it. */
function asks({ head }: Packet, connection: Connection): boolean {
  if (head.towards !== 'server' || !isSound(head) || isFlagged(head, 'RST')) return false;
  if (head.length > 0 || isFlagged(head, 'SYN') || isFlagged(head, 'FIN')) return true;
  const sent = connection.acksSent.highest(head.t - 1)?.offset ?? Number.NEGATIVE_INFINITY;
  return head.offset < sent;
}

/** What a stalled client last asked, and how to say so. */
class Waiting {
  constructor(
    readonly judged: Judged,
    readonly last: Packet | undefined,
    /** What came later came too late. */
    readonly until: number,
  ) {}

  /** The report of a hand-off, if it came in time. */
  reportOf({ log }: Pick<Handoff, 'log'>): LoggedRequest | undefined {
    return log?.report !== undefined && log.report.t < this.until ? log.report : undefined;
  }

  line(number: number, note: string): EvidenceFrame {
    return { capture: this.judged.log?.name ?? '', frame: number, note };
  }

  /** Where `segment` is known, it is what nobody answered; else the client's last segment. */
  blame(
    clause: string,
    role: string,
    expected: string,
    segment: Segment | undefined,
    ...evidence: readonly EvidenceFrame[]
  ): Diagnosis | undefined {
    const frame = segment ?? this.last?.arrivals.at(-1) ?? this.last?.head;
    if (frame === undefined && evidence.length === 0) return undefined;
    const unanswered = frame === undefined ? '' : `; the last segment without an answer is ${named(frame)}`;
    return {
      kind: 'stall',
      clause,
      message: `expected ${expected}${unanswered}`,
      evidence: [...evidence, ...(frame ? [at(frame, 'nobody answers')] : [])],
      t: frame?.t ?? Number.POSITIVE_INFINITY,
      role,
    };
  }

  /** A segment that left the client and came out nowhere, every time it was sent. */
  swallowed(packets: readonly Packet[]): Packet | undefined {
    const seen = packets.filter(({ sent }) => sent !== undefined);
    return seen.length > 0 && seen.every(({ arrivals }) => arrivals.length === 0) ? seen.at(-1) : undefined;
  }

  /** Sent, and not known to have arrived: what is between the two lost it. */
  astray(request: LoggedRequest): boolean {
    return !request.arrived;
  }
}

function handshakeStalled(waits: Waiting, connection: Connection): Diagnosis | undefined {
  const syns = connection.packets.filter(({ head }) => head.towards === 'server' && isFlagged(head, 'SYN'));
  if (syns.length === 0) return undefined;
  const lost = waits.swallowed(syns);
  if (lost !== undefined) return waits.blame('SWT-3', 'switch', 'the switch to forward the SYN', lost.head);
  const arrival = syns.flatMap(({ arrivals }) => arrivals).findLast(({ vantage }) => vantage === 'controller');
  if (arrival === undefined) return undefined;
  const answers = connection.packets.filter(({ head }) => head.towards === 'client' && isFlagged(head, 'SYN'));
  const heard = answers.flatMap(({ arrivals }) => arrivals).findLast(({ vantage }) => vantage === 'client');
  if (heard !== undefined) return waits.blame('EST-1', 'controller', 'a SYN-ACK that the client can take', heard);
  if (answers.length > 0)
    return waits.blame('EST-4', 'controller', 'the controller to repeat its SYN-ACK, which was lost', arrival);
  return waits.blame('EST-1', 'controller', 'the controller to answer the SYN with a SYN-ACK', arrival);
}

/** A connection whose last hand-off is over by the frames, and that did not come back to the controller. */
function returnStalled(
  waits: Waiting,
  connection: Connection,
  { handoff, request, index }: Exchange,
  open: Exchange | undefined,
): Diagnosis | undefined {
  if (handoff === undefined || handoff.doneFrom === Number.POSITIVE_INFINITY) return undefined;
  // Somebody took it on.
  if (open?.handoff !== undefined || (open?.headerAt !== undefined && open.headerAt.t > handoff.doneFrom))
    return undefined;
  const what = `${request.method} ${request.target}`;
  const { log, backend, done } = handoff;
  if (log === undefined) return undefined;
  const report = waits.reportOf(handoff);
  if (report === undefined)
    return waits.blame(
      'BKD-6',
      backend,
      `${backend} to report that ${what} is done, all of whose response is acknowledged`,
      done,
      ...(done ? [] : [waits.line(log.handoff.line, 'the hand-off that nobody reports')]),
    );
  if (waits.astray(report)) return undefined;
  const reported = waits.line(report.line, 'the report');
  if (report.answer?.ok === false)
    return waits.blame(
      'BKD-6',
      backend,
      `a report of ${what} that the controller can take`,
      undefined,
      reported,
      waits.line(report.answer.line, 'refused'),
    );
  if (log.remove === undefined || log.remove.t > waits.until)
    return waits.blame(
      'RET-1',
      'controller',
      `the rule of ${what} to be removed after its report`,
      undefined,
      reported,
    );
  if (waits.astray(log.remove)) return undefined;
  if (log.remove.answer === undefined)
    return waits.blame(
      'SWT-9',
      'switch',
      'the switch to confirm the removal',
      undefined,
      waits.line(log.remove.line, 'remove without an answer'),
    );
  const since = log.remove.answer.t;
  const next = connection.exchanges[index + 1]?.headerAt;
  if (next !== undefined) return undefined;
  const vain = connection.toServer
    .filter((packet) => asks(packet, connection))
    .flatMap(({ arrivals }) => arrivals)
    .findLast(({ vantage, t }) => vantage === 'controller' && t > since);
  if (vain === undefined || isFlagged(vain, 'FIN')) return undefined;
  const answered = connection.toClient.some(({ head }) => head.t > vain.t && head.window > 0);
  if (answered) return undefined;
  return waits.blame('RET-2', 'controller', `the controller to go on with the connection after ${what}`, vain);
}

/** Everything was served: a close that does not come about. */
function tailStalled(waits: Waiting, connection: Connection): Diagnosis | undefined {
  const fin = connection.clientFin;
  const last = connection.exchanges.at(-1);
  if (fin === undefined) {
    const done = last?.handoff?.done ?? last?.headerAt;
    // Bytes of a request that is not whole: nobody has to answer those.
    if (last?.response?.close !== true || done === undefined) return undefined;
    return waits.blame('RET-4', 'controller', 'the controller to close, as the response said', done);
  }
  const fins = connection.toServer.filter(({ head }) => isFlagged(head, 'FIN'));
  const lost = waits.swallowed(fins);
  if (lost !== undefined) return waits.blame('SWT-3', 'switch', "the switch to forward the client's FIN", lost.head);
  const arrival = fins.flatMap(({ arrivals }) => arrivals).findLast(({ vantage }) => vantage === 'controller');
  if (arrival === undefined) return undefined;
  const during = connection.exchanges.some(
    ({ handoff, headerAt }) =>
      handoff !== undefined &&
      (headerAt?.t ?? Number.POSITIVE_INFINITY) < fin.segment.t &&
      fin.segment.t <= handoff.doneFrom,
  );
  return waits.blame(during ? 'RET-3' : 'RET-6', 'controller', "the client's FIN to be honoured", arrival);
}

function exchangeStalled(waits: Waiting, connection: Connection, exchange: Exchange): Diagnosis | undefined {
  const { request, response, headerAt, handoff } = exchange;
  const what = `${request.method} ${request.target}`;
  if (headerAt === undefined) {
    const carriers = connection.toServer.filter(
      ({ head }) => head.length > 0 && head.offset < request.headerEnd && endOf(head) > request.start,
    );
    const lost = waits.swallowed(carriers);
    return lost && waits.blame('SWT-3', 'switch', `the switch to forward ${what}`, lost.head);
  }
  const since = connection.log.filter(({ t }) => t >= exchange.begins - 1e6);
  const others = new Set(connection.exchanges.map((one) => one.handoff?.log?.handoff));
  const told = handoff?.log?.handoff ?? since.find((one) => one.message.verb === 'handoff' && !others.has(one));
  if (handoff?.first !== undefined || told !== undefined) {
    const found = ownerStalled(waits, connection, exchange, told);
    // Before it was told it had nothing to answer.
    return found && { ...found, t: Math.max(found.t, told?.t ?? found.t) };
  }
  if (response !== undefined) return undefined;
  // The rule of a later request is not this one's.
  const later = connection.exchanges.find(({ index, handoff: next }) => index > exchange.index && next !== undefined);
  const add = later === undefined ? since.find(({ message }) => message.verb === 'add') : undefined;
  if (add === undefined) {
    const acknowledged = connection.toClient.some(({ head }) => head.acked >= request.headerEnd && isSound(head));
    const before = connection.exchanges[exchange.index - 1]?.handoff;
    if (
      acknowledged &&
      before !== undefined &&
      (exchange.headerSent?.t ?? headerAt.t) < (before.takenBackAtClient?.t ?? before.doneFrom)
    )
      return waits.blame(
        'RET-7',
        'controller',
        `the controller to serve ${what}, which came before its time`,
        headerAt,
      );
    return acknowledged
      ? waits.blame('HOF-1', 'controller', `the controller to have a rule installed for ${what}`, headerAt)
      : waits.blame('REQ-1', 'controller', `the controller to take ${what}, whose header is whole`, headerAt);
  }
  if (waits.astray(add)) return undefined;
  const line = waits.line(
    add.answer?.line ?? add.line,
    add.answer === undefined ? 'add without an answer' : 'the answer to add',
  );
  if (add.answer === undefined) return waits.blame('SWT-9', 'switch', 'the switch to answer add', headerAt, line);
  const answered = add.answer.t;
  const found = add.answer.ok
    ? waits.blame('HOF-3', 'controller', `the controller to hand ${what} off, whose rule is installed`, headerAt, line)
    : waits.blame('ERR-3', 'controller', `the controller to answer ${what}, whose rule was refused`, headerAt, line);
  return found && { ...found, t: Math.max(found.t, answered) };
}

/** A backend has been told, and the response is not whole, or not acknowledged. */
function ownerStalled(
  waits: Waiting,
  connection: Connection,
  exchange: Exchange,
  told: LoggedRequest | undefined,
): Diagnosis | undefined {
  const { request, response, handoff, headerAt } = exchange;
  const what = `${request.method} ${request.target}`;
  if (told !== undefined && waits.astray(told)) return undefined;
  const backend = handoff?.backend ?? told?.to ?? '';
  const line = told === undefined ? [] : [waits.line(told.line, 'the hand-off')];
  if (told?.answer?.ok === false)
    return waits.blame(
      'ERR-3',
      'controller',
      `the controller to answer ${what}, which ${backend} refused`,
      headerAt,
      ...line,
    );
  const report = handoff && waits.reportOf(handoff);
  if (report !== undefined) {
    const reported = waits.line(report.line, report.message.verb);
    return report.message.verb === 'failed'
      ? waits.blame('ERR-1', 'controller', 'the controller to reset the client', undefined, reported)
      : waits.blame(
          'BKD-6',
          backend,
          `complete only when the response to ${what} is acknowledged`,
          undefined,
          reported,
        );
  }
  const since = headerAt?.t ?? exchange.begins;
  const asking = connection.toServer.filter((packet) => packet.head.t > since && asks(packet, connection));
  const lost = waits.swallowed(asking.slice(-3));
  if (lost !== undefined && asking.length > 0)
    return waits.blame(
      'SWT-1',
      'switch',
      `the switch to carry the client's segments to ${backend}`,
      lost.head,
      ...line,
    );
  const sentLast = connection.toClient
    .filter(({ sent, head }) => sent?.vantage === backend && head.t > since)
    .slice(-3);
  const vanished = sentLast.length === 3 ? waits.swallowed(sentLast) : undefined;
  if (vanished !== undefined)
    return waits.blame(
      'SWT-2',
      'switch',
      `the switch to carry the segments of ${backend} to the client`,
      vanished.head,
      ...line,
    );
  if (request.kind === 'write') {
    const { end } = request;
    const acknowledged = connection.serverAcks.highest()?.acked ?? 0;
    const unacknowledged = connection.dataAt
      .get(backend)
      ?.overlapping(Math.max(acknowledged, request.headerEnd), end ?? Number.POSITIVE_INFINITY)
      .sort((a, b) => b.offset - a.offset || b.t - a.t)[0];
    if (unacknowledged !== undefined)
      return waits.blame('BKD-2', backend, `${backend} to acknowledge the payload of ${what}`, unacknowledged, ...line);
    if (
      end === undefined ||
      connection.dataSent.missing(request.headerEnd, end, Number.POSITIVE_INFINITY) !== undefined
    )
      return request.expectContinue
        ? waits.blame('BKD-2', backend, `${backend} to ask for the payload that ${what} announces`, headerAt, ...line)
        : undefined;
  }
  if (response === undefined)
    return waits.blame(
      'BKD-1',
      backend,
      `${backend} to answer ${what}`,
      connection.acksAt.get(backend)?.last ?? headerAt,
      ...line,
    );
  const waiting = connection.acksAt.get(backend)?.last;
  const acked = connection.acksAt.get(backend)?.highest()?.acked ?? 0;
  const sent = connection.serverStream.contiguousEnd(response.start);
  const repeats = connection.serverData.overlapping(acked, acked + 1);
  if (response.end !== undefined && acked >= response.end) return undefined;
  return repeats.length > 0 || acked < sent
    ? waits.blame(
        'BKD-5',
        backend,
        `${backend} to send again what the client waits for, relative ${acked + 1}`,
        waiting,
        ...repeats.slice(-1).map((s) => at(s, 'sent last')),
      )
    : waits.blame('BKD-1', backend, `${backend} to go on with its response to ${what}`, waiting, ...line);
}
