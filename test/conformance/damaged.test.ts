/** Captures that are cut, shuffled, thinned out or nonsense: never an exception, and never a fail that the missing frames made up. */
import fc from 'fast-check';
import t from 'tap';
import { judgeAll } from '../../conformance/checks/index.js';
import { analyse } from '../../conformance/flows/judged.js';
import { encodePcapng } from '../../harness/capture/pcapng.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { body, EPOCH, get, judgeBytes, ok, read, Story, Talk, type Vantage, write } from './story.js';

/** Reads, writes, pipelining, a loss, two connections, a FIN while handed off: all right. */
function rightStory(): Story {
  const story = new Story();
  const talk = new Talk(story, 40000);
  const other = new Talk(story, 40001);
  talk.connect();
  other.connect();
  read(talk, '/a/1', 4000);
  write(talk, '/b/w', 5000, 700);
  const content = body(5600, 7);
  read(talk, '/a/8k', 5600, {
    request: () => {
      talk.fromClient({ payload: get('/a/8k') + get('/b/next') });
      talk.client.next -= get('/b/next').length;
    },
    respond: () => {
      talk.fromServer('backend0', { payload: ok(5600) });
      const lost = talk.server.next;
      talk.fromServer('backend0', { payload: content.subarray(0, 1400), lost: true });
      talk.fromServer('backend0', { payload: content.subarray(1400, 2800) });
      talk.fromClient();
      read(other, '/b/1k', 3000);
      talk.fromServer('backend0', { at: lost, payload: content.subarray(0, 1400) });
      talk.fromClient();
      talk.fromServer('backend0', { payload: content.subarray(2800, 4200), late: 300 });
      talk.fromServer('backend0', { payload: content.subarray(4200) });
      story.pass(400);
      talk.fromClient();
    },
  });
  read(talk, '/b/next', 1000, {
    respond: () => {
      talk.fromServer('backend1', { payload: ok(1000) });
      talk.fromServer('backend1', { payload: body(1000, 3) });
      talk.fromClient({ flags: TcpFlag.FIN | TcpFlag.ACK });
    },
    reopen: () => {
      talk.fromServer('controller');
      talk.fromClient({ at: talk.client.next - 1, flags: TcpFlag.FIN | TcpFlag.ACK });
      talk.server.ack = talk.client.next;
      talk.fromServer('controller', { flags: TcpFlag.FIN | TcpFlag.ACK });
      talk.fromClient();
    },
  });
  write(other, '/a/w', 3000, 3000);
  other.close();
  return story;
}

const story = rightStory();
const { frames, topology } = story;
const entries = story.sortedEntries();
const vantage = fc.constantFrom<Vantage>('client', 'controller', 'backend0', 'backend1');
const runs = { numRuns: 60 };

function failsOf(kept: typeof frames, withLog: boolean): string[] {
  const { findings } = judgeBytes(story.capture(kept), topology, withLog ? entries : undefined);
  return [...findings].filter(([, f]) => f.verdict === 'fail').map(([clause, f]) => `${clause}: ${f.message}`);
}

t.test('the story itself is right', async (t) => {
  t.same(failsOf(frames, true), []);
});

t.test('one vantage misses frames', async (t) => {
  fc.assert(
    fc.property(
      vantage,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: frames.length, maxLength: frames.length }),
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      fc.boolean(),
      (where, dice, rate, withLog) => {
        const kept = frames.filter((frame, index) => frame.vantage !== where || (dice[index] ?? 1) >= rate);
        t.same(failsOf(kept, withLog), []);
      },
    ),
    runs,
  );
});

t.test('only some vantages, and only a while of the run', async (t) => {
  fc.assert(
    fc.property(
      fc.subarray<Vantage>(['client', 'controller', 'backend0', 'backend1'], { minLength: 1 }),
      fc.nat(frames.length),
      fc.nat(frames.length),
      fc.boolean(),
      (seen, a, b, withLog) => {
        const kept = frames.slice(Math.min(a, b), Math.max(a, b)).filter((frame) => seen.includes(frame.vantage));
        t.same(failsOf(kept, withLog), []);
      },
    ),
    runs,
  );
});

t.test('every frame is cut', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 14, max: 400 }), fc.boolean(), (length, withLog) => {
      const bytes = encodePcapng(
        ['client', 'controller', 'backend0', 'backend1'],
        frames.map((frame) => ({
          interfaceName: frame.vantage,
          timestampNs: EPOCH + BigInt(frame.t * 1000),
          bytes: frame.bytes.subarray(0, length),
          originalLength: frame.bytes.length,
        })),
      );
      const { findings } = judgeBytes(bytes, topology, withLog ? entries : undefined);
      t.same(
        [...findings].filter(([, f]) => f.verdict === 'fail'),
        [],
      );
    }),
    runs,
  );
});

t.test('a file a vantage, from machines whose clocks differ', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20_000, max: 20_000 }), { minLength: 4, maxLength: 4 }), (skews) => {
      const captures = (['client', 'controller', 'backend0', 'backend1'] as const).map((name, index) => ({
        name: `${name}.pcapng`,
        vantage: name,
        bytes: encodePcapng(
          ['eth0'],
          frames
            .filter((frame) => frame.vantage === name)
            .map((frame) => ({
              interfaceName: 'eth0',
              timestampNs: EPOCH + BigInt((frame.t + (skews[index] ?? 0)) * 1000),
              bytes: frame.bytes,
              originalLength: frame.bytes.length,
            })),
        ),
      }));
      const outcome = analyse({ captures, topology });
      t.ok(outcome.ok);
      if (outcome.ok)
        t.same(
          judgeAll(outcome.judged).filter(({ finding }) => finding.verdict === 'fail'),
          [],
        );
    }),
    runs,
  );
});

t.test('shuffled times, flipped bits, doubled and foreign frames never throw', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(frames.length - 1), fc.nat(2_000_000), vantage, fc.nat(120), fc.nat(255)), {
        maxLength: 300,
      }),
      (picks) => {
        const made = picks.flatMap(([index, at, where, offset, value]) => {
          const frame = frames[index];
          if (frame === undefined) return [];
          const bytes = frame.bytes.slice();
          bytes[offset % bytes.length] = value;
          return [{ t: at, vantage: where, bytes }];
        });
        t.doesNotThrow(() => judgeBytes(story.capture(made), topology, entries));
      },
    ),
    runs,
  );
});

t.test('what is no capture is one clear line', async (t) => {
  for (const bytes of [new Uint8Array(0), body(500), story.capture().subarray(0, 3000)]) {
    const outcome = analyse({ captures: [{ name: 'x.pcapng', bytes }], topology });
    t.equal(outcome.ok, false);
    if (!outcome.ok) t.match(outcome.error, /^x\.pcapng: [^\n]+$/);
  }
  const foreign = analyse({ captures: [{ name: 'x.pcapng', bytes: encodePcapng(['eth0'], []) }], topology });
  t.match(foreign, { ok: false, error: /eth0/ });
});
