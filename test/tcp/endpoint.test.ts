/** The TCP end point: handshakes, transfer over a bad path, and what hand-off needs of it. */
import fc from 'fast-check';
import t from 'tap';
import {
  accept,
  acknowledge,
  adopt,
  close,
  connect,
  constrain,
  deadline,
  type Endpoint,
  type EndpointStep,
  expire,
  exportSnapshot,
  flush,
  idle,
  type OpenOptions,
  read,
  receive,
  rewind,
  send,
} from '../../reference-impl/tcp/endpoint.js';
import { hasFlag, type Segment } from '../../reference-impl/tcp/segment.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { findTcpOption, TcpFlag } from '../../reference-impl/wire/tcp.js';

const OPTIONS: OpenOptions = {
  iss: 1000,
  mss: 1460,
  windowScale: 7,
  sack: true,
  timestampOffset: 5,
  receiveBuffer: 64 * 1024,
};

function only(step: EndpointStep): Segment {
  const [segment, ...more] = step.out;
  if (segment === undefined || more.length > 0) throw new Error(`expected one segment, got ${step.out.length}`);
  return segment;
}

function segment(fields: Partial<Segment>): Segment {
  return { seq: 0, ack: 0, flags: TcpFlag.ACK, window: 1000, options: [], payload: new Uint8Array(0), ...fields };
}

/** Both ends of an established connection at time 0. */
function established(
  client: Partial<OpenOptions> = {},
  server: Partial<OpenOptions> = {},
): { client: Endpoint; server: Endpoint } {
  const opening = connect({ ...OPTIONS, ...client }, 0);
  const answering = accept({ ...OPTIONS, iss: 9000, ...server }, only(opening), 0);
  const opened = receive(opening.endpoint, only(answering), 0);
  const acked = flush(opened.endpoint, 0);
  const server2 = receive(answering.endpoint, only(acked), 0);
  return { client: acked.endpoint, server: flush(server2.endpoint, 0).endpoint };
}

t.test('the handshake negotiates what both offer', async (t) => {
  const { client, server } = established();
  t.equal(client.state, 'established');
  t.equal(server.state, 'established');
  t.same(server.scale, { peer: 7, own: 7 });
  t.ok(server.sackPermitted);
  t.ok(client.timestamps);
  const plain = established({ windowScale: null, sack: false, timestampOffset: null });
  t.equal(plain.server.scale, null);
  t.notOk(plain.server.sackPermitted);
  t.equal(plain.server.timestamps, null);
});

t.test('a repeated SYN gets the same SYN-ACK (EST-4)', async (t) => {
  const syn = only(connect(OPTIONS, 0));
  const first = accept({ ...OPTIONS, iss: 9000 }, syn, 0);
  const again = receive(first.endpoint, syn, 500_000);
  t.equal(only(again).seq, only(first).seq);
  t.ok(hasFlag(only(again), 'SYN'));
  const repeated = expire(again.endpoint, 2_000_000);
  t.equal(only(repeated).seq, only(first).seq, 'a lost SYN-ACK is repeated');
});

t.test('part of a segment can be acknowledged, the rest taken back (SoCC17 2.2)', async (t) => {
  const { client, server } = established();
  const sent = flush(send(client, Buffer.from('header|payload')), 1000);
  const received = receive(server, only(sent), 2000).endpoint;
  const answer = only(flush(constrain(rewind(received, seqAdd(server.rcvNxt, 6)), { windowClosed: true }), 2000));
  t.equal(answer.ack, seqAdd(1001, 6));
  t.equal(answer.window, 0);
});

t.test('nothing behind the limit is acknowledged, nor a held FIN', async (t) => {
  const { client, server } = established();
  const limited = constrain(server, { ackLimit: seqAdd(server.rcvNxt, 4), holdFin: true });
  const sent = flush(close(send(client, Buffer.from('123456'))), 1000);
  const step = flush(receive(limited, only(sent), 2000).endpoint, 2000);
  t.equal(only(step).ack, seqAdd(1001, 4));
  const whole = constrain(server, { ackLimit: seqAdd(server.rcvNxt, 6), holdFin: true });
  t.equal(only(flush(receive(whole, only(sent), 2000).endpoint, 2000)).ack, seqAdd(1001, 6));
});

