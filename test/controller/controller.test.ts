/** The controller core: acknowledges the header only, hands off when the rules stand, takes back, resets exactly. */
import t from 'tap';
import type { Complete, ControlMessage, Handoff } from '../../reference-impl/control/messages.js';
import {
  type ControllerState,
  initController,
  openConnections,
  stepController,
} from '../../reference-impl/controller/controller.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpView } from '../../reference-impl/wire/tcp.js';

const CLIENT = parseIpv4Address('198.18.1.2') ?? 0;
const LOGICAL = parseIpv4Address('198.18.0.80') ?? 0;
const KEY = '198.18.1.2:40000';
const GET = 'GET /a/x HTTP/1.1\r\nHost: p\r\n\r\n';
const PUT = 'PUT /b/x HTTP/1.1\r\nHost: p\r\nContent-Length: 9\r\n\r\n';

class Bench {
  state: ControllerState;
  now = 0;
  /** The client's next sequence number. */
  seq = 101;
  /** The server's first sequence number behind the SYN. */
  serverSeq = 0;
  outputs: readonly RoleOutput[] = [];
  constructor(without: readonly RemedyName[] = []) {
    this.state = initController({
      mac: 0x02505200_0202,
      gatewayMac: 0x02505200_0001,
      logical: { ip: LOGICAL, port: 80 },
      backends: [
        { name: 'backend0', ip: 0xc6120a02, mac: 0x02505200_1002 },
        { name: 'backend1', ip: 0xc6120b02, mac: 0x02505200_1102 },
      ],
      policy: { kind: 'path-map', map: [{ prefix: '/b/', backend: 'backend1' }], default: 'backend0' },
      headerLimit: 1000,
      handoffMs: 60_000,
      idleMs: 120_000,
      secret: 's',
      without,
    }).state;
  }
  step(input: RoleInput): this {
    this.now += 1000;
    const stepped = stepController(this.state, input, this.now);
    this.state = stepped.state;
    this.outputs = stepped.outputs;
    return this;
  }
  client(fields: { seq: number; ack?: number; flags?: number; payload?: Uint8Array }): this {
    const bytes = buildTcpFrame({
      ethernet: { dst: 0x02505200_0202, src: 0x02505200_0001 },
      ipv4: { src: CLIENT, dst: LOGICAL },
      tcp: { srcPort: 40000, dstPort: 80, flags: TcpFlag.ACK, window: 65535, ack: this.serverSeq, ...fields },
    });
    return this.step({ kind: 'frame', port: 'link', bytes });
  }
  /** The client sends this text as new data. */
  says(text: string): this {
    const payload = Buffer.from(text);
    this.client({ seq: this.seq, payload });
    this.seq += payload.length;
    return this;
  }
  tell(peer: string, message: ControlMessage): this {
    return this.step({ kind: 'control', peer, message });
  }
  /** Answers the last request of that verb with ok. */
  confirm(peer: string, verb: string): this {
    const message = this.message(verb);
    return this.tell(peer, { verb: 'ok', re: 'id' in message ? message.id : '' });
  }
  timer(after: number): this {
    this.now += after;
    return this.step({ kind: 'timer', key: KEY });
  }
  connect(): this {
    this.client({ seq: 100, ack: 0, flags: TcpFlag.SYN });
    this.serverSeq = ((this.segments[0]?.seq ?? 0) + 1) >>> 0;
    return this.client({ seq: 101 });
  }
  get segments(): TcpView[] {
    return this.outputs.flatMap((output) => {
      const parsed = output.kind === 'frame' ? parseFrame(output.bytes) : undefined;
      return parsed?.ok && parsed.value.tcp ? [parsed.value.tcp] : [];
    });
  }
  get messages(): { peer: string; message: ControlMessage }[] {
    return this.outputs.flatMap((output) =>
      output.kind === 'control' ? [{ peer: output.peer, message: output.message }] : [],
    );
  }
  message(verb: string): ControlMessage {
    const found = this.messages.find(({ message }) => message.verb === verb);
    if (found === undefined) throw new Error(`no ${verb} among ${JSON.stringify(this.messages)}`);
    return found.message;
  }
  get actions(): string[] {
    return this.outputs.flatMap((output) => (output.kind === 'event' ? [output.event.action] : []));
  }
  /** Up to the backend having taken over; returns the hand-off. */
  handOff(request: string): Handoff {
    this.connect().says(request).confirm('switch', 'add');
    return this.message('handoff') as Handoff;
  }
  complete(handoff: Handoff, sent: number, over: Partial<Complete> = {}): this {
    return this.tell('backend0', {
      verb: 'complete',
      id: 'done',
      handoff: handoff.handoff,
      conn: handoff.conn,
      snapshot: { ...handoff.snapshot, seq: (handoff.snapshot.seq + sent) >>> 0 },
      keepAlive: true,
      ...over,
    });
  }
}

