/** Frames under way: one that is lost never arrives, one that is doubled arrives twice, one that is held up is overtaken. */
import t from 'tap';
import { VirtualClock } from '../../harness/sim/clock.js';
import { type Flight, Flights } from '../../harness/simulate/flights.js';

function world() {
  const clock = new VirtualClock();
  const flights = new Flights(clock);
  const arrived: string[] = [];
  const add = (name: string, at: number): void => {
    const struck: Flight['struck'] = (fate) => arrived.push(`${name} ${fate}`);
    const arrive = (): void => void arrived.push(`${name} at ${clock.now}`);
    flights.add({ from: name, to: 'switch', bytes: new Uint8Array(0), at, arrive, struck });
  };
  const first = (): Flight => {
    const { next } = flights;
    if (next === undefined) throw new Error('nothing is under way');
    return next;
  };
  const run = (): string[] => {
    while (clock.step());
    return arrived;
  };
  return { flights, add, first, run };
}

t.test('the next one is the one that arrives first', async (t) => {
  const { flights, add, run } = world();
  add('b', 20);
  add('a', 10);
  t.equal(flights.next?.from, 'a');
  t.same(run(), ['a at 10', 'b at 20']);
  t.equal(flights.next, undefined);
});

t.test('lost', async (t) => {
  const { flights, add, first, run } = world();
  add('a', 10);
  add('b', 20);
  flights.lose(first());
  t.equal(flights.next?.from, 'b');
  t.same(run(), ['a lost', 'b at 20']);
});

t.test('doubled', async (t) => {
  const { flights, add, first, run } = world();
  add('a', 10);
  flights.double(first());
  t.same(run(), ['a doubled', 'a at 10', 'a at 10']);
});

t.test('held up, and again', async (t) => {
  const { flights, add, first, run } = world();
  add('a', 10);
  add('b', 20);
  flights.holdUp(first(), 5);
  flights.holdUp(first(), 10);
  t.equal(flights.next?.from, 'b');
  t.same(run(), ['a held-up', 'a held-up', 'b at 20', 'a at 25']);
  t.equal(flights.next, undefined);
});
