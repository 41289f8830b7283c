/** A switch between one client, a controller and two backends, and one-line frames and messages for it. */
import type { ControlMessage, Rule } from '../../reference-impl/control/messages.js';
import type { RoleEvent, RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import { initSwitch, type SwitchState, stepSwitch } from '../../reference-impl/switch/switch.js';
import {
  buildTcpFrame,
  type FrameView,
  type Ipv4Fields,
  parseFrame,
  parseIpv4Address,
  type TcpFields,
  TcpFlag,
} from '../../reference-impl/wire/index.js';

export function ip(text: string): number {
  const address = parseIpv4Address(text);
  if (address === undefined) throw new Error(text);
  return address;
}

export const MAC = {
  fabric: 0x025052000001,
  client: 0x025052000102,
  controller: 0x025052000202,
  backend0: 0x025052001002,
  backend1: 0x025052001102,
};

export const LOGICAL = '198.18.0.80';
export const CLIENT = '198.18.1.2';
export const CONTROLLER = '198.18.2.2';
export const BACKENDS = ['198.18.10.2', '198.18.11.2'] as const;

export const config: SwitchConfig = {
  mac: MAC.fabric,
  ports: [
    { name: 'client', gateway: ip('198.18.1.1') },
    { name: 'controller', gateway: ip('198.18.2.1') },
    { name: 'backend0', gateway: ip('198.18.10.1') },
    { name: 'backend1', gateway: ip('198.18.11.1') },
  ],
  routes: [
    { prefix: ip('198.18.1.0'), length: 24, port: 'client' },
    { prefix: ip('198.18.2.0'), length: 24, port: 'controller' },
    { prefix: ip(LOGICAL), length: 32, port: 'controller', nextHop: ip(CONTROLLER) },
    { prefix: ip('198.18.10.0'), length: 24, port: 'backend0' },
    { prefix: ip('198.18.11.0'), length: 24, port: 'backend1' },
  ],
  neighbours: [
    { ip: ip(CLIENT), mac: MAC.client, port: 'client' },
    { ip: ip(CONTROLLER), mac: MAC.controller, port: 'controller' },
    { ip: ip(BACKENDS[0]), mac: MAC.backend0, port: 'backend0' },
    { ip: ip(BACKENDS[1]), mac: MAC.backend1, port: 'backend1' },
  ],
  logical: ip(LOGICAL),
  ruleCapacity: 4,
  drainMs: 1000,
  without: [],
};

export function view(bytes: Uint8Array): FrameView {
  const parsed = parseFrame(bytes);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
}

/** Drives the core; every step checks that neither the state nor the input was changed. */
export class Bench {
  state: SwitchState;
  now = 0;
  timer: number | null = null;
  #id = 0;

  constructor(changes: Partial<SwitchConfig> = {}) {
    this.state = initSwitch({ ...config, ...changes }).state;
  }

  step(input: RoleInput): readonly RoleOutput[] {
    const before = structuredClone({ state: this.state, input });
    const given = { state: this.state, input };
    const { state, outputs } = stepSwitch(this.state, input, this.now);
    if (JSON.stringify(plain(given)) !== JSON.stringify(plain(before)))
      throw new Error('the step changed what it was given');
    this.state = state;
    for (const output of outputs) if (output.kind === 'timer') this.timer = output.at;
    return outputs;
  }

  /** What leaves for a frame, with its port; undefined when nothing does. */
  frame(port: string, bytes: Uint8Array): { port: string; frame: FrameView } | undefined {
    const sent = this.step({ kind: 'frame', port, bytes }).filter((output) => output.kind === 'frame');
    if (sent.length > 1) throw new Error('more than one frame left');
    const [first] = sent;
    return first && { port: first.port, frame: view(first.bytes) };
  }

  /** The events of one frame. */
  events(port: string, bytes: Uint8Array): RoleEvent[] {
    return eventsOf(this.step({ kind: 'frame', port, bytes }));
  }

  control(message: ControlMessage): readonly RoleOutput[] {
    return this.step({ kind: 'control', peer: 'controller', message });
  }

  /** The one answer to a message. */
  ask(message: ControlMessage): ControlMessage {
    const answers = this.control(message).filter((output) => output.kind === 'control');
    const [answer] = answers;
    if (!answer || answers.length > 1) throw new Error(`${answers.length} answers`);
    return answer.message;
  }

  add(rule: Rule): ControlMessage {
    return this.ask({ verb: 'add', id: `a${++this.#id}`, rule });
  }

  remove(rule: Rule): ControlMessage {
    return this.ask({ verb: 'remove', id: `r${++this.#id}`, conn: rule.conn });
  }

  rules(): readonly Rule[] {
    const answer = this.ask({ verb: 'list', id: 'list' });
    return answer.verb === 'ok' ? (answer.rules ?? []) : [];
  }

  /** Lets time pass, and the timer fire when it is due. */
  pass(ms: number): void {
    this.now += ms * 1000;
    if (this.timer !== null && this.timer <= this.now) this.step({ kind: 'timer', key: 'drain' });
  }
}

/** Maps as lists, so that they can be compared as text. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner) =>
      inner instanceof Map ? [...inner] : inner instanceof Uint8Array ? [...inner] : inner,
    ),
  );
}

export function eventsOf(outputs: readonly RoleOutput[]): RoleEvent[] {
  return outputs.flatMap((output) => (output.kind === 'event' ? [output.event] : []));
}

export function rule(clientPort = 40000, backend: 0 | 1 = 0, changes: Partial<Rule> = {}): Rule {
  return {
    conn: { client: { ip: CLIENT, port: clientPort }, logical: { ip: LOGICAL, port: 80 } },
    backend: {
      name: `backend${backend}`,
      ip: BACKENDS[backend],
      mac: backend === 0 ? '02:50:52:00:10:02' : '02:50:52:00:11:02',
    },
    zeroWindow: true,
    clearFin: true,
    ...changes,
  };
}

const segment: TcpFields = { srcPort: 40000, dstPort: 80, seq: 1000, ack: 2000, flags: TcpFlag.ACK, window: 512 };

/** A segment of the client to the logical address. */
export function fromClient(tcp: Partial<TcpFields> = {}, ipv4: Partial<Ipv4Fields> = {}): Uint8Array {
  return buildTcpFrame({
    ethernet: { dst: MAC.fabric, src: MAC.client },
    ipv4: { src: ip(CLIENT), dst: ip(LOGICAL), ...ipv4 },
    tcp: { ...segment, ...tcp },
  });
}

/** A segment of a backend to the client. */
export function fromBackend(
  backend: 0 | 1 = 0,
  tcp: Partial<TcpFields> = {},
  ipv4: Partial<Ipv4Fields> = {},
): Uint8Array {
  return buildTcpFrame({
    ethernet: { dst: MAC.fabric, src: backend === 0 ? MAC.backend0 : MAC.backend1 },
    ipv4: { src: ip(BACKENDS[backend]), dst: ip(CLIENT), ...ipv4 },
    tcp: { ...segment, srcPort: 80, dstPort: 40000, ...tcp },
  });
}
