/** The kernel backend without a kernel: what it tells one, how far a request may be acknowledged, what it says to a controller. */
import fc from 'fast-check';
import t from 'tap';
import { BackendControl, type TakeOverConnection } from '../../kernel/backend/backend.js';
import type { Outcome } from '../../kernel/backend/connection.js';
import { leastToCome } from '../../kernel/backend/framing.js';
import { addressBytes, flowBytes } from '../../kernel/backend/guard.js';
import { fileOf } from '../../kernel/backend/objects.js';
import {
  exportedTimestamp,
  firstSegmentSize,
  importedTimestamp,
  repairOptions,
  repairWindow,
  socketAddress,
} from '../../kernel/backend/repair.js';
import { startPayload, takePayload } from '../../reference-impl/backend/payload.js';
import type { ConnectionSnapshot, ControlMessage, Handoff } from '../../reference-impl/control/messages.js';
import type { RoleOutput } from '../../reference-impl/core/core.js';
import { holds } from '../wire/property.js';

const SNAPSHOT: ConnectionSnapshot = {
  seq: 5000,
  ack: 100,
  clientWindow: 64_256,
  clientMss: 1460,
  ownMss: 1460,
  windowScale: { client: 7, own: 6 },
  sackPermitted: true,
  timestamps: { value: 1001, recent: 77 },
};
const words = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)];

