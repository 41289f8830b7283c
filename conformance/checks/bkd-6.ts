/**
 * BKD-6: Completion is reported only once all response bytes are acknowledged, with sequence, acknowledgement and timestamp progress.
 * (SoCC'17 §2, §2.4, thesis §3.3)
 */
import { seqAdd, seqDiff, seqLt } from '../../reference-impl/wire/seq.js';
import { isSound, senderOf } from '../flows/connection.js';
import { endOf, optionOf, type Segment } from '../flows/decode.js';
import { LOG_SLACK_NS } from '../flows/former.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { hasVariant } from '../flows/rules.js';
import { misled, reportDifferences } from '../flows/told.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

export const BKD_6: Check = {
  clause: 'BKD-6',
  method:
    "In the control log, complete must follow the acknowledgement of the whole response on the backend's link, and its snapshot must agree with what the backend sent and acknowledged.",
  needs: 'control-log',
  judge(judged) {
    const tally = new Tally();
    if (hasVariant(judged, 'VAR-7')) tally.unsupported('VAR-7: ownership moves on without a report to the controller');
    if (judged.log === undefined)
      return tally.finding('', 'no control log: when completion was reported is not seen in frames');
    for (const exchange of judged.handoffs) judgeReport(judged, tally, exchange);
    return tally.finding(
      'completions reported when everything was acknowledged',
      'the control log has no completion of a captured hand-off',
    );
  },
  regular: () => 0,
};

function judgeReport(judged: Judged, tally: Tally, exchange: HandedExchange): void {
  const { connection, handoff, request, response, packets } = exchange;
  const report = handoff.log?.report;
  const { start } = connection;
  if (report?.message.verb !== 'complete' || start === undefined) return;
  const { snapshot } = report.message;
  const line = (note: string): EvidenceFrame => ({ capture: judged.log?.name ?? '', frame: report.line, note });
  const own = packets
    .filter(
      (packet) =>
        senderOf(packet) === handoff.backend && isSound(packet.head) && packet.head.t <= report.t + LOG_SLACK_NS,
    )
    .map(({ head }) => head);
  const last = furthest(own, endOf);
  const acked = furthest(
    own.filter(({ acked }) => !Number.isNaN(acked)),
    ({ acked }) => acked,
  );
  const end = response?.end;
  const misleading = misled(judged, exchange);
  if (misleading !== undefined) {
    tally.doubt(`line ${misleading.line} handed off something else than frames show, and the report goes by that`);
    return;
  }
  if (end === undefined || last === undefined || acked === undefined || !judged.vantages.has(handoff.backend)) {
    tally.doubt(`the response that line ${report.line} reports is not whole in the captures`);
    return;
  }
  if (report.t > judged.end) {
    tally.doubt(`the captures end before line ${report.line} reports completion`);
    return;
  }
  const covering = connection.acksAt.get(handoff.backend)?.covering(end);
  const sent = connection.acksSent.covering(end);
  if (covering === undefined || covering.t > report.t) {
    // A frame that the capture at the backend missed, if the client can have sent one in time.
    if (!judged.vantages.has('client') || judged.missedFrames('client') || (sent !== undefined && sent.t <= report.t)) {
      tally.doubt(`the last acknowledgement is not seen on the link of ${handoff.backend}`);
    } else {
      tally.fail(
        `expected complete after the client acknowledged the response up to relative ${end + 1}; line ${report.line} reports it ${covering ? `before ${named(covering)}` : 'without that acknowledgement'}`,
        line('complete'),
        at(last, "the response's last bytes"),
        ...(covering ? [at(covering, 'the acknowledgement arrives')] : []),
      );
      return;
    }
  }
  // Frames that the capture missed can only have carried more.
  const next = seqAdd(start.synAck.seq, 1 + Math.max(end, endOf(last)));
  if (snapshot.seq !== next) {
    tally.fail(
      `expected ${next} as the snapshot's seq, the number behind ${named(last)}; line ${report.line} has ${snapshot.seq}`,
      line(`seq ${snapshot.seq}`),
      at(last, 'the last bytes seen'),
    );
    return;
  }
  const requestEnd = request.kind === 'write' ? (request.end ?? Number.POSITIVE_INFINITY) : request.headerEnd;
  const ahead = seqDiff(snapshot.ack, acked.ack);
  if (ahead < 0 || acked.acked + ahead > Math.max(requestEnd, acked.acked)) {
    tally.fail(
      `expected ${acked.ack} as the snapshot's ack, as acknowledged in ${named(acked)}; line ${report.line} has ${snapshot.ack}`,
      line(`ack ${snapshot.ack}`),
      at(acked, 'the last acknowledgement sent'),
    );
    return;
  }
  const [wrong] = reportDifferences(judged, exchange);
  if (wrong !== undefined && wrong.field !== 'timestamps') {
    tally.fail(
      `expected ${wrong.what} ${wrong.expected} in the report, as frames show; line ${report.line} has ${wrong.seen}`,
      line(`${wrong.what} ${wrong.seen}`),
      ...wrong.shownBy.map(({ segment, note }) => at(segment, note)),
    );
    return;
  }
  const stamped = own.findLast((segment) => segment.t <= report.t && optionOf(segment, 'timestamps') !== undefined);
  const value = stamped && optionOf(stamped, 'timestamps')?.value;
  if (stamped !== undefined && value !== undefined && start.timestamps) {
    if (snapshot.timestamps === null || seqLt(snapshot.timestamps.value, value)) {
      tally.fail(
        `expected a timestamp of at least ${value}, as sent in ${named(stamped)}; line ${report.line} has ${snapshot.timestamps?.value ?? 'none'}`,
        line('timestamps'),
        at(stamped, `TSval ${value}`),
      );
      return;
    }
  }
  if (wrong !== undefined) {
    tally.fail(
      `expected ${wrong.what} ${wrong.expected} in the report, as frames show; line ${report.line} has ${wrong.seen}`,
      line(`${wrong.what} ${wrong.seen}`),
      ...wrong.shownBy.map(({ segment, note }) => at(segment, note)),
    );
    return;
  }
  tally.hold();
}

function furthest(segments: readonly Segment[], place: (segment: Segment) => number): Segment | undefined {
  let best: Segment | undefined;
  for (const segment of segments) if (best === undefined || place(segment) >= place(best)) best = segment;
  return best;
}
