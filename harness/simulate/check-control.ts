/** Invariants of the control messages, and who may speak by them. */
import type {
  Complete,
  ConnectionSnapshot,
  ControlMessage,
  Failed,
  Handoff,
} from '../../reference-impl/control/messages.js';
import type { InvariantName } from './invariants.js';
import type { Monitor } from './monitor.js';
import { seqDistance } from './segment-header.js';
import type { Tracked } from './tracked.js';

/** A rule that has no answer for so long cannot be had, in microseconds. */
const ANSWER_DUE = 4_000_000;
/** A client that says nothing for so long waits for a time-out of its own, in microseconds. */
const CLIENT_SILENT = 30_000_000;

export function checkControlSent(monitor: Monitor, from: string, to: string, message: ControlMessage): void {
  switch (message.verb) {
    case 'add': {
      const tracked = monitor.byKey(keyOf(message.rule.conn));
      if (tracked === undefined || tracked.adding?.id === message.id) return;
      if (tracked.ruleWanted) return;
      const { request } = tracked;
      const expected = request === undefined ? undefined : monitor.chosen(request.path);
      if (message.rule.backend.name !== expected)
        monitor.fail(
          'backend-of-policy',
          tracked.key,
          from,
          `${message.rule.backend.name} is chosen, where the policy names ${expected}`,
        );
      monitor.turns++;
      tracked.adding = { id: message.id, at: monitor.now };
      tracked.ruleWanted = true;
      tracked.ruleIsRead = request?.isRead === true;
      return;
    }
    case 'remove': {
      const tracked = monitor.byKey(keyOf(message.conn));
      if (tracked === undefined || tracked.removeId === message.id) return;
      if (tracked.adding !== null && monitor.now - tracked.adding.at >= ANSWER_DUE) tracked.noRule = true;
      tracked.adding = null;
      tracked.removeId = message.id;
      tracked.turn = { kind: 'removing' };
      return;
    }
    case 'handoff':
      checkHandoff(monitor, to, message);
      return;
    case 'complete':
    case 'failed':
      checkReport(monitor, from, message);
      return;
    case 'ok':
    case 'refused':
    case 'list':
    case 'stats':
      return;
  }
}

/** Before the role takes it in. */
export function checkControlReceived(monitor: Monitor, at: string, from: string, message: ControlMessage): void {
  switch (message.verb) {
    case 'add':
      // Whether it is refused shows in the answer.
      return;
    case 'complete':
    case 'failed': {
      const tracked = monitor.byKey(keyOf(message.conn));
      if (tracked?.turn.kind !== 'backend' || tracked.turn.handoff !== message.handoff || tracked.turn.name !== from)
        return;
      if (message.verb === 'complete') {
        tracked.reopenDue = tracked.request?.isRead === true && message.keepAlive;
        tracked.completed++;
      }
      tracked.turn = { kind: 'removing' };
      tracked.startOwner();
      return;
    }
    case 'ok':
    case 'refused': {
      if (at !== 'controller') return;
      const tracked = monitor.byKey(message.re.slice(message.re.indexOf('/') + 1));
      if (tracked === undefined) return;
      if (tracked.adding?.id === message.re) {
        tracked.adding = null;
        if (message.verb === 'refused') {
          tracked.ruleWanted = false;
          tracked.noRule = message.code === 'full';
        }
      }
      if (tracked.removeId === message.re && message.verb === 'ok') {
        tracked.removeId = null;
        tracked.ruleWanted = false;
        tracked.turn = { kind: 'controller' };
        tracked.startOwner();
        tracked.reopens = tracked.reopenDue;
        tracked.reopenDue = false;
      }
      return;
    }
    case 'remove':
    case 'handoff':
    case 'list':
    case 'stats':
      return;
  }
}

/** What the switch confirms of what it was asked, and a backend of a hand-off. */
export function noteAnswer(monitor: Monitor, role: string, asked: ControlMessage, answer: ControlMessage): void {
  if (answer.verb === 'refused' && answer.code === 'full' && asked.verb === 'add') {
    const key = keyOf(asked.rule.conn);
    const tracked = monitor.byKey(key);
    // A repetition is answered like the first, however many there are by now.
    if (tracked === undefined || tracked.confirmedAdd === asked.id) return;
    tracked.confirmedAdd = asked.id;
    if (monitor.rulesConfirmed() < monitor.scene.ruleCapacity)
      monitor.fail('rules-as-confirmed', key, 'switch', 'a rule is refused as one too many, though there is room');
  }
  if (answer.verb !== 'ok') return;
  if (asked.verb === 'add') {
    const tracked = monitor.byKey(keyOf(asked.rule.conn));
    if (tracked === undefined || tracked.confirmedAdd === asked.id) return;
    tracked.confirmedAdd = asked.id;
    tracked.rule = asked.rule.backend.name;
  } else if (asked.verb === 'remove') {
    const tracked = monitor.byKey(keyOf(asked.conn));
    if (tracked === undefined || tracked.confirmedRemove === asked.id) return;
    tracked.confirmedRemove = asked.id;
    tracked.rule = null;
  } else if (asked.verb === 'handoff') {
    const tracked = monitor.byKey(keyOf(asked.conn));
    if (tracked === undefined || tracked.former.has(`${role} ${asked.handoff}`)) return;
    tracked.owners.set(role, asked.handoff);
    tracked.former.add(`${role} ${asked.handoff}`);
  }
}

function keyOf(conn: Handoff['conn']): string {
  return `${conn.client.ip}:${conn.client.port}`;
}

