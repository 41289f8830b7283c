/** When a silent world is given up, and what counts as news. */
import t from 'tap';
import { frameNews, News } from '../../harness/linux/news.js';
import { patienceOf, SILENCE_MS, SilenceClock } from '../../harness/silence.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { ClientJob, WorldOptions } from '../../harness/world.js';
import { buildTcpFrame } from './tcp-frame.js';

const plain: WorldOptions = { seed: 1, without: [], policy: defaultPolicy, faults: [] };
const script = (...ms: number[]): ClientJob => ({
  kind: 'script',
  steps: ms.map((pause) => ({ do: 'pause', ms: pause })),
});

t.test('patience is what the target declares, and what the case itself makes somebody wait', async (t) => {
  t.equal(patienceOf([script()], plain), SILENCE_MS);
  t.equal(patienceOf([script()], { ...plain, silenceMs: 20_000 }), 20_000);
  t.equal(patienceOf([script(), script(700, 800)], plain), SILENCE_MS + 1500, 'the longest pauses');
  t.equal(patienceOf([], { ...plain, serviceDelayMs: 500 }), SILENCE_MS + 500);
  t.equal(patienceOf([], { ...plain, bounds: { handoffMs: 20_000 } }), 25_000, 'a backend may keep it so long');
  t.equal(patienceOf([], { ...plain, bounds: { idleMs: 1200 } }), SILENCE_MS, 'a short bound shortens nothing');
  t.ok(
    patienceOf([], { ...plain, roleFaults: [{ kind: 'silence', role: 'backend0', on: { frame: {} } }] }) > 60_000,
    'a role that falls silent is noticed by the usual bound',
  );
  t.ok(patienceOf([], { ...plain, faults: [{ kind: 'lose', match: {}, rate: 0.1 }] }) > SILENCE_MS);
  t.equal(patienceOf([], { ...plain, faults: [{ kind: 'delay', match: {}, ms: 300 }] }), SILENCE_MS + 300);
  t.ok(patienceOf([], plain, true) < SILENCE_MS, 'who was silent once is waited for less');
  t.equal(patienceOf([], { ...plain, bounds: { handoffMs: 20_000 } }, true), 25_000, 'but never less than a bound');
});

t.test('silence is counted from the first news, in looks that a standing machine does not lengthen', async (t) => {
  const clock = new SilenceClock();
  t.equal(clock.look(5000, 3), 0, 'nothing has happened since the first look');
  t.equal(clock.look(250, 3), 0, 'the client has not begun');
  t.equal(clock.look(250, 4), 0);
  t.equal(clock.look(250, 4), 250);
  t.equal(clock.look(250, 4), 500);
  t.equal(clock.look(60_000, 4), 1500, 'the machine stood still for a minute');
  t.equal(clock.look(250, 4, true), 0, 'somebody keeps his own time');
  t.equal(clock.look(250, 4), 250);
  t.equal(clock.look(250, 5), 0);
});

t.test('a segment that comes again is no news, whatever its time stamp and identification', async (t) => {
  const news = new News();
  const see = (frame: Uint8Array, link = 1): number => {
    const what = frameNews(frame, link);
    if (what !== undefined) news.note(what);
    return news.count;
  };
  t.equal(see(buildTcpFrame({ seq: 1, ipId: 1, stamp: 10 })), 1);
  t.equal(see(buildTcpFrame({ seq: 1, ipId: 2, stamp: 999 })), 1, 'a retransmission');
  t.equal(see(buildTcpFrame({ seq: 1, ipId: 1, stamp: 10 }), 2), 2, 'at another link it is');
  t.equal(see(buildTcpFrame({ seq: 2, ipId: 1, stamp: 10 })), 3);
  t.equal(see(buildTcpFrame({ seq: 2, ipId: 1, stamp: 10, window: 9 })), 4);
  t.equal(see(buildTcpFrame({ seq: 2, ipId: 1, stamp: 10, payload: 1 })), 5);
  const arp = new Uint8Array(60);
  arp.set([8, 6], 12);
  t.equal(see(arp), 5, 'ARP asks for ever');
  for (let length = 0; length < 60; length++) t.doesNotThrow(() => frameNews(new Uint8Array(length).fill(0x45), 1));
});
