/** Failures, closes and refusals: for each clause that is about them a right story and a wrong one, and the frame or line that is named. */
import t from 'tap';
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { type BackendName, body, get, ok, read, requestEnd, respondWith, Story, Talk } from './story.js';

const RST = TcpFlag.RST | TcpFlag.ACK;
const SECOND = 1_000_000;

interface Told {
  readonly story: Story;
  readonly talk: Talk;
}

function begin(): Told {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  return { story, talk };
}

/** Something by which the captures go on. */
function later(story: Story, us: number): void {
  story.pass(us);
  new Talk(story, 41000).connect();
}

function handOver(talk: Talk, backend: BackendName = 'backend0'): string {
  const header = get('/a/1k');
  talk.fromClient({ payload: header });
  talk.server.ack = header.length;
  talk.fromServer('controller', { window: 0, flags: TcpFlag.ACK | TcpFlag.PSH });
  talk.install(backend, true);
  talk.handOff(backend, header);
  return header;
}

function fail(talk: Talk, reason: 'cannot-serve' | 'lease-expired'): void {
  talk.story.say('backend0', 'controller', {
    verb: 'failed',
    id: `f/${talk.port}`,
    handoff: talk.handoffs + talk.port * 100,
    conn: talk.tuple,
    reason,
    snapshot: null,
  });
  talk.story.say('controller', 'backend0', { verb: 'ok', re: `f/${talk.port}` });
}

const verdict = (story: Story, clause: string): string => story.judge().findings.get(clause)?.verdict ?? 'none';
const messageOf = (story: Story, clause: string): string => story.judge().findings.get(clause)?.message ?? '';

t.test('ERR-1: a reported failure and a reset that the client takes, does not take, or does not get', async (t) => {
  for (const [reset, expected] of [
    ['exact', 'pass'],
    ['stale', 'fail'],
    ['none', 'fail'],
  ] as const) {
    const { story, talk } = begin();
    handOver(talk);
    fail(talk, 'cannot-serve');
    talk.remove();
    if (reset === 'exact') talk.fromServer('controller', { flags: RST });
    if (reset === 'stale') {
      talk.fromServer('controller', { flags: RST, at: talk.server.next - 500 });
      talk.fromClient();
      story.pass(SECOND);
      talk.fromClient();
    }
    later(story, 130 * SECOND);
    t.equal(verdict(story, 'ERR-1'), expected, reset);
  }
});

