/** SEC-1: Through the logical address nobody reaches a backend except by a rule. (SoCC'17 §3.5) */
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { isBackend } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

export const SEC_1: Check = {
  clause: 'SEC-1',
  method:
    "What a client's link sends under a backend's address must not come out as the logical server's, and a SYN to a backend's own address should draw no SYN-ACK there.",
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    const { hosts } = judged;
    for (const { sent, arrivals } of judged.packets) {
      if (sent?.vantage !== 'client' || sent.towards !== 'client') continue;
      if (hosts.serverNames.get(sent.src)?.startsWith('backend') !== true) continue;
      const passed = arrivals.find(({ src, vantage }) => vantage === 'client' && src === hosts.logicalIp);
      if (passed === undefined) tally.hold();
      else
        tally.fail(
          `expected ${named(sent)}, which pretends to be ${hosts.serverNames.get(sent.src)}'s, not to be taken for it; ${named(passed)} has the logical address`,
          at(sent, `from ${formatIpv4Address(sent.src)} on the client's link`),
          at(passed, 'rewritten as if the backend had sent it'),
        );
    }
    judgeDirect(judged, tally);
    return tally.finding('attempts that reached no backend', 'nobody tried to reach a backend in the captures');
  },
  regular: () => 0,
};

/** Whether a backend may be spoken to by its own address is the network's to say, not the captures'. */
function judgeDirect(judged: Judged, tally: Tally): void {
  const { hosts, others } = judged;
  const answered = new Set<string>();
  for (const { head } of others) {
    const { tcp } = head.view;
    if (tcp?.syn && (tcp.flags & TcpFlag.ACK) !== 0) answered.add(`${head.dst}:${tcp.dstPort}>${head.src}`);
  }
  for (const { head } of judged.packets) {
    if (head.towards === 'client' && isFlagged(head, 'SYN') && isFlagged(head, 'ACK') && isBackend(head.vantage))
      answered.add(`${head.dst}:${head.tcp.dstPort}>${head.src}`);
  }
  for (const { sent, arrivals } of others) {
    const tcp = sent?.view.tcp;
    if (
      sent?.vantage !== 'client' ||
      tcp === undefined ||
      !tcp.syn ||
      (tcp.flags & TcpFlag.ACK) !== 0 ||
      tcp.dstPort !== hosts.logicalPort
    )
      continue;
    const name = hosts.serverNames.get(sent.dst);
    if (!isBackend(name) || !arrivals.some(({ vantage }) => vantage === name)) continue;
    if (answered.has(`${sent.src}:${tcp.srcPort}>${sent.dst}`))
      tally.suspect(
        `${name} answers a client that speaks to its own address in ${named(sent)}; whether that is meant is not in the captures`,
        at(sent, `SYN to ${name} itself`),
      );
    else tally.hold();
  }
}
