/** The simulated world: the reference's cores, or others in their place, and simulated clients in virtual time. The same seed gives the same bytes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { encodePcapng } from '../capture/pcapng.js';
import { type ControlFaults, createControlFaults } from '../control-faults.js';
import { coreOf, type RoleCore } from '../cores.js';
import { createImpairment, type Impairment } from '../impair.js';
import { missedFaults } from '../missed-faults.js';
import { createRoleFaults } from '../role-faults.js';
import { castPlayer } from '../segments/cast.js';
import { type Topology, worldTopology } from '../topology.js';
import {
  type ClientJob,
  type Evidence,
  type JobResult,
  type World,
  WorldError,
  type WorldFactory,
  type WorldOptions,
} from '../world.js';
import { type Remote, SimClient } from './client.js';
import { MILLISECOND, type Nanos, VirtualClock } from './clock.js';
import { httpProgram } from './http-program.js';
import { type Program, startJob } from './job.js';
import { startLoad } from './load-program.js';
import { type Actor, actor, Network } from './network.js';
import { scriptProgram } from './script-program.js';
import { SimSegmentClients } from './segment-client.js';
import { simulatedStack } from './stack-profile.js';

/** 2017-09-24T00:00:00Z, the first day of SoCC'17, in nanoseconds: where virtual time begins in captures and logs. */
export const EPOCH_NS = 1_506_211_200_000_000_000n;

const DEFAULT_TIMEOUT_MS = 60_000;
/** Clients started together are started by a shell within so much of one another. */
const START_SPREAD: Nanos = MILLISECOND;
/** Events that one call may take; an 8 MB transfer takes some 60,000. */
const MOST_EVENTS = 1_000_000;
/** Events between two chances for the rest of the process. */
const EVENTS_PER_TURN = 20_000;

/** A role in the simulated world: its core, and how much of a connection it still holds (rules, connections, services). */
export interface SimRole extends Actor {
  readonly held: () => number;
}

/** The cores that a world is made of. */
export interface SimRoles {
  readonly fabric: (topology: Topology, options: WorldOptions) => SimRole;
  readonly controller: (topology: Topology, options: WorldOptions) => SimRole;
  readonly backend: (topology: Topology, options: WorldOptions, name: string) => SimRole;
}

function simRole<State>({ initial, step, held }: RoleCore<State>): SimRole {
  const role = actor(initial, step);
  return { ...role, held: () => held(role.state()) };
}

export const referenceRoles: SimRoles = {
  fabric: (topology, options) => coreOf('switch', topology, options, simRole),
  controller: (topology, options) => coreOf('controller', topology, options, simRole),
  backend: (topology, options, name) => coreOf(name, topology, options, simRole),
};

/** A factory of worlds made of these cores. */
export function simWorldOf(roles: SimRoles): (...args: Parameters<WorldFactory>) => Promise<SimWorld> {
  return async (folder, options) => new SimWorld(folder, options, roles);
}

/** A world made of the reference's cores. */
export const createSimWorld = simWorldOf(referenceRoles) satisfies WorldFactory;

export class SimWorld implements World {
  readonly kind = 'sim';
  readonly topology: Topology;
  readonly #clock = new VirtualClock();
  readonly #network: Network;
  readonly #client: SimClient;
  readonly #segments: SimSegmentClients;
  #stories = 0;
  readonly #roles: ReadonlyMap<string, SimRole>;
  readonly #remote: Remote;
  readonly #options: WorldOptions;
  readonly #impairment: Impairment;
  readonly #controlFaults: ControlFaults;
  #evidence: Promise<Evidence> | undefined;
  #destroyed = false;
  /** Why the run was given up: events followed one another without end. */
  #restless: string | undefined;

