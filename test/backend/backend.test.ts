/** The backend core: takes over, serves, acknowledges its request only, gives back, stays silent otherwise. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { type BackendState, initBackend, stepBackend } from '../../reference-impl/backend/backend.js';
import type { Content } from '../../reference-impl/backend/config.js';
import { payloadBytes, startPayload, takePayload } from '../../reference-impl/backend/payload.js';
import type { ControlMessage, Handoff } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';

const CLIENT = parseIpv4Address('198.18.1.2') ?? 0;
const BACKEND = parseIpv4Address('198.18.10.2') ?? 0;

function handoff(request: Partial<Handoff['request']>, number = 1): Handoff {
  return {
    verb: 'handoff',
    id: `h${number}`,
    handoff: number,
    conn: { client: { ip: '198.18.1.2', port: 40000 }, logical: { ip: '198.18.0.80', port: 80 } },
    snapshot: {
      seq: 5000,
      ack: 100,
      clientWindow: 65535,
      clientMss: 1460,
      ownMss: 1460,
      windowScale: null,
      sackPermitted: false,
      timestamps: null,
    },
    request: {
      method: 'GET',
      target: '/a/x',
      header: '',
      payload: { kind: 'length', bytes: 0 },
      expectContinue: false,
      keepAlive: true,
      minorVersion: 1,
      ...request,
    },
  };
}

class Bench {
  state: BackendState;
  now = 0;
  constructor(without: readonly RemedyName[] = []) {
    this.state = initBackend({
      name: 'backend0',
      ip: BACKEND,
      mac: 0x02505200_1002,
      gatewayMac: 0x02505200_0001,
      port: 80,
      objects: new Map<string, Content>([
        ['/a/x', new Uint8Array(3000).fill(120)],
        ['/a/large', { unit: Buffer.from('0123456789'), times: 2000 }],
      ]),
      serviceDelayMs: 0,
      receiveBuffer: 65535,
      without,
    }).state;
  }
  step(input: RoleInput): readonly RoleOutput[] {
    this.now += 1000;
    const stepped = stepBackend(this.state, input, this.now);
    this.state = stepped.state;
    return stepped.outputs;
  }
  tell(message: ControlMessage) {
    return this.step({ kind: 'control', peer: 'controller', message });
  }
  client(fields: { seq: number; ack: number; flags?: number; payload?: Uint8Array; port?: number; window?: number }) {
    const bytes = buildTcpFrame({
      ethernet: { dst: 0x02505200_1002, src: 0x02505200_0001 },
      ipv4: { src: CLIENT, dst: BACKEND },
      tcp: { srcPort: fields.port ?? 40000, dstPort: 80, flags: TcpFlag.ACK, window: 65535, ...fields },
    });
    return this.step({ kind: 'frame', port: 'link', bytes });
  }
}

function segments(outputs: readonly RoleOutput[]) {
  return outputs.flatMap((output) => {
    const parsed = output.kind === 'frame' ? parseFrame(output.bytes) : undefined;
    return parsed?.ok && parsed.value.tcp ? [parsed.value.tcp] : [];
  });
}

function messages(outputs: readonly RoleOutput[]): ControlMessage[] {
  return outputs.flatMap((output) => (output.kind === 'control' ? [output.message] : []));
}

t.test('a read is served and given back when all of it is acknowledged', async (t) => {
  const bench = new Bench();
  const taken = bench.tell(handoff({}));
  t.equal(messages(taken)[0]?.verb, 'ok');
  const out = segments(taken);
  t.ok(out.length >= 2);
  t.equal(out[0]?.seq, 5000);
  t.ok(out.every((s) => s.ack === 100));
  t.ok(
    out.every((s) => s.window > 0),
    'it is the switch that closes the window (thesis §3.2)',
  );
  const last = out.at(-1);
  const end = (last?.seq ?? 0) + (last?.payloadLength ?? 0);
  t.same(messages(bench.client({ seq: 100, ack: end - 1 })), [], 'one byte is missing');
  const [complete] = messages(bench.client({ seq: 100, ack: end }));
  t.match(complete, { verb: 'complete', handoff: 1, keepAlive: true, snapshot: { seq: end, ack: 100 } });
  t.same(segments(bench.client({ seq: 100, ack: end, payload: Buffer.from('GET') })), [], 'a former owner is silent');
  t.match(messages(bench.step({ kind: 'timer', key: '198.18.1.2:40000' })), [], 'not due yet');
  bench.now += 2_000_000;
  t.match(
    messages(bench.step({ kind: 'timer', key: '198.18.1.2:40000' })),
    [{ verb: 'complete' }],
    'the report is repeated',
  );
  bench.tell({ verb: 'ok', re: complete !== undefined && 'id' in complete ? complete.id : '' });
  t.equal(bench.state.services.size, 0);
});

t.test('an object of many units is sent as if it were whole', async (t) => {
  const bench = new Bench();
  const out = segments(bench.tell(handoff({ target: '/a/large' })));
  const text = Buffer.concat(out.map((segment) => segment.payload)).toString('latin1');
  t.match(text, /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Content-Length: 20000\r\n/);
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  t.ok(body.length > 5000);
  t.equal(body, '0123456789'.repeat(2000).slice(0, body.length));
});

t.test('who is not the controller is not obeyed and not answered', async (t) => {
  const bench = new Bench();
  const outputs = bench.step({ kind: 'control', peer: 'stranger', message: handoff({}) });
  t.same(
    outputs.map(({ kind }) => kind),
    ['event'],
  );
  t.equal(bench.state.services.size, 0);
});

t.test('a write is acknowledged to its last byte and no further, its FIN not at all', async (t) => {
  const bench = new Bench();
  bench.tell(handoff({ method: 'PUT', target: '/a/new', payload: { kind: 'length', bytes: 10 } }));
  const part = segments(bench.client({ seq: 100, ack: 5000, payload: Buffer.from('01234') }));
  t.same(
    part.map((s) => [s.ack, s.window > 0]),
    [[105, true]],
  );
  const rest = segments(
    bench.client({ seq: 105, ack: 5000, flags: TcpFlag.ACK | TcpFlag.FIN, payload: Buffer.from('56789GET /') }),
  );
  t.ok(rest.length > 0);
  t.ok(rest.every((s) => s.ack === 110));
  t.same(bench.state.objects.get('/a/new'), Buffer.from('0123456789'));
  const text = Buffer.from(rest[0]?.payload ?? []).toString();
  t.match(text, /^HTTP\/1\.1 201 /);
  t.match(text, createHash('sha256').update('0123456789').digest('hex'));
  const fin = segments(bench.client({ seq: 110, ack: 5000, flags: TcpFlag.ACK | TcpFlag.FIN }));
  t.ok(fin.every((s) => s.ack === 110));
});

t.test('with the limit off it acknowledges what it receives', async (t) => {
  const bench = new Bench(['backend-ack-limit', 'fin-suppression']);
  bench.tell(handoff({ method: 'PUT', target: '/a/new', payload: { kind: 'length', bytes: 10 } }));
  const out = segments(
    bench.client({ seq: 100, ack: 5000, flags: TcpFlag.ACK | TcpFlag.FIN, payload: Buffer.from('0123456789GET /') }),
  );
  t.equal(out.at(-1)?.ack, 116);
});

t.test('a chunked write ends where its last chunk does', async (t) => {
  const bench = new Bench();
  bench.tell(handoff({ method: 'POST', payload: { kind: 'chunked' } }));
  const out = segments(bench.client({ seq: 100, ack: 5000, payload: Buffer.from('5\r\nhello\r\n0\r\n\r\nGET /next') }));
  t.equal(out[0]?.ack, 115);
  t.match(Buffer.from(out[0]?.payload ?? []).toString(), /\r\n\r\nhello$/);
});

t.test('100 Continue is sent before the payload is awaited', async (t) => {
  const bench = new Bench();
  const out = segments(
    bench.tell(handoff({ method: 'PUT', payload: { kind: 'length', bytes: 3 }, expectContinue: true })),
  );
  t.equal(Buffer.from(out[0]?.payload ?? []).toString(), 'HTTP/1.1 100 Continue\r\n\r\n');
});

t.test('segments before take-over and of strangers draw nothing; without the guard a RST (HOF-5)', async (t) => {
  t.same(segments(new Bench().client({ seq: 1, ack: 2 })), []);
  const [rst] = segments(new Bench(['backend-guard']).client({ seq: 1, ack: 2 }));
  t.ok(rst?.rst);
  t.equal(rst?.seq, 2);
});

t.test('repeated, conflicting, late and foreign messages change nothing and are reported (ERR-4)', async (t) => {
  const bench = new Bench();
  const message = handoff({ method: 'PUT', payload: { kind: 'length', bytes: 3 } });
  bench.tell(message);
  const before = bench.state.services;
  const again = bench.tell(message);
  t.equal(messages(again)[0]?.verb, 'ok', 'answered like the first');
  t.equal(bench.state.services, before);
  t.ok(again.some((o) => o.kind === 'event' && o.event.action === 'ControlRejected'));
  t.match(messages(bench.tell(handoff({}, 2))), [{ verb: 'refused', code: 'conflict' }]);
  t.match(messages(bench.tell({ verb: 'list', id: 'l' })), [{ verb: 'refused', code: 'unsupported' }]);
  t.match(messages(bench.tell({ verb: 'ok', re: 'nothing' })), []);
  const invalid = bench.step({ kind: 'control-invalid', peer: 'controller', error: 'not JSON' });
  t.ok(invalid.some((o) => o.kind === 'event' && o.event.action === 'ControlRejected'));
  t.equal(bench.state.services, before);
  const reset = messages(bench.client({ seq: 100, ack: 5000, flags: TcpFlag.RST }));
  t.match(reset, [{ verb: 'failed', reason: 'client-reset' }]);
  bench.tell({ verb: 'ok', re: reset[0] !== undefined && 'id' in reset[0] ? reset[0].id : '' });
  t.equal(bench.state.services.size, 0);
  t.match(messages(bench.tell(message)), [{ verb: 'ok' }]);
  t.equal(bench.state.services.size, 0, 'a late repetition does not start it again');
});

t.test('a step does not change the state it was given', async (t) => {
  const bench = new Bench();
  const before = bench.state;
  const copy = structuredClone(before);
  bench.tell(handoff({}));
  t.same(before, copy);
});

t.test('payload framing finds the end at every cut', async (t) => {
  const chunked = Buffer.from('3;ext=1\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: 1\r\n\r\nNEXT');
  for (let cut = 0; cut <= chunked.length; cut++) {
    const first = takePayload(startPayload({ kind: 'chunked' }), chunked.subarray(0, cut));
    const second = takePayload(first.payload, chunked.subarray(first.taken));
    t.equal(second.payload.status, 'complete');
    t.equal(first.taken + second.taken, chunked.length - 4);
    t.equal(Buffer.from(payloadBytes(second.payload)).toString(), 'abc0123456789abcdef');
  }
  for (const wrong of ['x\r\n', '3\r\nabcd\r\n', '-1\r\n'])
    t.equal(takePayload(startPayload({ kind: 'chunked' }), Buffer.from(wrong)).payload.status, 'malformed');
});

t.test('a lease that ends, or a lost controller, makes it give up by itself and say so (ERR-2)', async (t) => {
  const bench = new Bench();
  bench.tell({ ...handoff({}), leaseMs: 5000 });
  bench.now += 5_000_000;
  const ended = bench.step({ kind: 'timer', key: '198.18.1.2:40000' });
  t.match(messages(ended), [{ verb: 'failed', reason: 'lease-expired' }]);
  t.same(segments(ended), []);
  bench.now += 60_000_000;
  t.same(segments(bench.step({ kind: 'timer', key: '198.18.1.2:40000' })), [], 'and retransmits no more');
  const lost = new Bench();
  lost.tell(handoff({}));
  t.match(messages(lost.step({ kind: 'control-down', peer: 'controller' })), [
    { verb: 'failed', reason: 'controller-lost' },
  ]);
  const endless = new Bench(['hand-off-lease']);
  endless.tell(handoff({}));
  t.same(messages(endless.step({ kind: 'control-down', peer: 'controller' })), []);
});
