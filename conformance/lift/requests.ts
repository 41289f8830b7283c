/** The requests of a connection as Handoff.tla wants them: contiguous, each with where it and its response begin and end. */
import { type Connection, type Exchange, isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { Packet } from '../flows/packets.js';

/** Offsets in the client's and the server's stream. */
export interface LiftedRequest {
  readonly kind: 'read' | 'write' | 'bad';
  readonly start: number;
  readonly headEnd: number;
  readonly end: number;
  readonly reply: number;
  /** Behind an interim response, or `reply`. */
  readonly interimEnd: number;
  readonly replyEnd: number;
  readonly backend: string;
  /** By the controller itself. */
  readonly answered: boolean;
}

export function requestsOf(connection: Connection, backends: readonly string[]): LiftedRequest[] {
  const requests: LiftedRequest[] = [];
  const [anyBackend = 'none'] = backends;
  let start = 0;
  let reply = 0;
  for (const exchange of connection.exchanges) {
    const answer = firstAnswer(connection, reply);
    const lifted = liftExchange(connection, exchange, start, reply, answer, anyBackend);
    requests.push(lifted);
    start = lifted.end;
    reply = lifted.replyEnd;
    if (lifted.answered) return requests;
  }
  // What is no request at all is answered by the controller.
  const answer = firstAnswer(connection, reply);
  if (answer !== undefined && answer.acked > start)
    requests.push({
      kind: 'bad',
      start,
      headEnd: answer.acked,
      end: answer.acked,
      reply,
      interimEnd: reply,
      replyEnd: endOfAnswer(connection, answer),
      backend: 'none',
      answered: true,
    });
  return requests;
}

function liftExchange(
  connection: Connection,
  exchange: Exchange,
  start: number,
  reply: number,
  answer: Segment | undefined,
  anyBackend: string,
): LiftedRequest {
  const { request, response, handoff } = exchange;
  const headEnd = Math.max(request.headerEnd, start + 1);
  if (handoff === undefined && answer !== undefined) {
    // Acknowledged alone it was ready to be handed off, and the switch refused.
    const received = connection.packets.some(
      (packet) =>
        senderOf(packet) === 'controller' &&
        packet.head.length === 0 &&
        packet.head.acked === headEnd &&
        packet.head.window === 0,
    );
    const kind = received ? (request.kind === 'write' ? 'write' : 'read') : 'bad';
    const end = kind === 'bad' ? Math.max(answer.acked, start + 1) : headEnd;
    return {
      kind,
      start,
      headEnd: end,
      end,
      reply,
      interimEnd: reply,
      replyEnd: endOfAnswer(connection, answer),
      backend: anyBackend,
      answered: true,
    };
  }
  const read = request.kind === 'read';
  const known = connection.clientStream.contiguousEnd(headEnd);
  const end = read ? headEnd : Math.max(headEnd, request.end ?? known + 1);
  const sent = dataEnd(connection.packets);
  return {
    kind: read ? 'read' : 'write',
    start,
    headEnd,
    end,
    reply,
    interimEnd: response === undefined ? Math.max(reply, sent) : Math.max(reply, response.finalStart),
    // One that is not whole in the captures is never complete.
    replyEnd: Math.max(reply + 1, response?.end ?? sent + 1),
    backend: handoff?.backend ?? anyBackend,
    answered: false,
  };
}

/** The first bytes from `reply` on, if the controller sent them. */
function firstAnswer(connection: Connection, reply: number): Segment | undefined {
  const first = connection.packets.find(({ head }) => isServerData(head) && head.offset + head.length > reply);
  return first !== undefined && senderOf(first) === 'controller' ? first.head : undefined;
}

function endOfAnswer(connection: Connection, answer: Segment): number {
  return Math.max(answer.offset + answer.length, dataEnd(connection.packets));
}

function dataEnd(packets: readonly Packet[]): number {
  let end = 0;
  for (const { head } of packets) if (isServerData(head)) end = Math.max(end, head.offset + head.length);
  return end;
}

function isServerData(segment: Segment): boolean {
  return segment.towards === 'client' && isSound(segment) && segment.length > 0 && !isFlagged(segment, 'SYN');
}
