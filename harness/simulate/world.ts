/** One run: clients, the switch, the controller and backends in virtual time, watched at every step, until nothing moves any more. */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { createRandom } from '../random.js';
import { backendConfig, controllerConfig, switchConfig } from '../roles.js';
import { SimClient } from '../sim/client.js';
import { MICROSECOND, type Nanos, SECOND, type Timer, TimeStandsStill, VirtualClock } from '../sim/clock.js';
import { defaultTopology, type Topology } from '../topology.js';
import { WorldError } from '../world.js';
import { noteAnswer } from './check-control.js';
import { ControlChannel } from './control-channel.js';
import { RunDigest } from './digest.js';
import { checkEnd, countRun } from './ending.js';
import { type Break, type FaultSchedule, faultSchedule } from './faults.js';
import { type Figures, noFigures } from './figures.js';
import { Flights } from './flights.js';
import { Violation } from './invariants.js';
import { Link } from './links.js';
import { Monitor } from './monitor.js';
import { SIMULATED_OBJECTS } from './objects.js';
import type { Plan } from './plan.js';
import { Player } from './player.js';
import type { Recorder } from './recorder.js';
import type { SimulatedRole, SimulatedRoles } from './roles.js';
import { sceneOf } from './scene.js';
import { readSegmentHeader, type SegmentHeader } from './segment-header.js';
import { policyOf, type Story, serviceDelayOf, storiesOf } from './workload.js';

/** Behind the last fault: idle connections (120 s), TIME-WAIT (60 s) and a time-out that has been doubled often (60 s) all fit. */
const QUIET_WITHIN: Nanos = 600 * SECOND;
/** More than any run of so many connections needs; one that goes on for longer is going in circles. */
const MOST_EVENTS = 200_000;
const MOST_EVENTS_OF_A_CONNECTION = 50_000;

interface Role {
  readonly name: string;
  actor: SimulatedRole;
  readonly timers: Map<string, Timer>;
  readonly offset: number;
  readonly drift: number;
  alive: boolean;
}

/** What happens when is chosen while the run is under way, and not by the plan. */
export interface Told {
  readonly schedule: FaultSchedule;
  readonly stories: readonly Story[];
}

export class SimulatedRun {
  readonly figures: Figures = noFigures();
  readonly digest = new RunDigest();
  readonly topology: Topology;
  readonly monitor: Monitor;
  readonly players: readonly Player[];
  readonly schedule: FaultSchedule;
  /** Null where the plan says it all. */
  readonly flights: Flights | null;
  readonly #plan: Plan;
  readonly #make: SimulatedRoles;
  readonly #recorder: Recorder | null;
  readonly #clock = new VirtualClock();
  readonly #roles = new Map<string, Role>();
  readonly #up = new Map<string, Link>();
  readonly #down = new Map<string, Link>();
  readonly #channels = new Map<string, ControlChannel>();
  readonly #client: SimClient;
  readonly #options: Parameters<typeof controllerConfig>[1];
  /** The story whose connection is being made: its first frame leaves before the connection has a name. */
  #opening: Story | null = null;

