/** HOF-6: Successive requests of one connection can go to different backends. (SoCC'17 §1, §2.5) */
import { senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import { handedOff } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const HOF_6: Check = {
  clause: 'HOF-6',
  method: 'Two successive requests of one connection that different backends serve must both be answered to the end.',
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      const handed = handedOff(connection);
      for (const [index, second] of handed.entries()) {
        const first = handed[index - 1];
        if (first === undefined || first.handoff.backend === second.handoff.backend) continue;
        if (first.handoff.doneFrom === Number.POSITIVE_INFINITY) continue;
        if (second.handoff.doneFrom < Number.POSITIVE_INFINITY) {
          tally.hold();
          continue;
        }
        const backends = [first.handoff.backend, second.handoff.backend];
        const reset = connection.toClient.find(
          (packet) =>
            isFlagged(packet.head, 'RST') &&
            packet.head.t >= second.begins &&
            backends.includes(senderOf(packet) ?? ''),
        );
        if (reset !== undefined) {
          tally.fail(
            `expected ${backends[1]} to serve the request after ${backends[0]}'s; ${senderOf(reset)} reset the connection in ${named(reset.head)}`,
            ...(second.handoff.first ? [at(second.handoff.first, `${backends[1]} begins`)] : []),
            at(reset.head, `RST of ${senderOf(reset)}`),
          );
        } else
          tally.doubt(`the end of a request that moved from ${backends[0]} to ${backends[1]} is not in the captures`);
      }
    }
    const gap = missingVantages(judged.vantages, ...judged.hosts.backends.keys());
    return tally.finding(
      'successive requests served by different backends',
      gap ?? 'no connection moved from one backend to another',
    );
  },
  regular: ({ exchanges }) =>
    exchanges.filter(({ backend }, index) => index > 0 && exchanges[index - 1]?.backend !== backend).length,
};
