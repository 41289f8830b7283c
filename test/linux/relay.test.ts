/** The relay of control messages, without sockets: what arrives where, what is written down, what the harness asks in between. */
import t from 'tap';
import { createControlFaults } from '../../harness/control-faults.js';
import { type AdmitControl, ControlRelay } from '../../harness/linux/relay.js';
import { type ControlRim, fromStdio, toStdio } from '../../harness/linux/relay-ends.js';
import { encodeControlLine } from '../../reference-impl/control/messages.js';

const list = encodeControlLine({ verb: 'list', id: 'a' }).trimEnd();
const ok = encodeControlLine({ verb: 'ok', re: 'a' }).trimEnd();

function end(): { lines: string[]; closed: number; send(line: string): void; close(): void } {
  return {
    lines: [],
    closed: 0,
    send(line) {
      this.lines.push(line);
    },
    close() {
      this.closed++;
    },
  };
}

function relayOf(role: string, admit?: AdmitControl): { relay: ControlRelay; log: string[] } {
  const log: string[] = [];
  const relay = new ControlRelay({
    role,
    ...(admit && { admit }),
    log: (direction, peer, { verb }) => log.push(`${direction} ${peer} ${verb}`),
  });
  return { relay, log };
}

t.test('lines wait for their end and are logged as the role sees them', (t) => {
  const { relay, log } = relayOf('switch');
  relay.fromPeer('controller', list);
  const role = end();
  relay.roleEnd('controller', role);
  t.same(role.lines, [list]);
  relay.fromRole('controller', ok);
  const peer = end();
  relay.peerEnd('controller', peer);
  t.same(peer.lines, [ok]);
  t.same(log, ['received controller list', 'sent controller ok']);
  t.end();
});

t.test('what is no message is carried all the same, and not logged', (t) => {
  const { relay, log } = relayOf('switch');
  const role = end();
  const peer = end();
  relay.roleEnd('controller', role);
  relay.peerEnd('controller', peer);
  relay.fromPeer('controller', '{"verb":');
  relay.fromRole('controller', 'nonsense');
  t.same([role.lines, peer.lines, log], [['{"verb":'], ['nonsense'], []]);
  t.end();
});

t.test('when one end goes, the other is closed', (t) => {
  const { relay } = relayOf('switch');
  const role = end();
  const peer = end();
  relay.roleEnd('controller', role);
  relay.peerEnd('controller', peer);
  relay.roleEnd('controller', undefined);
  t.equal(peer.closed, 1);
  relay.peerEnd('controller', undefined);
  t.equal(role.closed, 0, 'it had gone by itself');
  t.end();
});

t.test("the harness' own questions are answered to it alone", async (t) => {
  const { relay, log } = relayOf('switch');
  const role = end();
  const peer = end();
  relay.roleEnd('controller', role);
  relay.peerEnd('controller', peer);
  const asked = relay.ask('controller', 'list', 10_000);
  const { id } = JSON.parse(role.lines[0] ?? '') as { id: string };
  relay.fromRole('controller', JSON.stringify({ verb: 'ok', re: id, rules: [] }));
  t.same(await asked, { verb: 'ok', re: id, rules: [] });
  t.same([peer.lines, log], [[], []]);
  t.equal(await relay.ask('controller', 'list', 1), undefined, 'no answer in time');
});

t.test('faults of the channels act on both directions of a controller', (t) => {
  const { admit } = createControlFaults([
    { kind: 'drop', match: { verb: 'stats' } },
    { kind: 'refuse', match: { verb: 'list' }, code: 'busy' },
    { kind: 'follow', match: { verb: 'failed' }, line: 'nonsense' },
    { kind: 'drop', match: { verb: 'ok', from: 'switch' } },
  ]);
  const { relay, log } = relayOf('controller', admit);
  const role = end();
  const peer = end();
  relay.roleEnd('switch', role);
  relay.peerEnd('switch', peer);
  relay.fromRole('switch', encodeControlLine({ verb: 'stats', id: 's' }).trimEnd());
  relay.fromRole('switch', list);
  relay.fromPeer('switch', ok);
  t.same(peer.lines, [], 'lost, and answered in its stead');
  t.match(
    role.lines.map((line) => JSON.parse(line)),
    [{ verb: 'refused', re: 'a', code: 'busy' }],
  );
  t.same(log, ['sent switch stats', 'sent switch list', 'received switch refused']);
  t.end();
});

t.test('a controller on stdio names its peers', (t) => {
  const far = { kind: 'connect', address: '192.0.2.1', port: 1 } as const;
  const near = { address: '127.0.0.1', port: 2 };
  const rim: ControlRim = { role: 'controller', peers: ['switch', 'backend0'].map((peer) => ({ peer, far, near })) };
  const { relay } = relayOf('controller');
  const written: string[] = [];
  const complaints: string[] = [];
  toStdio(rim, relay, (line) => written.push(line));
  const take = fromStdio(rim, relay, (line) => complaints.push(line));
  const fabric = end();
  relay.peerEnd('switch', fabric);
  relay.fromPeer('backend0', ok);
  t.same(
    written.map((line) => JSON.parse(line)),
    [{ peer: 'backend0', message: JSON.parse(ok) }],
  );
  take(`{"peer":"switch","message":${list}}`);
  t.same(
    fabric.lines.map((line) => JSON.parse(line)),
    [JSON.parse(list)],
  );
  const bad = ['x', '1', 'null', '{"peer":"nobody","message":{}}', '{"peer":"switch"}', list];
  for (const line of bad) take(line);
  t.same(complaints, bad);
  t.equal(fabric.lines.length, 1);
  t.end();
});