  constructor(
    readonly folder: string,
    options: WorldOptions,
    roles: SimRoles,
  ) {
    const topology = worldTopology(options);
    this.topology = topology;
    const fabric = roles.fabric(topology, options);
    const hosts = [
      { name: 'controller', actor: roles.controller(topology, options) },
      ...topology.backends.map(({ name }) => ({ name, actor: roles.backend(topology, options, name) })),
    ];
    this.#roles = new Map([['switch', fabric], ...hosts.map(({ name, actor }) => [name, actor] as const)]);
    this.#options = options;
    this.#impairment = createImpairment(options.faults, options.seed);
    this.#controlFaults = createControlFaults(options.controlFaults ?? []);
    this.#network = new Network({
      clock: this.#clock,
      impairment: this.#impairment,
      controlFaults: this.#controlFaults,
      roleFaults: createRoleFaults(options.roleFaults ?? []),
      seed: options.seed,
      fabric,
      hosts,
      client: (bytes) => {
        this.#client.receive(bytes);
        this.#segments.receive(bytes);
      },
    });
    this.#segments = new SimSegmentClients(this.#clock, Number(EPOCH_NS / 1000n), (bytes) =>
      this.#network.sendFromClient(bytes),
    );
    this.#client = new SimClient(
      this.#clock,
      clientAddresses(topology),
      (bytes) => this.#network.sendFromClient(bytes),
      options.seed,
    );
    this.#remote = { ip: address(topology.logical.ip), port: topology.logical.port };
    this.#network.start();
  }

  async runClients(jobs: readonly ClientJob[]): Promise<readonly JobResult[]> {
    const results = new Map<number, JobResult>();
    for (const [index, job] of jobs.entries()) {
      const begins = this.#clock.now + this.#client.random.below(START_SPREAD);
      const done = (result: JobResult): unknown => results.set(index, result);
      this.#clock.at(begins, () => this.#startJob(job, done));
    }
    await this.#run(() => results.size === jobs.length, null);
    return jobs.map((_, index) => {
      const result = results.get(index);
      if (result !== undefined) return result;
      if (this.#restless === undefined) throw new WorldError(`job ${index} ended without a result`);
      return { ok: false, error: this.#restless, responses: [] };
    });
  }

  async settle(limitMs: number): Promise<void> {
    const quiet = (): boolean => this.#network.still && Object.keys(this.held()).length === 0;
    await this.#run(quiet, this.#clock.now + limitMs * MILLISECOND);
  }

  /** Who still holds how many rules, connections or services; empty when nothing of any connection is left (RET-6). */
  held(): Readonly<Record<string, number>> {
    const held: Record<string, number> = {};
    // Of who has gone nothing more can be expected.
    for (const [name, role] of this.#roles)
      if (role.held() > 0 && !this.#network.ended.has(name)) held[name] = role.held();
    if (this.#client.live > 0) held.client = this.#client.live;
    return held;
  }

  finish(): Promise<Evidence> {
    if (this.#destroyed) return Promise.reject(new WorldError('the world was destroyed'));
    this.#evidence ??= this.#writeEvidence();
    return this.#evidence;
  }

  async destroy(): Promise<void> {
    this.#destroyed = true;
  }

  /** The Host header's value. */
  get #host(): string {
    const { ip, port } = this.topology.logical;
    return port === 80 ? ip : `${ip}:${port}`;
  }

  #startJob(job: ClientJob, done: (result: JobResult) => unknown): void {
    if (job.kind === 'stranger') {
      for (const line of job.lines) this.#network.sendFromStranger(job.to, line);
      done({ ok: true, responses: [] });
      return;
    }
    const timeoutMs = job.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    if (job.kind === 'segments') {
      const cast = castPlayer(this.topology, job.story, this.#options.seed, this.#stories++);
      this.#segments.play(cast, timeoutMs, done);
      return;
    }
    const profile = simulatedStack(job, this.#options.clientProfile);
    if (job.kind === 'load') {
      startLoad(this.#client, this.#remote, job, { host: this.#host, timeoutMs, profile }, done);
      return;
    }
    const start = job.kind === 'script' ? job.stack : undefined;
    const terms = { timeoutMs, profile, ...(start && { start }) };
    startJob(this.#client, this.#remote, this.#program(job), terms, done);
  }

  #program(job: Extract<ClientJob, { kind: 'http' | 'script' }>): Program {
    if (job.kind === 'script') return scriptProgram(job.steps);
    return httpProgram(job.program, job.requests, this.#host, job.pipelined);
  }

  /** Runs events until `until` holds or `limit` is reached. */
  async #run(until: () => boolean, limit: Nanos | null): Promise<void> {
    const most = this.#clock.steps + (this.#options.eventLimit ?? MOST_EVENTS);
    let turn = this.#clock.steps + EVENTS_PER_TURN;
    while (!until() && this.#restless === undefined) {
      if (this.#destroyed || this.#evidence) throw new WorldError('the world has ended');
      const { next, steps } = this.#clock;
      if (limit !== null && (next === undefined || next > limit)) {
        this.#clock.idle(limit);
        return;
      }
      if (next === undefined) throw new WorldError('nothing is left to happen, and yet the run is not over');
      // Roles that answer each other without end are no failure of ours: what they did until here is judged.
      if (steps > most) this.#restless = `the network came to no rest within ${most} events`;
      this.#clock.step();
      if (steps > turn) {
        turn = steps + EVENTS_PER_TURN;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  async #writeEvidence(): Promise<Evidence> {
    const stamp = (at: Nanos): bigint => EPOCH_NS + BigInt(at);
    const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const vantages = ['client', 'controller', ...this.topology.backends.map((b) => b.name)];
    const { frames, control, events } = this.#network;
    // A frame is noted when its host hands it to the link, which may be before it leaves; what has not left yet was never seen.
    const seen = frames.filter((frame) => frame.at <= this.#clock.now).sort((a, b) => a.at - b.at);
    const evidence: Evidence = {
      topology: this.topology,
      capture: join(this.folder, 'capture.pcapng'),
      controlLog: join(this.folder, 'capture.control.ndjson'),
      trace: join(this.folder, 'trace.ndjson'),
      captureDrops: 0,
      missedFaults: missedFaults(this.#options, {
        faults: this.#impairment.applied,
        controlFaults: this.#controlFaults.applied,
        ended: new Set(this.#network.ended.keys()),
      }),
    };
    const captured = seen.map(({ at, vantage, bytes }) => ({
      interfaceName: vantage,
      timestampNs: stamp(at),
      bytes: bytes.subarray(0, this.#options.captureLength),
      originalLength: bytes.length,
    }));
    try {
      await writeFile(evidence.capture, encodePcapng(vantages, captured));
      const log = control.map(({ at, entry }) => ({ t: String(stamp(at)), ...entry }));
      await writeFile(evidence.controlLog, lines(log));
      await writeFile(
        evidence.trace,
        lines(events.map(({ at, role, event }) => ({ t: String(stamp(at)), role, ...event }))),
      );
    } catch (cause) {
      throw new WorldError(`evidence cannot be written: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
    return evidence;
  }
}

function address(text: string): number {
  const parsed = parseIpv4Address(text);
  if (parsed === undefined) throw new WorldError(`not an IPv4 address: ${text}`);
  return parsed;
}

function clientAddresses(topology: Topology): ConstructorParameters<typeof SimClient>[1] {
  const [client] = topology.clients ?? [];
  const mac = parseMacAddress(client?.mac ?? '');
  if (client === undefined || mac === undefined) throw new WorldError('the topology has no client with a MAC address');
  const ip = address(client.ip);
  // The first address of a link's /24 is the switch's (harness/roles.ts).
  return { mac, ip, gateway: ((ip & 0xffffff00) | 1) >>> 0 };
}