t.test('what TCP_REPAIR is told', (t) => {
  t.same(
    [...socketAddress({ ip: 0xc6120102, port: 40_000 })],
    [2, 0, 0x9c, 0x40, 0xc6, 0x12, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  t.same(words(repairOptions(SNAPSHOT)), [2, 1460, 3, 7 | (6 << 16), 4, 0, 8, 0], 'all that was negotiated');
  t.same(
    words(repairOptions({ ...SNAPSHOT, windowScale: null, sackPermitted: false, timestamps: null })),
    [2, 1460, 3, 0],
    'nothing else, and no scale of the socket’s own making',
  );
  t.same(words(repairWindow(SNAPSHOT, 65_535)), [100, 64_256, 64_256, 65_535, 100]);
  t.ok((words(repairWindow({ ...SNAPSHOT, clientWindow: 0 }, 1))[2] ?? 0) > 0, 'a largest window of zero is refused');
  t.equal(firstSegmentSize(SNAPSHOT), 1460);
  t.equal(firstSegmentSize({ clientMss: 8960, clientWindow: 4096 }), 2048, 'half a small window');
  t.equal(firstSegmentSize({ clientMss: 1460, clientWindow: 0 }), 88, 'the least that Linux takes');
  t.end();
});

t.test('timestamps never step back over an import and an export', (t) => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const ahead = (a: number, b: number): number => (a - b) | 0;
  holds(
    t,
    fc.property(u32, (value) => importedTimestamp(value) % 2 === 0 && ahead(importedTimestamp(value), value) >= 0),
  );
  // The kernel clears bit 0 of what it tells, so that what it has sent last may be one more.
  holds(
    t,
    fc.property(u32, (sent) => ahead(exportedTimestamp(sent & ~1), sent) >= 0),
  );
  t.end();
});

t.test('the guard’s entries', (t) => {
  t.same([...addressBytes({ ip: 0xc6120102, port: 40_000 })], [0xc6, 0x12, 1, 2, 0x9c, 0x40, 0, 0]);
  const flow = { limit: 0x01020304, acknowledged: 5, receiving: true, zeroWindow: false, until: 0x1_0000_0002n };
  t.same([...flowBytes(flow)], [4, 3, 2, 1, 5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
  t.equal(flowBytes({ ...flow, zeroWindow: true })[8], 1);
  t.end();
});

const chunk = fc.tuple(
  fc.integer({ min: 1, max: 600 }),
  fc.constantFrom('', ';x=1', ' '),
  fc.constantFrom('\r\n', '\n'),
  fc.boolean(),
);
const chunked = fc
  .tuple(
    fc.array(chunk, { maxLength: 5 }),
    fc.constantFrom('', 'A: b\r\n', 'A: b\nC: d\r\n'),
    fc.constantFrom('\r\n', '\n'),
  )
  .map(([chunks, trailer, end]) =>
    Buffer.from(
      `${chunks
        .map(
          ([size, extension, line, zeros]) =>
            `${zeros ? '00' : ''}${size.toString(16)}${extension}${line}${'x'.repeat(size)}${line}`,
        )
        .join('')}0${end}${trailer}${end}`,
    ),
  );

t.test('no more is acknowledged than must still come, and always something', (t) => {
  holds(
    t,
    fc.property(chunked, (bytes) => {
      let payload = startPayload({ kind: 'chunked' });
      for (let at = 0; at < bytes.length; at++) {
        const least = leastToCome(payload);
        if (least < 1 || least > bytes.length - at) return false;
        payload = takePayload(payload, bytes.subarray(at, at + 1)).payload;
      }
      return payload.status === 'complete' && leastToCome(payload) === 0;
    }),
  );
  t.equal(leastToCome(startPayload({ kind: 'length', bytes: 4711 })), 4711);
  t.end();
});

t.test('paths that lead out of the folder name no file', (t) => {
  t.equal(fileOf('/objects', '/a/8k'), '/objects/a/8k');
  for (const path of ['/../etc/passwd', '/a/../../x', '/a//8k', '/', '/a/', 'a/8k', '*', '/a/\0', '/./a'])
    t.equal(fileOf('/objects', path), undefined, JSON.stringify(path));
  t.end();
});

function handoff(number: number, leaseMs?: number): Handoff {
  return {
    verb: 'handoff',
    id: `h${number}`,
    handoff: number,
    conn: { client: { ip: '198.18.1.2', port: 40_000 }, logical: { ip: '198.18.0.80', port: 80 } },
    snapshot: SNAPSHOT,
    request: {
      method: 'GET',
      target: '/a/x',
      header: '',
      payload: { kind: 'length', bytes: 0 },
      expectContinue: false,
      keepAlive: true,
      minorVersion: 1,
    },
    ...(leaseMs !== undefined && { leaseMs }),
  };
}

/** A backend whose connections are served by the test. */
function bench(refusal?: string) {
  const serving: { handoff: Handoff; ended: (outcome: Outcome) => void; begun: number; givenUp: number }[] = [];
  const later: (() => void)[] = [];
  const said: RoleOutput[] = [];
  let now = 0;
  const takeOver: TakeOverConnection = (message, ended) => {
    if (refusal !== undefined) throw new Error(refusal);
    const row = { handoff: message, ended, begun: 0, givenUp: 0 };
    serving.push(row);
    return {
      begin() {
        row.begun++;
      },
      giveUp() {
        row.givenUp++;
        return SNAPSHOT;
      },
    };
  };
  const control = new BackendControl('backend0', {
    takeOver,
    put: (outputs) => said.push(...outputs),
    now: () => now,
    afterwards: (work) => later.push(work),
  });
  const messages = (outputs: readonly RoleOutput[]): ControlMessage[] =>
    outputs.flatMap((output) => (output.kind === 'control' ? [output.message] : []));
  return {
    control,
    serving,
    later: () => {
      for (const work of later.splice(0)) work();
    },
    said: () => messages(said.splice(0)),
    tell: (message: ControlMessage, peer = 'controller') => messages(control.step({ kind: 'control', peer, message })),
    wait(ms: number): ControlMessage[] {
      now += ms * 1000;
      return messages(control.step({ kind: 'timer', key: '198.18.1.2:40000' }));
    },
    down: () => messages(control.step({ kind: 'control-down', peer: 'controller' })),
    up: () => messages(control.step({ kind: 'control-up', peer: 'controller' })),
  };
}

t.test('a hand-off is taken over once, and reported until that is confirmed', (t) => {
  const { control, serving, tell, said, wait, up, later } = bench();
  t.match(tell(handoff(7)), [{ verb: 'ok', re: 'h7' }]);
  t.equal(serving[0]?.begun, 0, 'not before the controller is told');
  later();
  t.equal(serving[0]?.begun, 1);
  t.match(tell({ ...handoff(7), id: 'again' }), [{ verb: 'ok', re: 'again' }]);
  t.equal(serving.length, 1);
  t.match(tell(handoff(8)), [{ verb: 'refused', code: 'conflict' }], 'it is owned already');
  serving[0]?.ended({ kind: 'complete', snapshot: SNAPSHOT, keepAlive: true });
  const [report] = said();
  t.match(report, { verb: 'complete', handoff: 7, keepAlive: true });
  t.same(wait(500), [], 'not yet repeated');
  t.same(wait(600), [report]);
  t.same(up(), [report], 'to a controller that is back');
  t.match(tell(handoff(7)), [{ verb: 'ok' }], 'a late repetition');
  t.match(tell(handoff(9)), [{ verb: 'ok' }], 'a newer hand-off says that the report came');
  t.equal(serving.length, 2);
  serving[1]?.ended({ kind: 'complete', snapshot: SNAPSHOT, keepAlive: true });
  const [last] = said();
  t.match(last, { verb: 'complete', handoff: 9 });
  tell({ verb: 'ok', re: (last as { id: string }).id });
  t.equal(control.open, 0);
  t.match(tell(handoff(9)), [{ verb: 'ok' }]);
  t.equal(serving.length, 2, 'nothing starts again');
  t.end();
});

t.test('what the kernel refuses is refused', (t) => {
  const { control, tell } = bench('connect: EADDRNOTAVAIL');
  t.match(tell(handoff(1)), [{ verb: 'refused', re: 'h1', code: 'unsupported', reason: 'connect: EADDRNOTAVAIL' }]);
  t.equal(control.open, 0);
  t.match(tell({ verb: 'list', id: 'l' }), [{ verb: 'refused', code: 'unsupported' }]);
  t.same(tell(handoff(1), 'stranger'), [], 'a stranger is not answered');
  t.end();
});

t.test('a lease that ends, and a controller that is lost', (t) => {
  const first = bench();
  first.tell(handoff(1, 5000));
  t.same(first.wait(4000), []);
  t.match(first.wait(1000), [{ verb: 'failed', reason: 'lease-expired', snapshot: SNAPSHOT }]);
  t.equal(first.serving[0]?.givenUp, 1);
  first.serving[0]?.ended({ kind: 'complete', snapshot: SNAPSHOT, keepAlive: true });
  t.same(first.said(), [], 'nothing is reported twice');

  const second = bench();
  second.tell(handoff(1));
  t.match(second.down(), [{ verb: 'failed', reason: 'controller-lost' }]);
  t.equal(second.serving[0]?.givenUp, 1);
  t.match(second.up(), [{ verb: 'failed', reason: 'controller-lost' }]);
  const third = bench();
  third.tell(handoff(1));
  third.control.stop();
  t.equal(third.serving[0]?.givenUp, 1, 'the process ends');
  t.end();
});