t.test('a read: header acknowledged alone, window closed, rules, hand-off, rules gone, window open', async (t) => {
  const bench = new Bench().connect().says(`${GET}GET /next`);
  t.same(
    bench.segments.map((s) => [s.ack, s.window, s.flags]),
    [[101 + GET.length, 0, TcpFlag.ACK | TcpFlag.PSH]],
  );
  t.match(bench.messages, [
    {
      peer: 'switch',
      message: { verb: 'add', rule: { backend: { name: 'backend0' }, zeroWindow: true, clearFin: true } },
    },
  ]);
  bench.confirm('switch', 'add');
  const handoff = bench.message('handoff') as Handoff;
  t.match(handoff, {
    snapshot: { seq: bench.serverSeq, ack: 101 + GET.length },
    request: { method: 'GET', target: '/a/x' },
  });
  t.same(bench.client({ seq: bench.seq }).outputs, [], 'a former owner is silent');
  bench.complete(handoff, 500);
  t.same(bench.segments, [], 'not before the rules are gone (RET-1)');
  t.match(bench.messages, [{ message: { verb: 'ok' } }, { peer: 'switch', message: { verb: 'remove' } }]);
  bench.confirm('switch', 'remove');
  t.match(
    bench.segments.map((s) => [s.seq, s.ack, s.window > 0]),
    [[(bench.serverSeq + 500) >>> 0, 101 + GET.length, true]],
  );
  bench.timer(1_700_000);
  t.equal(bench.segments.length, 0, 'once: what is lost, the client probes for');
});

t.test('a write: window open, payload behind the header left to the backend', async (t) => {
  const bench = new Bench().connect().says(`${PUT}some`);
  t.same(
    bench.segments.map((s) => [s.ack, s.window > 0]),
    [[101 + PUT.length, true]],
  );
  t.match(bench.message('add'), { rule: { zeroWindow: false, backend: { name: 'backend1' } } });
});

t.test('one byte a segment is one request, handed off at its last byte (REQ-1)', async (t) => {
  const bench = new Bench().connect();
  for (const [i, c] of [...GET].entries()) {
    bench.says(c);
    t.equal(bench.messages.length, i === GET.length - 1 ? 1 : 0);
  }
});

t.test('each remedy off shows', async (t) => {
  t.equal(new Bench(['header-only-ack']).connect().says(`${GET}more`).segments[0]?.ack, 101 + GET.length + 4);
  t.ok((new Bench(['window-closing']).connect().says(GET).segments[0]?.window ?? 0) > 0);
  t.match(new Bench(['confirm-before-handoff']).connect().says(GET).messages, [
    { message: { verb: 'add' } },
    { message: { verb: 'handoff' } },
  ]);
  const early = new Bench(['rules-before-reopen']);
  early.complete(early.handOff(GET), 10);
  t.equal(early.segments.length, 1, 'reopens at once');
  const mute = new Bench(['answer-probes']).connect();
  t.same(mute.client({ seq: 100 }).segments, []);
  t.equal(new Bench().connect().client({ seq: 100 }).segments.length, 1);
});

t.test('a refused or unconfirmed rule leaves the connection with the controller (ERR-3)', async (t) => {
  const bench = new Bench().connect().says(GET);
  const add = bench.message('add');
  bench.tell('switch', { verb: 'refused', re: 'id' in add ? add.id : '', code: 'full', reason: 'full' });
  t.match(Buffer.from(bench.segments[0]?.payload ?? []).toString(), /^HTTP\/1\.1 503 /);
  const silent = new Bench().connect().says(GET);
  const repeated = silent.timer(1_100_000).message('add');
  t.same(repeated, silent.timer(1_100_000).message('add'), 'the same request with the same id');
  for (let i = 0; i < 3; i++) silent.timer(1_100_000);
  t.equal(silent.message('remove').verb, 'remove');
  silent.confirm('switch', 'remove');
  t.match(Buffer.from(silent.segments[0]?.payload ?? []).toString(), /^HTTP\/1\.1 503 /);
});

