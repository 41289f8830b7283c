/** Faults in meeting segments that TCP should not take at their word: of connections not owned, forged, fragmented. */
import type { RoleOutput } from '../../reference-impl/core/core.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { type Breaker, breaker } from './breaker.js';
import { edited, type Fields, fieldsOf, has, withIpWord } from './edit.js';
import { destinationOf, sourceOf } from './host-faults.js';

/** Widest window that a forged number may lie in. */
const WINDOW = 0x10000;

/** Acknowledges segments of connections that it does not own, as a socket in repair mode does. */
export function acknowledgesUnowned(): Breaker {
  return breaker(null, (memory, input, inner) => {
    const outputs = inner(input);
    const came = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    const unowned = outputs.some((out) => out.kind === 'event' && out.event.action === 'IgnoreSegment');
    if (input.kind !== 'frame' || came === undefined || !unowned || has(came, 'RST') || came.payload.length === 0)
      return { memory, outputs };
    const bytes = edited(input.bytes, () => ({
      ...backwards(came),
      seq: came.ack,
      ack: seqAdd(came.seq, came.payload.length),
      flags: TcpFlag.ACK,
      payload: new Uint8Array(0),
    }));
    return { memory, outputs: [...outputs, { kind: 'frame', port: input.port, bytes } satisfies RoleOutput] };
  });
}

/** Believes a segment that `forged` points out if its number lies anywhere in the window: `taken` says for what. */
export function believesInWindow(
  forged: (came: Fields) => boolean,
  taken: (came: Fields, expected: number) => Partial<Fields>,
): Breaker {
  /** The number that each client is expected to go on with. */
  const none: ReadonlyMap<string, number> = new Map();
  return breaker(none, (before, input, inner) => {
    const came = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    const expected = came && before.get(sourceOf(came));
    const ahead = came === undefined || expected === undefined ? -1 : seqDiff(came.seq, expected);
    const believed = came !== undefined && expected !== undefined && forged(came) && ahead > -WINDOW && ahead < WINDOW;
    const given =
      input.kind === 'frame' && believed
        ? { ...input, bytes: edited(input.bytes, () => taken(came, expected)) }
        : input;
    const outputs = inner(given);
    let memory = before;
    for (const out of outputs) {
      const sent = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      if (sent !== undefined && has(sent, 'ACK')) memory = new Map(memory).set(destinationOf(sent), sent.ack);
    }
    return { memory, outputs };
  });
}

const FRAGMENT_WORD = 6;
const DONT_FRAGMENT = 0x4000;

/** Looks at the ports of a first fragment as if it were a whole packet, so that a rule takes half of what it matches. */
export function matchesFirstFragments(): Breaker {
  return breaker(null, (memory, input, inner) => {
    const parsed = input.kind === 'frame' ? parseFrame(input.bytes) : undefined;
    const ipv4 = parsed?.ok ? parsed.value.ipv4 : undefined;
    if (input.kind !== 'frame' || ipv4 === undefined || !ipv4.isFragment || ipv4.fragmentOffset !== 0)
      return { memory, outputs: inner(input) };
    let word = 0;
    const whole = withIpWord(input.bytes, FRAGMENT_WORD, (before) => {
      word = before;
      return DONT_FRAGMENT;
    });
    const outputs = inner({ ...input, bytes: whole }).map((out) =>
      out.kind === 'frame' ? { ...out, bytes: withIpWord(out.bytes, FRAGMENT_WORD, () => word) } : out,
    );
    return { memory, outputs };
  });
}

/** Answers a SYN of anybody who addresses it, as a server that listens. */
export function listens(): Breaker {
  return breaker(null, (memory, input, inner) => {
    const came = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    const outputs = inner(input);
    const unowned = outputs.some((out) => out.kind === 'event' && out.event.action === 'IgnoreSegment');
    if (input.kind !== 'frame' || came === undefined || !unowned || !has(came, 'SYN')) return { memory, outputs };
    const bytes = edited(input.bytes, () => ({
      ...backwards(came),
      seq: 1,
      ack: seqAdd(came.seq, 1),
      flags: TcpFlag.SYN | TcpFlag.ACK,
    }));
    return { memory, outputs: [...outputs, { kind: 'frame', port: input.port, bytes } satisfies RoleOutput] };
  });
}

/** The addresses of an answer. */
function backwards(came: Fields): Partial<Fields> {
  return {
    srcMac: came.dstMac,
    dstMac: came.srcMac,
    src: came.dst,
    dst: came.src,
    srcPort: came.dstPort,
    dstPort: came.srcPort,
    ttl: 64,
  };
}
