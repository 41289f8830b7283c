/**
 * The control protocol between controller, switch and backends: one JSON object a line (NDJSON) over a reliable byte stream.
 *
 * Every request carries an `id` that the sender never uses again for another request; its answer is `ok` or `refused` with that id in `re`.
 * A request is repeated with the same id until it is answered, and every operation says the state it wants, so that a repetition is answered
 * like the first and changes nothing more.
 *
 * Directions: controller -> switch `add`, `remove`, `list`, `stats`; controller -> backend `handoff`; backend -> controller `complete`, `failed`.
 */
import { z } from 'zod';

const u32 = z.int().min(0).max(0xffffffff);
const u16 = z.int().min(0).max(0xffff);
const port = z.int().min(1).max(65535);
const ipv4 = z.ipv4();
const mac = z
  .string()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'a MAC address is six lower-case hex pairs joined by colons');
const id = z.string().min(1).max(128);
const name = z.string().min(1).max(64);

/** The client's connection to the logical address. `logical` keeps the address and port the client sees. */
export const FourTuple = z.strictObject({
  client: z.strictObject({ ip: ipv4, port }),
  logical: z.strictObject({ ip: ipv4, port }),
});
export type FourTuple = z.infer<typeof FourTuple>;

/** One rule covers both directions of one handed-off connection (SoCC'17 §2.3). */
export const Rule = z.strictObject({
  conn: FourTuple,
  backend: z.strictObject({ name, ip: ipv4, mac }),
  /** Zero the receive window in segments from the backend to the client (a read is handed off). */
  zeroWindow: z.boolean(),
  /** Clear FIN in segments from the client to the backend. */
  clearFin: z.boolean(),
});
export type Rule = z.infer<typeof Rule>;

const Timestamps = z.strictObject({
  /** The lowest TSval the next owner may send (RFC 7323). */
  value: u32,
  /** TS.Recent: the client TSval to echo. */
  recent: u32,
});

/** Everything a new owner needs to continue the byte stream (HOF-3). Windows are in bytes, already scaled. */
export const ConnectionSnapshot = z.strictObject({
  /** Next sequence number to send to the client; everything before it has been acknowledged. */
  seq: u32,
  /** Next sequence number expected from the client. */
  ack: u32,
  /** The client's receive window. */
  clientWindow: z.int().min(0).max(0x40000000),
  /** Largest segment the client takes (its MSS option, 536 without one; RFC 9293 §3.7.1). */
  clientMss: u16,
  /** The MSS option that was sent to the client. */
  ownMss: u16,
  /** Window scale shifts of both directions, or null when not negotiated. */
  windowScale: z.strictObject({ client: z.int().min(0).max(14), own: z.int().min(0).max(14) }).nullable(),
  sackPermitted: z.boolean(),
  timestamps: Timestamps.nullable(),
});
export type ConnectionSnapshot = z.infer<typeof ConnectionSnapshot>;

export const RequestDescription = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'PUT', 'POST']),
  target: z.string().min(1),
  /** Every byte of the request header, base64. */
  header: z.base64(),
  /** How the request's payload ends: a count of bytes, or chunked (RFC 9112 §6). */
  payload: z.union([
    z.strictObject({ kind: z.literal('length'), bytes: z.int().min(0) }),
    z.strictObject({ kind: z.literal('chunked') }),
  ]),
  expectContinue: z.boolean(),
  keepAlive: z.boolean(),
  /** HTTP minor version of the request, for the response's shape. */
  minorVersion: z.union([z.literal(0), z.literal(1)]),
});
export type RequestDescription = z.infer<typeof RequestDescription>;

export const AddRule = z.strictObject({ verb: z.literal('add'), id, rule: Rule });
export const RemoveRule = z.strictObject({ verb: z.literal('remove'), id, conn: FourTuple });
export const ListRules = z.strictObject({ verb: z.literal('list'), id });
export const SwitchStats = z.strictObject({ verb: z.literal('stats'), id });