t.test('ERR-2: a backend that falls silent', async (t) => {
  for (const noticed of [true, false]) {
    const { story, talk } = begin();
    handOver(talk);
    talk.fromServer('backend0', { payload: ok(1000) });
    talk.fromClient();
    if (noticed) {
      story.pass(50 * SECOND);
      talk.remove();
      talk.fromServer('controller', { flags: RST });
    }
    later(story, 130 * SECOND);
    t.equal(verdict(story, 'ERR-2'), noticed ? 'pass' : 'fail');
    if (!noticed) t.match(messageOf(story, 'ERR-2'), /backend0's silence; the controller sent no reset/);
  }
  const { story, talk } = begin();
  handOver(talk);
  talk.fromServer('backend0', { payload: ok(1000) });
  later(story, 20 * SECOND);
  t.equal(verdict(story, 'ERR-2'), 'inconclusive', 'the captures end before the bound');
});

t.test('ERR-3: a rule that was refused, or not confirmed, and a hand-off behind it', async (t) => {
  for (const answer of ['refused', 'none'] as const)
    for (const handsOff of [false, true]) {
      const { story, talk } = begin();
      const header = get('/a/1k');
      talk.fromClient({ payload: header });
      const rule = {
        conn: talk.tuple,
        backend: { name: 'backend0', ip: '198.18.10.2', mac: '02:50:52:00:10:02' },
        zeroWindow: true,
        clearFin: true,
      };
      story.say('controller', 'switch', { verb: 'add', id: 'x', rule });
      const refusal: ControlMessage = { verb: 'refused', re: 'x', code: 'full', reason: 'no room' };
      if (answer === 'refused') story.say('switch', 'controller', refusal);
      if (handsOff) talk.handOff('backend0', header);
      else talk.fromServer('controller', { flags: RST });
      story.pass(2 * SECOND);
      new Talk(story, 41000).install('backend1', true);
      t.equal(verdict(story, 'ERR-3'), handsOff ? 'fail' : 'pass', `${answer} ${handsOff}`);
    }
});

t.test('HOF-5: what meets a backend before it takes over', async (t) => {
  for (const answers of [false, true]) {
    const { story, talk } = begin();
    const header = get('/a/1k');
    talk.fromClient({ payload: header });
    talk.server.ack = header.length;
    talk.fromServer('controller', { window: 0 });
    talk.install('backend0', true);
    story.pass(10_000);
    const early = talk.fromClient();
    const reply = answers ? talk.fromServer('backend0', { flags: TcpFlag.RST }) : undefined;
    story.pass(10_000);
    talk.handOff('backend0', header);
    respondWith(talk, 'backend0', ok(1000), body(1000));
    const { findings, number } = story.judge();
    t.equal(findings.get('HOF-5')?.verdict, answers ? 'fail' : 'pass');
    if (!answers) continue;
    const frames = findings.get('HOF-5')?.evidence.map(({ frame }) => frame);
    t.same(frames, [number(early.arrived), number(reply?.sent)]);
  }
});

t.test('SWT-9: repetitions, conflicts, silence', async (t) => {
  const conn = { client: { ip: '198.18.1.2', port: 40000 }, logical: { ip: '198.18.0.80', port: 80 } };
  const rule = (n: number) => ({
    conn,
    backend: { name: `backend${n}`, ip: `198.18.1${n}.2`, mac: `02:50:52:00:1${n}:02` },
    zeroWindow: true,
    clearFin: true,
  });
  const refused = (re: string): ControlMessage => ({ verb: 'refused', re, code: 'conflict', reason: 'conflict' });
  const good = (re: string): ControlMessage => ({ verb: 'ok', re });
  const add = (id: string, n = 0): ControlMessage => ({ verb: 'add', id, rule: rule(n) });
  const remove = (id: string): ControlMessage => ({ verb: 'remove', id, conn });
  for (const [name, dialogue, expected] of [
    ['the same again', [add('1'), good('1'), add('1'), good('1'), add('2'), good('2')], 'pass'],
    ['the same refused', [add('1'), good('1'), add('2'), refused('2')], 'fail'],
    ['a repetition refused', [add('1'), good('1'), add('1'), refused('1')], 'fail'],
    ['a conflict refused', [add('1'), good('1'), add('2', 1), refused('2')], 'pass'],
    ['a conflict confirmed', [add('1'), good('1'), add('2', 1), good('2')], 'fail'],
    ['a removal twice', [add('1'), good('1'), remove('2'), good('2'), remove('3'), good('3')], 'pass'],
    ['a second removal refused', [add('1'), good('1'), remove('2'), good('2'), remove('3'), refused('3')], 'fail'],
    ['no answer', [add('1'), remove('2'), good('2')], 'fail'],
    [
      'a late repetition',
      [add('1'), good('1'), remove('2'), good('2'), add('1'), good('1'), add('3', 1), good('3')],
      'pass',
    ],
  ] as const) {
    const { story } = begin();
    for (const message of dialogue) {
      const answer = message.verb === 'ok' || message.verb === 'refused';
      story.say(answer ? 'switch' : 'controller', answer ? 'controller' : 'switch', message);
      story.pass(SECOND);
    }
    t.equal(verdict(story, 'SWT-9'), expected, name);
  }
});

t.test('RET-4: a response that ends the connection', async (t) => {
  const last = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n';
  for (const [how, expected] of [
    ['fin', 'pass'],
    ['rst', 'fail'],
    ['nothing', 'fail'],
  ] as const) {
    const { story, talk } = begin();
    read(talk, '/a/1k', 1000, {
      respond: () => respondWith(talk, 'backend0', last, body(1000)),
      reopen: () => {
        if (how === 'rst') talk.fromServer('controller', { flags: RST });
        else talk.fromServer('controller', how === 'fin' ? { flags: TcpFlag.FIN | TcpFlag.ACK } : {});
      },
    });
    if (how === 'fin') {
      talk.fromClient({ flags: TcpFlag.FIN | TcpFlag.ACK });
      talk.server.ack = talk.client.next;
      talk.fromServer('controller');
    }
    later(story, 30 * SECOND);
    t.equal(verdict(story, 'RET-4'), expected, how);
  }
});

t.test("RET-5: a backend that goes on behind the client's reset", async (t) => {
  for (const goesOn of [false, true]) {
    const { story, talk } = begin();
    const header = handOver(talk);
    talk.fromServer('backend0', { payload: ok(5000) });
    talk.fromClient();
    talk.fromServer('backend0', { payload: body(1000) });
    talk.fromClient({ flags: RST, at: requestEnd(talk, header) || header.length });
    if (goesOn) {
      story.pass(SECOND);
      talk.fromServer('backend0', { payload: body(1000) });
    }
    talk.remove();
    later(story, SECOND);
    t.equal(verdict(story, 'RET-5'), goesOn ? 'fail' : 'pass');
  }
});

t.test('RET-7: a request that was sent early, acknowledged and forgotten', async (t) => {
  for (const answered of [true, false]) {
    const { story, talk } = begin();
    const second = get('/b/2');
    read(talk, '/a/1', 700, {
      request: () => {
        talk.fromClient({ payload: get('/a/1') + second });
        talk.client.next -= second.length;
      },
    });
    if (answered) read(talk, '/b/2', 300);
    else {
      talk.fromClient({ payload: second });
      talk.server.ack = talk.client.next;
      talk.fromServer('controller');
      later(story, 30 * SECOND);
    }
    t.equal(verdict(story, 'RET-7'), answered ? 'pass' : 'fail');
  }
});

t.test('REQ-7: what cannot be parsed is no business of a backend', async (t) => {
  for (const served of [false, true]) {
    const { story, talk } = begin();
    talk.fromClient({ payload: 'GET\r\n\r\n' });
    talk.server.ack = talk.client.next;
    if (served) {
      talk.install('backend0', true);
      respondWith(talk, 'backend0', ok(100), body(100));
    } else talk.fromServer('controller', { payload: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n' });
    t.equal(verdict(story, 'REQ-7'), served ? 'fail' : 'pass');
  }
});

t.test('BKD-7: a hand-off of which nothing is heard any more', async (t) => {
  for (const silent of [false, true]) {
    const { story, talk } = begin();
    handOver(talk);
    if (!silent) fail(talk, 'cannot-serve');
    else story.entries.splice(-2);
    story.pass(20 * SECOND);
    const other = new Talk(story, 41000);
    other.connect();
    read(other, '/a/1k', 1000);
    t.equal(verdict(story, 'BKD-7'), silent ? 'fail' : 'pass');
  }
});

t.test("SEC-1: who speaks under a backend's address is not taken for it", async (t) => {
  for (const believed of [false, true]) {
    const { story, talk } = begin();
    handOver(talk);
    respondWith(talk, 'backend0', ok(1000), body(1000));
    const backend = story.host('backend0').ip;
    talk.fromServer('backend0', {
      payload: body(100, 9),
      leaves: (wire) => ({ ...wire, vantage: 'client', srcMac: story.host('client').mac, src: backend }),
      arrives: (wire) => (believed ? wire : { ...wire, src: backend, window: 501 }),
    });
    t.equal(verdict(story, 'SEC-1'), believed ? 'fail' : 'pass');
  }
});
