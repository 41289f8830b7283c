/** The placeholders of a target's command lines: what each stands for, which roles have it, and how a text is filled in. */
import { didYouMean } from '../nearest.js';

/** A kind of role that can be under test; `backend` stands for every backend. */
export type RoleKind = 'controller' | 'switch' | 'backend';

interface Placeholder {
  readonly says: string;
  /** The roles that have it; absent: all. */
  readonly roles?: readonly RoleKind[];
}

const HOSTS: readonly RoleKind[] = ['controller', 'backend'];
const LISTENERS: readonly RoleKind[] = ['switch', 'backend'];

export const PLACEHOLDERS = {
  name: { says: "the role's name: controller, switch, backend0, backend1, ..." },
  vip: { says: 'the logical IPv4 address, which clients connect to' },
  port: { says: 'the logical TCP port' },
  iface: { says: "the host's one data interface", roles: HOSTS },
  ifaces: {
    says: "the data interfaces, joined by commas; a switch's are named after whom they face: client,controller,backend0,...",
  },
  ip: { says: "the host's own IPv4 address", roles: HOSTS },
  mac: { says: "the MAC address of the role's data interfaces; a switch has one for all" },
  gateway: { says: "the IPv4 address of the host's next hop, the switch", roles: HOSTS },
  gateway_mac: { says: "the fabric's MAC address: the next hop of every host" },
  control: { says: 'ADDRESS:PORT where the role waits for its control connection', roles: LISTENERS },
  control_address: { says: 'the address of {control}', roles: LISTENERS },
  control_port: { says: 'the port of {control}', roles: LISTENERS },
  control_peer: { says: 'the address that control connections come from', roles: LISTENERS },
  peers: {
    says: "the controller's control peers, NAME=ADDRESS:PORT joined by commas: switch=...,backend0=...",
    roles: ['controller'],
  },
  topology: { says: 'path of the topology file (prism-topology/1)' },
  policy: { says: 'path of a JSON file with the selection policy' },
  objects: { says: 'path of the folder that holds the objects to serve: {objects}/a/8k is what GET /a/8k returns' },
  serviceDelayMs: { says: 'how long a backend waits before the first byte of a response, in ms' },
  ruleCapacity: { says: 'how many rules the switch has room for' },
  initialSequence: { says: 'the initial sequence number of every accepted connection; empty when the case gives none' },
  handoffMs: { says: 'how long a backend may keep a connection, in ms' },
  scratch: { says: 'path of a folder of its own, removed after the case' },
  log: { says: 'path of a file it may log to; the head and the tail of it are kept beside the capture' },
  prism: { says: 'the command line of this very prism; an argument by itself, which becomes several' },
} as const satisfies Readonly<Record<string, Placeholder>>;

export type PlaceholderName = keyof typeof PLACEHOLDERS;

export const PLACEHOLDER_NAMES = Object.keys(PLACEHOLDERS) as readonly PlaceholderName[];

/** Braces around a name; braces around anything else, as in JSON, are text. */
const PATTERN = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

const isPlaceholder = (name: string): name is PlaceholderName => Object.hasOwn(PLACEHOLDERS, name);

function rolesOf(name: PlaceholderName): readonly RoleKind[] | undefined {
  const placeholder: Placeholder = PLACEHOLDERS[name];
  return placeholder.roles;
}

/** What is wrong with the placeholders of a text for that kind of role, in one line; undefined when nothing is. */
export function placeholderComplaint(text: string, kind: RoleKind): string | undefined {
  for (const [, name = ''] of text.matchAll(PATTERN)) {
    const known = PLACEHOLDER_NAMES.filter((p) => rolesOf(p)?.includes(kind) ?? true);
    if (!isPlaceholder(name))
      return `unknown placeholder {${name}}${didYouMean(name, known)}; there are: ${known.map((p) => `{${p}}`).join(' ')}`;
    if (!known.includes(name))
      return `a ${kind} has no {${name}}${didYouMean(name, known)}; it has: ${known.map((p) => `{${p}}`).join(' ')}`;
    if (name === 'prism' && text !== '{prism}') return '{prism} is an argument by itself, not a part of one';
  }
  return undefined;
}

/** `prism` is a whole command line, everything else a text. */
export type PlaceholderValues = Readonly<Record<Exclude<PlaceholderName, 'prism'>, string>>;

function fill(text: string, values: PlaceholderValues): string {
  return text.replace(PATTERN, (whole, name: string) =>
    isPlaceholder(name) && name !== 'prism' ? values[name] : whole,
  );
}

/** The command line with every placeholder filled in. */
export function fillCommand(
  command: readonly string[],
  values: PlaceholderValues,
  prism: readonly string[],
): readonly string[] {
  return command.flatMap((argument) => (argument === '{prism}' ? prism : [fill(argument, values)]));
}

/** The environment with every placeholder filled in. */
export function fillEnvironment(
  environment: Readonly<Record<string, string>>,
  values: PlaceholderValues,
): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, fill(text, values)]));
}