/** `handoff` numbers the hand-offs of one controller, so that late messages of an earlier one are recognised. */
export const Handoff = z.strictObject({
  verb: z.literal('handoff'),
  id,
  handoff: z.int().min(1),
  conn: FourTuple,
  snapshot: ConnectionSnapshot,
  request: RequestDescription,
  /** How long the backend may keep the connection, in ms; then it gives it up by itself. Absent: for as long as it likes. */
  leaseMs: z.int().min(1).optional(),
});
export type Handoff = z.infer<typeof Handoff>;

export const Complete = z.strictObject({
  verb: z.literal('complete'),
  id,
  handoff: z.int().min(1),
  conn: FourTuple,
  snapshot: ConnectionSnapshot,
  /** Whether the connection may carry another request. */
  keepAlive: z.boolean(),
});
export type Complete = z.infer<typeof Complete>;

export const Failed = z.strictObject({
  verb: z.literal('failed'),
  id,
  handoff: z.int().min(1),
  conn: FourTuple,
  /**
   * `client-reset`: the client sent an acceptable RST; nothing of the connection is left. `lease-expired`: it took longer than the hand-off allowed.
   * `controller-lost`: the control connection broke meanwhile.
   */
  reason: z.enum(['client-reset', 'client-timeout', 'cannot-serve', 'conflict', 'lease-expired', 'controller-lost']),
  /** Where the connection stood, when the backend had taken it over. */
  snapshot: ConnectionSnapshot.nullable(),
});
export type Failed = z.infer<typeof Failed>;

export const Ok = z.strictObject({
  verb: z.literal('ok'),
  re: id,
  /** The answer to `list`. */
  rules: z.array(Rule).optional(),
  /** The answer to `stats`. */
  stats: z
    .strictObject({
      rules: z.int(),
      capacity: z.int(),
      frames: z.int(),
      rewritten: z.int(),
      routed: z.int(),
      dropped: z.int(),
    })
    .optional(),
});
export type Ok = z.infer<typeof Ok>;

export const Refused = z.strictObject({
  verb: z.literal('refused'),
  re: id,
  code: z.enum(['conflict', 'full', 'unknown-connection', 'stale', 'unsupported', 'busy']),
  reason: z.string(),
});
export type Refused = z.infer<typeof Refused>;

export const ControlMessage = z.discriminatedUnion('verb', [
  AddRule,
  RemoveRule,
  ListRules,
  SwitchStats,
  Handoff,
  Complete,
  Failed,
  Ok,
  Refused,
]);
export type ControlMessage = z.infer<typeof ControlMessage>;

/** The client (`address:port`) whose connection a message is about; null where it names none. */
export function clientOf(message: ControlMessage): string | null {
  switch (message.verb) {
    case 'add':
      return `${message.rule.conn.client.ip}:${message.rule.conn.client.port}`;
    case 'remove':
    case 'handoff':
    case 'complete':
    case 'failed':
      return `${message.conn.client.ip}:${message.conn.client.port}`;
    case 'list':
    case 'stats':
    case 'ok':
    case 'refused':
      return null;
  }
}

/** Longest line that is read as a message, in bytes: a 64 KiB header in base64 and room to spare. */
export const MAX_CONTROL_LINE = 256 * 1024;

export type DecodedControl = { ok: true; message: ControlMessage } | { ok: false; error: string };

/** Reads one line; total: any text gives a message or one line that says what is wrong with it. */
export function decodeControlLine(line: string): DecodedControl {
  if (isTooLong(line)) return { ok: false, error: `line longer than ${MAX_CONTROL_LINE} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, error: 'not JSON' };
  }
  const parsed = ControlMessage.safeParse(value);
  if (parsed.success) return { ok: true, message: parsed.data };
  const issue = parsed.error.issues[0];
  return {
    ok: false,
    error: issue ? `${issue.path.join('.') || 'message'}: ${issue.message}` : 'not a control message',
  };
}

/** Whether a line, without its newline, has more bytes of UTF-8 than a receiver has to take. */
export function isTooLong(line: string): boolean {
  // No UTF-16 code unit takes more than three bytes: most lines need no look.
  if (line.length > MAX_CONTROL_LINE) return true;
  return 3 * line.length > MAX_CONTROL_LINE && new TextEncoder().encode(line).length > MAX_CONTROL_LINE;
}

/** One line, with its newline. */
export function encodeControlLine(message: ControlMessage): string {
  return `${JSON.stringify(message)}\n`;
}
