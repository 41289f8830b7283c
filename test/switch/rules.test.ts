/** Installing, removing and draining rules: SWT-9, ERR-4 and the remedy `drain-rules`. */
import fc from 'fast-check';
import t from 'tap';
import { ControlMessage, type Rule } from '../../reference-impl/control/messages.js';
import { initSwitch, stepSwitch } from '../../reference-impl/switch/switch.js';
import { TcpFlag } from '../../reference-impl/wire/index.js';
import { holds } from '../wire/property.js';
import { BACKENDS, Bench, config, eventsOf, fromBackend, fromClient, ip, LOGICAL, rule } from './fixture.js';

t.test('SWT-9: installing is confirmed, and idempotent for the same rule', async (t) => {
  const bench = new Bench();
  const outputs = bench.control({ verb: 'add', id: 'one', rule: rule() });
  t.strictSame(eventsOf(outputs), [{ action: 'SwitchAddRule', conn: '198.18.1.2:40000', backend: 'backend0' }]);
  t.match(
    outputs.find(({ kind }) => kind === 'control'),
    { peer: 'controller', message: { verb: 'ok', re: 'one' } },
  );
  const again = bench.control({ verb: 'add', id: 'two', rule: rule() });
  t.strictSame(again, [{ kind: 'control', peer: 'controller', message: { verb: 'ok', re: 'two' } }]);
  t.strictSame(bench.rules(), [rule()]);
});

t.test('SWT-9: a different rule for the same connection is refused and changes nothing', async (t) => {
  const others: [string, Rule][] = [
    ['another backend', rule(40000, 1)],
    ['another MAC', rule(40000, 0, { backend: { ...rule().backend, mac: '02:00:00:00:00:09' } })],
    ['another name', rule(40000, 0, { backend: { ...rule().backend, name: 'other' } })],
    ['an open window', rule(40000, 0, { zeroWindow: false })],
    ['FIN kept', rule(40000, 0, { clearFin: false })],
  ];
  for (const [name, other] of others) {
    const bench = new Bench();
    bench.add(rule());
    const outputs = bench.control({ verb: 'add', id: 'x', rule: other });
    t.match(eventsOf(outputs), [{ action: 'SwitchRefuseRule', code: 'conflict', conn: '198.18.1.2:40000' }], name);
    t.match(outputs.at(-1), { message: { verb: 'refused', re: 'x', code: 'conflict' } }, name);
    t.strictSame(bench.rules(), [rule()], name);
  }
});

t.test("SWT-9: so is one whose backend's segments could not be told apart", async (t) => {
  const bench = new Bench();
  bench.add(rule());
  const otherLogical: Rule = { ...rule(), conn: { ...rule().conn, logical: { ip: '198.18.0.81', port: 80 } } };
  t.match(bench.add(otherLogical), { verb: 'refused', code: 'conflict' });
  t.match(
    bench.add({ ...otherLogical, backend: rule(40000, 1).backend }),
    { verb: 'ok' },
    'the other backend can serve it',
  );
});

t.test('SWT-9: a list that no line holds is refused, not cut', async (t) => {
  // Not on the bench, which looks at the whole state in every step.
  const list = (count: number): unknown => {
    let { state } = initSwitch({ ...config, ruleCapacity: count });
    const control = (message: ControlMessage): unknown => {
      const stepped = stepSwitch(state, { kind: 'control', peer: 'controller', message }, 0);
      state = stepped.state;
      return stepped.outputs.at(-1);
    };
    for (let port = 1; port <= count; port++) control({ verb: 'add', id: `${port}`, rule: rule(port) });
    return control({ verb: 'list', id: 'all' });
  };
  t.match(list(1024), { message: { verb: 'ok', re: 'all' } }, 'the usual capacity fits');
  t.match(list(1400), { message: { verb: 'refused', re: 'all', code: 'full' } });
});

t.test('SWT-9: a full table refuses, but not what it already has', async (t) => {
  const bench = new Bench({ ruleCapacity: 2 });
  bench.add(rule(1));
  bench.add(rule(2));
  t.match(bench.add(rule(3)), { verb: 'refused', code: 'full' });
  t.match(bench.add(rule(2)), { verb: 'ok' });
  t.match(bench.remove(rule(1)), { verb: 'ok' });
  t.match(bench.add(rule(3)), { verb: 'ok' }, 'what drains takes no room');
  t.strictSame(bench.rules(), [rule(2), rule(3)]);
});

t.test('a backend that no route leads to is refused', async (t) => {
  const away = rule(40000, 0, { backend: { ...rule().backend, ip: '203.0.113.9' } });
  t.match(new Bench().add(away), { verb: 'refused', code: 'unsupported', reason: 'no route to 203.0.113.9' });
});

