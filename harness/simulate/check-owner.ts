/** Invariants of what the controller and the backends send towards clients. */
import type { InvariantName } from './invariants.js';
import type { Monitor } from './monitor.js';
import { FIN, handshakeOptions, RST, type SegmentHeader, SYN, seqDistance, timestampsOf } from './segment-header.js';
import type { Tracked } from './tracked.js';

export function checkOwnerFrame(monitor: Monitor, role: string, header: SegmentHeader): void {
  const tracked = monitor.of(header);
  if (tracked === undefined) return;
  const fail = (name: InvariantName, message: string): never => monitor.fail(name, tracked.key, role, message);
  if (role === 'controller') {
    // What is left of it is a new half-open connection of an old SYN, which the client rejects.
    if (tracked.forgotten) return;
    if (tracked.lost) tracked.tellings++;
    if ((header.flags & RST) !== 0) {
      checkReset(tracked, fail);
      return;
    }
    checkTurn(monitor, tracked, fail);
  } else if (!tracked.owners.has(role)) {
    const what = `${(header.flags & RST) === 0 ? 'a segment' : 'a RST'} from ${role}, which`;
    if (tracked.former.has(role)) fail('backend-silent-after', `${what} has given the connection up`);
    fail('backend-silent-before', `${what} has not taken the connection over`);
  } else if ((header.flags & RST) !== 0) fail('stream-continues', `a RST from ${role} in the midst of its response`);
  // Nobody may have told it yet; what it still sends must not reach the client, which is seen to at the switch.
  if (role !== 'controller' && tracked.lost && tracked.turn.kind !== 'backend') return;
  if ((header.flags & SYN) !== 0) {
    // After its reset the connection is over: a SYN that was held up begins another one, which the client rejects.
    if (tracked.lost && tracked.resetsSent > 0 && tracked.serverIss !== header.seq) tracked.forgotten = true;
    else checkSynAck(tracked, header, fail);
    return;
  }
  if (tracked.answer === null) fail('stream-continues', 'a segment before the handshake');
  checkNumbers(tracked, header, fail);
  checkOptions(tracked, header, fail);
  if (role === 'controller' && header.window > 0) tracked.reopens = false;
  if (role === 'controller') checkControllerAck(monitor, tracked, header, fail);
  else checkBackendAck(tracked, header, fail);
}

type Fail = (name: InvariantName, message: string) => never;

function checkReset(tracked: Tracked, fail: Fail): void {
  tracked.resetsSent++;
  if (tracked.lost || tracked.aborted || tracked.refused !== null) return;
  if (tracked.finSent) fail('close-completes', 'a RST from the controller, where the client has sent FIN');
  fail('reset-has-a-cause', 'a RST from the controller, though no backend was lost');
}

function checkTurn(monitor: Monitor, tracked: Tracked, fail: Fail): void {
  switch (tracked.turn.kind) {
    case 'backend':
      fail('one-owner', `a segment from the controller, while ${tracked.turn.name} has the connection`);
      break;
    case 'removing':
      fail('rules-gone-first', 'a segment from the controller before the switch has confirmed that the rules are gone');
      break;
    case 'controller':
      if (tracked.ruleWanted || monitor.views.get('switch')?.rule(tracked.key) === undefined) return;
      fail('rules-gone-first', 'a segment from the controller while the rules of the last hand-off are in force');
  }
}

function checkSynAck(tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  if (tracked.serverIss !== null && tracked.serverIss !== header.seq)
    fail('one-initial-number', 'a SYN-ACK with another initial sequence number than before');
  const answer = handshakeOptions(header);
  const { offers } = tracked;
  if (
    (answer.sack && !offers.sack) ||
    (answer.timestamps && !offers.timestamps) ||
    (answer.scale !== null && offers.scale === null)
  )
    fail('options-kept', 'the SYN-ACK has an option that the SYN did not offer');
  if (tracked.serverIss === null) {
    tracked.serverIss = header.seq;
    tracked.answer = answer;
    tracked.sentTo = (header.seq + 1) >>> 0;
    tracked.ackedTo = header.seq;
    tracked.startOwner();
  }
  checkTimestamps(tracked, header, fail);
}

