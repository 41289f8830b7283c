/** EST-1: A SYN to the logical address reaches the controller, which completes the three-way handshake. (SoCC'17 §2.1) */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { isBackend, isSound, senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import { handedOff } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** SYNs that reached the controller in vain, over at least this long, before silence is a refusal. */
const SILENT_SYNS = 3;
const SILENCE_NS = 1e9;

export const EST_1: Check = {
  clause: 'EST-1',
  method:
    "Each client SYN must reach the controller's link and no backend's, be answered there by a SYN-ACK of its number plus one, and the client's ACK must follow.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const portsHandedOff = new Set<string>(judged.beside.earlier.keys());
    for (const connection of judged.connections) {
      const { start, packets, client } = connection;
      const syns = packets.filter(
        ({ head }) => head.towards === 'server' && isFlagged(head, 'SYN') && !isFlagged(head, 'ACK') && isSound(head),
      );
      const arrivals = syns.flatMap((packet) => packet.arrivals);
      const astray = arrivals.find(({ vantage }) => isBackend(vantage));
      // Where an earlier connection of this port was handed off, its left-over rule is RET-6's.
      if (astray !== undefined && !portsHandedOff.has(client) && handedOff(connection).length === 0) {
        // Behind other segments a rule may be in force whose hand-off these captures do not show.
        const first =
          (start === undefined || start.syn.seq === astray.seq) &&
          packets.every(({ head }) => head.t >= astray.t || isFlagged(head, 'SYN'));
        const tell = first ? tally.fail.bind(tally) : tally.suspect.bind(tally);
        tell(
          `expected the SYN at the controller's link; it reached ${astray.vantage} in ${named(astray)}`,
          at(astray, 'SYN delivered to a backend'),
        );
      }
      if (handedOff(connection).length > 0) portsHandedOff.add(client);
      if (syns.length === 0) {
        tally.doubt(`the start of ${connection.name} is not in the captures`);
        continue;
      }
      const numbers = new Set(syns.map(({ head }) => seqAdd(head.seq, 1)));
      const answers = packets.filter(
        ({ head }) => head.towards === 'client' && isFlagged(head, 'SYN') && isFlagged(head, 'ACK') && isSound(head),
      );
      const foreign = answers.find((packet) => isBackend(senderOf(packet)));
      if (foreign !== undefined) {
        tally.fail(
          `expected the SYN-ACK from the controller; ${senderOf(foreign)} sent it in ${named(foreign.head)}`,
          at(foreign.head, 'SYN-ACK of a backend'),
        );
        continue;
      }
      if (start === undefined) {
        // What was said before the first SYN that was captured answers another one.
        const opened = syns[0]?.head.t ?? 0;
        const wrong = answers.find(({ head }) => !numbers.has(head.ack) && head.t >= opened);
        const refused = packets.find(
          ({ head }) =>
            head.towards === 'client' && isFlagged(head, 'RST') && isFlagged(head, 'ACK') && numbers.has(head.ack),
        );
        const atController = arrivals.filter(({ vantage }) => vantage === 'controller');
        const [first] = atController;
        const last = atController.at(-1);
        if (wrong !== undefined) {
          tally.fail(
            `expected a SYN-ACK with acknowledgement number ${[...numbers][0]}; ${named(wrong.head)} has ${wrong.head.ack}`,
            at(wrong.head, 'SYN-ACK of a wrong number'),
          );
        } else if (refused !== undefined && senderOf(refused) === 'controller') {
          tally.fail(
            `expected a SYN-ACK; the controller reset the connection attempt in ${named(refused.head)}`,
            at(refused.head, 'RST in answer to a SYN'),
          );
        } else if (
          first !== undefined &&
          last !== undefined &&
          atController.length >= SILENT_SYNS &&
          last.t - first.t >= SILENCE_NS &&
          judged.end - last.t >= SILENCE_NS &&
          !packets.some(({ head }) => head.towards === 'client')
        ) {
          tally.fail(
            `expected a SYN-ACK; ${atController.length} SYNs reached the controller's link, the last in ${named(last)}, and nothing answered`,
            at(first, 'first SYN at the controller'),
            at(last, 'last SYN at the controller'),
          );
        } else tally.doubt(`the answer to the SYN of ${connection.name} is not in the captures`);
        continue;
      }
      const acknowledged = packets.some(({ head }) => head.towards === 'server' && head.acked >= 0 && isSound(head));
      const gap = missingVantages(judged.vantages, 'controller');
      const answered = answers.some((packet) => senderOf(packet) === 'controller');
      const reached = arrivals.some(({ vantage }) => vantage === 'controller');
      if (gap !== undefined) tally.doubt(`${gap}: who completed the handshake cannot be seen`);
      else if (acknowledged && (answered || reached)) tally.hold();
      else tally.doubt(`the handshake of ${connection.name} is not whole in the captures`);
    }
    return tally.finding('handshakes completed by the controller', 'no handshake in the captures');
  },
  regular: () => 1,
};