t.test('a closed window is advertised, but ACKs within the window once offered are taken', async (t) => {
  const { server } = established({ timestampOffset: null });
  const closed = constrain(server, { windowClosed: true, ackLimit: server.rcvNxt });
  const sent = flush(send(closed, Buffer.alloc(100)), 1000);
  const ahead = segment({ seq: seqAdd(server.rcvNxt, 40), ack: seqAdd(9001, 100) });
  const acked = receive(sent.endpoint, ahead, 2000).endpoint;
  t.ok(idle(acked), 'a client whose pipelined bytes were cut off still acknowledges the response');
  t.equal(acked.rcvNxt, server.rcvNxt);
});

t.test('a window probe is answered with the window', async (t) => {
  const { client, server } = established();
  const shut = receive(client, only(flush(acknowledge(constrain(server, { windowClosed: true })), 0)), 0).endpoint;
  const waiting = flush(send(shut, Buffer.from('more')), 0);
  t.equal(waiting.out.length, 0);
  const at = deadline(waiting.endpoint);
  const probe = expire(waiting.endpoint, at ?? 0);
  t.equal(only(probe).payload.length, 0);
  const answered = flush(receive(server, only(probe), at ?? 0).endpoint, at ?? 0);
  t.ok(only(answered).window > 0);
  const open = flush(receive(probe.endpoint, only(answered), at ?? 0).endpoint, at ?? 0);
  t.equal(only(open).payload.length, 4);
});

t.test('resets and SYNs in the window are challenged, an exact reset is taken (RFC 5961)', async (t) => {
  const { server } = established({ timestampOffset: null });
  const off = flush(receive(server, segment({ seq: seqAdd(server.rcvNxt, 10), flags: TcpFlag.RST }), 0).endpoint, 0);
  t.equal(off.endpoint.state, 'established');
  t.equal(only(off).ack, server.rcvNxt);
  const far = receive(server, segment({ seq: seqAdd(server.rcvNxt, -10), flags: TcpFlag.RST }), 0);
  t.same(flush(far.endpoint, 0).out, []);
  const exact = receive(server, segment({ seq: server.rcvNxt, flags: TcpFlag.RST }), 0);
  t.equal(exact.endpoint.closedBy, 'reset');
  const syn = flush(receive(server, segment({ seq: seqAdd(server.rcvNxt, 10), flags: TcpFlag.SYN }), 0).endpoint, 0);
  t.equal(syn.endpoint.state, 'established');
  t.equal(only(syn).ack, server.rcvNxt);
});

t.test(
  'progress after time-outs ends the back-off, by the timestamp of what was retransmitted (RFC 7323 4.1)',
  async (t) => {
    const { client, server } = established();
    let sender = flush(send(server, Buffer.alloc(3000)), 0).endpoint;
    let last: EndpointStep | undefined;
    let now = 0;
    for (let i = 0; i < 4; i++) {
      now = deadline(sender) ?? 0;
      last = expire(sender, now);
      sender = last.endpoint;
    }
    t.ok(sender.rto >= 3_000_000, `${sender.rto}`);
    const taken = flush(receive(client, only(last as EndpointStep), now + 5000).endpoint, now + 5000);
    t.ok(receive(sender, only(taken), now + 10_000).endpoint.rto < 1_000_000);
  },
);

t.test('a new owner continues numbers, options and the timestamp clock', async (t) => {
  const { server } = established();
  const snapshot = exportSnapshot(server, 50_000);
  const owner = adopt(snapshot, { receiveBuffer: 100_000 }, 9_000_000_000);
  const first = only(flush(send(owner, Buffer.from('response')), 9_000_000_000));
  t.equal(first.seq, 9001);
  t.equal(first.ack, 1001);
  const stamp = findTcpOption(first.options, 'timestamps');
  t.equal(stamp?.value, snapshot.timestamps?.value, 'starts where the old clock stopped');
  t.equal(stamp?.echo, server.timestamps?.recent);
});

t.test('no segment exceeds the MSS with its options, or the window', async (t) => {
  const { server } = established({ mss: 536, receiveBuffer: 2000 });
  const out = flush(send(server, Buffer.alloc(10_000)), 0).out;
  t.ok(out.every((s) => s.payload.length + 12 <= 536));
  const sum = out.reduce((total, s) => total + s.payload.length, 0);
  t.ok(sum <= 2000, `sent ${sum}`);
});