  constructor(plan: Plan, make: SimulatedRoles, recorder: Recorder | null, told: Told | null = null) {
    this.#plan = plan;
    this.#make = make;
    this.#recorder = recorder;
    const policy = policyOf(plan.seed);
    const topology = defaultTopology(policy);
    this.topology = topology;
    const backends = topology.backends.map(({ name }) => name);
    this.schedule = told?.schedule ?? faultSchedule(plan, backends);
    this.flights = told === null ? null : new Flights(this.#clock);
    this.#options = {
      seed: plan.seed,
      without: plan.without,
      policy,
      faults: [],
      ruleCapacity: this.schedule.ruleCapacity,
      serviceDelayMs: serviceDelayOf(plan.seed),
    };
    const random = createRandom(plan.seed, 'clocks');
    const offset = (): number => random.below(1_000_000_000);
    this.#addRole('switch', make.fabric(switchConfig(topology, this.#options)), offset());
    this.#addRole('controller', make.controller(controllerConfig(topology, this.#options)), offset());
    for (const name of backends) this.#addRole(name, this.#newBackend(name), offset());
    for (const vantage of ['client', 'controller', ...backends]) this.#addLinks(vantage);
    for (const peer of ['switch', ...backends]) {
      const { schedule, figures } = this;
      const feed = (role: string, input: RoleInput): void => this.#feed(role, input, false);
      this.#channels.set(
        peer,
        new ControlChannel({
          clock: this.#clock,
          schedule,
          counts: figures.faults,
          peer,
          seed: plan.seed,
          feed,
          recorder,
        }),
      );
    }
    const scene = sceneOf(topology, this.schedule.ruleCapacity);
    const views = new Map([...this.#roles].map(([name, role]) => [name, viewOf(role)]));
    this.monitor = new Monitor(
      scene,
      SIMULATED_OBJECTS,
      views,
      (story) => this.players.find((player) => player.story === story)?.responses ?? 0,
      (port) => this.players.find((player) => player.port === port)?.story ?? this.#opening ?? undefined,
    );
    const gateway = ((scene.client.ip & 0xffffff00) | 1) >>> 0;
    this.#client = new SimClient(
      this.#clock,
      { mac: scene.client.mac, ip: scene.client.ip, gateway },
      (bytes) => this.#clientSends(bytes),
      plan.seed,
    );
    const remote = { ip: scene.logical.ip, port: scene.logical.port };
    const judge = {
      deserved: (story: Story, index: number) => this.monitor.deserved(this.#tracked(story), index),
      responded: (story: Story, index: number) => this.monitor.responded(this.#tracked(story), index),
      cutShort: (story: Story, how: string) => this.#cutShort(story, how),
    };
    this.players = (told?.stories ?? storiesOf(plan)).map((story) => new Player(this.#client, remote, story, judge));
  }

  get now(): Nanos {
    return this.#clock.now;
  }

  /** When something happens next; undefined when nothing does. */
  get next(): Nanos | undefined {
    return this.#clock.next;
  }

  /**
   * Runs to the end.
   * @throws Violation where an invariant does not hold.
   * @throws WorldError when the simulation itself is broken.
   */
  run(): void {
    const clock = this.#clock;
    this.begin();
    for (const player of this.players) clock.at(player.story.begins, () => this.open(player));
    for (const fault of this.schedule.breaks)
      clock.at(fault.from, () => {
        if (this.cut(fault)) clock.at(fault.to, () => this.mend(fault));
      });
    this.rest(this.schedule.until);
  }

  /** The roles come up, and reach one another. */
  begin(): void {
    for (const role of this.#roles.values()) this.#perform(role, role.actor.initial, null, false);
    for (const channel of this.#channels.values()) channel.connect();
  }

  open(player: Player): void {
    this.#opening = player.story;
    player.start();
    this.#opening = null;
  }

  /** Lets all happen that is due up to `to`. Throws as `run` does. */
  runTo(to: Nanos): void {
    const clock = this.#clock;
    const most = MOST_EVENTS + MOST_EVENTS_OF_A_CONNECTION * this.players.length;
    for (let next = clock.next; next !== undefined && next <= to; next = clock.next) {
      this.step();
      if (clock.steps > most) throw new Violation('nothing-left', null, 'switch', `no end after ${most} events`);
    }
  }

  /** Lets the next thing happen. */
  step(): void {
    try {
      this.#clock.step();
    } catch (error) {
      // The roles' doing: the rest of the simulation waits for nothing without a delay.
      if (error instanceof TimeStandsStill) throw new Violation('nothing-left', null, 'switch', error.message);
      throw error;
    }
  }

  /** Time goes on to `to`, in which nothing more happens. */
  idle(to: Nanos): void {
    this.#clock.idle(to);
  }

  /** Lets everything come to rest, no fault being left from `quietFrom` on, and checks what has to be true then. Throws as `run` does. */
  rest(quietFrom: Nanos): void {
    const clock = this.#clock;
    this.runTo(quietFrom + QUIET_WITHIN);
    // Whoever chose to leave a connection out never opened it.
    const players = this.flights === null ? this.players : this.players.filter(({ port }) => port !== null);
    const end = { players, roles: this.#roles, monitor: this.monitor, client: this.#client, next: clock.next };
    checkEnd(end);
    countRun(this.figures, end, this.#plan, clock.now);
  }

  // --- the network ----------------------------------------------------------------------------------------------------------

  #addRole(name: string, actor: SimulatedRole, offset: number): void {
    const drift = this.schedule.drift.get(name) ?? 0;
    if (drift !== 0) this.figures.faults.skew++;
    this.#roles.set(name, { name, actor, timers: new Map(), offset, drift, alive: true });
  }

  #newBackend(name: string): SimulatedRole {
    return this.#make.backend(backendConfig(this.topology, this.#options, name, SIMULATED_OBJECTS));
  }

  #addLinks(vantage: string): void {
    const { schedule, figures } = this;
    const common = {
      clock: this.#clock,
      schedule,
      counts: figures.faults,
      vantage,
      seed: this.#plan.seed,
      vanished: (header: SegmentHeader | undefined) => this.monitor.vanished(header),
      recorder: this.#recorder,
      flights: this.flights,
    };
    this.#up.set(
      vantage,
      new Link({ ...common, direction: 'up', arrive: (bytes, corrupt) => this.#reachSwitch(vantage, bytes, corrupt) }),
    );
    this.#down.set(
      vantage,
      new Link({ ...common, direction: 'down', arrive: (bytes, corrupt) => this.#reachHost(vantage, bytes, corrupt) }),
    );
  }

  #leave(vantage: string, bytes: Uint8Array): void {
    this.figures.frames++;
    this.digest.number(this.#clock.now);
    this.digest.frame(bytes);
    this.#recorder?.({ kind: 'frame', at: this.#clock.now, from: vantage, to: 'switch', bytes, fate: 'sent' });
    this.#up.get(vantage)?.send(bytes, false);
  }

  #clientSends(bytes: Uint8Array): void {
    const header = readSegmentHeader(bytes);
    this.monitor.now = this.#clock.now / MICROSECOND;
    this.#leave('client', bytes);
    if (header !== undefined) this.monitor.clientSends(header);
  }

  #reachSwitch(vantage: string, bytes: Uint8Array, corrupt: boolean): void {
    this.#recorder?.({ kind: 'frame', at: this.#clock.now, from: vantage, to: 'switch', bytes, fate: 'arrives' });
    this.#feed('switch', { kind: 'frame', port: vantage, bytes }, corrupt);
  }

  #reachHost(vantage: string, bytes: Uint8Array, corrupt: boolean): void {
    const role = this.#roles.get(vantage);
    const fate = role === undefined || role.alive ? 'arrives' : 'no-host';
    this.#recorder?.({ kind: 'frame', at: this.#clock.now, from: 'switch', to: vantage, bytes, fate });
    this.digest.number(this.#clock.now);
    this.digest.frame(bytes);
    if (vantage === 'client') this.#client.receive(bytes);
    else this.#feed(vantage, { kind: 'frame', port: 'link', bytes }, corrupt);
  }

  // --- the roles ------------------------------------------------------------------------------------------------------------

  #feed(name: string, input: RoleInput, corrupt: boolean): void {
    const role = this.#roles.get(name);
    if (role === undefined) throw new WorldError(`no role ${name}`);
    if (!role.alive) return;
    const { monitor } = this;
    this.figures.steps++;
    monitor.now = this.#clock.now / MICROSECOND;
    const header = input.kind === 'frame' ? readSegmentHeader(input.bytes) : undefined;
    if (header !== undefined && !corrupt && name !== 'switch') monitor.hostReceives(header);
    if (input.kind === 'control') monitor.controlReceived(name, input.peer, input.message);
    if (name === 'controller' && (input.kind === 'control-up' || input.kind === 'control-down'))
      monitor.peerKnown(input.peer, input.kind === 'control-up');
    const outputs = this.#step(role, input, header);
    if (corrupt && name !== 'switch' && outputs.length > 0)
      throw new Violation('corrupt-ignored', null, name, `${name} reacts to a segment with a bad checksum`);
    if (name === 'switch' && input.kind === 'frame' && header !== undefined) {
      const out = outputs.filter((output) => output.kind === 'frame');
      monitor.forwarded({ from: input.port, header, corrupt, out });
    }
    this.#perform(role, outputs, input, corrupt);
    if (name !== 'switch') monitor.checkOwners(name);
    else if (input.kind !== 'frame') monitor.checkRules();
  }

  #step(role: Role, input: RoleInput, header: SegmentHeader | undefined): readonly RoleOutput[] {
    try {
      return role.actor.feed(input, this.#roleTime(role));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Violation(
        role.name === 'switch' ? 'switch-total' : 'host-total',
        (header && this.monitor.of(header)?.key) ?? null,
        role.name,
        `${role.name} fails at a ${input.kind}: ${why}`,
      );
    }
  }

  #perform(role: Role, outputs: readonly RoleOutput[], cause: RoleInput | null, corrupt: boolean): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'frame':
          if (role.name === 'switch') {
            const link = this.#down.get(output.port);
            if (link === undefined)
              throw new Violation(
                'switch-total',
                null,
                'switch',
                `a frame leaves by port ${output.port}, which there is not`,
              );
            link.send(output.bytes, corrupt);
          } else this.#hostSends(role.name, output.bytes);
          break;
        case 'control':
          this.#sendControl(role.name, output.peer, output.message, cause);
          break;
        case 'timer':
          this.#setTimer(role, output.key, output.at);
          break;
        case 'event':
          this.digest.text(output.event.action);
          if (output.event.action === 'Forget') this.monitor.forgotten(output.event.conn);
          this.#recorder?.({ kind: 'event', at: this.#clock.now, role: role.name, event: output.event });
          break;
      }
    }
  }