t.test('a backend that reports failure: rules gone, an exact reset (ERR-1)', async (t) => {
  const bench = new Bench();
  const handoff = bench.handOff(GET);
  const snapshot = { ...handoff.snapshot, seq: (handoff.snapshot.seq + 77) >>> 0 };
  bench.tell('backend0', { verb: 'failed', id: 'f', handoff: 1, conn: handoff.conn, reason: 'cannot-serve', snapshot });
  t.same(bench.segments, []);
  bench.confirm('switch', 'remove');
  t.same(
    bench.segments.map((s) => [s.rst, s.seq]),
    [[true, snapshot.seq]],
  );
  t.equal(openConnections(bench.state), 0);
});

t.test('a silent backend: the number the client expects is asked for before the reset (ERR-2, hazard 7)', async (t) => {
  const bench = new Bench();
  bench.handOff(GET);
  bench.timer(60_100_000).confirm('switch', 'remove');
  t.equal(bench.segments[0]?.seq, (bench.serverSeq - 1) >>> 0, 'a number back: the client must answer');
  t.notOk(bench.segments[0]?.rst);
  bench.client({ seq: bench.seq, ack: (bench.serverSeq + 1234) >>> 0 });
  t.same(
    bench.segments.map((s) => [s.rst, s.seq]),
    [[true, (bench.serverSeq + 1234) >>> 0]],
  );
  const crashed = new Bench();
  crashed.handOff(GET);
  t.equal(crashed.step({ kind: 'control-down', peer: 'backend0' }).message('remove').verb, 'remove');
});

t.test('late, repeated, foreign and unknown messages change nothing and are reported (ERR-4)', async (t) => {
  const bench = new Bench();
  const handoff = bench.handOff(GET);
  const before = bench.state.connections;
  for (const wrong of [{ handoff: 99 }, { conn: { ...handoff.conn, client: { ip: '198.18.1.9', port: 1 } } }]) {
    bench.complete(handoff, 10, wrong);
    t.match(bench.messages, [{ message: { verb: 'refused', code: 'stale' } }]);
    t.same(bench.actions, ['ControlRejected']);
  }
  bench.tell('backend1', {
    verb: 'complete',
    id: 'x',
    handoff: 1,
    conn: handoff.conn,
    snapshot: handoff.snapshot,
    keepAlive: true,
  });
  t.match(bench.messages, [{ message: { verb: 'refused' } }], 'another backend cannot give it back');
  bench.tell('switch', { verb: 'ok', re: 'unknown' });
  t.same(bench.actions, ['ControlRejected']);
  bench.step({ kind: 'control-invalid', peer: 'backend0', error: 'not JSON' });
  t.same(bench.actions, ['ControlRejected']);
  t.equal(bench.state.connections, before);
  bench.complete(handoff, 10).confirm('switch', 'remove');
  const after = bench.state.connections;
  bench.complete(handoff, 10);
  t.match(bench.messages, [{ message: { verb: 'ok' } }], 'a repetition is answered like the first');
  t.equal(bench.state.connections, after);
});

t.test('close by either side leaves nothing (RET-3, RET-4, RET-6)', async (t) => {
  const bench = new Bench();
  const handoff = bench.handOff(GET);
  bench.complete(handoff, 10).confirm('switch', 'remove');
  const end = (bench.serverSeq + 10) >>> 0;
  bench.client({ seq: bench.seq, ack: end, flags: TcpFlag.ACK | TcpFlag.FIN });
  t.ok(bench.segments.some((s) => s.fin && s.ack === bench.seq + 1));
  bench.client({ seq: bench.seq + 1, ack: (end + 1) >>> 0 });
  t.equal(bench.state.connections.size, 0);

  const server = new Bench();
  const once = server.handOff(GET);
  server.complete(once, 10, { keepAlive: false }).confirm('switch', 'remove');
  t.ok(server.segments[0]?.fin);
  server.client({ seq: server.seq, ack: (end + 1) >>> 0, flags: TcpFlag.ACK | TcpFlag.FIN });
  t.equal(openConnections(server.state), 0);
});

t.test('frames that arrive while the rules are being removed are answered afterwards', async (t) => {
  const bench = new Bench();
  bench.complete(bench.handOff(GET), 10);
  const remove = bench.message('remove');
  t.same(bench.says(PUT).segments, []);
  bench.tell('switch', { verb: 'ok', re: 'id' in remove ? remove.id : '' });
  t.ok(bench.segments.some((s) => s.ack === bench.seq));
});

