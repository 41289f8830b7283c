/** Faults that only a controller can have: in reading requests and in handing them off. */
import { type ConnectionSnapshot, clientOf } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import { type Breaker, breaker, messagesOut } from './breaker.js';
import { edited, fieldsOf, has } from './edit.js';
import { destinationOf, isMessage, segmentsIn, sourceOf } from './host-faults.js';

/** Replaces text in what clients send, by text of the same length. */
export function misreads(pattern: RegExp, replacement: string): Breaker {
  return segmentsIn(({ payload }) => {
    const text = Buffer.from(payload).toString('latin1');
    const misread = text.replace(pattern, replacement);
    return misread === text || misread.length !== text.length
      ? undefined
      : { payload: Uint8Array.from(Buffer.from(misread, 'latin1')) };
  });
}

const FIRST_LINE = /^(GET|HEAD) \S+ HTTP\/1\.1\r\n/;
const END_OF_HEADER = '\r\n\r\n';

/** Takes a request for whole as soon as its first line is there, and leaves the rest to the backend. */
export function handsOffAtFirstLine(): Breaker {
  /** How many bytes more the core believes to have than the client has sent, by client, while the hand-off lasts. */
  const none: ReadonlyMap<string, number> = new Map();
  return breaker(none, (before, input, inner) => {
    let memory = before;
    let given: RoleInput = input;
    const fields = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    if (input.kind === 'frame' && fields !== undefined) {
      const text = Buffer.from(fields.payload).toString('latin1');
      const [line] = FIRST_LINE.exec(text) ?? [];
      if (line !== undefined && !text.includes(END_OF_HEADER)) {
        const whole = Buffer.from(`${line}Host: p${END_OF_HEADER}`, 'latin1');
        given = { ...input, bytes: edited(input.bytes, () => ({ payload: Uint8Array.from(whole) })) };
        memory = new Map(memory).set(sourceOf(fields), whole.length - fields.payload.length);
      }
    }
    if (input.kind === 'control' && input.message.verb === 'complete') {
      const { ip, port } = input.message.conn.client;
      const left = new Map(memory);
      left.delete(`${ip}:${port}`);
      memory = left;
    }
    const outputs = inner(given).map((out): RoleOutput => {
      if (out.kind === 'frame') {
        const sent = fieldsOf(out.bytes);
        const beyond = sent && memory.get(destinationOf(sent));
        return beyond === undefined
          ? out
          : { ...out, bytes: edited(out.bytes, ({ ack }) => ({ ack: seqAdd(ack, -beyond) })) };
      }
      if (!isMessage(out, 'handoff')) return out;
      const { client } = out.message.conn;
      const beyond = memory.get(`${client.ip}:${client.port}`) ?? 0;
      const { snapshot } = out.message;
      return { ...out, message: { ...out.message, snapshot: { ...snapshot, ack: seqAdd(snapshot.ack, -beyond) } } };
    });
    return { memory, outputs };
  });
}

/** Tells the backend that payload which came behind the header has been taken already, and it has not. */
export function losesEarlyPayload(): Breaker {
  const none: ReadonlyMap<string, number> = new Map();
  return breaker(none, (before, input, inner) => {
    let memory = before;
    const outputs = inner(input);
    const sent = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    for (const out of outputs) {
      const answer = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      if (sent === undefined || answer === undefined || !outputs.some((other) => isMessage(other, 'add'))) continue;
      const behind = seqDiff(seqAdd(sent.seq, sent.payload.length), answer.ack);
      if (behind > 0) memory = new Map(memory).set(sourceOf(sent), behind);
    }
    return {
      memory,
      outputs: outputs.map((out) => {
        if (!isMessage(out, 'handoff') || out.message.request.payload.kind !== 'length') return out;
        const { conn, snapshot, request } = out.message;
        const early = Math.min(
          memory.get(`${conn.client.ip}:${conn.client.port}`) ?? 0,
          out.message.request.payload.bytes,
        );
        return {
          ...out,
          message: {
            ...out.message,
            snapshot: { ...snapshot, ack: seqAdd(snapshot.ack, early) },
            request: {
              ...request,
              payload: { kind: 'length', bytes: out.message.request.payload.bytes - early },
            },
          },
        };
      }),
    };
  });
}

/** Refuses by itself, in the switch's stead, to install a rule to another backend than the connection had before. */
export function sticksToBackend(): Breaker {
  const none: ReadonlyMap<string, string> = new Map();
  return breaker(none, (before, input, inner) => {
    let memory = before;
    const outputs = inner(input).flatMap((out): readonly RoleOutput[] => {
      if (!isMessage(out, 'add')) return [out];
      const { id, rule } = out.message;
      const key = `${rule.conn.client.ip}:${rule.conn.client.port}`;
      const known = memory.get(key);
      memory = new Map(memory).set(key, known ?? rule.backend.name);
      if (known === undefined || known === rule.backend.name) return [out];
      const message = { verb: 'refused', re: id, code: 'conflict', reason: 'another backend' } as const;
      return inner({ kind: 'control', peer: out.peer, message });
    });
    return { memory, outputs };
  });
}

/** Answers its own requests of that verb as if the peer had confirmed them, and sends nothing. */
export function pretends(verb: 'remove' | 'add', when: (conn: string) => boolean = () => true): Breaker {
  return breaker(null, (memory, input, inner) => {
    const settle = (outputs: readonly RoleOutput[]): readonly RoleOutput[] =>
      outputs.flatMap((out) => {
        if (out.kind !== 'control' || out.message.verb !== verb) return [out];
        const { client } = out.message.verb === 'add' ? out.message.rule.conn : out.message.conn;
        if (!when(`${client.ip}:${client.port}`)) return [out];
        return settle(inner({ kind: 'control', peer: out.peer, message: { verb: 'ok', re: out.message.id } }));
      });
    return { memory, outputs: settle(inner(input)) };
  });
}

