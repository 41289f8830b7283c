/** SWT-4: Valid IP and TCP checksums stay valid; a corrupt segment is never made to look valid. (SoCC'17 §5.1) */
import { changesOf } from '../flows/packets.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

export const SWT_4: Check = {
  clause: 'SWT-4',
  method: 'A segment seen as sent and as it arrived must have valid checksums at both ends or wrong ones at both.',
  needs: 'captures',
  timeless: true,
  judge(judged) {
    const tally = new Tally();
    let offloaded = false;
    for (const { sent, arrivals, twins } of judged.packets) {
      if (sent === undefined) continue;
      for (const arrived of arrivals) {
        const { checksums: before } = sent;
        const { checksums: after } = arrived;
        // A partial checksum is the sending host's card's to complete.
        if (before === 'partial' || after === 'partial') {
          offloaded = true;
          continue;
        }
        if (before === 'unknown' || after === 'unknown') continue;
        // Joined with what came behind it, the right repetition of a corrupt segment is none of these any more.
        if (before === 'wrong' && after === 'valid' && judged.offloaded(arrived.vantage)) {
          offloaded = true;
          continue;
        }
        if (before === after) tally.hold();
        else if (!twins) {
          const changed = changesOf(sent, arrived).map(({ field }) => field);
          const what = changed.length === 0 ? '' : `, with the ${changed.join(' and ')} changed`;
          tally.fail(
            after === 'wrong'
              ? `expected valid checksums to stay valid; ${named(arrived)} has a wrong one${what}`
              : `expected a corrupt segment to stay corrupt; ${named(arrived)} has valid checksums${what}`,
            at(sent, `checksums ${before}`),
            at(arrived, `checksums ${after}`),
          );
        }
      }
    }
    const why = offloaded
      ? 'the captures were taken with checksum offload'
      : 'no segment was seen both as sent and as it arrived';
    return tally.finding('segments with the same state of checksums at both ends', why);
  },
  regular: (connection) => connection.packets,
};
