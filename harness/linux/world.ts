/** The Linux world: namespaces joined by veth, each role a process, real clients, captures at every link. */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ClientSurroundings, OwnAddress } from '../clients/client-surroundings.js';
import { runHttpProgram } from '../clients/http-programs.js';
import { runLoadProgram } from '../clients/load-programs.js';
import { type RunLimits, runProgram } from '../clients/run-program.js';
import { missedFaults } from '../missed-faults.js';
import { findPythonWithScapy, ScapyMissing } from '../scapy/bridge.js';
import { castPlayer } from '../segments/cast.js';
import type { SegmentLaunch } from '../segments/segment-main.js';
import { needsCrafting } from '../segments/story.js';
import { GivenUp, patienceOf, SilenceClock } from '../silence.js';
import type { ProcessUnderTest, RoleUnderTest } from '../target/target.js';
import { type Topology, worldTopology } from '../topology.js';
import {
  type ClientJob,
  type Evidence,
  type JobResult,
  type RoleFault,
  type ScriptStep,
  type World,
  WorldError,
  type WorldOptions,
} from '../world.js';
import type { CaptureLaunch } from './capture-main.js';
import { availableProfile, unavailableLevels } from './client-profile.js';
import { buildNetwork, type ControlLink, fabricSide, type Network } from './netns.js';
import { requireLinux } from './probe.js';
import { Attendant, enter, nodeCommand, plainEnvironment } from './processes.js';
import type { RoleLaunch } from './role-main.js';
import type { RoleRim } from './role-runtime.js';
import { createRunFolder } from './run-folder.js';
import { STRANGERS_DOOR, targetLaunch } from './target-launch.js';
import type { TargetLaunch } from './target-main.js';
import type { WireLaunch } from './wire-main.js';

const START_MS = 60_000;
const ANSWER_MS = 20_000;
const JOB_MS = 15_000;
const SETTLE_POLL_MS = 10;
/** Last bytes of the addresses for clients that bring a TCP of their own; those below belong to the topology. */
const FIRST_OWN = 16;
const LAST_OWN = 254;
const OWN_MAC_PREFIX = '02:50:52:00:01:';
/** So many scripts have a process each. */
const MOST_SCRIPT_PROCESSES = 6;
const QUIET_MS = 150;
const SILENCE_LOOK_MS = 250;
/** A bit more than it takes (`answerLines`). */
const DISMISS_MS = 1_500;
const SETTLE_SILENT_MS = 1_500;
/** Long enough for what it says to have an effect, were it listened to. */
const STRANGER_STAYS_MS = 200;

/** Looked for once a process: each try starts an interpreter. */
let pythonWithScapy: string | undefined;

function scapyPython(): string {
  try {
    pythonWithScapy ??= findPythonWithScapy();
    return pythonWithScapy;
  } catch (error) {
    throw error instanceof ScapyMissing ? new WorldError(error.message) : error;
  }
}

const live = new Set<LinuxWorld>();

/** Ends every Linux world of this process; for a signal handler. */
export async function destroyLiveWorlds(): Promise<void> {
  await Promise.all([...live].map((world) => world.destroy()));
}

process.on('exit', () => {
  for (const world of live) world.abandon();
});

/** A world that can also be entered by hand (`prism lab`). */
export class LinuxWorld implements World {
  readonly kind = 'linux';
  readonly topology: Topology;
  readonly #folder: string;
  readonly #options: WorldOptions;
  readonly #scratch: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #started = new Set<Attendant>();
  readonly #roles = new Map<string, Attendant>();
  #network: Network | undefined;
  #capture: Attendant | undefined;
  #wire: Attendant | undefined;
  #failure: WorldError | undefined;
  readonly #clients = new AbortController();
  #ending = false;
  #jobs = 0;
  /** Clients that brought a TCP of their own: the topology of the evidence names them. */
  readonly #owners: OwnAddress[] = [];
  #stories = 0;
  /** What cases wanted to happen and this target has no place for. */
  readonly #unmet: string[] = [];
  /** Its clients were given up once. */
  #gaveUp = false;

