/** Faults of roles that speak TCP, in the words of the catalogues of broken controllers and backends. */
import { type ControlMessage, clientOf } from '../../reference-impl/control/messages.js';
import type { Micros, RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { seqAdd, seqDiff, seqGt } from '../../reference-impl/wire/seq.js';
import { type Breaker, breaker, type ControlOutput, type FrameOutput, framesIn, framesOut } from './breaker.js';
import { edited, type Fields, fieldsOf } from './edit.js';

/** `address:port` of the client that a segment comes from. */
export const sourceOf = ({ src, srcPort }: Fields): string => `${formatIpv4Address(src)}:${srcPort}`;
/** `address:port` of the client that a segment goes to. */
export const destinationOf = ({ dst, dstPort }: Fields): string => `${formatIpv4Address(dst)}:${dstPort}`;

/** Other fields, with valid checksums, in the segments that go out. */
export function segmentsOut(change: (fields: Fields) => Partial<Fields> | null | undefined): Breaker {
  return framesOut((out) => {
    const fields = fieldsOf(out.bytes);
    const wanted = fields && change(fields);
    if (wanted === null) return [];
    return [wanted === undefined ? out : { ...out, bytes: edited(out.bytes, () => wanted) }];
  });
}

/** Other fields in the segments that come in; null ignores the segment. */
export function segmentsIn(change: (fields: Fields) => Partial<Fields> | null | undefined): Breaker {
  return framesIn((bytes) => {
    const fields = fieldsOf(bytes);
    const wanted = fields && change(fields);
    if (wanted === null) return [];
    return [wanted === undefined ? bytes : edited(bytes, () => wanted)];
  });
}

export function isMessage<V extends ControlMessage['verb']>(
  out: RoleOutput,
  verb: V,
): out is ControlOutput & { readonly message: Extract<ControlMessage, { verb: V }> } {
  return out.kind === 'control' && out.message.verb === verb;
}

/** What one step put out, where it put out a message of that verb. */
export function inStepWith<V extends ControlMessage['verb']>(
  verb: V,
  alter: (
    outputs: readonly RoleOutput[],
    message: Extract<ControlMessage, { verb: V }>,
    input: RoleInput,
  ) => readonly RoleOutput[],
): Breaker {
  return breaker(null, (memory, input, inner) => {
    const outputs = inner(input);
    const found = outputs.find((out) => isMessage(out, verb));
    return {
      memory,
      outputs: found !== undefined && isMessage(found, verb) ? alter(outputs, found.message, input) : outputs,
    };
  });
}

/** Changes the frames that leave in one step together with a message of that verb. */
export function framesBeside<V extends ControlMessage['verb']>(
  verb: V,
  change: (
    fields: Fields,
    message: Extract<ControlMessage, { verb: V }>,
    input: RoleInput,
  ) => Partial<Fields> | undefined,
): Breaker {
  return inStepWith(verb, (outputs, message, input) =>
    outputs.map((out) =>
      out.kind === 'frame' ? { ...out, bytes: edited(out.bytes, (fields) => change(fields, message, input)) } : out,
    ),
  );
}

/** The timer of frames that are sent late. */
const LATE_FRAMES = 'late frames';

type Frames = ReadonlyMap<string, FrameOutput>;
const NO_FRAMES: Frames = new Map();

/** Notes the last frame that went to each client. */
function noteFrames(memory: Frames, outputs: readonly RoleOutput[]): Frames {
  let noted = memory;
  for (const out of outputs) {
    const fields = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
    if (out.kind === 'frame' && fields !== undefined) noted = new Map(noted).set(destinationOf(fields), out);
  }
  return noted;
}

/**
 * In the step that sends a message of that verb, or `after` microseconds later, sends more: `more` makes it of the last frame that went to that
 * message's client. The message itself can be changed too.
 */
export function sendsBeside<V extends 'handoff' | 'complete' | 'failed'>(
  verb: V,
  more: (last: Fields) => Partial<Fields> | undefined,
  {
    after = 0,
    message = (same) => same,
  }: {
    readonly after?: Micros;
    readonly message?: (message: Extract<ControlMessage, { verb: V }>) => Extract<ControlMessage, { verb: V }>;
  } = {},
): Breaker {
  interface Memory {
    readonly last: Frames;
    readonly waiting: readonly { readonly at: Micros; readonly frame: FrameOutput }[];
  }
  const begin: Memory = { last: NO_FRAMES, waiting: [] };
  return breaker(begin, (before, input, inner, now) => {
    if (input.kind === 'timer' && input.key === LATE_FRAMES) {
      const due = before.waiting.filter(({ at }) => at <= now).map(({ frame }) => frame);
      const waiting = before.waiting.filter(({ at }) => at > now);
      return {
        memory: { ...before, waiting },
        outputs: [...due, { kind: 'timer', key: LATE_FRAMES, at: waiting[0]?.at ?? null }],
      };
    }
    const outputs = inner(input);
    const last = noteFrames(before.last, outputs);
    let { waiting } = before;
    const altered = outputs.flatMap((out): readonly RoleOutput[] => {
      if (!isMessage(out, verb)) return [out];
      const said = { ...out, message: message(out.message) };
      const latest = last.get(clientOf(out.message) ?? '');
      const fields = latest && fieldsOf(latest.bytes);
      const wanted = fields && more(fields);
      if (latest === undefined || wanted === undefined) return [said];
      const frame = { ...latest, bytes: edited(latest.bytes, () => wanted) };
      if (after === 0) return [said, frame];
      waiting = [...waiting, { at: now + after, frame }];
      return [said, { kind: 'timer', key: LATE_FRAMES, at: waiting[0]?.at ?? null }];
    });
    return { memory: { last, waiting }, outputs: altered };
  });
}

/** Of each connection, the highest number sent. */
type Highest = ReadonlyMap<string, number>;
const NOTHING_SENT: Highest = new Map();

/** Changes segments with payload by whether their bytes were sent before; null drops one. */
export function byRepetition(
  change: (fields: Fields, repeated: boolean) => Partial<Fields> | null | undefined,
): Breaker {
  return breaker(NOTHING_SENT, (before, input, inner) => {
    let memory = before;
    const outputs = inner(input).flatMap((out): readonly RoleOutput[] => {
      const fields = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      if (out.kind !== 'frame' || fields === undefined || fields.payload.length === 0) return [out];
      const key = destinationOf(fields);
      const end = seqAdd(fields.seq, fields.payload.length);
      const highest = memory.get(key);
      // Far behind is another connection of the same port.
      const repeated = highest !== undefined && !seqGt(end, highest) && seqDiff(highest, end) < 0x1000000;
      if (!repeated) memory = new Map(memory).set(key, end);
      const wanted = change(fields, repeated);
      if (wanted === null) return [];
      return [wanted === undefined ? out : { ...out, bytes: edited(out.bytes, () => wanted) }];
    });
    return { memory, outputs };
  });
}
