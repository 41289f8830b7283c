/** TCP throughput from a client to a backend through a switch, links with their offloads on: one network for each kind of switch. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inNamespace, setOffloads } from '../../harness/linux/libc.js';
import { buildNetwork, type Network } from '../../harness/linux/netns.js';
import { Attendant, enter, nodeCommand, plainEnvironment } from '../../harness/linux/processes.js';
import { packageRoot } from '../../harness/package-root.js';
import { defaultTopology, type Topology } from '../../harness/topology.js';
import { WorldError } from '../../harness/world.js';

/** `bridge`: a Linux bridge, which rewrites nothing. The others rewrite both directions of the connection that is measured, by one rule. */
export const SWITCH_KINDS = ['bridge', 'ebpf', 'offloads', 'packets'] as const;
export type SwitchKind = (typeof SWITCH_KINDS)[number];

const CONTROL_PORT = 7400;
const PORT = 80;
const SOURCE_PORT = 40_000;
const START_MS = 30_000;

export class ThroughputBench {
  readonly #started = new Set<Attendant>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'prism-bench-switch-'));
  readonly #environment = plainEnvironment(this.#folder);
  readonly #topology: Topology;
  readonly #paths = new Map<
    SwitchKind,
    { readonly client: number; readonly receiver: Attendant; readonly target: string }
  >();
  #round = 0;

  constructor() {
    const { backends, ...topology } = defaultTopology();
    this.#topology = { ...topology, backends: backends.slice(0, 1), policy: { kind: 'round-robin' } };
    writeFileSync(join(this.#folder, 'topology.json'), JSON.stringify(this.#topology));
  }

  /** Builds the network of that kind and starts its switch. Throws a WorldError for what is missing. */
  async prepare(kind: SwitchKind, rounds: number): Promise<void> {
    const [backend] = this.#topology.backends;
    const [client] = this.#topology.clients ?? [];
    if (!backend || !client) throw new WorldError('the topology has no client or no backend');
    const network = await buildNetwork(this.#topology, this.#started, this.#environment, {
      wire: false,
      kernels: new Set(['backend0']),
    });
    const pid = (name: string) => network.holders.get(name)?.pid ?? 0;
    // Without offloads every frame is a packet of the link's; a switch that takes them one by one needs that.
    for (const name of ['client', 'backend0'])
      for (const [at, link] of [
        [name, 'link'],
        ['switch', name],
      ] as const)
        inNamespace(pid(at), () => setOffloads(link, kind !== 'packets'));
    if (kind === 'bridge') await this.#bridge(network, client.ip, backend.ip);
    else await this.#switch(kind, network, client.ip, backend, rounds);
    const receiver = this.#start('receiver', enter(pid('backend0'), ['python3', this.#stream(), 'receive', `${PORT}`]));
    if ((await receiver.line(START_MS)) !== 'listening') throw new WorldError('the receiver does not listen');
    const target = kind === 'bridge' ? backend.ip : this.#topology.logical.ip;
    this.#paths.set(kind, { client: pid('client'), receiver, target });
  }

  #stream(): string {
    return join(packageRoot(), 'kernel/bench/stream.py');
  }

  #start(name: string, command: readonly string[]): Attendant {
    const attendant = new Attendant(name, command, this.#environment);
    this.#started.add(attendant);
    return attendant;
  }

  async #run(pid: number, command: string): Promise<void> {
    const done = this.#start(command, enter(pid, ['sh', '-c', `${command} && echo done`]));
    await done.line(START_MS);
  }

  async #bridge(network: Network, client: string, backend: string): Promise<void> {
    const pid = (name: string) => network.holders.get(name)?.pid ?? 0;
    await this.#run(
      pid('switch'),
      'ip link add bridge type bridge stp_state 0 forward_delay 0 && ip link set client master bridge && ip link set backend0 master bridge && ip link set bridge up',
    );
    // One link for both now: each finds the other by ARP.
    await this.#run(pid('client'), `ip route add ${backend}/32 dev link`);
    await this.#run(pid('backend0'), `ip route add ${client}/32 dev link`);
  }

  async #switch(
    kind: Exclude<SwitchKind, 'bridge'>,
    network: Network,
    client: string,
    backend: Topology['backends'][number],
    rounds: number,
  ): Promise<void> {
    const pid = network.holders.get('switch')?.pid ?? 0;
    const { logical } = this.#topology;
    const prism = [process.execPath, join(packageRoot(), 'bin/prism.js'), 'role', 'switch', '--data-plane', kind];
    const told = ['--topology', join(this.#folder, 'topology.json'), '--interfaces', 'client,controller,backend0'];
    const control = ['--control', `127.0.0.1:${CONTROL_PORT}`, '--rule-capacity', '64'];
    const running = this.#start(`the ${kind} switch`, enter(pid, [...prism, ...told, ...control]));
    for (let round = 0; round < rounds; round++) {
      const rule = {
        conn: {
          client: { ip: client, port: SOURCE_PORT + round },
          logical: { ip: logical.ip, port: PORT },
        },
        backend: { name: backend.name, ip: backend.ip, mac: backend.mac ?? '' },
        zeroWindow: false,
        clearFin: false,
      };
      await this.#ask(pid, running, { verb: 'add', id: `bench-${round}`, rule });
    }
  }

  /** Until the switch listens it is asked again. */
  async #ask(pid: number, running: Attendant, request: object): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const command = [...nodeCommand('./rule-main', import.meta.url), `${CONTROL_PORT}`, JSON.stringify(request)];
      const asking = this.#start('the rule', enter(pid, command));
      try {
        const answer = JSON.parse(await asking.line(START_MS));
        if (answer.verb !== 'ok') throw new WorldError(`the switch refused the rule: ${JSON.stringify(answer)}`);
        asking.kill();
        return;
      } catch (error) {
        if (!running.running) throw running.failure();
        if (performance.now() > deadline || (error instanceof WorldError && /refused/.test(error.message))) throw error;
        await new Promise((wake) => setTimeout(wake, 200));
      }
    }
  }

  /** Bits per second of one stream of so many seconds. */
  async measure(kind: SwitchKind, seconds: number): Promise<number> {
    const path = this.#paths.get(kind);
    if (!path) throw new WorldError(`no network of kind ${kind} was built`);
    const port = SOURCE_PORT + Math.floor(this.#round++ / this.#paths.size);
    const sender = this.#start(
      'the sender',
      enter(path.client, ['python3', this.#stream(), 'send', path.target, `${PORT}`, `${port}`, `${seconds}`]),
    );
    const told = path.receiver.line(seconds * 1000 + START_MS);
    await Promise.race([told, sender.exited.then(() => told)]);
    const [bytes = 0, took = 1] = (await told).split(' ').map(Number);
    return (bytes * 8) / took;
  }

  async close(): Promise<void> {
    for (const attendant of this.#started) attendant.kill();
    await Promise.all([...this.#started].map(({ exited }) => exited));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
