/** Segments of those who did not own the connection when they sent them. */
import { type Connection, isBackend, senderOf } from './connection.js';
import type { Segment } from './decode.js';
import { isFlagged } from './decode.js';
import type { HandedExchange, Judged } from './judged.js';
import type { Packet } from './packets.js';
import { between, handedOff, hasVariant } from './rules.js';

/** When a backend gave a connection up, and how that is known. */
export interface GiveUp {
  readonly exchange: HandedExchange;
  readonly t: number;
  /** From here on it may own the connection again. */
  readonly until: number;
  readonly shownBy: { readonly frame: Segment } | { readonly line: number } | { readonly done: Segment };
}

/** A log's stamps are taken in user space, a capture's in the kernel. */
export const LOG_SLACK_NS = 5e6;

/** Every give-up that shows: by `complete` or `failed` in the log, else by the controller's speaking again. */
export function giveUps(connection: Connection): GiveUp[] {
  const handed = handedOff(connection);
  return handed.flatMap((exchange, index): GiveUp[] => {
    const { backend, log, takenBack, done } = exchange.handoff;
    const again = handed.slice(index + 1).find((other) => other.handoff.backend === backend);
    const told = again?.handoff.log?.handoff.t;
    const until = again === undefined ? connection.to : Math.min(again.begins, told ?? Number.POSITIVE_INFINITY);
    // With the last acknowledgement in hand a backend has nothing to reset: it has given up, whatever the clocks of log and controller say.
    const resets =
      done !== undefined &&
      between(connection.toClient, done.t, until).some(
        (packet) => senderOf(packet) === backend && isFlagged(packet.head, 'RST') && packet.head.t < until,
      );
    if (resets) return [{ exchange, t: done.t, until, shownBy: { done } }];
    if (log?.report !== undefined) {
      return [{ exchange, t: log.report.t + LOG_SLACK_NS, until, shownBy: { line: log.report.line } }];
    }
    return takenBack === undefined ? [] : [{ exchange, t: takenBack.t, until, shownBy: { frame: takenBack } }];
  });
}

/** What the backend sent between giving up and its next hand-off. */
export function afterGivingUp({ exchange, t, until }: GiveUp): Packet[] {
  return between(exchange.connection.toClient, t, until).filter(
    (packet) => packet.head.t > t && packet.head.t < until && senderOf(packet) === exchange.handoff.backend,
  );
}

/** A timer that fires while the acknowledgement is being read is no offence. */
const ARRIVING_NS = 200e3;

/**
 * Data that a backend sent behind its report by the stamps, but within what they may be wrong by, although everything had been acknowledged on
 * its link before: after giving up, or a last needless repetition before it.
 */
export function dataAroundReport({ exchange, t, until }: GiveUp): Packet | undefined {
  const { backend, log, done } = exchange.handoff;
  const report = log?.report;
  if (report === undefined || done === undefined) return undefined;
  const from = Math.max(report.t, done.t + ARRIVING_NS);
  return between(exchange.connection.toClient, from, Math.min(t, until)).find(
    (packet) => packet.head.t > from && packet.head.length > 0 && senderOf(packet) === backend,
  );
}

/** Segments that the controller sent while a backend owned the connection and went on. */
export function controllerIntrusions(exchange: HandedExchange): Segment[] {
  const { connection, handoff } = exchange;
  const { first, last, log } = handoff;
  if (first === undefined || last === undefined) return [];
  const told = log === undefined ? first.t : Math.min(first.t, log.handoff.t + LOG_SLACK_NS);
  // With a log it is the owner until it reports, else until its last segment.
  const own =
    log?.report === undefined ? last.t : Math.max(Math.min(last.t, log.report.t), log.report.t - LOG_SLACK_NS);
  return between(connection.toClient, told, own)
    .filter((packet) => senderOf(packet) === 'controller' && packet.head.t > told && packet.head.t < own)
    .map(({ head }) => head);
}

/** Segments of backends that never owned this connection while another one served the request. */
export function strangers(judged: Judged, exchange: HandedExchange): Packet[] {
  if (hasVariant(judged, 'VAR-7')) return [];
  const owners = new Set(handedOff(exchange.connection).map(({ handoff }) => handoff.backend));
  return exchange.packets.filter((packet) => {
    const sender = senderOf(packet);
    return isBackend(sender) && !owners.has(sender);
  });
}

/** Data, FIN or RST: what BKD-9 forbids beside HOF-4's everything. */
export function speaks(segment: Segment): boolean {
  return segment.length > 0 || isFlagged(segment, 'FIN') || isFlagged(segment, 'RST');
}
