/** A right run passes every clause whose premise it makes happen, and fails none. */
import t from 'tap';
import { CHECKS } from '../../conformance/checks/index.js';
import { defaultTopology } from '../../harness/topology.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { body, get, ok, read, requestEnd, respondWith, Story, Talk, type Wire, write } from './story.js';

t.test('reads and writes that alternate between backends', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/8k', 8192);
  read(talk, '/b/1k', 1024);
  write(talk, '/a/w', 6000, 900);
  read(talk, '/b/0', 0);
  talk.close();
  const { findings, fails, passes } = story.judge();
  t.same(fails, []);
  const silent = [...findings].filter(([, f]) => f.verdict === 'inconclusive').map(([clause]) => clause);
  // Nobody retransmits, nobody closes while handed off, and there is one connection only.
  const closing = ['EST-4', 'HOF-7', 'SWT-7', 'SWT-8', 'BKD-4', 'BKD-5', 'RET-3'];
  // Nothing goes wrong, and nobody resets, pipelines, attacks or asks for what is not served.
  const trouble = ['REQ-7', 'HOF-5', 'BKD-7', 'RET-4', 'RET-5', 'RET-7', 'ERR-1', 'ERR-2', 'ERR-3', 'SEC-1'];
  t.same([...silent].sort(), [...closing, ...trouble].sort());
  t.equal(passes.length + silent.length, CHECKS.length);
  for (const clause of passes) t.ok((findings.get(clause)?.exercised ?? 0) > 0, `${clause} was exercised`);
});

t.test('two connections at once, a loss, a repetition and a FIN while handed off', async (t) => {
  const story = new Story();
  const talk = new Talk(story, 40000);
  const other = new Talk(story, 40001);
  talk.connect();
  other.connect();
  const content = body(5600, 7);
  read(talk, '/a/8k', 5600, {
    respond: () => {
      talk.fromServer('backend0', { payload: ok(5600) });
      const lost = talk.server.next;
      talk.fromServer('backend0', { payload: content.subarray(0, 1400), lost: true });
      talk.fromServer('backend0', { payload: content.subarray(1400, 2800) });
      talk.fromClient();
      // The other connection is served meanwhile, by the other backend.
      read(other, '/b/1k', 1024);
      talk.fromServer('backend0', { at: lost, payload: content.subarray(0, 1400) });
      talk.fromClient();
      talk.fromServer('backend0', { payload: content.subarray(2800, 4200), late: 500 });
      talk.fromServer('backend0', { payload: content.subarray(4200) });
      story.pass(600);
      // The client has all it wants: its FIN is cleared by the switch, and comes again afterwards.
      talk.fromClient({ flags: TcpFlag.FIN | TcpFlag.ACK });
      talk.fromClient();
    },
    reopen: () => {
      talk.fromServer('controller');
      talk.fromClient({ at: talk.client.next - 1, flags: TcpFlag.FIN | TcpFlag.ACK });
      talk.server.ack = talk.client.next;
      talk.fromServer('controller', { flags: TcpFlag.FIN | TcpFlag.ACK });
      talk.fromClient();
    },
  });
  other.close();
  const { findings, fails } = story.judge();
  t.same(fails, []);
  for (const clause of ['HOF-7', 'SWT-7', 'SWT-8', 'BKD-4', 'BKD-5', 'RET-3'])
    t.match(findings.get(clause), { verdict: 'pass' }, clause);
});

t.test('pipelined reads: what is sent early is sent again', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  const second = get('/b/2');
  read(talk, '/a/1', 700, {
    request: () => {
      talk.fromClient({ payload: get('/a/1') + second });
      talk.client.next -= second.length;
    },
  });
  read(talk, '/b/2', 300);
  const { fails, passes } = story.judge();
  t.same(fails, []);
  t.ok(passes.includes('REQ-2'));
  t.ok(passes.includes('HOF-6'));
});

t.test('round robin over connections', async (t) => {
  const story = new Story(defaultTopology({ kind: 'round-robin' }));
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a', 10, {}, 'backend1');
  read(talk, '/a', 10, {}, 'backend0');
  read(talk, '/a', 10, {}, 'backend1');
  const { fails, passes } = story.judge();
  t.same(fails, []);
  t.ok(passes.includes('REQ-6'));
});

