/** A simulated world in which everything that happens is chosen: what the programs do, what the scheduler lets happen, and which misfortune strikes. */
import type { FourTuple } from '../../reference-impl/control/messages.js';
import { createRandom } from '../random.js';
import { MICROSECOND, MILLISECOND, type Nanos, SECOND } from '../sim/clock.js';
import { type FaultSchedule, faultSchedule } from './faults.js';
import type { Flight } from './flights.js';
import type { Plan } from './plan.js';
import type { Recorder } from './recorder.js';
import type { SimulatedRoles } from './roles.js';
import { ACK, FIN, RST, readSegmentHeader, SYN } from './segment-header.js';
import { type Move, StoryProgram, untold } from './story-program.js';
import { storiesOf } from './workload.js';
import { SimulatedRun } from './world.js';

/** Misfortunes of one story. */
const MOST_HARM = 3;
const MOST_CONNECTIONS = 3;
const MOST_REQUESTS = 3;
/** Room for each connection of a story and one more, unless strangers take it. */
const RULE_CAPACITY = MOST_CONNECTIONS + 1;
/** How much later a frame comes: overtaken by what is right behind it, or by a whole exchange. Both are less than a removed rule is remembered for. */
const HELD_UP: readonly Nanos[] = [3 * MILLISECOND, 200 * MILLISECOND];
/** What the scheduler lets pass at once. */
const WHILES: readonly (readonly [words: string, time: Nanos])[] = [
  ['200 microseconds pass', 200 * MICROSECOND],
  ['5 ms pass', 5 * MILLISECOND],
  ['a second passes', SECOND],
];
/** The next thing that happens is taken for one that is about to happen when it is no further away. */
const SOON: Nanos = SECOND;
/** Each side is told of a broken control connection after its own lag. */
const CONTROLLER_LAG: Nanos = 2 * MILLISECOND;
const PEER_LAG: Nanos = 5 * MILLISECOND;

interface Cut {
  readonly peer: string;
  readonly crash: boolean;
  readonly at: Nanos;
}

/** The plan of a story's seed: connections, their requests, policy, delays of the backends; nothing about when. */
export function storyPlan(seed: number, without: Plan['without']): Plan {
  const connections = 1 + createRandom(seed, 'story').below(MOST_CONNECTIONS);
  return { seed, faults: [], connections, skip: [], without, requests: MOST_REQUESTS, faultMs: 0 };
}

export class StoryWorld {
  readonly run: SimulatedRun;
  readonly #programs: readonly StoryProgram[];
  readonly #peers: readonly string[];
  readonly #recorder: Recorder | null;
  #harmLeft = MOST_HARM;
  #cuts: Cut[] = [];
  #strangers: FourTuple[] = [];
  #strangerRequests = 0;

