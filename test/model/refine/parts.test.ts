/** The parts of the explored world: numbers and units, packed states, the small client. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { CLOSED, clientActs, clientReceives, type UnitSegment } from '../../../model/refine/client.js';
import { HEAD_END, Layout, REPLY, START } from '../../../model/refine/layout.js';
import { CLIENT_ISN, REQUESTS } from '../../../model/refine/scenario.js';
import { SITUATION_NAMES } from '../../../model/refine/situations.js';
import { StateTable, WIDTH } from '../../../model/refine/state.js';
import { seqAdd } from '../../../reference-impl/wire/seq.js';

const OPEN = { clientFin: 0, serverFin: null, answered: 0 };
const ISS = 5000;

t.test('the scenario is what MC.tla says: a read, a write and a bad request', async (t) => {
  t.same(
    REQUESTS.map(({ kind, head, payload, response, backend }) => [kind, head, payload, response, backend]),
    [
      ['read', 1, 0, 3, 'b1'],
      ['write', 2, 1, 1, 'b2'],
      ['bad', 1, 0, 1, 'none'],
    ],
  );
  t.same(
    [START, HEAD_END, REPLY],
    [
      [1, 2, 5, 6],
      [2, 4, 6],
      [101, 104, 105, 106],
    ],
  );
  for (const request of REQUESTS) t.equal(request.units.length, request.head + request.payload);
  t.same(
    REQUESTS[0]?.responseUnits.map((unit) => unit.length),
    [120, 120, 120],
  );
});

t.test('units and bytes: each boundary is a unit, nothing between is', async (t) => {
  const layout = new Layout(ISS, OPEN);
  for (let unit = 0; unit <= 6; unit++) t.equal(layout.clientUnit(layout.clientSeq(unit)), unit);
  for (let unit = 100; unit <= 105; unit++) t.equal(layout.serverUnit(layout.serverSeq(unit)), unit);
  t.equal(layout.clientSeq(0), CLIENT_ISN);
  t.equal(layout.clientUnit(seqAdd(layout.clientSeq(2), 1)), undefined);
  t.same(layout.units('client', layout.clientSeq(2), layout.clientBytes(2, 3)), [2, 2, 2]);
  t.match(layout.units('client', layout.clientSeq(2), layout.clientBytes(2, 3).subarray(1)), /is not what|ends within/);
  t.match(layout.units('client', seqAdd(layout.clientSeq(2), 1), layout.clientBytes(2, 1)), /within a unit/);
  t.match(layout.units('client', layout.clientSeq(1), layout.clientBytes(2, 3)), /is not what/);
});

t.test('a FIN has a number of its own, behind what was sent', async (t) => {
  const closed = new Layout(ISS, { ...OPEN, clientFin: 2 });
  t.equal(closed.clientUnit(seqAdd(closed.clientSeq(2), 1)), 3);
  const plain = new Layout(ISS, OPEN);
  const fin = plain.serverSeq(104);
  const served = new Layout(ISS, { ...OPEN, serverFin: fin });
  t.equal(served.serverUnit(seqAdd(fin, 1)), 105);
  const refused = new Layout(ISS, { ...OPEN, answered: 2, serverFin: seqAdd(fin, 77) });
  t.same([refused.serverUnit(seqAdd(fin, 77)), refused.serverUnit(seqAdd(fin, 78))], [105, 106]);
});

t.test('the table of states gives every state one number, and its parts back', async () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: -1, max: 3 }), { minLength: WIDTH, maxLength: WIDTH })), (rows) => {
      const table = new StateTable();
      const numbers = new Map<string, number>();
      for (const row of rows) {
        const { index, isNew } = table.add(Int32Array.from(row));
        const known = numbers.get(row.join());
        if (isNew !== (known === undefined) || (known ?? index) !== index) return false;
        numbers.set(row.join(), index);
        if (table.get(index).join() !== row.join()) return false;
      }
      return table.count === numbers.size;
    }),
  );
  const many = new StateTable();
  for (let i = 0; i < 20_000; i++) many.add(Int32Array.from({ length: WIDTH }, (_, part) => (part === 3 ? i : 7)));
  t.equal(many.count, 20_000);
  t.equal(many.add(Int32Array.from({ length: WIDTH }, (_, part) => (part === 3 ? 12_345 : 7))).index, 12_345);
});

const SYN_ACK: UnitSegment = {
  src: 'logical',
  seq: 100,
  ack: 1,
  data: [],
  wnd: 2,
  syn: true,
  fin: false,
  rst: false,
  ts: 1,
};

t.test('the small client does what a client may, by the names of the specification', async (t) => {
  const [connect] = clientActs(CLOSED);
  t.equal(connect?.action, 'Connect');
  const { client } = clientReceives(connect?.step.client ?? CLOSED, SYN_ACK);
  t.same(
    clientActs(client).map(({ action, step }) => [action, step.sent[0]?.data]),
    [
      ['ClientSend', [1]],
      ['ClientSend', [1, 2]],
    ],
    'no more than the window',
  );
  const shut = clientReceives(client, { ...SYN_ACK, seq: 101, wnd: 0, syn: false }).client;
  t.same(
    clientActs(shut).map(({ action }) => action),
    ['ClientWrite'],
  );
  t.same(clientReceives(client, { ...SYN_ACK, src: 'b1' }).sent, [], 'not of this connection');
  t.equal(clientReceives(client, { ...SYN_ACK, seq: 101, syn: false, rst: true }).client.st, 'reset');
  t.equal(
    clientReceives(client, { ...SYN_ACK, seq: 102, syn: false, rst: true }).sent.length,
    1,
    'a RST of another number is challenged (RFC 5961)',
  );
  t.equal(clientReceives(client, { ...SYN_ACK, seq: 101, syn: false, ts: 0, data: [1] }).client.rcv, 101, 'PAWS');
});

t.test('the situations are those of Witnesses.tla, in its order', async (t) => {
  const text = readFileSync(new URL('../../../spec/Witnesses.tla', import.meta.url), 'utf8');
  t.same(
    SITUATION_NAMES,
    [...text.matchAll(/<<"([^"]+)",$/gm)].map(([, name]) => name),
  );
});
