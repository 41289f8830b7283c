/** BKD-9: After giving up, the backend sends neither FIN nor RST nor data. (D of HOF-4) */
import { afterGivingUp, giveUps, speaks } from '../flows/former.js';
import type { Check } from './check.js';
import { giveUpFrame } from './hof-4.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const BKD_9: Check = {
  clause: 'BKD-9',
  method:
    "After its report in the control log, or else after the controller speaks again, a backend's link must show no data, FIN or RST of it until its next hand-off.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      for (const giveUp of giveUps(connection)) {
        const { backend } = giveUp.exchange.handoff;
        const stray = afterGivingUp(giveUp).find(({ head }) => speaks(head));
        if (stray === undefined) tally.hold();
        else {
          tally.fail(
            `expected neither data nor FIN nor RST from ${backend} after it gave the connection up; it sent ${named(stray.head)}`,
            giveUpFrame(judged, giveUp),
            at(stray.head, `${backend} speaks`),
          );
        }
      }
    }
    const gap = missingVantages(judged.vantages, 'controller', ...judged.hosts.backends.keys());
    return tally.finding('backends silent after giving up', gap ?? 'no backend gave a connection up in the captures');
  },
  regular: (connection) => connection.exchanges.length,
};