t.test('SWT-9: removing is confirmed, also when there is nothing to remove', async (t) => {
  const bench = new Bench();
  bench.add(rule());
  const outputs = bench.control({ verb: 'remove', id: 'x', conn: rule().conn });
  t.match(eventsOf(outputs), [{ action: 'SwitchRemoveRule', conn: '198.18.1.2:40000', backend: 'backend0' }]);
  t.strictSame(bench.control({ verb: 'remove', id: 'y', conn: rule().conn }), [
    { kind: 'control', peer: 'controller', message: { verb: 'ok', re: 'y' } },
  ]);
  t.strictSame(bench.rules(), []);
  t.equal(bench.frame('client', fromClient())?.port, 'controller', 'the client is back with the controller at once');
});

t.test('ERR-4: a repeated request is answered like the first, and a late one brings no rule back', async (t) => {
  const bench = new Bench();
  const add = { verb: 'add', id: 'one', rule: rule() } as const;
  t.match(bench.ask(add), { verb: 'ok', re: 'one' });
  t.match(bench.ask(add), { verb: 'ok', re: 'one' });
  bench.remove(rule());
  const outputs = bench.control(add);
  t.match(outputs[0], { message: { verb: 'ok', re: 'one' } });
  t.match(eventsOf(outputs), [{ action: 'ControlRejected', reason: 'repeated add' }]);
  t.strictSame(bench.rules(), []);
});

t.test('ERR-4: a refusal is repeated too, and a late removal removes nothing', async (t) => {
  const bench = new Bench({ ruleCapacity: 1 });
  bench.add(rule(1));
  const add = { verb: 'add', id: 'two', rule: rule(2) } as const;
  const remove = { verb: 'remove', id: 'three', conn: rule(1).conn } as const;
  t.match(bench.ask(add), { verb: 'refused', code: 'full' });
  bench.ask(remove);
  t.match(bench.ask(add), { verb: 'refused', code: 'full' });
  bench.add(rule(1));
  t.match(bench.ask(remove), { verb: 'ok' });
  t.strictSame(bench.rules(), [rule(1)]);
});

t.test('ERR-4: an id that was used for another request is refused', async (t) => {
  const bench = new Bench();
  bench.ask({ verb: 'add', id: 'one', rule: rule(1) });
  const others: ControlMessage[] = [
    { verb: 'add', id: 'one', rule: rule(2) },
    { verb: 'remove', id: 'one', conn: rule(1).conn },
  ];
  for (const other of others) {
    const outputs = bench.control(other);
    t.match(outputs[0], { message: { verb: 'refused', re: 'one', code: 'conflict' } });
    t.match(eventsOf(outputs), [{ action: 'ControlRejected', reason: 'id of another request' }]);
  }
  t.strictSame(bench.rules(), [rule(1)]);
  t.match(
    bench.step({ kind: 'control', peer: 'other', message: { verb: 'add', id: 'one', rule: rule(2) } })[1],
    {
      message: { verb: 'ok' },
    },
    'ids are those of one peer',
  );
});

t.test('what is remembered of requests is bounded', async (t) => {
  let { state } = new Bench();
  for (let i = 0; i < 2000; i++) {
    const message: ControlMessage = { verb: 'remove', id: `r${i}`, conn: rule().conn };
    state = stepSwitch(state, { kind: 'control', peer: 'controller', message }, 0).state;
  }
  t.ok(state.answered.recent.size + state.answered.older.size <= 512);
});

t.test('ERR-4: messages that are not for a switch, or no messages, change nothing and are reported', async (t) => {
  const bench = new Bench();
  bench.add(rule());
  const before = bench.state;
  const strangers: ControlMessage[] = [
    { verb: 'ok', re: 'x' },
    { verb: 'refused', re: 'x', code: 'busy', reason: '' },
    { verb: 'failed', id: 'x', handoff: 1, conn: rule().conn, reason: 'client-reset', snapshot: null },
  ];
  for (const message of strangers) {
    t.match(
      bench.control(message),
      [{ kind: 'event', event: { action: 'ControlRejected', peer: 'controller' } }],
      message.verb,
    );
    t.equal(bench.state, before);
  }
  const invalid = bench.step({ kind: 'control-invalid', peer: 'controller', error: 'not JSON' });
  t.match(invalid, [{ kind: 'event', event: { action: 'ControlRejected', reason: 'not JSON' } }]);
  t.strictSame(bench.step({ kind: 'control-up', peer: 'controller' }), []);
  t.strictSame(bench.step({ kind: 'control-down', peer: 'controller' }), []);
  t.strictSame(bench.step({ kind: 'timer', key: 'unknown' }), []);
  t.equal(bench.state, before);
});

t.test('list and stats', async (t) => {
  const bench = new Bench();
  bench.add(rule());
  bench.frame('client', fromClient());
  bench.frame('client', fromClient({ srcPort: 9 }));
  bench.frame('client', fromClient({}, { ttl: 1 }));
  t.strictSame(bench.ask({ verb: 'list', id: 'l' }), { verb: 'ok', re: 'l', rules: [rule()] });
  const stats = bench.ask({ verb: 'stats', id: 's' });
  t.strictSame(stats, {
    verb: 'ok',
    re: 's',
    stats: { rules: 1, capacity: 4, frames: 3, rewritten: 1, routed: 1, dropped: 1 },
  });
  t.ok(ControlMessage.safeParse(stats).success);
});