function checkNumbers(tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  const { bytes, seq, payload, end, flags } = header;
  const length = end - payload;
  const fin = flags & FIN;
  const ahead = seqDistance(seq, tracked.sentTo);
  if (length === 0 && fin === 0) {
    // One back is a window probe. A controller that has lost a backend does not know how far that came, and one that resets asks from what it knows.
    if (ahead === 0 || ahead === -1 || ((tracked.lost || tracked.resetsSent > 0) && ahead < 0)) return;
    fail(
      'stream-continues',
      `an ACK with sequence number ${ahead > 0 ? `${ahead} beyond` : `${-ahead} behind`} what was sent`,
    );
  }
  if (ahead > 0) fail('stream-continues', `${length} bytes that begin ${ahead} beyond what was sent: a gap`);
  if (seqDistance(seq, tracked.base) < 0)
    fail('own-bytes-only', `bytes that begin ${seqDistance(tracked.base, seq)} before this owner's first`);
  if (!tracked.takeBytes(seq, bytes.subarray(payload, end)))
    fail('stream-continues', `${length} bytes that differ from those sent with the same numbers before`);
  const behind = (seq + length + fin) >>> 0;
  if (seqDistance(behind, tracked.sentTo) > 0) tracked.sentTo = behind;
  const room = tracked.offers.mss - (payload - header.tcp - 20);
  if (length > room) fail('options-kept', `${length} bytes of payload where the client takes ${room}`);
  if (tracked.rightEdge !== null && seqDistance((seq + length) >>> 0, tracked.rightEdge) > 0)
    fail(
      'options-kept',
      `${seqDistance((seq + length) >>> 0, tracked.rightEdge)} bytes beyond the window of the client`,
    );
}

function checkOptions(tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  const { mss, scale, sack } = handshakeOptions(header);
  if (scale !== null || sack || mss !== 536) fail('options-kept', 'an option of the handshake, behind it');
  checkTimestamps(tracked, header, fail);
}

function checkTimestamps(tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  const stamps = timestampsOf(header);
  if ((stamps !== undefined) !== (tracked.answer?.timestamps === true))
    fail(
      'options-kept',
      stamps === undefined ? 'no time stamps, though negotiated' : 'time stamps that were not negotiated',
    );
  if (stamps === undefined) return;
  const { value, echo } = stamps;
  // Nobody knows how far the clock of a lost backend came. A probe that is behind it is answered all the same (RFC 7323 §5.3 R1).
  if (!tracked.lost && tracked.lastTs !== null && seqDistance(value, tracked.lastTs) < 0)
    fail('time-stamps-rise', `TSval ${value}, ${seqDistance(tracked.lastTs, value)} behind the last one`);
  tracked.lastTs = value;
  const { clientTs } = tracked;
  if (
    echo !== 0 &&
    (clientTs === null || seqDistance(echo, clientTs.first) < 0 || seqDistance(echo, clientTs.last) > 0)
  )
    fail('time-stamps-rise', `TSecr ${echo}, which the client never sent`);
}

function checkControllerAck(monitor: Monitor, tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  const covered = tracked.covered(header.ack);
  const { request } = tracked;
  const length = header.end - header.payload;
  if (length > 0) checkAnswer(monitor, tracked, header, fail);
  const earlier = tracked.story.requests[tracked.completed - 1];
  if (covered < (earlier?.end ?? 0) && !tracked.lost)
    fail('state-handed-over', 'the controller acknowledges less than the last owner did');
  // Who answers by itself closes; that may be over by the end of the step that is looked at.
  const closing = tracked.refused !== null || monitor.views.get('controller')?.closing(tracked.key) === true;
  // A reset is asked about from where the backend that failed had come.
  const resets = tracked.lost || tracked.resetsSent > 0;
  if (closing || request === undefined || (resets && covered <= Math.max(request.headerEnd, tracked.failedAt))) {
    if (covered > tracked.written + (tracked.finSent ? 1 : 0))
      fail('header-only', 'the controller acknowledges what the client has not sent');
    return;
  }
  if (covered > request.headerEnd)
    fail('header-only', `the controller acknowledges ${covered - request.headerEnd} bytes behind the header`);
  if (covered < request.headerEnd) return;
  if (request.isRead && header.window !== 0)
    fail('read-closes-window', `the acknowledgement of a ${request.method} has window ${header.window}`);
  if (!request.isRead && header.window === 0)
    fail('write-keeps-window', `the acknowledgement of a ${request.method} has window 0`);
}

/** The controller answers itself: only when no backend can be had. */
function checkAnswer(monitor: Monitor, tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  if (tracked.refused !== null) return;
  const status = Buffer.from(header.bytes.subarray(header.payload, header.end)).toString('latin1', 9, 12);
  const { request } = tracked;
  const down = request !== undefined && monitor.knownDown.has(monitor.chosen(request.path));
  if (status !== '503' || !(down || tracked.noRule || tracked.lost))
    fail('refusal-has-a-cause', `the controller answers ${status}, though a backend can be had`);
  tracked.refused = tracked.completed;
}

function checkBackendAck(tracked: Tracked, header: SegmentHeader, fail: Fail): void {
  const covered = tracked.covered(header.ack);
  const { request } = tracked;
  if (request === undefined) return;
  const { isRead, headerEnd, end } = request;
  if (covered < headerEnd) fail('state-handed-over', 'the backend acknowledges less than the controller did');
  if (covered <= end) return;
  if (tracked.finSent && covered > tracked.story.stream.length)
    fail('fin-held', "the backend acknowledges the client's FIN");
  if (isRead)
    fail('nothing-behind-header', `the backend acknowledges ${covered - end} bytes behind the header of a read`);
  fail('payload-only', `the backend acknowledges ${covered - end} bytes behind the payload of a write`);
}