  private constructor(folder: string, options: WorldOptions) {
    this.#folder = resolve(folder);
    this.#options = options;
    this.topology = worldTopology(options);
    this.#scratch = createRunFolder();
    this.#environment = plainEnvironment(this.#scratch);
    setMaxListeners(0, this.#clients.signal);
    live.add(this);
  }

  /** Builds the network, starts the capture, then the roles; resolves when the control peers have met. */
  static async create(folder: string, options: WorldOptions): Promise<LinuxWorld> {
    await requireLinux();
    const world = new LinuxWorld(folder, options);
    try {
      await world.#start();
      return world;
    } catch (error) {
      await world.destroy();
      throw error instanceof WorldError
        ? error
        : new WorldError(error instanceof Error ? error.message : String(error));
    }
  }

  /** Process that holds the client's namespace: `/proc/PID/ns/net`. */
  get clientNamespace(): number {
    return this.#holder('client');
  }

  /** The processes it started that hold it together, by name (`namespace client`, `switch`, `capture`, ...). */
  get processes(): ReadonlyMap<string, number> {
    return new Map([...this.#started].map((attendant) => [attendant.name, attendant.pid]));
  }

  /** Its temporary files: role logs until `finish` joins them, and what clients send and receive. */
  get scratchFolder(): string {
    return this.#scratch;
  }

  get #hasForeign(): boolean {
    return [...this.#roles.keys()].some((name) => this.#foreign(name) !== undefined);
  }

  #holder(name: string): number {
    const holder = this.#network?.holders.get(name);
    if (!holder) throw new WorldError(`there is no namespace ${name}`);
    return holder.pid;
  }

  /** Starts one of our own modules in a namespace. */
  #attend(name: string, namespace: string, module: string): Attendant {
    const attendant = new Attendant(
      name,
      enter(this.#holder(namespace), nodeCommand(module, import.meta.url)),
      this.#environment,
    );
    this.#started.add(attendant);
    void attendant.exited.then(() => {
      // The end of a role that was to crash is part of the run.
      if (this.#ending || (attendant.wasKilled && this.#mayEnd(name, 'crash'))) return;
      this.#failure ??= attendant.failure();
      // Nobody will answer them any more.
      this.#clients.abort();
    });
    return attendant;
  }

  /** What is under test in this role's place, if anything is. */
  #underTest(name: string): RoleUnderTest | undefined {
    const roles = this.#options.target?.roles ?? {};
    return name === 'controller' || name === 'switch' ? roles[name] : roles.backend;
  }

  /** The program under test that plays this role, if one does. */
  #foreign(name: string): ProcessUnderTest | undefined {
    const role = this.#underTest(name);
    return role?.kind === 'process' ? role : undefined;
  }

  async #start(): Promise<void> {
    const names = ['switch', ...this.topology.backends.map((b) => b.name), 'controller'];
    const wired = this.#foreign('switch') !== undefined;
    const kernels = new Set(names.filter((name) => this.#foreign(name)?.network === 'kernel'));
    const { clientProfile } = this.#options;
    const network = await buildNetwork(this.topology, this.#started, this.#environment, {
      wire: wired,
      kernels,
      ...(clientProfile && { profile: availableProfile(clientProfile, unavailableLevels()) }),
    });
    this.#network = network;
    const capture = this.#attend('capture', wired ? 'wire' : 'switch', './capture-main');
    this.#capture = capture;
    if (wired) this.#wire = this.#attend('wire', 'wire', './wire-main');
    // All processes load at once; the roles are told to begin only when the capture listens.
    for (const name of names)
      this.#roles.set(name, this.#attend(name, name, this.#foreign(name) ? './target-main' : './role-main'));
    const length = this.#options.captureLength;
    const launch: CaptureLaunch = {
      vantages: network.vantages,
      file: join(this.#folder, 'capture.pcapng'),
      ...(length !== undefined && { length }),
    };
    await Promise.all([capture.ask(launch, START_MS), this.#wire?.ask(this.#wireLaunch(network), START_MS)]);
    await Promise.all(
      [...this.#roles].map(([name, role]) => {
        const foreign = this.#foreign(name);
        if (foreign) return role.ask(this.#targetLaunch(name, foreign, network), START_MS + readyMs(foreign));
        const module = this.#underTest(name);
        const question: RoleLaunch = {
          topology: this.topology,
          options: this.#options,
          rim: this.#rim(name, network),
          ...(module?.kind === 'module' && { module: module.file }),
        };
        return role.ask(question, START_MS);
      }),
    );
  }

  /** The control links whose far end speaks the control protocol. */
  #spoken(network: Network): readonly ControlLink[] {
    return network.control.filter(({ peer }) => this.#foreign(peer)?.control.by !== 'none');
  }

  #wireLaunch({ vantages }: Network): WireLaunch {
    const links = vantages.map((vantage) => ({ vantage, host: vantage, fabric: fabricSide(vantage) }));
    const { faults, seed } = this.#options;
    return { links, faults, seed, ...this.#ends('switch') };
  }

  #targetLaunch(role: string, foreign: ProcessUnderTest, network: Network): TargetLaunch {
    const { topology } = this;
    const control = this.#spoken(network);
    const around = {
      role,
      topology,
      options: this.#options,
      network: { ...network, control },
      folder: this.#folder,
      scratch: this.#scratch,
    };
    const { ends } = this.#ends(role);
    return {
      ...targetLaunch(foreign, around, this.#options.target?.prism ?? []),
      ...this.#controlFaults(role),
      // What leaves a switch that is not ours is seen by the wire.
      ...(ends && role === 'controller' && { ends }),
      mayEnd: this.#mayEnd(role),
    };
  }

  #rim(role: string, network: Network): RoleRim {
    const listen = network.control.find((link) => link.peer === role);
    return {
      role,
      ports: role === 'switch' ? Object.fromEntries(network.vantages.map((v) => [v, v])) : { link: 'link' },
      ...(listen
        ? {
            listen: {
              address: listen.peerAddress,
              port: listen.port,
              peer: 'controller',
              peerAddress: listen.controllerAddress,
            },
          }
        : {}),
      connect:
        role === 'controller'
          ? this.#spoken(network).map((c) => ({ peer: c.peer, address: c.peerAddress, port: c.port }))
          : [],
      controlLog: join(this.#scratch, `${role}.control.ndjson`),
      trace: join(this.#scratch, `${role}.trace.ndjson`),
      ...this.#controlFaults(role),
      ...this.#ends(role),
    };
  }

  /** At the controller's end all channels meet. */
  #controlFaults(role: string): Pick<RoleRim, 'controlFaults'> {
    const { controlFaults } = this.#options;
    return role === 'controller' && controlFaults ? { controlFaults } : {};
  }

  #ends(role: string): Pick<RoleRim, 'ends' | 'mayEnd'> {
    const faults = this.#options.roleFaults ?? [];
    if (faults.length === 0) return {};
    const groups = Object.fromEntries([...this.#roles].map(([name, { pid }]) => [name, pid]));
    const watches = role === 'controller' || role === 'switch';
    return { ...(watches ? { ends: { faults, groups } } : {}), mayEnd: this.#mayEnd(role) };
  }

  /** Somebody wants this role to end, in this way. */
  #mayEnd(role: string, kind?: RoleFault['kind']): boolean {
    const faults = this.#options.roleFaults ?? [];
    return faults.some((fault) => fault.role === role && (kind === undefined || fault.kind === kind));
  }

  /** It was to crash or to fall silent, and has. */
  #hasEnded(name: string, role: Attendant): boolean {
    if (!role.running) return this.#mayEnd(name, 'crash');
    return this.#mayEnd(name, 'silence') && role.isStopped;
  }

  /** The answer of a role; undefined when it has ended, as it was to, before or meanwhile. */
  async #askUnlessEnded(name: string, role: Attendant, question: object): Promise<Answer | undefined> {
    if (this.#hasEnded(name, role)) return undefined;
    const limitMs = ANSWER_MS + (this.#foreign(name)?.graceMs ?? 0);
    if (!this.#mayEnd(name)) return role.ask(question, limitMs);
    let watch: NodeJS.Timeout | undefined;
    const ended = new Promise<undefined>((resolve) => {
      watch = setInterval(() => {
        if (this.#hasEnded(name, role)) resolve(undefined);
      }, SETTLE_POLL_MS);
    });
    // A crash makes the question fail before the watch sees it.
    const answer = role.ask(question, limitMs).catch((error: unknown) => {
      if (this.#hasEnded(name, role)) return undefined;
      throw error;
    });
    try {
      return await Promise.race([answer, ended]);
    } finally {
      clearInterval(watch);
    }
  }

  async #askAll(
    question: object,
    whom: (name: string) => boolean = () => true,
  ): Promise<ReadonlyMap<string, Answer | undefined>> {
    const asked = [...this.#roles]
      .filter(([name]) => whom(name))
      .map(async ([name, role]) => [name, await this.#askUnlessEnded(name, role, question)] as const);
    return new Map(await Promise.all(asked));
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#ending) throw new WorldError('the world has ended');
  }

  async runClients(jobs: readonly ClientJob[]): Promise<readonly JobResult[]> {
    this.#check();
    const scripts = jobs.filter((job) => job.kind === 'script');
    const silence = this.#watchSilence(jobs);
    const { signal } = silence;
    const together = scripts.length > MOST_SCRIPT_PROCESSES ? this.#runScripts(scripts, signal) : undefined;
    const results = await Promise.all(
      jobs.map(async (job) => {
        // A segment story keeps its own time, step by step.
        const done = job.kind === 'segments' ? silence.timekeeper() : () => {};
        try {
          if (together === undefined || job.kind !== 'script') return await this.#runJob(job, signal);
          const result = (await together)[scripts.indexOf(job)];
          if (result === undefined) throw new WorldError('the script client lost a result');
          return result;
        } finally {
          done();
        }
      }),
    )
      .catch((error: unknown) => {
        // A client that was given up because a process of the world had ended is not the reason.
        throw this.#failure ?? error;
      })
      .finally(silence.stop);
    this.#check();
    const reason: unknown = signal.reason;
    if (!(reason instanceof GivenUp)) return results;
    this.#gaveUp = true;
    return results.map((result) => (result.ok ? result : { ...result, error: reason.message }));
  }

  /** A signal that comes when the world has been silent for too long, or ends; `timekeeper`: no silence is counted until what it answers is called. */
  #watchSilence(jobs: readonly ClientJob[]): {
    readonly signal: AbortSignal;
    readonly timekeeper: () => () => void;
    readonly stop: () => void;
  } {
    const patienceMs = patienceOf(jobs, this.#options, this.#gaveUp);
    const silence = new AbortController();
    const clock = new SilenceClock();
    let keepers = 0;
    let over = false;
    let before = performance.now();
    let look: NodeJS.Timeout | undefined;
    const watch = async (): Promise<void> => {
      const news = await this.#newsSoFar();
      const now = performance.now();
      if (over) return;
      const silentMs = news === undefined ? 0 : clock.look(now - before, news, keepers > 0);
      before = now;
      if (silentMs >= patienceMs) silence.abort(new GivenUp(patienceMs));
      else look = setTimeout(watch, SILENCE_LOOK_MS);
    };
    // What comes from the clients now is news already.
    void watch();
    const signal = AbortSignal.any([this.#clients.signal, silence.signal]);
    setMaxListeners(0, signal);
    return {
      signal,
      timekeeper: () => {
        keepers++;
        return () => keepers--;
      },
      stop: () => {
        over = true;
        clearTimeout(look);
      },
    };
  }

  /** Frames and control messages that were no repetition, so far; undefined where that cannot be told now. All control channels meet at the controller. */
  async #newsSoFar(): Promise<number | undefined> {
    const question = { command: 'news?' };
    const controller = this.#roles.get('controller');
    try {
      const [frames, messages] = await Promise.all([
        this.#capture?.ask(question, ANSWER_MS),
        controller && this.#askUnlessEnded('controller', controller, question),
      ]);
      return Number(frames?.news ?? 0) + Number(messages?.news ?? 0);
    } catch {
      // Whoever does not answer is told of by what the clients meet, or by its end.
      return undefined;
    }
  }

  /** Many connections of one process: a process each would keep the machine busy with starting them. */
  async #runScripts(
    jobs: readonly Extract<ClientJob, { kind: 'script' }>[],
    signal: AbortSignal,
  ): Promise<readonly JobResult[]> {
    const folder = join(this.#scratch, `job${this.#jobs++}`);
    mkdirSync(folder);
    const { ip: address, port } = this.topology.logical;
    const scripts = jobs.map(({ steps, timeoutMs = JOB_MS }) => ({ steps, timeoutMs }));
    const script = nodeCommand('../clients/script-main', import.meta.url);
    const command = enter(this.clientNamespace, ['setpriv', '--pdeathsig', 'KILL', '--', ...script]);
    const timeoutMs = Math.max(...scripts.map((each) => each.timeoutMs)) + START_MS;
    const limits = { home: folder, timeoutMs, signal };
    try {
      const ran = await runProgram(command, limits, JSON.stringify({ address, port, scripts }));
      this.#check();
      if (ran.timedOut) return jobs.map(() => ({ ok: false, error: 'the script was not done in time', responses: [] }));
      if (ran.stdout === '')
        throw new WorldError(`the script client ended: ${ran.stderr.trim().split('\n').at(-1) ?? ''}`);
      return JSON.parse(ran.stdout) as JobResult[];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #runJob(job: ClientJob, signal: AbortSignal): Promise<JobResult> {
    const folder = join(this.#scratch, `job${this.#jobs++}`);
    mkdirSync(folder);
    const timeoutMs = job.timeoutMs ?? JOB_MS;
    const { ip: host, port } = this.topology.logical;
    // Clients do not watch a pipe as our own processes do; the kernel ends them with us.
    const inClient = (command: readonly string[]) =>
      enter(this.clientNamespace, ['setpriv', '--pdeathsig', 'KILL', '--', ...command]);
    try {
      const surroundings: ClientSurroundings = {
        folder,
        host,
        port,
        signal,
        enter: inClient,
        ownAddress: () => this.#ownAddress(),
      };
      if (job.kind === 'http') return await runHttpProgram(job, surroundings, timeoutMs);
      if (job.kind === 'load') return await runLoadProgram(job, surroundings, timeoutMs);
      if (job.kind === 'segments') {
        const cast = castPlayer(this.topology, job.story, this.#options.seed, this.#stories++);
        const launch: SegmentLaunch = { cast, timeoutMs, ...(needsCrafting(job.story) && { python: scapyPython() }) };
        const command = inClient(nodeCommand('../segments/segment-main', import.meta.url));
        // It keeps its time itself, and tells what it was waiting for.
        return await this.#play('segment', command, launch, {
          home: folder,
          timeoutMs: timeoutMs + START_MS,
          signal: this.#clients.signal,
        });
      }
      if (job.kind === 'stranger') return await this.#runStranger(job, folder);
      if (job.stack) throw new WorldError('a kernel chooses the first numbers of its connections itself');
      const command = inClient(nodeCommand('../clients/script-main', import.meta.url));
      const input = { address: host, port, steps: job.steps };
      return await this.#play('script', command, input, { home: folder, timeoutMs, signal });
    } catch (error) {
      throw error instanceof WorldError
        ? error
        : new WorldError(error instanceof Error ? error.message : String(error));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The next address on the client's link that nobody has; the switch learns it as it learns the kernel's, by ARP. */
  #ownAddress(): OwnAddress {
    const [client] = this.topology.clients ?? [];
    const number = FIRST_OWN + this.#owners.length;
    if (!client || number > LAST_OWN) throw new WorldError("no address is left on the client's link");
    const on = (last: number): string => client.ip.replace(/\d+$/, String(last));
    const mac = `${OWN_MAC_PREFIX}${number.toString(16).padStart(2, '0')}`;
    const own: OwnAddress = { ip: on(number), mac, gateway: on(1) };
    this.#owners.push(own);
    return own;
  }

  /** Runs one of our own clients: JSON in, its result out. */
  async #play(name: string, command: readonly string[], input: object, limits: RunLimits): Promise<JobResult> {
    const ran = await runProgram(command, limits, JSON.stringify(input));
    if (ran.timedOut)
      return { ok: false, error: `the ${name} client was not done after ${limits.timeoutMs} ms`, responses: [] };
    if (ran.stdout === '')
      throw new WorldError(`the ${name} client ended: ${ran.stderr.trim().split('\n').at(-1) ?? ''}`);
    return JSON.parse(ran.stdout) as JobResult;
  }

  /** From the role's own namespace: an address of the control network that is nobody's peer. */
  async #runStranger(job: Extract<ClientJob, { kind: 'stranger' }>, folder: string): Promise<JobResult> {
    const link = this.#network?.control.find(({ peer }) => peer === job.to);
    if (!link) throw new WorldError(`${job.to} waits for no control peer`);
    const by = this.#foreign(job.to)?.control.by;
    if (by !== undefined && by !== 'tcp') {
      // Our relay would turn him away, which says nothing about the role.
      this.#unmet.push(`no stranger can reach ${job.to}: it does not wait for its control peer at a TCP port`);
      return { ok: true, responses: [] };
    }
    const script = nodeCommand('../clients/script-main', import.meta.url);
    const command = enter(this.#holder(job.to), ['setpriv', '--pdeathsig', 'KILL', '--', ...script]);
    const steps: ScriptStep[] = [
      { do: 'send', text: job.lines.map((line) => `${line}\n`).join('') },
      { do: 'pause', ms: STRANGER_STAYS_MS },
    ];
    const limits = { home: folder, timeoutMs: job.timeoutMs ?? JOB_MS, signal: this.#clients.signal };
    // Before a program under test stands our relay, which would turn strangers away in its stead.
    const door = by === 'tcp' ? STRANGERS_DOOR : { address: link.peerAddress, port: link.port };
    const input = JSON.stringify({ ...door, steps });
    const ran = await runProgram(command, limits, input);
    if (ran.stdout === '') throw new WorldError(`the stranger ended: ${ran.stderr.trim().split('\n').at(-1) ?? ''}`);
    return { ok: true, responses: [] };
  }

  #topologyOfRun(): Topology {
    if (this.#owners.length === 0) return this.topology;
    const owners = this.#owners.map(({ ip, mac }) => ({ ip, mac }));
    return { ...this.topology, clients: [...(this.topology.clients ?? []), ...owners] };
  }

  async settle(limitMs: number): Promise<void> {
    // Who was silent for so long settles nothing any more.
    const deadline = performance.now() + (this.#gaveUp ? Math.min(limitMs, SETTLE_SILENT_MS) : limitMs);
    for (;;) {
      this.#check();
      const answers = [...(await this.#askAll({ command: 'idle?' })).values()];
      // A program under test cannot be asked about everything it holds: then the network has to be quiet for a while.
      const idle =
        answers.every((answer) => answer === undefined || answer.idle === true || answer.idle === null) &&
        (!this.#hasForeign ||
          Number((await this.#capture?.ask({ command: 'quiet?' }, ANSWER_MS))?.quietMs) >= QUIET_MS);
      if (idle || performance.now() >= deadline) return;
      await new Promise((wake) => setTimeout(wake, SETTLE_POLL_MS));
    }
  }

  async finish(): Promise<Evidence> {
    this.#check();
    this.#ending = true;
    try {
      const foreign = (name: string) => this.#foreign(name) !== undefined;
      const ours = await this.#askAll({ command: 'stop' }, (name) => !foreign(name));
      const ended = new Set(
        [...this.#roles].filter(([name, role]) => this.#hasEnded(name, role)).map(([name]) => name),
      );
      // A program that is told to end may close its connections as it does; that is no part of the case any more.
      const captured = await this.#capture?.ask({ command: 'stop' }, ANSWER_MS);
      const theirs = await this.#askAll({ command: 'stop' }, foreign);
      const stopped = new Map([...ours, ...theirs]);
      const wire = await this.#wire?.ask({ command: 'stop' }, ANSWER_MS);
      const evidence: Evidence = {
        topology: this.#topologyOfRun(),
        capture: join(this.#folder, 'capture.pcapng'),
        controlLog: join(this.#folder, 'capture.control.ndjson'),
        trace: join(this.#folder, 'trace.ndjson'),
        captureDrops: Number(captured?.drops ?? 0),
        missedFaults: [
          ...missedFaults(this.#options, {
            faults: appliedOf(wire ?? stopped.get('switch')),
            controlFaults: appliedOf(stopped.get('controller')),
            ended,
          }),
          ...this.#unmet,
        ],
      };
      if (!existsSync(evidence.capture)) throw new WorldError('the capture wrote no file');
      this.#merge('control', evidence.controlLog);
      this.#merge('trace', evidence.trace);
      return evidence;
    } finally {
      await this.destroy();
    }
  }

  /** Joins the roles' files in the order of their time stamps; lines of one role keep their order. */
  #merge(kind: 'control' | 'trace', file: string): void {
    // A program under test tells no events.
    const writers = [...this.#roles.keys()].filter((role) => kind === 'control' || !this.#foreign(role));
    const lines = writers.flatMap((role) =>
      readFileSync(join(this.#scratch, `${role}.${kind}.ndjson`), 'utf8')
        .split('\n')
        // What a role was writing when it was killed is no line.
        .slice(0, -1)
        .map((line) => ({ line, t: BigInt((JSON.parse(line) as { t: string }).t) })),
    );
    lines.sort((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0));
    writeFileSync(file, lines.map(({ line }) => `${line}\n`).join(''));
  }

  async destroy(): Promise<void> {
    this.#ending = true;
    this.#clients.abort();
    // Beside a program under test stands a process that waits for it: killed with it, it would leave it defunct.
    const beside = [...this.#roles].flatMap(([name, role]) => (this.#foreign(name) && !role.isStopped ? [role] : []));
    for (const role of beside) role.dismiss();
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, DISMISS_MS);
    });
    await Promise.race([Promise.all(beside.map((role) => role.exited)), patience]);
    clearTimeout(late);
    this.abandon();
    await Promise.all([...this.#started].map((attendant) => attendant.exited));
    // A role may have made a file while the folder was being removed.
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  /** Kills what was started and removes temporary files, without waiting. */
  abandon(): void {
    this.#ending = true;
    this.#clients.abort();
    for (const attendant of this.#started) attendant.kill();
    rmSync(this.#scratch, { recursive: true, force: true });
    live.delete(this);
  }
}

type Answer = Readonly<Record<string, unknown>>;

/** How long the role may take to be ready. */
function readyMs({ ready }: ProcessUnderTest): number {
  return ready.by === 'start' ? 0 : ready.timeoutMs;
}

function appliedOf(answer: Answer | undefined): readonly number[] | null {
  return Array.isArray(answer?.applied) ? answer.applied : null;
}

/** Writes its evidence into `folder`; needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN (root, or `unshare -Urn`). */
export const createLinuxWorld = (folder: string, options: WorldOptions): Promise<LinuxWorld> =>
  LinuxWorld.create(folder, options);