  constructor(plan: Plan, roles: SimulatedRoles, recorder: Recorder | null) {
    this.#recorder = recorder;
    const schedule: FaultSchedule = { ...faultSchedule(plan, []), until: 0, ruleCapacity: RULE_CAPACITY };
    const stories = storiesOf(plan).map(untold);
    this.run = new SimulatedRun(plan, roles, recorder, { schedule, stories });
    this.#programs = this.run.players.map((player, i) => {
      const story = stories[i];
      if (story === undefined) throw new RangeError(`no story ${i}`);
      return new StoryProgram(player, story, () => this.run.open(player));
    });
    this.#peers = this.run.topology.backends.map(({ name }) => name);
    this.run.begin();
  }

  /** What could happen now, never nothing; the likelier more than once. A move throws a Violation where an invariant does not hold then. */
  moves(): Move[] {
    const programs = this.#programMoves();
    // Nobody is harmed by what happens before the first connection; what happens behind the last is the same everywhere.
    if (!this.#programs.some(({ isOpen }) => isOpen)) return programs;
    const all = [...this.#time(), ...programs, ...this.#recoveries(), ...this.#harms()];
    const calm = all.filter(({ harm }) => !harm);
    const harms = this.#harmLeft > 0 ? all.filter(({ harm }) => harm) : [];
    // There are many ways to be harmed: all of it would have happened before the story has begun.
    return [...calm, ...harms, ...calm, ...calm];
  }

  take(move: Move): void {
    if (move.harm) this.#harmLeft--;
    this.run.monitor.now = this.run.now / 1000;
    move.go();
  }

  /** Nothing is chosen any more: what is broken is mended, the clients finish what they began, and everything has to come to rest. */
  leaveAlone(): void {
    for (const { at } of this.#cuts) this.#pass(Math.max(0, at + Math.max(CONTROLLER_LAG, PEER_LAG) - this.run.now));
    for (const { go } of this.#recoveries()) go();
    for (const program of this.#programs) program.finish();
    this.run.rest(this.run.now);
  }

  // --- time -----------------------------------------------------------------------------------------------------------------

  #time(): Move[] {
    const { run } = this;
    const moves: Move[] = [];
    const harm = false;
    const flight = run.flights?.next;
    if (flight !== undefined) moves.push({ words: `${told(flight)} arrives`, harm, go: () => run.runTo(flight.at) });
    if (run.next !== undefined && run.next <= run.now + SOON)
      moves.push({ words: 'the next thing happens', harm, go: () => run.step() });
    for (const [words, time] of WHILES) moves.push({ words, harm, go: () => this.#pass(time) });
    return moves;
  }

  #pass(time: Nanos): void {
    const to = this.run.now + time;
    this.run.runTo(to);
    this.run.idle(to);
  }

  // --- programs -------------------------------------------------------------------------------------------------------------

  #programMoves(): Move[] {
    // The clients are alike until they begin.
    const next = this.#programs.find(({ isOpen }) => !isOpen);
    return this.#programs
      .filter((program) => program.isOpen || program === next)
      .flatMap((program) => program.moves())
      .map((move) => ({ ...move, go: () => this.#noted(move) }));
  }

  #noted({ words, go }: Move): void {
    this.#recorder?.({ kind: 'note', at: this.run.now, role: 'client', text: words });
    go();
  }

  // --- misfortune and its end -----------------------------------------------------------------------------------------------

  #harms(): Move[] {
    const { run } = this;
    const moves: Move[] = [];
    const { flights } = run;
    const flight = flights?.next;
    if (flight !== undefined && flights !== null) {
      const what = told(flight);
      moves.push({ words: `${what} is lost`, harm: true, go: () => flights.lose(flight) });
      moves.push({ words: `${what} is doubled`, harm: true, go: () => flights.double(flight) });
      for (const time of HELD_UP)
        moves.push({
          words: `${what} is held up for ${time / MILLISECOND} ms`,
          harm: true,
          go: () => flights.holdUp(flight, time),
        });
    }
    for (const peer of this.#peers)
      if (run.reaches(peer)) moves.push({ words: `${peer} crashes`, harm: true, go: () => this.#cut(peer, true) });
    for (const peer of ['switch', ...this.#peers])
      if (run.reaches(peer))
        moves.push({
          words: `the control connection to ${peer} breaks`,
          harm: true,
          go: () => this.#cut(peer, false),
        });
    if (this.#strangers.length === 0)
      moves.push({ words: "strangers' rules fill the switch", harm: true, go: () => this.#fill() });
    return moves;
  }

  #recoveries(): Move[] {
    const { run } = this;
    const moves: Move[] = [];
    for (const cut of this.#cuts) {
      if (run.now < cut.at + Math.max(CONTROLLER_LAG, PEER_LAG)) continue;
      const { peer, crash } = cut;
      const go = (): void => {
        this.#cuts = this.#cuts.filter((other) => other !== cut);
        run.mend(cut);
      };
      const words = crash ? `${peer} starts again` : `the control connection to ${peer} is made again`;
      moves.push({ words, harm: false, go });
    }
    if (this.#strangers.length > 0)
      moves.push({ words: "the strangers' rules are removed", harm: false, go: () => this.#clear() });
    return moves;
  }

  #cut(peer: string, crash: boolean): void {
    this.#cuts.push({ peer, crash, at: this.run.now });
    this.run.cut({ peer, crash, controllerLag: CONTROLLER_LAG, peerLag: PEER_LAG });
  }

  #fill(): void {
    const { run } = this;
    const [backend] = run.topology.backends;
    if (backend?.mac === undefined) throw new RangeError('a backend without an address');
    const { name, ip, mac } = backend;
    const { logical } = run.topology;
    run.figures.faults['rule-full']++;
    for (let i = 1; i <= RULE_CAPACITY; i++) {
      const conn = { client: { ip: STRANGER, port: i }, logical: { ip: logical.ip, port: logical.port } };
      const rule = { conn, backend: { name, ip, mac }, zeroWindow: false, clearFin: false };
      if (!run.tellSwitch({ verb: 'add', id: this.#strangerId(), rule })) break;
      this.#strangers.push(conn);
      run.monitor.strangers.add(`${STRANGER}:${i}`);
    }
  }

  #clear(): void {
    for (const conn of this.#strangers) this.run.tellSwitch({ verb: 'remove', id: this.#strangerId(), conn });
    this.#strangers = [];
    this.run.monitor.strangers.clear();
  }

  #strangerId(): string {
    return `stranger-${this.#strangerRequests++}`;
  }
}

/** RFC 2544's addresses, of which no client of a run has this one. */
const STRANGER = '198.19.0.1';

const FLAGS = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [ACK, 'ACK'],
] as const;

function told({ from, to, bytes }: Flight): string {
  const header = readSegmentHeader(bytes);
  if (header === undefined) return `the ARP frame from ${from} to ${to}`;
  const payload = header.end - header.payload;
  const flags = FLAGS.filter(([flag]) => (header.flags & flag) !== 0 && (flag !== ACK || payload === 0));
  const words = [...flags.map(([, name]) => name), ...(payload > 0 ? [`${payload} bytes`] : [])];
  return `the segment from ${from} to ${to} (${words.join(', ')})`;
}