t.test('draining: what the former backend still has in the network is dropped for a while', async (t) => {
  const bench = new Bench();
  bench.add(rule());
  bench.remove(rule());
  t.match(bench.events('backend0', fromBackend()), [
    { action: 'SwitchDrop', reason: 'draining', conn: '198.18.1.2:40000' },
  ]);
  t.equal(bench.frame('backend0', fromBackend(0, { dstPort: 40001 }))?.port, 'client', 'of that connection only');
  t.equal(bench.frame('backend1', fromBackend(1))?.port, 'client', 'of that backend only');
  t.equal(bench.frame('client', fromClient())?.port, 'controller');
  bench.pass(999);
  t.equal(bench.frame('backend0', fromBackend()), undefined);
  bench.pass(1);
  t.equal(bench.frame('backend0', fromBackend())?.port, 'client');
  t.equal(bench.timer, null);
  t.equal(bench.state.rules.drains.size, 0);
});

t.test('draining: the same backend again ends it, another backend does not', async (t) => {
  const bench = new Bench();
  bench.add(rule());
  bench.remove(rule());
  bench.pass(100);
  bench.add(rule(40000, 1));
  t.equal(bench.frame('backend1', fromBackend(1))?.frame.ipv4?.src, ip(LOGICAL));
  t.equal(bench.frame('backend0', fromBackend()), undefined, 'backend0 still drains');
  bench.remove(rule(40000, 1));
  bench.add(rule());
  t.equal(bench.frame('backend0', fromBackend())?.frame.ipv4?.src, ip(LOGICAL), 'backend0 owns it again');
  t.equal(bench.frame('backend1', fromBackend(1)), undefined, 'backend1 drains');
  bench.pass(950);
  t.equal(bench.frame('backend1', fromBackend(1)), undefined, 'until its own time is over');
  bench.pass(50);
  t.equal(bench.frame('backend1', fromBackend(1))?.frame.ipv4?.src, ip(BACKENDS[1]));
});

t.test('draining: a timer that fires early or too often is harmless', async (t) => {
  const bench = new Bench();
  bench.add(rule());
  bench.remove(rule());
  const deadline = bench.timer;
  t.match(bench.step({ kind: 'timer', key: 'drain' }), [{ kind: 'timer', key: 'drain', at: deadline }]);
  t.equal(bench.frame('backend0', fromBackend()), undefined);
});

t.test('without drain-rules the leftovers are routed as they are', async (t) => {
  const bench = new Bench({ without: ['drain-rules'] });
  bench.add(rule());
  bench.remove(rule());
  t.equal(
    bench.frame('backend0', fromBackend(0, { flags: TcpFlag.FIN | TcpFlag.ACK }))?.frame.ipv4?.src,
    ip(BACKENDS[0]),
  );
  t.equal(bench.timer, null);
});

t.test('the table is what a plain map would be, whatever is asked of it', async (t) => {
  const command = fc.record({
    verb: fc.constantFrom('add' as const, 'remove' as const),
    port: fc.integer({ min: 1, max: 6 }),
    backend: fc.constantFrom(0 as const, 1 as const),
    pause: fc.constantFrom(0, 400, 1000),
  });
  holds(
    t,
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const bench = new Bench();
      const model = new Map<number, 0 | 1>();
      for (const { verb, port, backend, pause } of commands) {
        bench.pass(pause);
        const there = model.get(port);
        const answer = verb === 'add' ? bench.add(rule(port, backend)) : bench.remove(rule(port));
        const refused = verb === 'add' && (there === undefined ? model.size >= 4 : there !== backend);
        if (answer.verb !== (refused ? 'refused' : 'ok')) return false;
        if (verb === 'remove') model.delete(port);
        else if (!refused) model.set(port, backend);
        const listed = bench.rules().map(({ conn, backend }) => `${conn.client.port} ${backend.name}`);
        if (
          listed.toSorted().join() !==
          [...model]
            .map(([port, b]) => `${port} backend${b}`)
            .toSorted()
            .join()
        )
          return false;
        if (bench.state.rules.size !== model.size) return false;
      }
      return true;
    }),
  );
});

t.test('who is no configured peer is not obeyed and not answered', async (t) => {
  const { state } = initSwitch({ ...config, peers: ['controller'] });
  const { outputs, state: after } = stepSwitch(
    state,
    { kind: 'control', peer: 'stranger', message: { verb: 'add', id: 'one', rule: rule() } },
    0,
  );
  t.match(outputs, [{ kind: 'event', event: { action: 'ControlRejected', peer: 'stranger' } }]);
  t.equal(outputs.length, 1);
  t.equal(after.rules.size, 0);
});
