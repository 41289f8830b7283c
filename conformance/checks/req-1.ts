/** REQ-1: No hand-off before the whole request header has been received, however it was segmented. (SoCC'17 §2.2) */
import { isBackend } from '../flows/connection.js';
import { explainArrival, possibleRules } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const REQ_1: Check = {
  clause: 'REQ-1',
  method:
    "When a backend first speaks for a request, or gets header bytes the controller has not got, every byte of the header must have reached the controller's link.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const gap = missingVantages(judged.vantages, 'controller');
    for (const { request, handoff, headerAt, headerSent, connection } of judged.handoffs) {
      const { first, log } = handoff;
      const told = log?.handoff;
      if (
        headerAt !== undefined &&
        told !== undefined &&
        told.t < headerAt.t &&
        (first === undefined || told.t < first.t)
      ) {
        tally.fail(
          `expected the hand-off after the header's last byte (${named(headerAt)}); line ${told.line} hands off before it`,
          { capture: judged.log?.name ?? '', frame: told.line, note: 'handoff' },
          at(headerAt, "the header completes on the controller's link"),
        );
        continue;
      }
      if (first === undefined) continue;
      if (headerAt !== undefined && headerAt.t <= first.t) {
        tally.hold();
        continue;
      }
      // It began too early, unless the captures missed a frame on the controller's link.
      const missing = connection.dataAt.get('controller')?.missing(request.start, request.headerEnd, first.t);
      if (gap !== undefined) tally.doubt(gap);
      else if (headerAt !== undefined && headerSent !== undefined && headerSent.t > first.t) {
        tally.fail(
          `expected ${handoff.backend} to begin after the header's last byte reached the controller in ${named(headerAt)}; it began in ${named(first)}`,
          at(first, `${handoff.backend} takes over`),
          at(headerAt, 'the header completes'),
        );
      } else if (missing !== undefined && headerSent !== undefined && headerSent.t > first.t) {
        tally.fail(
          `expected the whole header at the controller's link before ${handoff.backend} speaks; in ${named(first)} it does, and the header was sent whole only in ${named(headerSent)}`,
          at(first, `${handoff.backend} takes over`),
          at(headerSent, 'the header is whole'),
        );
      } else tally.doubt(`not all of a header is seen on the controller's link before ${named(first)}`);
    }
    const rules = possibleRules(judged);
    for (const connection of judged.connections) {
      if (gap !== undefined) break;
      for (const packet of connection.toServer) {
        for (const arrival of packet.arrivals) {
          if (!isBackend(arrival.vantage) || arrival.length === 0) continue;
          if (explainArrival(judged, rules, connection, packet, arrival) !== 'REQ-1') continue;
          tally.fail(
            `expected the rest of the header at the controller's link; ${named(arrival)} carries it to ${arrival.vantage}`,
            at(arrival, 'header bytes that the controller has not got'),
          );
        }
      }
    }
    return tally.finding('hand-offs after the whole header', gap ?? 'no hand-off in the captures');
  },
  regular: (connection) => connection.exchanges.length,
};