  #hostSends(name: string, bytes: Uint8Array): void {
    this.#leave(name, bytes);
    const header = readSegmentHeader(bytes);
    if (header !== undefined) this.monitor.hostSends(name, header);
  }

  #sendControl(
    from: string,
    to: string,
    message: Extract<RoleOutput, { kind: 'control' }>['message'],
    cause: RoleInput | null,
  ): void {
    const channel = this.#channels.get(from === 'controller' ? to : from);
    if (channel === undefined)
      throw new Violation('host-total', null, from, `${from} writes to ${to}, to which it has no control connection`);
    this.figures.controlMessages++;
    this.digest.number(this.#clock.now);
    this.digest.text(`${from} ${message.verb} ${'id' in message ? message.id : message.re}`);
    channel.send(from, message);
    this.monitor.controlSent(from, to, message);
    if (cause?.kind === 'control') noteAnswer(this.monitor, from, cause.message, message);
  }

  // --- clocks ---------------------------------------------------------------------------------------------------------------

  /** Every host has a clock of its own, in microseconds. */
  #roleTime({ offset, drift }: Role): number {
    return Math.floor((this.#clock.now / MICROSECOND) * (1 + drift)) + offset;
  }

  #setTimer(role: Role, key: string, at: number | null): void {
    let timer = role.timers.get(key);
    if (timer === undefined) {
      if (at === null) return;
      timer = this.#clock.timer(() => {
        role.timers.delete(key);
        this.#feed(role.name, { kind: 'timer', key }, false);
      });
      role.timers.set(key, timer);
    }
    if (at === null) {
      timer.set(null);
      role.timers.delete(key);
    } else timer.set(Math.ceil(((at - role.offset) / (1 + role.drift)) * MICROSECOND) + 1);
  }

  // --- crashes and broken control connections ---------------------------------------------------------------------------------

  /** Whether there is a control connection to `peer` at this moment. */
  reaches(peer: string): boolean {
    return this.#channels.get(peer)?.up === true;
  }

  /** A crash, or a break; false where the control connection is broken already: one at a time. */
  cut({ peer, crash, controllerLag, peerLag }: Omit<Break, 'from' | 'to'>): boolean {
    const channel = this.#channels.get(peer);
    const role = this.#roles.get(peer);
    if (channel === undefined || role === undefined || !channel.up) return false;
    this.figures.faults[crash ? 'crash' : 'control-break']++;
    this.#recorder?.({
      kind: 'note',
      at: this.#clock.now,
      role: peer,
      text: crash ? 'crashes' : 'its control connection breaks',
    });
    this.monitor.broken(peer);
    if (crash) {
      this.monitor.crashed(peer);
      role.alive = false;
      for (const timer of role.timers.values()) timer.set(null);
      role.timers.clear();
    }
    channel.break(controllerLag, crash ? null : peerLag);
    return true;
  }

  /** The end of what `cut` began, when both sides know. */
  mend({ peer, crash }: Pick<Break, 'peer' | 'crash'>): void {
    const channel = this.#channels.get(peer);
    const role = this.#roles.get(peer);
    if (channel === undefined || role === undefined) throw new WorldError(`no peer ${peer}`);
    if (crash) {
      role.actor = this.#newBackend(peer);
      role.alive = true;
      this.#perform(role, role.actor.initial, null, false);
    }
    this.#recorder?.({
      kind: 'note',
      at: this.#clock.now,
      role: peer,
      text: crash ? 'is back, knowing nothing' : 'its control connection is made again',
    });
    this.monitor.mended(peer);
    channel.connect();
  }

  /** A message of a controller that is none of the run's reaches the switch; answers whether the switch does what it says. */
  tellSwitch(message: ControlMessage): boolean {
    const role = this.#roles.get('switch');
    if (role === undefined) throw new WorldError('no switch');
    const outputs = role.actor.feed({ kind: 'control', peer: 'controller', message }, this.#roleTime(role));
    for (const output of outputs) if (output.kind === 'timer') this.#setTimer(role, output.key, output.at);
    return outputs.some((output) => output.kind === 'control' && output.message.verb === 'ok');
  }

  // --- the end --------------------------------------------------------------------------------------------------------------

  #tracked(story: Story): NonNullable<ReturnType<Monitor['byKey']>> {
    const port = this.players.find((player) => player.story === story)?.port;
    const tracked = port === null || port === undefined ? undefined : this.monitor.connections.get(port);
    if (tracked === undefined) throw new WorldError(`connection ${story.index} has no name`);
    return tracked;
  }

  #cutShort(story: Story, how: string): void {
    const tracked = this.#tracked(story);
    if (tracked.lost || tracked.refused !== null) return;
    throw new Violation(
      'reset-has-a-cause',
      tracked.key,
      'client',
      `the client's connection is ${how}, though no backend of it was lost`,
    );
  }
}

/** Follows the role through its crashes. */
function viewOf(role: Role): SimulatedRole['view'] {
  const NOBODY: readonly string[] = [];
  const view = (): SimulatedRole['view'] | null => (role.alive ? role.actor.view : null);
  return {
    owned: () => view()?.owned() ?? NOBODY,
    closing: (key) => view()?.closing(key) ?? false,
    rule: (key) => view()?.rule(key),
    held: () => view()?.held() ?? NOBODY,
  };
}
