/** The control log beside a capture (`NAME.control.ndjson`): one message a line, as some role sent or received it. */
import { z } from 'zod';
import type { ControlLogEntry } from '../harness/world.js';
import { ControlMessage } from '../reference-impl/control/messages.js';

export const ControlLogLine = z.strictObject({
  /** Nanoseconds since the epoch on the captures' clock, a decimal string. */
  t: z.string().regex(/^\d+$/, 'a time is a decimal count of nanoseconds'),
  at: z.string().min(1),
  direction: z.enum(['sent', 'received']),
  peer: z.string().min(1),
  message: ControlMessage,
});

export type ParsedControlLog =
  | { readonly ok: true; readonly entries: readonly ControlLogEntry[] }
  /** `line N: why`. */
  | { readonly ok: false; readonly error: string };

/** Reads a whole log; total. Empty lines are not allowed except at the end, so that an entry's index + 1 is its line. */
export function parseControlLog(text: string): ParsedControlLog {
  const entries: ControlLogEntry[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return { ok: false, error: `line ${index + 1}: not JSON` };
    }
    const parsed = ControlLogLine.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return { ok: false, error: `line ${index + 1}: ${issue?.path.join('.') || 'entry'}: ${issue?.message}` };
    }
    entries.push(parsed.data);
  }
  return { ok: true, entries };
}
