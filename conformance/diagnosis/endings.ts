/** Connections that a server ended although nothing asked for it: by FIN or by RST. */
import { at, named } from '../checks/tally.js';
import { type Connection, type Exchange, isBackend, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import { goesOn } from '../flows/told.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Diagnosis } from './diagnosis.js';
import { stalled } from './stall.js';

/** A lease that ends before so much of the declared bound was none to work with. */
const LEASE_SHARE = 0.5;
const DEFAULT_BOUND_MS = 60_000;

/** The first end of each connection that nothing called for; `ended`: roles that the case ended itself. */
export function untimelyEnds(judged: Judged, ended: ReadonlySet<string>): Diagnosis[] {
  return judged.connections.flatMap((connection) => {
    const reset = connection.toClient.find(
      (packet) => isFlagged(packet.head, 'RST') && senderOf(packet) !== undefined && wasTaken(connection, packet.head),
    );
    const fin = connection.toClient.find((packet) => isFlagged(packet.head, 'FIN') && senderOf(packet) !== undefined);
    const closed = fin && untimelyFin(judged, connection, fin.head);
    if (closed !== undefined && (reset === undefined || closed.t <= reset.head.t)) return [closed];
    const cut = reset && untimelyReset(judged, connection, reset.head, ended);
    return cut === undefined ? [] : [cut];
  });
}

/** Behind it the client says nothing more; a challenge that it answers has ended nothing. */
function wasTaken({ toServer }: Connection, reset: Segment): boolean {
  return !toServer.some(({ head }) => head.t > reset.t + 1e6 && !isFlagged(head, 'RST') && !isFlagged(head, 'SYN'));
}

/** The exchange that was going on at that moment, or the last one that had begun. */
function exchangeAt({ exchanges }: Connection, t: number): Exchange | undefined {
  return exchanges.findLast(({ headerAt, headerSent, begins }) => (headerAt?.t ?? headerSent?.t ?? begins) <= t);
}

function untimelyFin(judged: Judged, connection: Connection, fin: Segment): Diagnosis | undefined {
  // Whoever has been told that the other side is done may close.
  if (connection.toServer.some(({ head }) => isFlagged(head, 'FIN') && head.t <= fin.t)) return undefined;
  const exchange = exchangeAt(connection, fin.t);
  const log = judged.log?.name ?? '';
  const { response, handoff, request } = exchange ?? {};
  if (response?.close === true || response?.untilClose === true) {
    // The response says so; whether it had to is the request's matter.
    const told = handoff?.log?.handoff;
    const asked = exchange && !goesOn(exchange);
    if (told?.message.verb === 'handoff' && asked === false && !told.message.request.keepAlive)
      return {
        kind: 'end',
        clause: 'HOF-3',
        message: `expected the hand-off of ${request?.method} ${request?.target} to say that the connection goes on; line ${told.line} says that it ends`,
        evidence: [line(log, told.line, 'keepAlive false'), at(fin, 'the connection is closed')],
        t: told.t,
        role: 'controller',
      };
    return undefined;
  }
  if (isBackend(fin.vantage))
    return {
      kind: 'end',
      clause: 'BKD-1',
      message: `expected ${fin.vantage} to continue the stream and to leave its end to the controller; it sent a FIN in ${named(fin)}`,
      evidence: [at(fin, 'FIN of the backend')],
      t: fin.t,
      role: fin.vantage,
    };
  if (response !== undefined && response.status >= 400 && handoff === undefined) return undefined;
  const report = handoff?.log?.report;
  if (report?.message.verb === 'complete' && !report.message.keepAlive)
    return {
      kind: 'end',
      clause: 'BKD-6',
      message: `expected the report of ${request?.method} ${request?.target} to say that the connection goes on, as the response does; line ${report.line} says that it ends`,
      evidence: [line(log, report.line, 'keepAlive false'), at(fin, 'the connection is closed')],
      t: report.t,
      role: handoff?.backend ?? 'backend0',
    };
  return {
    kind: 'end',
    clause: 'RET-4',
    message: `expected the controller to keep the connection open for the next request; it closed it in ${named(fin)}`,
    evidence: [at(fin, 'FIN that nothing asked for')],
    t: fin.t,
    role: 'controller',
  };
}

function untimelyReset(
  judged: Judged,
  connection: Connection,
  reset: Segment,
  ended: ReadonlySet<string>,
): Diagnosis | undefined {
  // An answer to what belongs to no connection, and to a client that has gone.
  if (
    connection.start === undefined ||
    connection.toServer.some(({ head }) => isFlagged(head, 'RST') && head.t <= reset.t)
  )
    return undefined;
  const exchange = exchangeAt(connection, reset.t);
  const handoff = exchange?.handoff;
  // Whoever hands on to the dead has to reset.
  if (handoff !== undefined && ended.has(handoff.backend)) return undefined;
  const log = judged.log?.name ?? '';
  const frame = at(reset, 'the connection is reset');
  const taken = connection.log.some(
    ({ message, t, to }) => message.verb === 'handoff' && to === reset.vantage && t <= reset.t,
  );
  if (isBackend(reset.vantage))
    return {
      kind: 'end',
      // Before it has taken over it has nothing to say.
      clause: taken || judged.log === undefined ? 'BKD-7' : 'HOF-5',
      message: `expected ${reset.vantage} to report what it cannot serve to the controller; it reset the client in ${named(reset)}`,
      evidence: [frame],
      t: reset.t,
      role: reset.vantage,
    };
  const report = handoff?.log?.report;
  const told = handoff?.log?.handoff;
  if (handoff !== undefined && report?.message.verb === 'failed' && report.t <= reset.t) {
    const evidence: EvidenceFrame[] = [line(log, report.line, `failed: ${report.message.reason}`), frame];
    const { reason } = report.message;
    if (reason === 'lease-expired' && told?.message.verb === 'handoff') {
      const bound = judged.topology.bounds?.handoffMs ?? DEFAULT_BOUND_MS;
      const lease = told.message.leaseMs ?? bound;
      if (lease < bound * LEASE_SHARE)
        return {
          kind: 'end',
          clause: 'HOF-3',
          message: `expected a lease near the declared bound of ${bound} ms; line ${told.line} has ${lease} ms, in which nothing can be served`,
          evidence: [line(log, told.line, `leaseMs ${lease}`), ...evidence],
          t: told.t,
          role: 'controller',
        };
      return stalled(judged, connection, report.t);
    }
    if (reason === 'client-timeout') return stalled(judged, connection, report.t);
    if (reason === 'client-reset' || reason === 'controller-lost') return undefined;
    return {
      kind: 'end',
      clause: 'BKD-7',
      message: `expected ${handoff.backend} to serve ${exchange?.request.method} ${exchange?.request.target}; line ${report.line} reports that it cannot (${reason})`,
      evidence,
      t: report.t,
      role: handoff.backend,
    };
  }
  // A backend that never answers is given up: who left the client waiting is to blame, not who resets it.
  if (exchange !== undefined && exchange.response?.end === undefined) {
    const waiting = stalled(judged, connection, reset.t);
    if (waiting !== undefined && waiting.role !== 'controller') return waiting;
  }
  return {
    kind: 'end',
    clause: exchange === undefined ? 'EST-1' : 'RET-4',
    message: `expected the controller to go on with the connection; it reset it in ${named(reset)}`,
    evidence: [frame],
    t: reset.t,
    role: 'controller',
  };
}

function line(capture: string, number: number, note: string): EvidenceFrame {
  return { capture, frame: number, note };
}
