/** What `prism trace check` writes with --json (`prism-trace-1`). */
import { z } from 'zod';

const count = z.int().min(0);

export const TraceResult = z.strictObject({
  /** The event trace, or the captures, that it is of. */
  files: z.array(z.string()).min(1),
  kind: z.enum(['events', 'capture']),
  /** `address:port` of the client, `#2` and so on for later connections of that port. */
  connection: z.string(),
  verdict: z.enum(['accepted', 'rejected']),
  /** Events or frames that match; of an accepted trace all of them. */
  matched: count,
  observed: count,
  /** Where it leaves the specification. */
  departure: z
    .strictObject({
      /** Line of the event trace or frame of the capture, from 1. */
      number: count,
      /** What was observed there. */
      observed: z.string(),
      /** The last matching state. */
      state: z.array(z.string()),
      /** What the specification would have allowed there. */
      allowed: z.array(z.string()),
    })
    .nullable(),
  notes: z.array(z.string()),
});
export type TraceResult = z.infer<typeof TraceResult>;

export const TraceDocument = z.strictObject({
  schema: z.literal('prism-trace/1'),
  tool: z.literal('prism-conformance'),
  version: z.string(),
  command: z.string(),
  startedAt: z.iso.datetime(),
  durationMs: count,
  /** Version of TLC. */
  tlc: z.string(),
  summary: z.strictObject({ accepted: count, rejected: count }),
  traces: z.array(TraceResult),
  /** What of the input was not looked at, and why. */
  leftOut: z.array(z.string()),
});
export type TraceDocument = z.infer<typeof TraceDocument>;
