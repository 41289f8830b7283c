/** Where a frame that leaves a foreign switch came in: known by what no rewriting changes. */
import t from 'tap';
import { Origins } from '../../harness/linux/origins.js';
import { rewriteToBackend, rewriteToClient } from '../../reference-impl/switch/transform.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';

function frame(id: number, fields: { srcPort?: number; seq?: number; flags?: number } = {}): Uint8Array {
  return buildTcpFrame({
    ethernet: { dst: 2, src: 1 },
    ipv4: { src: 0xc6120102, dst: 0xc6120050, id },
    tcp: {
      srcPort: fields.srcPort ?? 40_000,
      dstPort: 80,
      seq: fields.seq ?? 7,
      ack: 9,
      flags: fields.flags ?? TcpFlag.ACK,
      window: 100,
      options: [],
      payload: Buffer.from('x'),
    },
  });
}

function view(bytes: Uint8Array) {
  const parsed = parseFrame(bytes);
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

t.test('rewritten in either direction, a frame is known again', (t) => {
  const origins = new Origins();
  const sent = frame(1, { flags: TcpFlag.ACK | TcpFlag.FIN });
  origins.enter('client', sent);
  origins.enter('backend0', frame(2));
  const hop = { src: 3, dst: 4 };
  t.equal(origins.of(rewriteToBackend(view(sent), hop, 0xc6120a02, true)), 'client');
  t.equal(origins.of(rewriteToClient(view(frame(2)), hop, 0xc6120050, true)), 'backend0');
  t.equal(origins.of(frame(1, { srcPort: 40_001 })), 'switch', 'nothing that entered has become this');
  t.equal(origins.of(frame(3)), 'switch');
  t.equal(origins.of(Uint8Array.of(1, 2, 3)), 'switch');
  t.end();
});

t.test('the latest of two alike counts, and memory is bounded', (t) => {
  const origins = new Origins();
  origins.enter('backend0', frame(1));
  origins.enter('backend1', frame(1));
  t.equal(origins.of(frame(1)), 'backend1');
  for (let i = 0; i < 8192; i++) origins.enter('client', frame(2, { seq: 1000 + i }));
  t.equal(origins.of(frame(1)), 'switch', 'forgotten');
  t.equal(origins.of(frame(2, { seq: 1000 })), 'client');
  t.end();
});