/** A retransmitted SYN gets a number of its own, and the connection goes on with the last one that was given. */
export function renumbersRepeatedSynAck(step: number): Breaker {
  interface Numbered {
    readonly synAcks: number;
    readonly shift: number;
  }
  const none: ReadonlyMap<string, Numbered> = new Map();
  return breaker(none, (before, input, inner) => {
    let memory = before;
    const came = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    const shiftIn = came === undefined ? 0 : (memory.get(sourceOf(came))?.shift ?? 0);
    const given =
      input.kind === 'frame' && shiftIn !== 0 && came !== undefined && has(came, 'ACK')
        ? { ...input, bytes: edited(input.bytes, ({ ack }) => ({ ack: seqAdd(ack, -shiftIn) })) }
        : input;
    const outputs = inner(given).map((out): RoleOutput => {
      if (isMessage(out, 'handoff')) {
        const { client } = out.message.conn;
        const shift = memory.get(`${client.ip}:${client.port}`)?.shift ?? 0;
        const { snapshot } = out.message;
        return { ...out, message: { ...out.message, snapshot: { ...snapshot, seq: seqAdd(snapshot.seq, shift) } } };
      }
      const sent = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      if (out.kind !== 'frame' || sent === undefined) return out;
      const key = destinationOf(sent);
      let known = memory.get(key) ?? { synAcks: 0, shift: 0 };
      if (has(sent, 'SYN')) {
        known = { synAcks: known.synAcks + 1, shift: known.synAcks * step };
        memory = new Map(memory).set(key, known);
      }
      return { ...out, bytes: edited(out.bytes, ({ seq }) => ({ seq: seqAdd(seq, known.shift) })) };
    });
    if (input.kind === 'control' && input.message.verb === 'complete') {
      // From here on both sides count alike.
      const { client } = input.message.conn;
      const left = new Map(memory);
      left.delete(`${client.ip}:${client.port}`);
      memory = left;
    }
    return { memory, outputs };
  });
}

/** The second and later SYN-ACKs of a connection are not sent. */
export function answersSynOnce(): Breaker {
  const none: ReadonlySet<string> = new Set();
  return breaker(none, (before, input, inner) => {
    let memory = before;
    const outputs = inner(input).filter((out) => {
      const sent = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      if (sent === undefined || !has(sent, 'SYN')) return true;
      const first = !memory.has(destinationOf(sent));
      memory = new Set(memory).add(destinationOf(sent));
      return first;
    });
    return { memory, outputs };
  });
}

/** After a connection came back, takes the first bytes that the client sends for empty lines, which are acknowledged and forgotten. */
export function forgetsNextRequest(): Breaker {
  const none: ReadonlySet<string> = new Set();
  return breaker(none, (before, input, inner) => {
    if (input.kind === 'control' && input.message.verb === 'complete') {
      const { client } = input.message.conn;
      return { memory: new Set(before).add(`${client.ip}:${client.port}`), outputs: inner(input) };
    }
    const fields = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
    if (input.kind !== 'frame' || fields === undefined || fields.payload.length < 2 || !before.has(sourceOf(fields)))
      return { memory: before, outputs: inner(input) };
    const memory = new Set(before);
    memory.delete(sourceOf(fields));
    const blank = fields.payload.map((_, at) => ((fields.payload.length - at) % 2 === 0 ? 13 : 10));
    return { memory, outputs: inner({ ...input, bytes: edited(input.bytes, () => ({ payload: blank })) }) };
  });
}

/** Leaves the rules of a connection in the switch whose client has reset it. */
export function forgetsRulesOfReset(): Breaker {
  return breaker(null, (memory, input, inner) => {
    const reset =
      input.kind === 'control' && input.message.verb === 'failed' && input.message.reason === 'client-reset';
    const outputs = inner(input);
    if (!reset) return { memory, outputs };
    return {
      memory,
      outputs: outputs.flatMap((out) =>
        isMessage(out, 'remove')
          ? inner({ kind: 'control', peer: out.peer, message: { verb: 'ok', re: out.message.id } })
          : [out],
      ),
    };
  });
}

/** Hands over something else than it knows. */
export function snapshotsWith(change: (snapshot: ConnectionSnapshot) => Partial<ConnectionSnapshot>): Breaker {
  return messagesOut((message) =>
    message.verb === 'handoff'
      ? [{ ...message, snapshot: { ...message.snapshot, ...change(message.snapshot) } }]
      : [message],
  );
}

/** From the acknowledgement of a write's header until the connection comes back the window is closed. */
export function closesWindowForWrites(): Breaker {
  const none: ReadonlySet<string> = new Set();
  return breaker(none, (before, input, inner) => {
    const outputs = inner(input);
    const memory = new Set(before);
    if (input.kind === 'control' && input.message.verb === 'complete') memory.delete(clientOf(input.message) ?? '');
    for (const out of outputs)
      if (isMessage(out, 'add') && !out.message.rule.zeroWindow) memory.add(clientOf(out.message) ?? '');
    return {
      memory,
      outputs: outputs.map((out) => {
        const sent = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
        return out.kind === 'frame' && sent !== undefined && memory.has(destinationOf(sent))
          ? { ...out, bytes: edited(out.bytes, () => ({ window: 0 })) }
          : out;
      }),
    };
  });
}
