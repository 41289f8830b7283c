/** REQ-7: A request that RFC 9112 cannot parse, whose header exceeds the declared limit, or of an unsupported method is answered or reset by the controller and never handed off. (D of REQ-1) */
import { type Connection, isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import { readRequest } from '../flows/http.js';
import { handedOff } from '../flows/rules.js';
import { ByteStream } from '../flows/stream.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** RFC 9110 §9.3 and RFC 5789: which of these are supported is the controller's to say. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
/** A payload does not make these unsupported. */
const READS = new Set(['GET', 'HEAD']);
/** What is declared is not seen in frames; this is the default. */
const HEADER_LIMIT = 65_536;

export const REQ_7: Check = {
  clause: 'REQ-7',
  method:
    'A request of a method that nobody has registered, or that cannot be read, must be answered or reset by the controller; no backend may speak for it.',
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      for (const { request, handoff } of handedOff(connection)) {
        const size = request.headerEnd - request.start;
        const strange = !METHODS.has(request.method);
        if (request.kind === 'other' && !READS.has(request.method) && handoff.first !== undefined) {
          const message = `expected a request of the method ${request.method} to stay with the controller; ${handoff.backend} speaks for it in ${named(handoff.first)}`;
          if (strange) tally.fail(message, at(handoff.first, `${handoff.backend} serves ${request.method}`));
          else
            tally.suspect(
              `${message}; whether it is supported is not in the captures`,
              at(handoff.first, request.method),
            );
        } else if (size > HEADER_LIMIT && handoff.first !== undefined) {
          tally.suspect(
            `${handoff.backend} speaks in ${named(handoff.first)} for a request with a header of ${size} bytes; whether the controller declares a limit above ${HEADER_LIMIT} is not in the captures`,
            at(handoff.first, `${handoff.backend} takes over`),
          );
        }
      }
      for (const { request, handoff, response } of connection.exchanges)
        if (request.kind === 'other' && handoff === undefined && response !== undefined) tally.hold();
      judgeUnread(tally, connection);
    }
    const gap = missingVantages(judged.vantages, 'controller', ...judged.hosts.backends.keys());
    return tally.finding(
      'unusable requests that the controller answered',
      gap ?? 'no unusable request in the captures',
    );
  },
  regular: () => 0,
};

/** What follows the last request that could be read. */
function judgeUnread(tally: Tally, connection: Connection): void {
  const { exchanges, start, unread, packets } = connection;
  const last = exchanges.at(-1);
  const offset = last === undefined ? 0 : last.request.end;
  if (start === undefined || offset === undefined || unread === undefined) return;
  // What the connection knows of its streams ends where they cannot be read any more.
  const stream = new ByteStream();
  for (const { head } of packets) {
    if (head.towards === 'server' && head.length > 0 && isSound(head) && !isFlagged(head, 'SYN'))
      stream.insert(head.offset, head.payload);
  }
  if (readRequest(stream, offset).kind !== 'unreadable') return;
  const sent = connection.packets
    .flatMap(({ arrivals }) => arrivals)
    .find(
      (one) =>
        one.vantage === 'controller' && one.length > 0 && one.offset <= offset && one.offset + one.length > offset,
    );
  if (sent === undefined) return;
  const after = connection.packets.filter(({ head }) => head.towards === 'client' && head.t > sent.t);
  const backend = after.find(
    (packet) => senderOf(packet)?.startsWith('backend') === true && packet.head.length > 0,
  )?.head;
  const answered = after.find(
    (packet) => senderOf(packet) === 'controller' && (packet.head.length > 0 || isFlagged(packet.head, 'RST')),
  )?.head;
  if (backend !== undefined && (answered === undefined || backend.t < answered.t))
    tell(tally, connection, sent, backend);
  else if (answered !== undefined) tally.hold();
}

function tell(tally: Tally, connection: Connection, sent: Segment, backend: Segment): void {
  tally.fail(
    `expected the request in ${named(sent)} of ${connection.name}, which RFC 9112 cannot parse, to stay with the controller; ${backend.vantage} answers in ${named(backend)}`,
    at(sent, 'cannot be parsed'),
    at(backend, `${backend.vantage} answers`),
  );
}
