/** The Linux world: namespaces joined by veth, each role a process, real clients, captures at every link. */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ClientSurroundings, OwnAddress } from '../clients/client-surroundings.js';
import { runHttpProgram } from '../clients/http-programs.js';
import { runLoadProgram } from '../clients/load-programs.js';
import { runProgram } from '../clients/run-program.js';
import { defaultTopology, type Topology } from '../topology.js';
import { type ClientJob, type Evidence, type JobResult, type World, WorldError, type WorldOptions } from '../world.js';
import type { CaptureLaunch } from './capture-main.js';
import { availableProfile, unavailableLevels } from './client-profile.js';
import { buildNetwork, type Network } from './netns.js';
import { requireLinux } from './probe.js';
import { Attendant, enter, nodeCommand, plainEnvironment } from './processes.js';
import type { RoleLaunch } from './role-main.js';
import type { RoleRim } from './role-runtime.js';
import { createRunFolder } from './run-folder.js';

const START_MS = 60_000;
const ANSWER_MS = 20_000;
const JOB_MS = 15_000;
const SETTLE_POLL_MS = 10;
/** Last bytes of the addresses for clients that bring a TCP of their own; .1 is the switch, .2 the kernel, .3 the packet-level client. */
const FIRST_OWN = 4;
const LAST_OWN = 254;
const OWN_MAC_PREFIX = '02:50:52:00:01:';

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
  #failure: WorldError | undefined;
  readonly #clients = new AbortController();
  #ending = false;
  #jobs = 0;
  #nextOwn = FIRST_OWN;

  private constructor(folder: string, options: WorldOptions) {
    this.#folder = resolve(folder);
    this.#options = options;
    this.topology = defaultTopology(options.policy);
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
      if (this.#ending) return;
      this.#failure ??= attendant.failure();
      // Nobody will answer them any more.
      this.#clients.abort();
    });
    return attendant;
  }

  async #start(): Promise<void> {
    const network = await buildNetwork(
      this.topology,
      this.#started,
      this.#environment,
      this.#options.clientProfile && availableProfile(this.#options.clientProfile, unavailableLevels()),
    );
    this.#network = network;
    const capture = this.#attend('capture', 'switch', './capture-main');
    this.#capture = capture;
    const names = ['switch', ...this.topology.backends.map((b) => b.name), 'controller'];
    // All processes load at once; the roles are told to begin only when the capture listens.
    for (const name of names) this.#roles.set(name, this.#attend(name, name, './role-main'));
    const launch: CaptureLaunch = { vantages: network.vantages, file: join(this.#folder, 'capture.pcapng') };
    await capture.ask(launch, START_MS);
    await Promise.all(
      [...this.#roles].map(([name, role]) => {
        const question: RoleLaunch = { topology: this.topology, options: this.#options, rim: this.#rim(name, network) };
        return role.ask(question, START_MS);
      }),
    );
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
          ? network.control.map((c) => ({ peer: c.peer, address: c.peerAddress, port: c.port }))
          : [],
      controlLog: join(this.#scratch, `${role}.control.ndjson`),
      trace: join(this.#scratch, `${role}.trace.ndjson`),
    };
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#ending) throw new WorldError('the world has ended');
  }

  async runClients(jobs: readonly ClientJob[]): Promise<readonly JobResult[]> {
    this.#check();
    const results = await Promise.all(jobs.map((job) => this.#runJob(job)));
    this.#check();
    return results;
  }

  async #runJob(job: ClientJob): Promise<JobResult> {
    const folder = join(this.#scratch, `job${this.#jobs++}`);
    mkdirSync(folder);
    const timeoutMs = job.timeoutMs ?? JOB_MS;
    const { ip: host, port } = this.topology.logical;
    const { signal } = this.#clients;
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
      const command = inClient(nodeCommand('../clients/script-main', import.meta.url));
      const ran = await runProgram(
        command,
        { home: folder, timeoutMs, signal },
        JSON.stringify({ address: host, port, steps: job.steps }),
      );
      if (ran.timedOut) return { ok: false, error: `the script was not done after ${timeoutMs} ms`, responses: [] };
      if (ran.stdout === '')
        throw new WorldError(`the script client ended: ${ran.stderr.trim().split('\n').at(-1) ?? ''}`);
      return JSON.parse(ran.stdout) as JobResult;
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
    if (!client || this.#nextOwn > LAST_OWN) throw new WorldError("no address is left on the client's link");
    const number = this.#nextOwn++;
    const on = (last: number): string => client.ip.replace(/\d+$/, String(last));
    const mac = `${OWN_MAC_PREFIX}${number.toString(16).padStart(2, '0')}`;
    return { ip: on(number), mac, gateway: on(1) };
  }

  async settle(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      this.#check();
      const answers = await Promise.all(
        [...this.#roles.values()].map((role) => role.ask({ command: 'idle?' }, ANSWER_MS)),
      );
      if (answers.every((answer) => answer.idle === true) || performance.now() >= deadline) return;
      await new Promise((wake) => setTimeout(wake, SETTLE_POLL_MS));
    }
  }

  async finish(): Promise<Evidence> {
    this.#check();
    this.#ending = true;
    try {
      await Promise.all([...this.#roles.values()].map((role) => role.ask({ command: 'stop' }, ANSWER_MS)));
      const captured = await this.#capture?.ask({ command: 'stop' }, ANSWER_MS);
      const evidence: Evidence = {
        topology: this.topology,
        capture: join(this.#folder, 'capture.pcapng'),
        controlLog: join(this.#folder, 'capture.control.ndjson'),
        trace: join(this.#folder, 'trace.ndjson'),
        captureDrops: Number(captured?.drops ?? 0),
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
    const lines = [...this.#roles.keys()].flatMap((role) =>
      readFileSync(join(this.#scratch, `${role}.${kind}.ndjson`), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => ({ line, t: BigInt((JSON.parse(line) as { t: string }).t) })),
    );
    lines.sort((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0));
    writeFileSync(file, lines.map(({ line }) => `${line}\n`).join(''));
  }

  async destroy(): Promise<void> {
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

/** Writes its evidence into `folder`; needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN (root, or `unshare -Urn`). */
export const createLinuxWorld = (folder: string, options: WorldOptions): Promise<LinuxWorld> =>
  LinuxWorld.create(folder, options);
