/** BKD-7: If it cannot serve, the backend reports failure. (SoCC'17 §2.4) */
import { senderOf } from '../flows/connection.js';
import type { Check } from './check.js';
import { Tally } from './tally.js';

/** An answer that comes later than this is none: the request is repeated after a second at the most. */
const ANSWER_NS = 10e9;

export const BKD_7: Check = {
  clause: 'BKD-7',
  method:
    'In the control log, a hand-off that reached a backend must be refused, reported as failed, or be followed by a segment of that backend, while that backend goes on to answer others.',
  needs: 'control-log',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    const { log } = judged;
    for (const connection of judged.connections) {
      for (const { message, answer } of connection.log) {
        if (message.verb === 'handoff' && answer?.ok === false) tally.hold();
        if (message.verb === 'failed') tally.hold();
      }
    }
    for (const { entry, t, line } of log?.entries ?? []) {
      const { message, at, direction } = entry;
      if (message.verb !== 'handoff' || direction !== 'received' || !at.startsWith('backend')) continue;
      const client = `${message.conn.client.ip}:${message.conn.client.port}`;
      const connection = judged.connections.find((one) => one.client === client && one.from <= t && t <= one.to);
      if (connection === undefined) continue;
      const later = (log?.entries ?? []).filter(
        (one) => one.t >= t && one.entry.at === at && one.entry.direction === 'sent',
      );
      const dealt = later.some(
        ({ entry: { message: said } }) =>
          ('re' in said && said.re === message.id) ||
          ((said.verb === 'complete' || said.verb === 'failed') && said.handoff === message.handoff),
      );
      const spoke = connection.toClient.some((packet) => packet.head.t >= t && senderOf(packet) === at);
      if (dealt || spoke) continue;
      const lives = later.some((one) => one.t > t + ANSWER_NS);
      if (lives)
        tally.fail(
          `expected ${at} to serve the hand-off in line ${line} or to report that it cannot; it did neither, though it went on to answer others`,
          { capture: log?.name ?? '', frame: line, note: 'the hand-off' },
        );
      else tally.doubt(`${at} was silent after line ${line}: whether it lived is not known`);
    }
    return tally.finding(
      'failures that were reported',
      log === undefined ? 'no control log' : 'no backend was asked for what it could not serve',
    );
  },
  regular: () => 0,
};
