/** Whether a segment from the server is the one that a step expects, and how to tell it in a report. */
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { type ExpectNothingStep, type ExpectStep, FLAGS, type FlagName } from './story.js';
import type { Arrival } from './tracking.js';

function has(arrival: Arrival, flag: FlagName): boolean {
  return (arrival.flags & TcpFlag[flag]) !== 0;
}

export function matchesExpectation(step: ExpectStep, arrival: Arrival): boolean {
  const { flags, without, payload, repeated, window, acks, from } = step;
  if (flags?.some((flag) => !has(arrival, flag))) return false;
  if (without?.some((flag) => has(arrival, flag))) return false;
  if (
    typeof payload === 'number' ? arrival.length !== payload : payload !== undefined && payload !== arrival.length > 0
  )
    return false;
  if (repeated !== undefined && repeated !== arrival.repeated) return false;
  if (window !== undefined && (window === 'zero') !== (arrival.window === 0)) return false;
  if (acks !== undefined && (!has(arrival, 'ACK') || arrival.acks !== acks)) return false;
  return from === undefined || arrival.from === from;
}

/** A segment that `expect-nothing` is not to see. */
export function isForbidden(step: ExpectNothingStep, arrival: Arrival): boolean {
  if (step.flags?.some((flag) => !has(arrival, flag))) return false;
  if (step.payload !== undefined && step.payload !== arrival.length > 0) return false;
  if (step.newsBeyond !== undefined && !isNews(arrival, step.newsBeyond)) return false;
  return step.acksBeyond === undefined || (has(arrival, 'ACK') && arrival.acks > step.acksBeyond);
}

function isNews(arrival: Arrival, place: number): boolean {
  return (
    arrival.length > 0 || has(arrival, 'SYN') || has(arrival, 'FIN') || has(arrival, 'RST') || arrival.acks > place
  );
}

/** `ACK PSH, 120 bytes from 0, acks 57, window 0`. */
export function tellArrival(arrival: Arrival): string {
  const flags = FLAGS.filter((flag) => has(arrival, flag)).join(' ') || 'no flag';
  const payload = arrival.length > 0 ? `${arrival.length} bytes from ${arrival.from}` : `at ${arrival.from}`;
  const acks = has(arrival, 'ACK') ? `, acks ${arrival.acks}` : '';
  return `${flags}, ${payload}${acks}, window ${arrival.window}`;
}
