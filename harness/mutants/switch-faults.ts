/** Faults of a switch's data path and rule table, in the words of its catalogue of mutants. */
import type { ControlMessage, Rule } from '../../reference-impl/control/messages.js';
import { formatIpv4Address, parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { copyFrame, parseFrame } from '../../reference-impl/wire/frame.js';
import { setEthernetAddresses, setIpv4Destination } from '../../reference-impl/wire/patch.js';
import { type Breaker, breaker, framesOut, remembering } from './breaker.js';
import { edited, type Fields, fieldsOf, tcpOffset, withWord } from './edit.js';

/** What the switch did with a segment, seen by its addresses before and after. */
export type Passage = 'to-backend' | 'to-client' | 'routed';

export function passageOf(before: Uint8Array, after: Uint8Array): Passage | undefined {
  const from = fieldsOf(before);
  const to = fieldsOf(after);
  if (from === undefined || to === undefined) return undefined;
  if (from.dst !== to.dst) return 'to-backend';
  return from.src !== to.src ? 'to-client' : 'routed';
}

/** Changes the frames of one kind on their way out; `came` is the frame as it came in. Null drops it. */
export function onPassage(
  passages: readonly Passage[],
  change: (bytes: Uint8Array, came: Uint8Array) => Uint8Array | null,
): Breaker {
  return framesOut((out, input) => {
    if (input.kind !== 'frame') return [out];
    const passage = passageOf(input.bytes, out.bytes);
    if (passage === undefined || !passages.includes(passage)) return [out];
    const bytes = change(out.bytes, input.bytes);
    return bytes === null ? [] : [{ ...out, bytes }];
  });
}

/** Other fields, with valid checksums, in the frames of one kind. */
export function onFields(
  passages: readonly Passage[],
  change: (fields: Fields, came: Fields) => Partial<Fields> | undefined,
): Breaker {
  return onPassage(passages, (bytes, cameBytes) => {
    const came = fieldsOf(cameBytes);
    return came === undefined ? bytes : edited(bytes, (fields) => change(fields, came));
  });
}

/** Puts the frame's word at `at` of the TCP header back to what it was when it came. */
export function staleTcpWord(bytes: Uint8Array, came: Uint8Array, at: number): Uint8Array {
  const offset = tcpOffset(came);
  return offset === undefined
    ? bytes
    : withWord(bytes, offset + at, new DataView(came.buffer, came.byteOffset).getUint16(offset + at));
}

/** `address:port` of a segment's client, whichever way it goes. */
const keyOf = (ip: number, port: number): string => `${formatIpv4Address(ip)}:${port}`;
const clientKey = (rule: Rule): string => `${rule.conn.client.ip}:${rule.conn.client.port}`;

/** The rules that the switch has confirmed, by client. */
export type Rules = ReadonlyMap<string, Rule>;

export const NO_RULES: Rules = new Map();

/** What a rule request changes in `rules`, taking for granted that it is granted. */
export function follow(rules: Rules, message: ControlMessage): Rules {
  if (message.verb === 'add') return new Map(rules).set(clientKey(message.rule), message.rule);
  if (message.verb !== 'remove') return rules;
  const left = new Map(rules);
  left.delete(`${message.conn.client.ip}:${message.conn.client.port}`);
  return left;
}

/** Loses a connection's rule once it has rewritten `count` of its segments in either direction. */
export function losesRuleAfter(count: number): Breaker {
  const none: ReadonlyMap<string, { readonly rule: Rule; readonly peer: string; readonly frames: number }> = new Map();
  return breaker(none, (before, input, inner) => {
    let memory = before;
    if (input.kind === 'control' && input.message.verb === 'add')
      memory = new Map(before).set(clientKey(input.message.rule), {
        rule: input.message.rule,
        peer: input.peer,
        frames: 0,
      });
    const outputs = [...inner(input)];
    if (input.kind !== 'frame') return { memory, outputs };
    for (const out of outputs) {
      if (out.kind !== 'frame' || !['to-backend', 'to-client'].includes(passageOf(input.bytes, out.bytes) ?? ''))
        continue;
      const fields = fieldsOf(input.bytes);
      if (fields === undefined) continue;
      const key = memory.has(keyOf(fields.src, fields.srcPort))
        ? keyOf(fields.src, fields.srcPort)
        : keyOf(fields.dst, fields.dstPort);
      const entry = memory.get(key);
      if (entry === undefined) continue;
      memory = new Map(memory).set(key, { ...entry, frames: entry.frames + 1 });
      if (entry.frames + 1 === count)
        inner({
          kind: 'control',
          peer: entry.peer,
          message: { verb: 'remove', id: `lost/${key}`, conn: entry.rule.conn },
        });
    }
    return { memory, outputs };
  });
}

/**
 * Rules match more than their own connection: `same` says which of a client's segments a rule takes for its own. Such a segment goes
 * through with the numbers of the rule's connection, and leaves with its own.
 */
export function matchesMore(same: (fields: Fields, rule: Rule) => boolean): Breaker {
  return breaker(NO_RULES, (before, input, inner) => {
    const memory = input.kind === 'control' ? follow(before, input.message) : before;
    if (input.kind !== 'frame') return { memory, outputs: inner(input) };
    const fields = fieldsOf(input.bytes);
    const known = fields && memory.get(keyOf(fields.src, fields.srcPort));
    const own =
      known && fields.dstPort === known.conn.logical.port && fields.dst === parseIpv4Address(known.conn.logical.ip);
    const rule = fields && !own ? [...memory.values()].find((candidate) => same(fields, candidate)) : undefined;
    const src = rule && parseIpv4Address(rule.conn.client.ip);
    const dst = rule && parseIpv4Address(rule.conn.logical.ip);
    if (fields === undefined || rule === undefined || src === undefined || dst === undefined)
      return { memory, outputs: inner(input) };
    const taken = edited(input.bytes, () => ({
      src,
      srcPort: rule.conn.client.port,
      dst,
      dstPort: rule.conn.logical.port,
    }));
    const outputs = inner({ ...input, bytes: taken }).map((out) =>
      out.kind === 'frame'
        ? {
            ...out,
            bytes: edited(out.bytes, () => ({ src: fields.src, srcPort: fields.srcPort, dstPort: fields.dstPort })),
          }
        : out,
    );
    return { memory, outputs };
  });
}

/** Confirms a request of that verb without obeying it. */
export function confirmsOnly(verb: 'add' | 'remove', which: (count: number) => boolean): Breaker {
  return breaker(0, (count, input, inner) => {
    if (input.kind !== 'control' || input.message.verb !== verb) return { memory: count, outputs: inner(input) };
    if (!which(count + 1)) return { memory: count + 1, outputs: inner(input) };
    return {
      memory: count + 1,
      outputs: [{ kind: 'control', peer: input.peer, message: { verb: 'ok', re: input.message.id } }],
    };
  });
}

/** Confirms `add` at once; the rule is in force `after` microseconds later. */
export function confirmsBeforeInstalling(after: number): Breaker {
  const KEY = 'install';
  interface Pending {
    readonly at: number;
    readonly peer: string;
    readonly message: ControlMessage;
  }
  const none: readonly Pending[] = [];
  return breaker(none, (waiting, input, inner, now) => {
    if (input.kind === 'control' && input.message.verb === 'add') {
      const pending = [...waiting, { at: now + after, peer: input.peer, message: input.message }];
      return {
        memory: pending,
        outputs: [
          { kind: 'control', peer: input.peer, message: { verb: 'ok', re: input.message.id } },
          { kind: 'timer', key: KEY, at: pending[0]?.at ?? null },
        ],
      };
    }
    if (input.kind !== 'timer' || input.key !== KEY) return { memory: waiting, outputs: inner(input) };
    const left = waiting.filter(({ at }) => at > now);
    const outputs = waiting
      .filter(({ at }) => at <= now)
      .flatMap(({ peer, message }) => inner({ kind: 'control', peer, message }))
      .filter((out) => out.kind !== 'control');
    return { memory: left, outputs: [...outputs, { kind: 'timer', key: KEY, at: left[0]?.at ?? null }] };
  });
}

/** Only the first segment of each rule in that direction is changed as it should be; `back` undoes it in the others. */
export function firstOnly(passage: Passage, back: (fields: Fields, came: Fields) => Partial<Fields>): Breaker {
  const none: ReadonlySet<string> = new Set();
  return remembering(
    none,
    (seen, input) => {
      if (input.kind !== 'control' || input.message.verb !== 'add') return seen;
      const left = new Set(seen);
      left.delete(clientKey(input.message.rule));
      return left;
    },
    (seen, out, input) => {
      if (out.kind !== 'frame' || input.kind !== 'frame' || passageOf(input.bytes, out.bytes) !== passage)
        return [seen, [out]];
      const came = fieldsOf(input.bytes);
      if (came === undefined) return [seen, [out]];
      const key = passage === 'to-client' ? keyOf(came.dst, came.dstPort) : keyOf(came.src, came.srcPort);
      if (!seen.has(key)) return [new Set(seen).add(key), [out]];
      return [seen, [{ ...out, bytes: edited(out.bytes, (fields) => back(fields, came)) }]];
    },
  );
}

/** Rules match nothing that comes in by that port: its frames are routed as if there were none. */
export function unmatchedFrom(port: string): Breaker {
  return breaker(NO_RULES, (before, input, inner) => {
    const memory = input.kind === 'control' ? follow(before, input.message) : before;
    const fields = input.kind === 'frame' && input.port === port ? fieldsOf(input.bytes) : undefined;
    if (input.kind !== 'frame' || fields === undefined || !memory.has(keyOf(fields.src, fields.srcPort)))
      return { memory, outputs: inner(input) };
    // A port that no rule names; the default table looks at addresses alone.
    const hidden = edited(input.bytes, () => ({ srcPort: 0 }));
    const outputs = inner({ ...input, bytes: hidden }).map((out) =>
      out.kind === 'frame' ? { ...out, bytes: edited(out.bytes, () => ({ srcPort: fields.srcPort })) } : out,
    );
    return { memory, outputs };
  });
}

/** Gives what backends send the port of the client whose rule was installed last. */
export function lastClientWins(): Breaker {
  const none: Rule | null = null;
  return breaker<Rule | null>(none, (before, input, inner) => {
    const latest = input.kind === 'control' && input.message.verb === 'add' ? input.message.rule : before;
    const outputs = inner(input).map((out) =>
      out.kind === 'frame' &&
      input.kind === 'frame' &&
      latest !== null &&
      passageOf(input.bytes, out.bytes) === 'to-client'
        ? { ...out, bytes: edited(out.bytes, () => ({ dstPort: latest.conn.client.port })) }
        : out,
    );
    return { memory: latest, outputs };
  });
}

/** Takes a UDP datagram to a port of a rule for a segment of it. */
export function takesUdpForTcp(): Breaker {
  return breaker(NO_RULES, (before, input, inner) => {
    const memory = input.kind === 'control' ? follow(before, input.message) : before;
    const parsed = input.kind === 'frame' ? parseFrame(input.bytes) : undefined;
    const { ipv4, udp } = parsed?.ok ? parsed.value : {};
    const rule = ipv4 && udp && memory.get(keyOf(ipv4.src, udp.srcPort));
    const ip = rule && parseIpv4Address(rule.backend.ip);
    const mac = rule && parseMacAddress(rule.backend.mac);
    if (!parsed?.ok || rule === undefined || ip === undefined || mac === undefined)
      return { memory, outputs: inner(input) };
    const copy = copyFrame(parsed.value);
    setIpv4Destination(copy, ip);
    setEthernetAddresses(copy, { dst: mac });
    return { memory, outputs: [{ kind: 'frame', port: rule.backend.name, bytes: copy.bytes }] };
  });
}

/** Believes a segment about where it comes from: with a backend's address it passes for that backend's, whatever port it came in by. */
export function believesSourceAddress(): Breaker {
  return breaker(NO_RULES, (before, input, inner) => {
    const memory = input.kind === 'control' ? follow(before, input.message) : before;
    const fields = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    const rule = fields && memory.get(keyOf(fields.dst, fields.dstPort));
    const forged = rule && formatIpv4Address(fields.src) === rule.backend.ip;
    return {
      memory,
      outputs: inner(input.kind === 'frame' && forged ? { ...input, port: rule.backend.name } : input),
    };
  });
}
