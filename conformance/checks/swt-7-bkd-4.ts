/**
 * SWT-7: While handed off, no FIN of the client reaches a backend that would acknowledge it (cleared by the switch, or ignored by the
 * backend). (SoCC'17 §2.4, thesis §3.2)
 * BKD-4: A client's FIN is not acknowledged while handed off. (SoCC'17 §2.4)
 */
import { confirmedRules } from '../flows/confirmed.js';
import { isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { HandedExchange } from '../flows/judged.js';
import type { LoggedRequest } from '../flows/logged.js';
import { between, hasVariant, spanOf } from '../flows/rules.js';
import type { Check } from './check.js';
import { ackText, at, named, Tally } from './tally.js';

interface HeldFin {
  /** The number that follows the FIN's. */
  readonly behind: number;
  /** The client's segments with it while the connection was handed off. */
  readonly segments: readonly Segment[];
  /** Those that kept it up to the backend's link. */
  readonly delivered: readonly Segment[];
  /** The backend's first segment that acknowledges it, if the controller had not. */
  readonly acknowledged: Segment | undefined;
}

/** What became of the client's FIN during one hand-off; undefined when there was none. */
function finDuring(exchange: HandedExchange): HeldFin | undefined {
  const { connection, handoff, packets, request } = exchange;
  const { clientFin } = connection;
  if (clientFin === undefined || clientFin.offset < request.headerEnd) return undefined;
  const behind = clientFin.offset + 1;
  const span = spanOf(exchange);
  if (clientFin.segment.t > span.to) return undefined;
  const here = (segment: Segment): boolean => segment.vantage === handoff.backend;
  const carriers = between(connection.toServer, span.from, span.to).filter(
    ({ head, arrivals }) =>
      isFlagged(head, 'FIN') &&
      isSound(head) &&
      head.offset + head.length === clientFin.offset &&
      // Behind the last acknowledgement it is a matter of the moment whether the rule is still in force.
      (head.t <= handoff.doneFrom || arrivals.some(here)),
  );
  const delivered = between(connection.toServer, connection.from, span.to)
    .flatMap(({ arrivals }) => arrivals)
    .filter((arrival) => here(arrival) && isFlagged(arrival, 'FIN'));
  if (carriers.length === 0 && delivered.length === 0) return undefined;
  const byController = between(connection.toClient, connection.from, handoff.first?.t ?? span.from).some(
    (packet) => senderOf(packet) === 'controller' && packet.head.acked >= behind,
  );
  const acknowledged = packets.find(
    (packet) => senderOf(packet) === handoff.backend && isSound(packet.head) && packet.head.acked >= behind,
  )?.head;
  return {
    behind,
    segments: carriers.map(({ head }) => head),
    delivered,
    acknowledged: byController ? undefined : acknowledged,
  };
}

/** The confirmed rule of this hand-off that asks the switch to clear FIN, if the log shows one. */
function clearingRule({ connection, handoff }: HandedExchange): LoggedRequest | undefined {
  const told = handoff.log?.handoff;
  if (told === undefined) return undefined;
  const rule = connection.log.findLast(({ message, t }) => message.verb === 'add' && t <= told.t);
  if (rule?.message.verb !== 'add' || rule.answer?.ok !== true) return undefined;
  return rule.message.rule.clearFin ? rule : undefined;
}

export const SWT_7: Check = {
  clause: 'SWT-7',
  method:
    "No client FIN may arrive on a backend's link with its flag set and be acknowledged by that backend; where the control log has a rule that asks for FIN to be cleared, none may arrive at all.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      const fin = finDuring(exchange);
      if (fin === undefined) continue;
      const { backend } = exchange.handoff;
      const [delivered] = fin.delivered;
      // VAR-4: it may be cleared behind that link.
      const asked = hasVariant(judged, 'VAR-4') ? undefined : clearingRule(exchange);
      const over = confirmedRules(exchange.connection).find(({ add }) => add === asked)?.to ?? Number.POSITIVE_INFINITY;
      // Behind its removal it is no rule's doing any more (RET-1).
      const kept = asked && fin.delivered.find(({ t }) => t > asked.t && t < over);
      // Whoever was told to clear it, and said yes, cannot leave it to the backend.
      if (asked !== undefined && kept !== undefined) {
        tally.fail(
          `expected the client's FIN to be cleared, as the rule of line ${asked.line} asks; ${named(kept)} brings it to ${backend}`,
          at(kept, `FIN on ${backend}'s link`),
          { capture: judged.log?.name ?? '', frame: asked.line, note: 'clearFin is true' },
        );
      } else if (delivered !== undefined && fin.acknowledged !== undefined) {
        tally.fail(
          `expected the client's FIN to be cleared or ignored; ${named(delivered)} brings it to ${backend}, which acknowledges it in ${named(fin.acknowledged)}`,
          at(delivered, `FIN on ${backend}'s link`),
          at(fin.acknowledged, `ack ${ackText(fin.acknowledged)}`),
        );
      } else if (!judged.vantages.has(backend)) tally.doubt(`no capture at ${backend}`);
      else tally.hold(Math.max(1, fin.segments.length));
    }
    return tally.finding(
      'FINs of clients kept from backends while handed off',
      'no client sent a FIN during a hand-off',
    );
  },
  regular: (connection) => connection.heldFins,
};

export const BKD_4: Check = {
  clause: 'BKD-4',
  method: "No acknowledgement number of a backend may cover the number of the client's FIN.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      const fin = finDuring(exchange);
      if (fin === undefined) continue;
      const { backend } = exchange.handoff;
      if (fin.acknowledged !== undefined) {
        const [first] = fin.segments;
        tally.fail(
          `expected ${backend} not to acknowledge the client's FIN (relative ${fin.behind}); ${named(fin.acknowledged)} has ack ${ackText(fin.acknowledged)}`,
          ...(first ? [at(first, "the client's FIN")] : []),
          at(fin.acknowledged, 'acknowledges it'),
        );
      } else if (!judged.vantages.has(backend)) tally.doubt(`no capture at ${backend}`);
      else tally.hold(Math.max(1, fin.segments.length));
    }
    return tally.finding(
      'FINs of clients left unacknowledged while handed off',
      'no client sent a FIN during a hand-off',
    );
  },
  regular: (connection) => connection.heldFins,
};