/** Runs both ends over a path that drops, duplicates and delays as `fates` says; returns what each read. */
function transfer(fates: readonly number[], up: Uint8Array, down: Uint8Array, iss: number) {
  const ends = established({ iss, timestampOffset: fates.length % 2 ? 7 : null }, { iss: iss ^ 0x5a5a5a5a });
  const state = [close(send(ends.client, up)), close(send(ends.server, down))];
  const got: Uint8Array[][] = [[], []];
  const wire: { at: number; to: number; segment: Segment; n: number }[] = [];
  let now = 0;
  let n = 0;
  const put = (from: number, step: EndpointStep): void => {
    state[from] = step.endpoint;
    for (const s of step.out) {
      const fate = fates[n++ % Math.max(1, fates.length)] ?? 0;
      if (fate === 1) continue;
      const copies = fate === 2 ? 2 : 1;
      for (let c = 0; c < copies; c++)
        wire.push({ at: now + 1000 + (fate === 3 ? 5000 : 0) + c, to: 1 - from, segment: s, n: n++ });
    }
  };
  const end = (i: number): Endpoint => state[i] as Endpoint;
  for (const i of [0, 1]) put(i, flush(end(i), now));
  for (let steps = 0; steps < 20_000; steps++) {
    if (state.every((e) => e.state === 'closed' || e.state === 'time-wait') && wire.length === 0) break;
    wire.sort((a, b) => a.at - b.at || a.n - b.n);
    const next = wire[0];
    const timers = state.map((e) => deadline(e) ?? Number.POSITIVE_INFINITY);
    const due = Math.min(...timers);
    if (next !== undefined && next.at <= due) {
      wire.shift();
      now = Math.max(now, next.at);
      const arrived = receive(end(next.to), next.segment, now);
      put(next.to, arrived);
      const taken = read(end(next.to));
      state[next.to] = taken.endpoint;
      got[next.to]?.push(...taken.bytes);
      put(next.to, flush(end(next.to), now));
    } else if (Number.isFinite(due)) {
      now = Math.max(now, due);
      for (const i of [0, 1]) {
        put(i, expire(end(i), now));
        put(i, flush(end(i), now));
      }
    } else break;
  }
  return { states: state.map((e) => e.state), up: Buffer.concat(got[1] ?? []), down: Buffer.concat(got[0] ?? []) };
}

t.test(
  'data that acknowledges less than any window explains draws an ACK and is not taken (RFC 5961 §5)',
  async (t) => {
    const { client, server } = established({ timestampOffset: null, windowScale: null });
    const data = { seq: client.sndNxt, payload: Buffer.from('injected') };
    for (const [behind, taken] of [
      [0, 8],
      [0xffff, 8],
      [0x1_0000, 0],
      [0x1000_0000, 0],
    ] as const) {
      const step = flush(receive(server, segment({ ...data, ack: seqAdd(server.sndNxt, -behind) }), 0).endpoint, 0);
      t.equal(only(step).ack, seqAdd(server.rcvNxt, taken), `${behind} behind`);
    }
  },
);

t.test('whatever the path loses, doubles or delays, both streams arrive whole and both ends close', async () => {
  fc.assert(
    fc.property(
      // At most one fate in three is a loss, so that ten time-outs in a row do not happen.
      fc
        .array(fc.constantFrom(0, 0, 0, 0, 1, 2, 3), { minLength: 3, maxLength: 60 })
        .filter((f) => f.filter((x) => x === 1).length * 3 < f.length),
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      fc.constantFrom(0, 0xffffff00, 0x7fffffff, 12345),
      (fates, upSize, downSize, iss) => {
        const up = Buffer.alloc(upSize, 'u');
        const down = Buffer.alloc(downSize, 'd');
        const result = transfer(fates, up, down, iss);
        return (
          result.up.equals(up) &&
          result.down.equals(down) &&
          result.states.every((s) => s === 'closed' || s === 'time-wait')
        );
      },
    ),
    { numRuns: 300 },
  );
});

t.test('no segment is larger than our own link carries, whatever the peer would take (RFC 9293 §3.7.1)', async (t) => {
  const { server } = established({ mss: 8960 }, { mss: 1460 });
  const sizes = flush(send(server, new Uint8Array(9000)), 0).out.map(({ payload }) => payload.length);
  t.same([...new Set(sizes)].sort(), [1448, 9000 - 6 * 1448].sort());
  const wide = established({ mss: 8960 }, { mss: 8960 });
  t.equal(flush(send(wide.server, new Uint8Array(9000)), 0).out[0]?.payload.length, 8948);
});
