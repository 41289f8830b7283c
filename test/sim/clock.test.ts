/** Virtual time: order, monotony, timers that move, and the guard against time that stands still. */
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../harness/sim/clock.js';

t.test('events run in order of time, then of asking', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
      const clock = new VirtualClock();
      const ran: [number, number][] = [];
      times.forEach((at, index) => {
        clock.at(at, () => ran.push([clock.now, index]));
      });
      while (clock.step());
      const wanted = times.map((at, index): [number, number] => [at, index]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      return JSON.stringify(ran) === JSON.stringify(wanted);
    }),
  );
});

t.test('time never runs backwards, and what is late runs now', async (t) => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  clock.at(10, () => clock.at(3, () => seen.push(clock.now)));
  clock.after(20, () => seen.push(clock.now));
  while (clock.step());
  t.same(seen, [10, 20]);
  clock.idle(15);
  t.equal(clock.now, 20);
});

t.test('a timer runs once at its last deadline', async (t) => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const timer = clock.timer(() => fired.push(clock.now));
  timer.set(10);
  timer.set(30);
  clock.at(5, () => timer.set(40));
  clock.at(35, () => timer.set(38));
  clock.at(50, () => timer.set(60));
  clock.at(55, () => timer.set(null));
  clock.at(70, () => timer.set(80));
  while (clock.step());
  t.same(fired, [38, 80]);
});

t.test('time that stands still is an error', async (t) => {
  const clock = new VirtualClock();
  const again = (): void => clock.after(0, again);
  again();
  t.throws(() => {
    while (clock.step());
  }, /stands still/);
});
