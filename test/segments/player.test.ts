/** The packet-level client's core: what a story sends, what it takes for an answer, and how it tells that one did not come. */
import fc from 'fast-check';
import t from 'tap';
import { type PlayerOutput, SegmentPlayer } from '../../harness/segments/player.js';
import type { SegmentStep } from '../../harness/segments/story.js';
import type { JobResult } from '../../harness/world.js';
import { parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { ArpOperation } from '../../reference-impl/wire/arp.js';
import { buildArpFrame, buildTcpFrame, type TcpFields } from '../../reference-impl/wire/build.js';
import { type FrameView, parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpView } from '../../reference-impl/wire/tcp.js';
import { holds } from '../wire/property.js';

const CLIENT = { ip: '198.18.1.3', mac: '02:50:52:00:01:03' };
const LOGICAL = { ip: '198.18.0.80', port: 80, mac: '02:50:52:00:00:01' };
const PORT = 20_000;
const ISN = 0xffff_fff0;
const IRS = 5000;
const { SYN, ACK, FIN, RST, PSH } = TcpFlag;

const ip = (text: string): number => parseIpv4Address(text) ?? 0;
const mac = (text: string): number => parseMacAddress(text) ?? 0;

/** A player and the server's side of its link. */
class Bench {
  now = 1_000_000_000;
  readonly frames: FrameView[] = [];
  readonly crafts: Extract<PlayerOutput, { kind: 'craft' }>['items'][number][] = [];
  result: JobResult | undefined;
  readonly player: SegmentPlayer;

  constructor(...steps: readonly SegmentStep[]) {
    this.player = new SegmentPlayer({
      story: { steps },
      client: CLIENT,
      logical: LOGICAL,
      port: PORT,
      isn: ISN,
      timestampOffset: 7,
    });
    this.take(this.player.wake(this.now));
  }

  take(outputs: readonly PlayerOutput[]): this {
    for (const output of outputs) {
      if (output.kind === 'end') this.result = output.result;
      if (output.kind === 'craft') this.crafts.push(...output.items);
      if (output.kind !== 'frame') continue;
      const parsed = parseFrame(output.bytes);
      if (parsed.ok) this.frames.push(parsed.value);
    }
    return this;
  }

  /** The segments since the last call. */
  get sent(): readonly TcpView[] {
    return this.frames.splice(0).flatMap(({ tcp }) => tcp ?? []);
  }

  /** What the server says; numbers as they are on the wire. */
  server(tcp: Partial<TcpFields>, from = LOGICAL.ip): this {
    const bytes = buildTcpFrame({
      ethernet: { dst: mac(CLIENT.mac), src: mac(LOGICAL.mac) },
      ipv4: { src: ip(from), dst: ip(CLIENT.ip), id: 77 },
      tcp: { srcPort: 80, dstPort: PORT, seq: IRS + 1, ack: seqAdd(ISN, 1), flags: ACK, window: 1000, ...tcp },
    });
    return this.take(this.player.receive(bytes, this.now));
  }

  synAck(tcp: Partial<TcpFields> = {}): this {
    return this.server({ seq: IRS, flags: SYN | ACK, ...tcp });
  }

  /** Lets so much time pass, waking the player whenever it wants to be. */
  pass(ms: number): this {
    const end = this.now + ms * 1000;
    for (let at = this.player.wakeAt; at !== null && at <= end; at = this.player.wakeAt) {
      this.now = Math.max(at, this.now + 1);
      this.take(this.player.wake(this.now));
    }
    this.now = end;
    return this;
  }
}

const open = (...steps: readonly SegmentStep[]): Bench => new Bench({ do: 'connect' }, ...steps);

t.test('the handshake: a SYN with what is offered, and the ACK', async (t) => {
  const bench = new Bench({ do: 'connect', mss: 1000, windowScale: 3, sack: true, timestamps: true, window: 500 });
  const [syn] = bench.sent;
  t.match(syn, { seq: ISN, flags: SYN, window: 500, srcPort: PORT, dstPort: 80 });
  t.match(
    syn?.options.map(({ kind }) => kind),
    ['mss', 'sack-permitted', 'timestamps', 'nop', 'window-scale'],
  );
  bench.synAck();
  t.match(bench.sent[0], { seq: seqAdd(ISN, 1), ack: IRS + 1, flags: ACK });
});

t.test('a SYN is repeated, and given up when nobody answers', async (t) => {
  const bench = open();
  bench.pass(2500);
  t.equal(bench.sent.length, 3);
  bench.pass(3000);
  t.equal(bench.result?.ok, false);
  t.match(bench.result?.error, /step 1 \(connect\): nobody answered the SYN; nothing came/);
});

t.test('a SYN that is refused ends the story, and the frame is told', async (t) => {
  const bench = open();
  bench.server({ seq: 0, flags: RST | ACK });
  t.match(bench.result, { ok: false, error: /refused with RST/, offence: { ipId: 77 } });
});

t.test('data goes out in segments of the server’s MSS and is repeated until it is acknowledged', async (t) => {
  const bench = open({ do: 'send', text: 'x'.repeat(150) }, { do: 'wait', ms: 5000 });
  bench.synAck({ options: [{ kind: 'mss', value: 100 }] });
  t.match(bench.sent.slice(2), [
    { payloadLength: 100, flags: ACK | PSH },
    { payloadLength: 50, seq: seqAdd(ISN, 101) },
  ]);
  bench.pass(350);
  t.match(bench.sent, [{ payloadLength: 100, seq: seqAdd(ISN, 1) }]);
  bench.server({ ack: seqAdd(ISN, 101) }).pass(350);
  t.match(bench.sent, [{ payloadLength: 50 }]);
  bench.server({ ack: seqAdd(ISN, 151) }).pass(1000);
  t.same(bench.sent, []);
});

t.test('expect passes others over, and fails telling what came', async (t) => {
  const wanted: SegmentStep = { do: 'expect', flags: ['ACK'], payload: false, acks: 4, window: 'zero', withinMs: 100 };
  const bench = open({ do: 'send', text: 'four' }, wanted, { do: 'reset' });
  bench
    .synAck()
    .server({ ack: seqAdd(ISN, 3), window: 0 })
    .server({ ack: seqAdd(ISN, 5), window: 9 });
  t.equal(bench.result, undefined);
  bench.server({ ack: seqAdd(ISN, 5), window: 0 });
  t.equal(bench.result?.ok, true);
  t.match(bench.result?.observations, [
    {},
    { do: 'send' },
    { do: 'expect', seen: { what: 'ACK, at 0, acks 4, window 0' } },
    {},
  ]);

  const late = open({ do: 'send', text: 'four' }, wanted);
  late
    .synAck()
    .server({ ack: seqAdd(ISN, 5), window: 9 })
    .pass(150);
  t.match(
    late.result?.error,
    /^step 3 \(expect .*\): not within 100 ms; seen 1, the last: ACK, at 0, acks 4, window 9$/,
  );
});

t.test('what came before the last step that sent something is no answer to it', async (t) => {
  const bench = open(
    { do: 'send', text: 'four' },
    { do: 'wait', ms: 10 },
    { do: 'probe' },
    { do: 'expect', acks: 4, withinMs: 50 },
  );
  bench
    .synAck()
    .server({ ack: seqAdd(ISN, 5) })
    .pass(100);
  t.match(bench.result?.error, /nothing came/);
});

t.test('expect-nothing fails with the segment that came', async (t) => {
  const bench = open({ do: 'send', text: 'a' }, { do: 'expect-nothing', ms: 100, flags: ['FIN'] });
  bench.synAck().server({ ack: seqAdd(ISN, 2) });
  t.equal(bench.result, undefined, 'what is not forbidden may come');
  bench.server({ flags: FIN | ACK, ack: seqAdd(ISN, 2) });
  t.match(bench.result, { ok: false, offence: { ipId: 77, what: /^FIN ACK/ } });
});

t.test('a window probe lies one number back', async (t) => {
  for (const [bytes, payload] of [
    [0, ''],
    [1, 'r'],
  ] as const) {
    const bench = open({ do: 'send', text: 'four' }, { do: 'probe', bytes });
    bench.synAck();
    const probe = bench.sent[3];
    t.equal(probe?.seq, seqAdd(ISN, 4));
    t.equal(Buffer.from(probe?.payload ?? []).toString(), payload);
  }
});

t.test('acknowledging is polite, unless it is withheld', async (t) => {
  const bench = open(
    { do: 'auto-ack', on: false },
    { do: 'arrived', bytes: 6 },
    { do: 'auto-ack', on: true },
    { do: 'wait', ms: 9 },
  );
  bench.synAck();
  t.equal(bench.sent.length, 2);
  // Out of order, and joined.
  bench.server({ seq: IRS + 4, payload: Buffer.from('def') });
  t.same(bench.sent, []);
  bench.server({ payload: Buffer.from('abc') });
  t.match(bench.sent, [{ ack: IRS + 7 }]);
});

t.test('a response is read whole, and the close is in order', async (t) => {
  const bench = open({ do: 'send', text: 'GET' }, { do: 'response' });
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  bench.synAck().server({ ack: seqAdd(ISN, 4), payload: Buffer.from(text) });
  t.equal(bench.sent.at(-1)?.flags, ACK | FIN, 'the end of the story closes');
  bench.server({ seq: IRS + 1 + text.length, ack: seqAdd(ISN, 5), flags: FIN | ACK });
  t.match(bench.result, { ok: true, closedBy: 'client', responses: [{ status: 200, bodySize: 2 }] });
  t.equal(bench.sent.at(-1)?.ack, IRS + 2 + text.length, 'and the FIN of the server is acknowledged');
});

t.test('after a RST, what still arrives is refused, and the port can be used again', async (t) => {
  const bench = open({ do: 'send', text: 'a' }, { do: 'reset' }, { do: 'wait', ms: 20 }, { do: 'connect' });
  bench.synAck({ window: 10 });
  t.match(
    bench.sent.at(-1),
    { flags: RST | ACK, seq: seqAdd(ISN, 1) },
    'with the number that the server has acknowledged',
  );
  bench.server({ ack: seqAdd(ISN, 1), payload: Buffer.from('late') });
  t.match(bench.sent, [{ flags: RST, seq: seqAdd(ISN, 1) }]);
  bench.pass(30);
  t.match(bench.sent, [{ flags: SYN, seq: seqAdd(ISN, 0x0100_0000) }]);
});

t.test('only a RST with the exact number ends the connection; another one draws a challenge', async (t) => {
  const bench = open({ do: 'send', text: 'a' }, { do: 'closed', by: 'rst' });
  bench.synAck();
  t.equal(bench.sent.length, 3);
  bench.server({ seq: IRS + 50, flags: RST });
  t.match(bench.sent, [{ flags: ACK, ack: IRS + 1 }]);
  bench.server({ seq: IRS + 1, flags: RST });
  t.match(bench.result, { ok: true, closedBy: 'server-rst' });
});

t.test('a forged frame is described, and the story waits until it has been sent', async (t) => {
  const bench = open(
    { do: 'forge', frame: { flags: ['RST'], shift: { seq: 100 }, ttl: 3, to: { port: 81 } } },
    { do: 'reset' },
  );
  bench.synAck();
  t.match(bench.crafts, [
    { ipv4: { src: CLIENT.ip, ttl: 3 }, tcp: { seq: seqAdd(ISN, 101), flags: RST, srcPort: PORT, dstPort: 81 } },
  ]);
  t.equal(bench.result, undefined);
  bench.take(bench.player.crafted(bench.now));
  t.equal(bench.result?.ok, true);
});

t.test('as the server: the numbers of the other side', async (t) => {
  const bench = open({ do: 'forge', frame: { asServer: true, from: { ip: '198.18.10.2' } } });
  bench.synAck();
  t.match(bench.crafts, [
    {
      ethernet: { src: CLIENT.mac, dst: LOGICAL.mac },
      ipv4: { src: '198.18.10.2', dst: CLIENT.ip },
      tcp: { srcPort: 80, dstPort: PORT, seq: IRS + 1, ack: seqAdd(ISN, 1) },
    },
  ]);
});

t.test('ARP for its address is answered, other frames are left alone', async (t) => {
  const bench = open({ do: 'wait', ms: 1 });
  bench.frames.splice(0);
  const request = {
    operation: ArpOperation.REQUEST,
    senderMac: mac(LOGICAL.mac),
    senderIp: ip('198.18.1.1'),
    targetMac: 0,
    targetIp: ip(CLIENT.ip),
  };
  const ethernet = { dst: 0xffff_ffff_ffff, src: mac(LOGICAL.mac) };
  bench.take(bench.player.receive(buildArpFrame({ ethernet, arp: request }), bench.now));
  t.match(bench.frames.splice(0), [{ arp: { operation: ArpOperation.REPLY, senderMac: mac(CLIENT.mac) } }]);
  bench.take(bench.player.receive(buildArpFrame({ ethernet, arp: { ...request, targetIp: 5 } }), bench.now));
  bench.server({}, '198.18.10.2');
  t.same(bench.frames, []);
});

t.test('a story that takes too long ends telling what it was waiting for, and resets what is open', async (t) => {
  const bench = open({ do: 'response', withinMs: 60_000 });
  bench.synAck();
  bench.frames.splice(0);
  bench.take(bench.player.giveUp(bench.now, 30_000));
  t.match(bench.result?.error, /not done after 30000 ms, waiting for step 2 \(response/);
  t.match(bench.sent, [{ flags: RST | ACK }]);
});

t.test('whatever arrives, the player goes on or ends, and never throws', async (t) => {
  holds(
    t,
    fc.property(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }).map((bytes) => ({ bytes })),
          fc.record({
            tcp: fc.record({
              seq: fc.integer({ min: IRS - 3, max: IRS + 40 }),
              ack: fc.integer({ min: -3, max: 40 }).map((n) => seqAdd(ISN, n)),
              flags: fc.integer({ min: 0, max: 255 }),
              payload: fc.uint8Array({ maxLength: 30 }),
            }),
          }),
          fc.record({ ms: fc.integer({ min: 0, max: 700 }) }),
        ),
        { maxLength: 30 },
      ),
      (happenings) => {
        const bench = open(
          { do: 'send', text: 'GET' },
          { do: 'probe' },
          { do: 'response', withinMs: 900 },
          { do: 'shutdown' },
        );
        bench.synAck();
        for (const happening of happenings) {
          if ('bytes' in happening) bench.take(bench.player.receive(happening.bytes, bench.now));
          else if ('tcp' in happening) bench.server(happening.tcp);
          else bench.pass(happening.ms);
        }
        bench.pass(20_000);
        return bench.result !== undefined;
      },
    ),
  );
});
