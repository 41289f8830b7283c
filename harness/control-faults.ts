/**
 * Faults of the control channels: what becomes of a message on its way between two roles. A pure decision; whoever carries the messages
 * (the simulated network, the rim of a role, a relay) asks once for each message, at one place for all channels, so that `nth` counts them all.
 */
import { type ControlMessage, encodeControlLine, type Refused } from '../reference-impl/control/messages.js';
import { ControlMatcher, type TravellingMessage } from './control-match.js';
import type { ControlFault } from './world.js';

/** A line, without its newline, that the receiver gets so many ms from now. */
export interface ControlDelivery {
  readonly delayMs: number;
  readonly line: string;
}

export interface ControlAdmission {
  /** In the order in which lines of one delay arrive; none when the message is lost. */
  readonly deliver: readonly ControlDelivery[];
  /** What the sender is told at once in the receiver's stead. */
  readonly answer?: Refused;
}

export interface ControlFaults {
  admit(travelling: TravellingMessage): ControlAdmission;
  /** How many messages each fault was done to, in the order of the faults. */
  readonly applied: readonly number[];
}

/**
 * Every fault sees every message, whatever the others do to it. One that loses or refuses the message is enough; delays add up; a repetition
 * and a following line come on top. An answer cannot be refused: a `refuse` that matches one loses it.
 */
export function createControlFaults(faults: readonly ControlFault[]): ControlFaults {
  const matcher = new ControlMatcher();
  const matched = faults.map(() => 0);
  const applied = faults.map(() => 0);
  return {
    applied,
    admit(travelling) {
      matcher.note(travelling);
      const { message } = travelling;
      const line = encodeControlLine(message).trimEnd();
      const repeats: ControlDelivery[] = [];
      const following: string[] = [];
      let delayMs = 0;
      let lost = false;
      let answer: Refused | undefined;
      for (const [index, fault] of faults.entries()) {
        if (!matcher.matches(fault.match, travelling)) continue;
        const nth = (matched[index] ?? 0) + 1;
        matched[index] = nth;
        if (fault.nth !== undefined && !fault.nth.includes(nth)) continue;
        applied[index] = (applied[index] ?? 0) + 1;
        switch (fault.kind) {
          case 'drop':
            lost = true;
            break;
          case 'delay':
            delayMs += fault.ms;
            break;
          case 'repeat':
            repeats.push({ delayMs: fault.ms, line: fault.as === undefined ? line : renamed(message, fault.as) });
            break;
          case 'follow':
            following.push(fault.line);
            break;
          case 'refuse':
            lost = true;
            if (message.verb !== 'ok' && message.verb !== 'refused')
              answer ??= { verb: 'refused', re: message.id, code: fault.code, reason: 'refused by the harness' };
            break;
        }
      }
      if (lost) return { deliver: [], ...(answer === undefined ? {} : { answer }) };
      return {
        deliver: [
          { delayMs, line },
          ...following.map((text) => ({ delayMs, line: text })),
          ...repeats.map((again) => ({ ...again, delayMs: delayMs + again.delayMs })),
        ],
      };
    },
  };
}

/** The same request under another id; an answer stays as it is. */
function renamed(message: ControlMessage, id: string): string {
  return encodeControlLine('id' in message ? { ...message, id } : message).trimEnd();
}