t.test('segments as a host with offloads hands them over are held against nobody', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  const content = body(9000, 3);
  read(talk, '/a/9k', 9000, {
    respond: () => {
      talk.fromServer('backend0', { payload: ok(9000) });
      talk.fromServer('backend0', { payload: content });
      talk.fromClient();
    },
  });
  const frames = story.frames.map((frame) => {
    if (frame.bytes.length < 9000) return frame;
    const bytes = frame.bytes.slice();
    // The pseudo-header's sum alone, as the kernel leaves it to the card.
    const view = new DataView(bytes.buffer);
    const length = view.getUint16(16) - 20;
    let sum = 6 + length;
    for (const at of [26, 28, 30, 32]) sum += view.getUint16(at);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(50, sum);
    return { ...frame, bytes };
  });
  const { judgeBytes } = await import('./story.js');
  t.same(judgeBytes(story.capture(frames), story.topology, story.sortedEntries()).fails, []);
});

/** The client's card has joined what arrived as two segments: valid checksums, as the kernel computes them, and one frame of 2800 bytes. */
t.test('segments that the receiving card has joined are held against nobody', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  const content = body(4200, 3);
  read(talk, '/a/4k', 4200, {
    respond: () => {
      talk.fromServer('backend0', { payload: ok(4200) });
      const joined = (wire: Wire): Wire => ({ ...wire, payload: content.subarray(0, 2800) });
      talk.fromServer('backend0', { payload: content.subarray(0, 1400), arrives: joined });
      talk.fromServer('backend0', { payload: content.subarray(1400, 2800), lost: true });
      talk.fromServer('backend0', { payload: content.subarray(2800) });
      talk.client.ack = talk.server.next;
      talk.fromClient();
    },
  });
  t.same(story.judge().fails, []);
});

t.test("what a flooded link shows of others' frames was not sent by the host on it", async (t) => {
  const story = new Story();
  const forward = story.forward.bind(story);
  story.forward = (wire) => {
    const out = forward(wire);
    if (out.vantage === 'client') story.record(story.now + 45, { ...out, vantage: 'backend0' });
    return out;
  };
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/8k', 8192);
  read(talk, '/b/1k', 1024);
  write(talk, '/a/w', 6000, 900);
  talk.close();
  t.same(story.judge().fails, []);
});

t.test('variants replace clauses', async (t) => {
  const story = new Story({ ...defaultTopology(), variants: ['VAR-6', 'VAR-7'] });
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/1', 700, {
    headerAck: () => {
      talk.server.ack = requestEnd(talk, get('/a/1'));
      talk.fromServer('controller');
    },
    respond: () => respondWith(talk, 'backend0', ok(700), body(700)),
  });
  const { findings, fails } = story.judge();
  t.same(fails, []);
  for (const clause of ['REQ-3', 'SWT-6', 'RET-2', 'BKD-6', 'RET-1'])
    t.match(findings.get(clause), { verdict: 'unsupported' }, clause);
});

t.test('without a control log and a policy, three clauses cannot be seen', async (t) => {
  const { policy: _, ...topology } = defaultTopology();
  const story = new Story(topology);
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/1', 700);
  talk.close();
  const { findings, fails } = story.judge({ log: false });
  t.same(fails, []);
  for (const clause of ['HOF-1', 'BKD-6', 'REQ-6']) t.match(findings.get(clause), { verdict: 'inconclusive' }, clause);
  t.match(findings.get('REQ-6')?.message, /policy/);
  t.match(findings.get('HOF-1')?.message, /control log/);
});

t.test('an acknowledgement too far is held against nobody where the controller was not watched', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  // The controller acknowledges the next request's beginning at the hand-off, and the backend continues from there.
  read(talk, '/a/1', 500, {
    request: () => {
      talk.fromClient({ payload: `${get('/a/1')}GET /` });
    },
    respond: () => {
      talk.fromServer('backend0', { payload: ok(500), ack: talk.client.next });
      talk.fromServer('backend0', { payload: body(500), ack: talk.client.next });
      talk.fromClient();
    },
    complete: () => {},
    remove: () => {},
    reopen: () => {},
  });
  const { judgeBytes } = await import('./story.js');
  const frames = story.frames.filter(({ vantage }) => vantage !== 'controller');
  t.same(judgeBytes(story.capture(frames), story.topology, undefined).fails, []);
});
