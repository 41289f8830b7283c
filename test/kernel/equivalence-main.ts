/** In a network namespace of its own: the two switches get the same frames and rule tables. Prints what was compared, as JSON; fails at the first difference. */
import { execFileSync } from 'node:child_process';
import { createRandom } from '../../harness/random.js';
import { TestRun } from '../../kernel/bpf/test-run.js';
import { stepAgent } from '../../kernel/switch/agent.js';
import { switchObject } from '../../kernel/switch/build.js';
import { DataPlane, portIndexes } from '../../kernel/switch/data-plane.js';
import type { RoleOutput } from '../../reference-impl/core/core.js';
import { isRemedyName } from '../../reference-impl/core/remedies.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import { initSwitch, stepSwitch } from '../../reference-impl/switch/switch.js';
import { formatIpv4Address, formatMacAddress } from '../../reference-impl/wire/addresses.js';
import { readU16 } from '../../reference-impl/wire/octets.js';
import { arriving, type Cast } from './frames.js';

const [frames = 100_000, seed = 1] = process.argv.slice(2, 4).map(Number);
/** A remedy that the program alone does without, to see that a difference is seen. */
const without = process.argv.slice(4).filter(isRemedyName);
const PORTS = ['client', 'controller', 'backend0', 'backend1'];
const [OK, SHOT, REDIRECT] = [0, 2, 7];
/** Ethernet's header, and that of the IP version it announces. */
const shortest = (bytes: Uint8Array) => ({ 2048: 34, 34525: 54 })[readU16(bytes, 12)] ?? 14;

const config: SwitchConfig = {
  mac: 0x0200c6120001,
  ports: PORTS.map((name, i) => ({ name, gateway: 0xc6120001 + i * 0x100 })),
  routes: [
    { prefix: 0xc61200c8, length: 32, port: 'controller', nextHop: 0xc6120102 },
    ...PORTS.map((port, i) => ({ prefix: 0xc6120000 + i * 0x100, length: 24, port })),
  ],
  neighbours: [
    { ip: 0xc6120002, mac: 0x020000000002, port: 'client' },
    { ip: 0xc6120102, mac: 0x020000000102, port: 'controller' },
    { ip: 0xc6120202, mac: 0x020000000202, port: 'backend0' },
    { ip: 0xc6120302, mac: 0x020000000302, port: 'backend1' },
  ],
  logical: 0xc61200c8,
  ruleCapacity: 6,
  drainMs: 50,
  without: [],
};
const cast: Cast = {
  // The second has to be asked for by ARP.
  clients: [0xc6120002, 0xc6120003],
  backends: [0xc6120202, 0xc6120302],
  logical: config.logical,
  strangers: [0x08080808, 0xc6120001, 0xc6120203],
  ports: [40_000, 40_001, 40_002, 40_003],
};

for (const name of PORTS) execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `to-${name}`]);
const indexes = portIndexes(Object.fromEntries(PORTS.map((name) => [name, name])));
const plane = new DataPlane(await switchObject(), { ...config, without }, indexes);
const run = new TestRun(plane.program);
const step = stepAgent(plane);
const random = createRandom(seed, 'two switches');
const told = { forwarded: 0, dropped: 0, left: 0, rewritten: 0, rules: 0, refused: 0, peak: 0, short: 0 };

let { state } = initSwitch(config);
plane.follow({ ...state, neighbours: new Map() }, state);
let now = 0;

const sentBy = (outputs: readonly RoleOutput[]) =>
  outputs.flatMap((output) => (output.kind === 'frame' ? [output] : []));

function differ(what: string, port: string, bytes: Uint8Array): never {
  throw new Error(`${what}\nat ${port}, from ${Buffer.from(bytes).toString('hex')}`);
}

function compare(port: string, bytes: Uint8Array): void {
  const ours = run.run(bytes, indexes.get(port) ?? 0);
  const theirs = stepSwitch(state, { kind: 'frame', port, bytes }, now);
  const [sent, ...more] = sentBy(theirs.outputs);
  if (ours.verdict === REDIRECT) {
    told.forwarded++;
    if (sent === undefined || more.length > 0) differ('the program forwards what the reference does not', port, bytes);
    const to = indexes.get(sent.port);
    if (to !== ours.mark) differ(`sent to interface ${ours.mark} instead of ${sent.port} (${to})`, port, bytes);
    if (Buffer.compare(sent.bytes, ours.bytes) !== 0)
      differ(
        `program   ${Buffer.from(ours.bytes).toString('hex')}\nreference ${Buffer.from(sent.bytes).toString('hex')}`,
        port,
        bytes,
      );
    if (theirs.state.counters.rewritten > state.counters.rewritten) told.rewritten++;
  } else if (ours.verdict === SHOT) {
    told.dropped++;
    if (sent !== undefined) differ('the program drops what the reference forwards', port, bytes);
  } else if (ours.verdict === OK) {
    told.left++;
    const unknown = theirs.outputs.some((o) => o.kind === 'event' && o.event.reason === 'unknown-neighbour');
    if (readU16(bytes, 12) !== 0x0806 && !unknown)
      differ('the program leaves to the agent what it could do itself', port, bytes);
    // What the agent makes of it (an answer, a neighbour learned) is the reference's own doing.
    state = step(state, { kind: 'frame', port, bytes }, now).state;
    return;
  } else differ(`the program returned ${ours.verdict}`, port, bytes);
  state = theirs.state;
}

function changeRules(id: number): void {
  const pickOf = (list: readonly number[]) => list[random.below(list.length)] ?? 0;
  const conn = {
    client: { ip: formatIpv4Address(pickOf(cast.clients)), port: pickOf(cast.ports) },
    logical: { ip: formatIpv4Address(config.logical), port: 80 },
  };
  const which = random.below(2);
  const backend = {
    name: `backend${which}`,
    ip: formatIpv4Address(cast.backends[which] ?? 0),
    mac: formatMacAddress(0x020000000202 + which * 0x100),
  };
  const rule = { conn, backend, zeroWindow: random.below(2) === 0, clearFin: random.below(2) === 0 };
  const message =
    random.below(100) < 60
      ? ({ verb: 'add', id: `r${id}`, rule } as const)
      : ({ verb: 'remove', id: `r${id}`, conn } as const);
  const stepped = step(state, { kind: 'control', peer: 'controller', message }, now);
  state = stepped.state;
  told.rules++;
  told.peak = Math.max(told.peak, state.rules.size);
  if (stepped.outputs.some((o) => o.kind === 'control' && o.message.verb === 'refused')) told.refused++;
}

for (let i = 0; i < frames; i++) {
  now += random.below(2000);
  if (random.below(20) === 0) changeRules(i);
  if (random.below(50) === 0) state = step(state, { kind: 'timer', key: 'drain' }, now).state;
  const { port, bytes } = arriving(random, config, cast);
  // The kernel runs no program on an IP frame without a whole header; nor would a card's driver hand one up.
  if (bytes.length < shortest(bytes)) told.short++;
  else compare(port, bytes);
}
const counters = plane.counters();
plane.close();
process.stdout.write(`${JSON.stringify({ ...told, counters })}\n`);