function checkHandoff(monitor: Monitor, to: string, message: Handoff): void {
  const tracked = monitor.byKey(keyOf(message.conn));
  if (tracked === undefined || (tracked.turn.kind === 'backend' && tracked.turn.handoff === message.handoff)) return;
  const fail = (name: InvariantName, text: string): never => monitor.fail(name, tracked.key, 'controller', text);
  if (tracked.turn.kind !== 'controller') fail('one-owner', `hand-off ${message.handoff} while ${turnText(tracked)}`);
  const rule = monitor.views.get('switch')?.rule(tracked.key);
  if (rule !== to)
    fail(
      'rule-before-hand-off',
      `${to} is told to take over, while the switch has ${rule === undefined ? 'no rule' : `a rule to ${rule}`}`,
    );
  const { request, story } = tracked;
  if (request === undefined) {
    fail('header-received', 'a hand-off without a request');
    return;
  }
  const header = Buffer.from(story.stream.subarray(request.start, request.headerEnd));
  if (tracked.written < request.headerEnd)
    fail('header-received', 'a hand-off before the client has sent the whole header');
  if (message.request.header !== header.toString('base64'))
    fail('header-received', `what is handed over is not the header of request ${tracked.completed + 1}`);
  if (seqDistance(tracked.sentTo, tracked.ackedTo) > 0)
    fail(
      'nothing-in-flight',
      `${seqDistance(tracked.sentTo, tracked.ackedTo)} bytes of the controller's are not acknowledged`,
    );
  const stale = snapshotFault(tracked, message.snapshot, request.headerEnd);
  if (stale !== undefined) fail('state-handed-over', stale);
  tracked.turn = { kind: 'backend', name: to, handoff: message.handoff };
  tracked.servedBy[tracked.completed] = to;
  tracked.servedIn[tracked.completed] = monitor.crashes(to);
  tracked.presentThen[tracked.completed] = monitor.present(to, request.path);
  tracked.lost = tracked.lost || monitor.cutOff.has(to);
  tracked.startOwner();
  monitor.handoffs++;
}

/** What in the snapshot is not as it is on the wire. */
function snapshotFault(tracked: Tracked, snapshot: ConnectionSnapshot, covered: number): string | undefined {
  const { offers, answer } = tracked;
  if (snapshot.seq !== tracked.sentTo)
    return `the next number to send is ${seqDistance(snapshot.seq, tracked.sentTo)} off`;
  if (tracked.covered(snapshot.ack) !== covered)
    return `the next number expected is ${tracked.covered(snapshot.ack) - covered} off`;
  if (snapshot.clientMss !== offers.mss) return `the client's MSS is ${offers.mss}, not ${snapshot.clientMss}`;
  if (snapshot.ownMss !== answer?.mss) return `the MSS told to the client is ${answer?.mss}, not ${snapshot.ownMss}`;
  const scaled = offers.scale !== null && answer.scale !== null;
  if (scaled !== (snapshot.windowScale !== null)) return 'window scaling is not as negotiated';
  if (scaled && (snapshot.windowScale?.client !== offers.scale || snapshot.windowScale?.own !== answer.scale))
    return 'the window scales are not those negotiated';
  if (snapshot.sackPermitted !== (offers.sack && answer.sack)) return 'SACK is not as negotiated';
  if ((snapshot.timestamps !== null) !== answer.timestamps) return 'time stamps are not as negotiated';
  if (
    snapshot.timestamps !== null &&
    tracked.lastTs !== null &&
    seqDistance(snapshot.timestamps.value, tracked.lastTs) < 0
  )
    return 'the time stamp is behind the last one sent';
  return undefined;
}

function checkReport(monitor: Monitor, from: string, message: Complete | Failed): void {
  const tracked = monitor.byKey(keyOf(message.conn));
  // Repeated until it is confirmed.
  if (tracked === undefined || tracked.owners.get(from) !== message.handoff) return;
  tracked.owners.delete(from);
  tracked.former.add(from);
  const fail = (name: InvariantName, text: string): never => monitor.fail(name, tracked.key, from, text);
  if (message.verb === 'failed') {
    const { reason } = message;
    // Without time stamps a client that has to send again has no round trip to measure, and waits twice as long each time (RFC 6298 §5.7).
    const silent = tracked.answer?.timestamps === false && monitor.now - tracked.heardAt >= CLIENT_SILENT;
    // The switch hides the client's FIN from the backend: it waits for the rest of a request that never comes.
    const cutShort = tracked.finSent && tracked.written < (tracked.request?.end ?? 0);
    const expired = reason === 'lease-expired' && (silent || cutShort);
    const caused = tracked.lost || (tracked.aborted && reason !== 'cannot-serve' && reason !== 'conflict') || expired;
    if (expired) tracked.lost = true;
    // The client knows of these already: whoever resets it has to go on from there.
    if (message.snapshot !== null) tracked.failedAt = Math.min(tracked.covered(message.snapshot.ack), tracked.written);
    if (!caused) fail('failure-has-a-cause', `${from} reports ${reason}, for which there is no cause`);
    return;
  }
  const { request } = tracked;
  if (request === undefined || tracked.lost) return;
  const open = seqDistance(tracked.sentTo, tracked.ackedTo);
  if (open > 0) fail('complete-means-acknowledged', `complete, while ${open} bytes are not acknowledged`);
  if (monitor.responses(tracked.story) <= tracked.completed)
    fail('complete-means-acknowledged', 'complete, while the client has not got the whole response');
  const stale = snapshotFault(tracked, message.snapshot, request.end);
  if (stale !== undefined) fail('complete-means-acknowledged', stale);
}

function turnText(tracked: Tracked): string {
  return tracked.turn.kind === 'backend' ? `${tracked.turn.name} has the connection` : 'the rules are being removed';
}
