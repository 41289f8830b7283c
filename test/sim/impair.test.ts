/** Faults: what matches, what is done, and that the seed alone decides. */
import t from 'tap';
import { createImpairment } from '../../harness/impair.js';
import type { Fault } from '../../harness/world.js';
import { buildArpFrame, buildTcpFrame, TcpFlag } from '../../reference-impl/wire/index.js';

const ethernet = { dst: 1, src: 2 };

function segment(flags: number, payload = 0, window = 100): Uint8Array {
  const tcp = { srcPort: 80, dstPort: 5000, seq: 1, flags, window, payload: new Uint8Array(payload) };
  return buildTcpFrame({ ethernet, ipv4: { src: 1, dst: 2 }, tcp });
}

const ack = { from: 'client', to: 'controller', bytes: segment(TcpFlag.ACK) };
const arp = {
  from: 'client',
  to: 'client',
  bytes: buildArpFrame({ ethernet, arp: { operation: 1, senderMac: 1, senderIp: 1, targetMac: 0, targetIp: 2 } }),
};

/** How many copies, and how late. */
function admitted(faults: Fault[], ...frames: (typeof ack)[]): number[][] {
  const impairment = createImpairment(faults, 7);
  return frames.map((frame) => impairment.admit(frame).copies.map((copy) => copy.delayMs));
}

t.test('without faults everything passes', async (t) => {
  t.same(admitted([], ack, arp), [[0], [0]]);
});

t.test('a frame matches when every given field matches', async (t) => {
  const matches = (match: Fault['match'], frame: typeof ack): boolean =>
    admitted([{ kind: 'drop', match }], frame)[0]?.length === 0;
  t.ok(matches({}, ack));
  t.ok(matches({}, arp));
  t.ok(matches({ from: 'client', to: 'controller' }, ack));
  t.notOk(matches({ from: 'controller' }, ack));
  t.notOk(matches({ to: 'backend0' }, ack));
  t.ok(matches({ payload: false }, ack));
  t.notOk(matches({ payload: true }, ack));
  t.ok(matches({ payload: true }, { ...ack, bytes: segment(TcpFlag.ACK, 3) }));
  t.ok(matches({ flags: ['SYN', 'ACK'] }, { ...ack, bytes: segment(TcpFlag.SYN | TcpFlag.ACK) }));
  t.notOk(matches({ flags: ['SYN', 'ACK'] }, ack));
  t.ok(matches({ zeroWindow: true }, { ...ack, bytes: segment(TcpFlag.ACK, 0, 0) }));
  t.notOk(matches({ zeroWindow: true }, ack));
  t.ok(matches({ zeroWindow: false }, ack));
  t.notOk(matches({ payload: false }, arp), 'ARP has no payload to be absent');
});

t.test('nth counts matching frames from 1', async (t) => {
  const other = { ...ack, to: 'backend0' };
  t.same(admitted([{ kind: 'drop', match: { to: 'controller' }, nth: [2, 3] }], ack, other, ack, other, ack, ack), [
    [0],
    [0],
    [],
    [0],
    [],
    [0],
  ]);
});

t.test('delays add up, a duplicate is a second copy, one loss is enough', async (t) => {
  const late: Fault = { kind: 'delay', match: {}, ms: 4 };
  t.same(admitted([late, { ...late, ms: 3 }], ack), [[7]]);
  t.same(admitted([late, { kind: 'duplicate', match: {} }], ack), [[4, 4]]);
  t.same(admitted([late, { kind: 'duplicate', match: {} }, { kind: 'drop', match: {} }], ack), [[]]);
});

t.test('rates are honoured, and the seed decides', async (t) => {
  const lost = (seed: number, rate: number): string => {
    const impairment = createImpairment([{ kind: 'lose', match: {}, rate }], seed);
    return Array.from({ length: 20_000 }, () => impairment.admit(ack).copies.length).join('');
  };
  const share = (pattern: string): number => [...pattern].filter((c) => c === '0').length / pattern.length;
  for (const rate of [0, 0.01, 0.3, 1]) t.ok(Math.abs(share(lost(1, rate)) - rate) < 0.01, `${rate}`);
  t.equal(lost(1, 0.3), lost(1, 0.3));
  t.not(lost(1, 0.3), lost(2, 0.3));
  const reorder = createImpairment([{ kind: 'reorder', match: {}, rate: 0.5, ms: 2 }], 1);
  const delays = Array.from({ length: 2000 }, () => reorder.admit(ack).copies[0]?.delayMs);
  t.same([...new Set(delays)].sort(), [0, 2]);
});
