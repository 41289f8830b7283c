/** `prism role`: one role of the reference as a program of its own, which speaks the published contracts and nothing else. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { StandaloneRole } from '../../harness/linux/standalone-role.js';
import { Failure } from '../failure.js';

interface RoleOptions {
  readonly topology: string;
  readonly policy?: string;
  readonly interfaces: readonly string[];
  readonly control?: { readonly address: string; readonly port: number };
  readonly controlPeer: string;
  readonly peers?: StandaloneRole['peers'];
  readonly serviceDelay?: number;
  readonly ruleCapacity?: number;
  readonly initialSequence?: number | null;
  readonly dataPlane?: 'packets' | 'offloads' | 'ebpf';
  readonly tcp?: 'user' | 'kernel';
  readonly objects?: string;
  readonly scratch?: string;
  readonly zeroWindow?: boolean;
  readonly addressesOnly?: boolean;
}

function parseEndpoint(text: string): { address: string; port: number } {
  const [, address = '', digits = ''] = /^([^:,=]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (address === '' || port < 1 || port > 65535) throw new InvalidArgumentError('it is ADDRESS:PORT.');
  return { address, port };
}

function parsePeers(text: string): StandaloneRole['peers'] {
  return text.split(',').map((part) => {
    const [, peer = '', endpoint = ''] = /^([a-z0-9]+)=(.+)$/.exec(part) ?? [];
    if (peer === '') throw new InvalidArgumentError('it is NAME=ADDRESS:PORT, joined by commas.');
    return { peer, ...parseEndpoint(endpoint) };
  });
}

function parseCount(most: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count > most) throw new InvalidArgumentError(`it is a whole number up to ${most}.`);
    return count;
  };
}

type Start = (role: StandaloneRole) => Promise<() => void>;

/** Whoever plays the role as the options want it. */
async function starter(name: string, options: RoleOptions): Promise<Start> {
  const { dataPlane = 'packets', tcp = 'user', objects, scratch, zeroWindow } = options;
  if (name !== 'switch' && dataPlane !== 'packets') throw new Failure(2, `--data-plane ${dataPlane} is a switch's`);
  if (name !== 'switch' && options.addressesOnly) throw new Failure(2, "--addresses-only is a switch's");
  if (!name.startsWith('backend') && tcp !== 'user') throw new Failure(2, `--tcp ${tcp} is a backend's`);
  if (dataPlane === 'ebpf') return (await import('../../kernel/switch/role.js')).runEbpfSwitch;
  if (tcp === 'kernel') {
    if (objects === undefined) throw new Failure(2, '--tcp kernel needs --objects');
    const { runKernelBackend } = await import('../../kernel/backend/role.js');
    const more = { objects, ...(scratch !== undefined && { scratch }), ...(zeroWindow && { zeroWindow }) };
    return (role) => runKernelBackend({ ...role, ...more });
  }
  for (const [option, value] of Object.entries({ objects, scratch, 'zero-window': zeroWindow }))
    if (value !== undefined) throw new Failure(2, `--${option} goes with --tcp kernel`);
  return (await import('../../harness/linux/standalone-role.js')).runStandaloneRole;
}

async function role(name: string, options: RoleOptions): Promise<void> {
  if (!/^(controller|switch|backend\d+)$/.test(name))
    throw new Failure(2, `no role is called '${name}'; there are: controller, switch, backend0, backend1, ...`);
  if (name === 'controller' && options.peers === undefined) throw new Failure(2, 'a controller needs --peers');
  if (name !== 'controller' && options.control === undefined) throw new Failure(2, `a ${name} needs --control`);
  const { control, initialSequence } = options;
  const start = await starter(name, options);
  let stop: () => void;
  try {
    stop = await start({
      name,
      topology: options.topology,
      interfaces: options.interfaces,
      ...(options.policy !== undefined && { policy: options.policy }),
      ...(control && { control: { ...control, peerAddress: options.controlPeer } }),
      peers: options.peers ?? [],
      ...(options.addressesOnly && { addressesOnly: true }),
      ...(options.dataPlane === 'offloads' && { offloads: true }),
      ...(options.serviceDelay !== undefined && { serviceDelayMs: options.serviceDelay }),
      ...(options.ruleCapacity !== undefined && { ruleCapacity: options.ruleCapacity }),
      ...(typeof initialSequence === 'number' && { initialSequence }),
    });
  } catch (error) {
    throw new Failure(4, `${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
  // Its sockets keep the process alive; a signal ends it.
  await new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
  stop();
  process.exit(0);
}

export function registerRole(program: Command): void {
  program
    .command('role')
    .summary('one role of the reference as a program of its own')
    .description(
      'Runs one role of the reference on interfaces of the present network namespace until SIGTERM, speaking the control protocol over TCP\n' +
        '(docs/control-protocol.md): what the manifests of the reference-* targets start, and an example of what a manifest of yours may start.',
    )
    .argument('<ROLE>', 'controller, switch, backend0, backend1, ...')
    .requiredOption('--topology <FILE>', 'who is who (prism-topology/1)')
    .requiredOption(
      '--interfaces <NAMES>',
      "data interfaces, joined by commas; a switch's are named after whom they face",
      (text) => text.split(','),
    )
    .option('--policy <FILE>', "a controller's selection policy (default: the topology's)")
    .option('--control <ADDRESS:PORT>', 'where a switch or backend waits for the controller', parseEndpoint)
    .option('--control-peer <ADDRESS>', 'the one address that it takes control connections from', '127.0.0.1')
    .option('--peers <LIST>', "a controller's peers, NAME=ADDRESS:PORT joined by commas", parsePeers)
    .option(
      '--service-delay <MS>',
      'how long a backend waits before the first byte of a response',
      parseCount(3_600_000),
    )
    .option('--rule-capacity <N>', 'how many rules the switch has room for', parseCount(1_000_000))
    .addOption(
      new Option(
        '--data-plane <KIND>',
        'how a switch moves frames: one by one; with super-segments, where the links have offloads on; or by an eBPF program at tc ingress',
      )
        .choices(['packets', 'offloads', 'ebpf'])
        .default('packets'),
    )
    .option('--addresses-only', "a switch that leaves window and FIN to the backends' hosts (VAR-4)")
    .addOption(
      new Option('--tcp <KIND>', "whose TCP a backend speaks: this process', or the kernel's by TCP_REPAIR")
        .choices(['user', 'kernel'])
        .default('user'),
    )
    .option('--objects <DIR>', 'with --tcp kernel: the files it serves')
    .option('--scratch <DIR>', 'with --tcp kernel: where it keeps what is PUT')
    .option('--zero-window', 'with --tcp kernel: close the window of reads itself, not at the switch (VAR-4)')
    .option(
      '--initial-sequence <N>',
      'initial sequence number of every accepted connection; empty for the usual',
      (text) => (text === '' ? null : parseCount(0xffffffff)(text)),
    )
    .addHelpText(
      'after',
      `
Examples:
  prism role switch --topology topology.json --interfaces client,controller,backend0,backend1 --control 127.0.0.1:7401
  prism role switch --data-plane ebpf --topology topology.json --interfaces client,controller,backend0,backend1 --control 127.0.0.1:7401
  prism role backend0 --topology topology.json --interfaces link --control 127.0.0.1:7401
  prism role backend0 --tcp kernel --objects ./objects --topology topology.json --interfaces link --control 127.0.0.1:7401`,
    )
    .action(role);
}
