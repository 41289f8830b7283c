/**
 * Large transfers in fewer packets. In the middle of a response or a payload nothing that the specification tells apart happens: an
 * acknowledgement there only moves a number that is compared with the end, and neighbouring segments of one owner are one longer segment. So
 * such acknowledgements are left out, and segments that follow each other with nothing between them are put together.
 */
import { isFlagged, type Segment } from '../flows/decode.js';
import type { Packet } from '../flows/packets.js';
import type { LiftedRequest } from './requests.js';

/** Smaller connections are looked at frame by frame. */
const LARGE_PACKETS = 300;

export interface Reduced {
  readonly packets: readonly Packet[];
  /** One sentence each. */
  readonly notes: readonly string[];
}

/** `before`: the order of observation. */
export function reduce(
  packets: readonly Packet[],
  requests: readonly LiftedRequest[],
  before: (a: Segment, b: Segment) => number,
): Reduced {
  if (packets.length <= LARGE_PACKETS) return { packets, notes: [] };
  const kept = packets.filter((packet) => !isMiddleAcknowledgement(packet, requests));
  const joined = join(kept, before);
  const notes: string[] = [];
  if (kept.length < packets.length)
    notes.push(
      `${packets.length - kept.length} acknowledgements in the middle of responses and payloads were left out`,
    );
  if (joined.length < kept.length)
    notes.push(`${kept.length} segments were put together to ${joined.length}: their neighbours continued them`);
  return { packets: joined, notes };
}

/** It has come to the backend that serves, or from it to the client, and acknowledges neither the beginning nor the end. */
function isMiddleAcknowledgement({ head, sent, arrivals, twins }: Packet, requests: readonly LiftedRequest[]): boolean {
  const [arrived, another] = arrivals;
  if (twins || sent === undefined || arrived === undefined || another !== undefined) return false;
  if (head.length > 0 || isMarked(head) || head.window === 0 || !Number.isFinite(head.acked)) return false;
  if (head.towards === 'server')
    return requests.some(
      ({ backend, reply, replyEnd, end }) =>
        backend === arrived.vantage && head.acked > reply && head.acked < replyEnd && head.offset <= end,
    );
  return requests.some(
    ({ kind, backend, headEnd, end, reply }) =>
      kind === 'write' &&
      backend === sent.vantage &&
      arrived.window > 0 &&
      head.acked > headEnd &&
      head.acked < end &&
      head.offset === reply,
  );
}

function isMarked(segment: Segment): boolean {
  return isFlagged(segment, 'SYN') || isFlagged(segment, 'FIN') || isFlagged(segment, 'RST');
}

/** Puts together runs of data segments that leave and arrive one after the other, as long as no other frame is seen meanwhile. */
function join(packets: readonly Packet[], before: (a: Segment, b: Segment) => number): Packet[] {
  const events = packets
    .flatMap((packet) => [packet.sent, ...packet.arrivals].flatMap((frame) => (frame ? [{ frame, packet }] : [])))
    .sort((a, b) => before(a.frame, b.frame));
  const result = new Set(packets);
  let run: Packet[] = [];
  let arrived = 0;
  const close = (): void => {
    const [first] = run;
    const whole = run.slice(0, arrived);
    if (first !== undefined && whole.length > 1) {
      for (const packet of whole) result.delete(packet);
      result.add(together(whole));
    }
    run = [];
    arrived = 0;
  };
  for (const { frame, packet } of events) {
    if (run[arrived] === packet && frame !== packet.sent) {
      arrived++;
      continue;
    }
    const last = run.at(-1);
    if (frame === packet.sent && last !== undefined && continues(last, packet)) {
      run.push(packet);
      continue;
    }
    close();
    if (frame === packet.sent && isPlainData(packet)) run = [packet];
  }
  close();
  return [...result].sort((a, b) => before(a.head, b.head));
}

function isPlainData({ sent, arrivals, twins, head }: Packet): boolean {
  return sent !== undefined && arrivals.length === 1 && !twins && head.length > 0 && !isMarked(head);
}

function continues(last: Packet, next: Packet): boolean {
  const [a, b] = [last.head, next.head];
  const [farA, farB] = [last.arrivals[0], next.arrivals[0]];
  return (
    isPlainData(next) &&
    a.vantage === b.vantage &&
    a.towards === b.towards &&
    a.acked === b.acked &&
    b.offset === a.offset + a.length &&
    (a.window === 0) === (b.window === 0) &&
    farA !== undefined &&
    farB !== undefined &&
    farA.vantage === farB.vantage &&
    farA.src === farB.src &&
    (farA.window === 0) === (farB.window === 0)
  );
}

function together(run: readonly Packet[]): Packet {
  const [first] = run;
  const last = run.at(-1);
  const far = last?.arrivals[0];
  if (first === undefined || last === undefined || far === undefined) throw new Error('nothing to put together');
  const { offset } = first.head;
  const length = last.head.offset + last.head.length - offset;
  const sent = { ...first.head, length };
  return { sent, arrivals: [{ ...far, offset, length }], head: sent, twins: false };
}
