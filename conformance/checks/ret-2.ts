/**
 * RET-2: A closed window is reopened, and a client whose reopening ACK was lost, or overtaken by an older zero-window ACK, still makes
 * progress. (SoCC'17 §2.5; derived)
 */
import { confirmedDuring } from '../flows/confirmed.js';
import { type Connection, countBefore, isSound, senderOf } from '../flows/connection.js';
import { endOf, isFlagged, type Segment } from '../flows/decode.js';
import type { HandedExchange } from '../flows/judged.js';
import { between, hasVariant } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** So many segments of a client that waits must have been in vain, over this long, before silence is an offence. */
const PROBES = 3;
const PROBING_NS = 300e6;

export const RET_2: Check = {
  clause: 'RET-2',
  method:
    'After a read completes, the client must be told a window above zero; while it sees zero, its segments at the controller must be answered with more.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    if (hasVariant(judged, 'VAR-6'))
      tally.unsupported('VAR-6: a lock at the switch takes the place of the closed window');
    for (const exchange of judged.handoffs)
      if (exchange.request.kind === 'read') judgeRead(tally, exchange, judged.vantages);
    const gap = missingVantages(judged.vantages, 'client', 'controller');
    return tally.finding('closed windows reopened', gap ?? 'no window was closed and reopened in the captures');
  },
  regular: (connection) => connection.exchanges.filter((exchange) => exchange.kind === 'read').length,
};

function judgeRead(
  tally: Tally,
  { connection, index, handoff, begins }: HandedExchange,
  vantages: ReadonlySet<string>,
): void {
  const { doneFrom } = handoff;
  if (doneFrom === Number.POSITIVE_INFINITY) return;
  const until = connection.exchanges[index + 1]?.begins ?? connection.to;
  const atClient = between(connection.toClient, begins, until)
    .flatMap(({ arrivals }) => arrivals)
    .filter((arrival) => arrival.vantage === 'client' && isSound(arrival) && !isFlagged(arrival, 'RST'))
    .sort((a, b) => a.t - b.t);
  const closed = atClient.find(({ window }) => window === 0);
  const byController = between(connection.toClient, doneFrom, until).filter(
    (packet) => senderOf(packet) === 'controller' && !isFlagged(packet.head, 'RST'),
  );
  const opening = byController.find(({ head }) => head.window > 0)?.head;
  const opened = atClient.find(({ t, window }) => t >= doneFrom && window > 0);
  if (closed === undefined && vantages.has('client')) return;
  const vain = segmentsInVain(
    connection,
    doneFrom,
    opened?.t ?? Math.min(until, connection.ended?.t ?? until),
    byController.map(({ head }) => head),
  );
  const first = vain[0];
  const last = vain.at(-1);
  if (first !== undefined && last !== undefined && vain.length >= PROBES && last.t - first.t >= PROBING_NS) {
    tally.fail(
      `expected the window that a read closed to be reopened; ${vain.length} segments of the client reached the controller, the last in ${named(last)}, and none was answered with an open window`,
      ...(closed ? [at(closed, 'window 0')] : []),
      at(first, 'the client asks'),
      at(last, 'and asks again'),
    );
    return;
  }
  if (opened !== undefined || (opening !== undefined && !vantages.has('client'))) tally.hold();
  else if (opening === undefined) tally.doubt('the end of a connection whose window was closed is not in the captures');
}

/** The client's segments on the controller's link that asked for the window while it saw a closed one, and got no answer before it asked again. */
function segmentsInVain(connection: Connection, from: number, to: number, answers: readonly Segment[]): Segment[] {
  const all = askingSegments(connection);
  const asking = all.slice(
    countBefore(all, ({ t }) => t < from),
    countBefore(all, ({ t }) => t <= to),
  );
  return asking.filter(({ t }, index) => {
    const again = asking[index + 1]?.t ?? Number.POSITIVE_INFINITY;
    return !answers.some((answer) => answer.window > 0 && answer.t >= t && answer.t <= again);
  });
}

const askingByConnection = new WeakMap<Connection, readonly Segment[]>();

/** A plain acknowledgement needs no answer; data, a FIN, and a probe (a number the client has used before) do. */
function askingSegments(connection: Connection): readonly Segment[] {
  const known = askingByConnection.get(connection);
  if (known !== undefined) return known;
  let sent = 0;
  const asking = connection.toServer
    .flatMap(({ sent, arrivals }) =>
      // What a rule had to take to a backend (SWT-1) asks the controller nothing.
      arrivals.filter(({ t }) => confirmedDuring(connection, sent?.t ?? t, t) === undefined),
    )
    .filter((segment) => segment.vantage === 'controller' && !isFlagged(segment, 'RST'))
    .sort((a, b) => a.t - b.t)
    .filter((segment) => {
      const asks = segment.length > 0 || isFlagged(segment, 'FIN') || segment.offset < sent;
      sent = Math.max(sent, endOf(segment));
      return asks;
    });
  askingByConnection.set(connection, asking);
  return asking;
}