t.test('segments of no connection draw a RST, RSTs nothing, and a step leaves its input alone', async (t) => {
  const bench = new Bench();
  const before = bench.state;
  t.ok(bench.client({ seq: 5, ack: 9 }).segments[0]?.rst);
  t.same(bench.client({ seq: 5, flags: TcpFlag.RST }).outputs, []);
  bench.connect();
  t.equal(before.connections.size, 0);
});

function failed(): { bench: Bench; first: TcpView } {
  const bench = new Bench();
  const handoff = bench.handOff(GET);
  bench.tell('backend0', {
    verb: 'failed',
    id: 'f',
    handoff: 1,
    conn: handoff.conn,
    reason: 'cannot-serve',
    snapshot: { ...handoff.snapshot, seq: seqAdd(handoff.snapshot.seq, 300) },
  });
  bench.confirm('switch', 'remove');
  const [first] = bench.segments;
  if (first === undefined) throw new Error('no reset');
  return { bench, first };
}

t.test('a reset that may be lost: its number is learned anew until the client is gone (ERR-1)', async (t) => {
  const { bench, first } = failed();
  t.equal(first.seq, (bench.serverSeq + 300) >>> 0, 'the backend has told the number');
  bench.timer(700_000);
  t.same(
    bench.segments.map((s) => [s.rst, s.seq]),
    [[false, (bench.serverSeq - 1) >>> 0]],
    'what the client has for certain is no news to it',
  );
  bench.client({ seq: bench.seq, ack: (bench.serverSeq + 299) >>> 0 });
  t.same(
    bench.segments.map((s) => [s.rst, s.seq]),
    [[true, (bench.serverSeq + 299) >>> 0]],
    'reset by the number that it told',
  );
  bench.client({ seq: bench.seq, flags: TcpFlag.RST });
  t.equal(bench.state.connections.size, 0, 'known to be gone');
});

t.test('a SYN while a client is reset may be an old one: it is asked first (RFC 5961)', async (t) => {
  const { bench } = failed();
  bench.client({ seq: 7000, ack: 0, flags: TcpFlag.SYN });
  t.same(
    bench.segments.map((s) => [s.syn, s.rst, s.seq]),
    [[false, false, (bench.serverSeq - 1) >>> 0]],
    'as a probe',
  );
  // A client that really begins anew has not acknowledged that number: it answers with a RST and then repeats its SYN.
  bench.client({ seq: bench.seq, flags: TcpFlag.RST });
  bench.client({ seq: 7000, ack: 0, flags: TcpFlag.SYN });
  t.ok(bench.segments[0]?.syn);
  bench.timer(700_000);
  t.notOk(bench.segments.some((s) => s.rst));
});

t.test('SYNs that nobody completes push their own oldest out, and never a connection (EST-5)', async (t) => {
  const bench = new Bench().connect();
  const syn = (srcPort: number): Bench =>
    bench.step({
      kind: 'frame',
      port: 'link',
      bytes: buildTcpFrame({
        ethernet: { dst: 0x02505200_0202, src: 0x02505200_0001 },
        ipv4: { src: CLIENT, dst: LOGICAL },
        tcp: { srcPort, dstPort: 80, seq: 7, flags: TcpFlag.SYN, window: 1 },
      }),
    });
  for (let port = 1000; port < 2000; port++) t.equal(syn(port).segments[0]?.flags, TcpFlag.SYN | TcpFlag.ACK);
  t.equal(bench.state.connections.size, 257);
  t.ok(bench.state.connections.has(KEY) && bench.state.connections.has('198.18.1.2:1999'));
  t.equal(openConnections(bench.state), 1, 'what nobody completed is no connection');
  t.ok(bench.says(GET).message('add'));
});

t.test('a client that never answers is not reset for ever', async (t) => {
  const { bench } = failed();
  for (let i = 0; i < 12; i++) bench.timer(700_000);
  t.equal(bench.state.connections.size, 0);
});

t.test('a connection in TIME-WAIT or with its request handed off asks for no timer in the past', async (t) => {
  const server = new Bench();
  const once = server.handOff(GET);
  server.complete(once, 10, { keepAlive: false }).confirm('switch', 'remove');
  server.client({ seq: server.seq, ack: (server.serverSeq + 11) >>> 0, flags: TcpFlag.ACK | TcpFlag.FIN });
  const handed = new Bench();
  handed.handOff(GET);
  for (const bench of [server, handed])
    for (const after of [55_000_000, 70_000_000]) {
      bench.timer(after);
      for (const output of bench.outputs)
        if (output.kind === 'timer' && output.at !== null) t.ok(output.at > bench.now, `${output.at}`);
    }
});
