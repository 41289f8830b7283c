/**
 * The switch: an IPv4 router that rewrites the segments of handed-off connections (SoCC'17 §2.3, thesis §3.2).
 * Read `rules.ts` for what is looked up and `transform.ts` for what is changed.
 */
import { type ControlMessage, type FourTuple, isTooLong, type Ok, type Refused } from '../control/messages.js';
import type { Micros, Offload, PortName, RoleInput, RoleOutput, StepFunction, Stepped } from '../core/core.js';
import { BROADCAST_MAC, type Ipv4Address, type MacAddress, parseIpv4Address } from '../wire/addresses.js';
import { ArpOperation, type ArpView } from '../wire/arp.js';
import { buildArpFrame } from '../wire/build.js';
import { type FrameView, parseFrame } from '../wire/frame.js';
import type { Ipv4View } from '../wire/ipv4.js';
import type { SwitchConfig } from './config.js';
import {
  compileRule,
  EMPTY_RULE_TABLE,
  expireDrains,
  findByBackend,
  findByClient,
  findByConnection,
  findConflict,
  findDrain,
  installRule,
  listRules,
  nextDrainEnd,
  type RuleTable,
  removeRule,
  sameConnection,
  sameRule,
} from './rules.js';
import { rewriteToBackend, rewriteToClient, routeUnchanged } from './transform.js';

type Port = SwitchConfig['ports'][number];
type Route = SwitchConfig['routes'][number];
type RuleRequest = AddRuleRequest | RemoveRuleRequest;
type AddRuleRequest = Extract<ControlMessage, { verb: 'add' }>;
type RemoveRuleRequest = Extract<ControlMessage, { verb: 'remove' }>;

interface Answered {
  readonly request: RuleRequest;
  readonly answer: Ok | Refused;
}

export interface SwitchState {
  /** As given, but for the routes, which are ordered by falling prefix length. */
  readonly config: SwitchConfig;
  readonly rules: RuleTable;
  readonly neighbours: ReadonlyMap<Ipv4Address, MacAddress>;
  /** The latest rule requests by peer and id, in two generations, so that memory stays bounded: a late repetition must not bring a rule back. */
  readonly answered: { readonly recent: ReadonlyMap<string, Answered>; readonly older: ReadonlyMap<string, Answered> };
  readonly counters: SwitchCounters;
}

/** Of frames. Those that are neither for the switch nor for anybody it routes to count in `frames` only. */
export interface SwitchCounters {
  readonly frames: number;
  readonly rewritten: number;
  readonly routed: number;
  readonly dropped: number;
}

/** Requests remembered in one generation. */
const ANSWERED_GENERATION = 256;

const DRAIN_TIMER = 'drain';

export function initSwitch(config: SwitchConfig): Stepped<SwitchState> {
  const state: SwitchState = {
    config: { ...config, routes: config.routes.toSorted((a, b) => b.length - a.length) },
    rules: EMPTY_RULE_TABLE,
    neighbours: new Map(config.neighbours.map(({ ip, mac }) => [ip, mac])),
    answered: { recent: new Map(), older: new Map() },
    counters: { frames: 0, rewritten: 0, routed: 0, dropped: 0 },
  };
  return { state, outputs: [] };
}

export const stepSwitch: StepFunction<SwitchState> = (state, input, now) => {
  switch (input.kind) {
    case 'frame':
      return stepFrame(state, input);
    case 'control':
      return stepControl(state, input.peer, input.message, now);
    case 'control-invalid':
      return { state, outputs: [rejected(null, input.peer, input.error)] };
    case 'timer':
      return stepTimer(state, input, now);
    case 'control-up':
    case 'control-down':
      // Rules outlive the control connection: the controller repeats on the next one what was not answered.
      return { state, outputs: [] };
  }
};

function stepTimer(
  state: SwitchState,
  input: Extract<RoleInput, { kind: 'timer' }>,
  now: Micros,
): Stepped<SwitchState> {
  if (input.key !== DRAIN_TIMER) return { state, outputs: [] };
  const rules = expireDrains(state.rules, now);
  return { state: { ...state, rules }, outputs: [{ kind: 'timer', key: DRAIN_TIMER, at: nextDrainEnd(rules) }] };
}

// Frames

type FrameInput = Extract<RoleInput, { kind: 'frame' }>;

function stepFrame(state: SwitchState, { port: portName, bytes, offload }: FrameInput): Stepped<SwitchState> {
  const port = state.config.ports.find(({ name }) => name === portName);
  const parsed = parseFrame(bytes);
  if (!port) return drop(state, portName, 'unknown-port');
  if (!parsed.ok) return drop(state, portName, 'ethernet-truncated');
  const frame = parsed.value;
  const { dst } = frame.ethernet;
  if (dst !== state.config.mac && !(dst === BROADCAST_MAC && frame.arp)) return count(state, 'ignored', []);
  // Ports are untagged; routing a tagged frame would carry it into a VLAN that nobody configured.
  if (frame.ethernet.vlanTags.length > 0) return drop(state, portName, 'vlan-tag');
  if (frame.arp) return stepArp(state, port, frame.arp);
  const { ipv4, error } = frame;
  if (!ipv4) return drop(state, portName, error ? `${error.layer}-${error.reason}` : 'not-ipv4');
  if (bytes.length + (offload?.behind ?? 0) < ipv4.offset + ipv4.totalLength)
    return drop(state, portName, 'ipv4-truncated');
  if (!ipv4.checksumValid()) return drop(state, portName, 'ipv4-checksum');
  return forward(state, portName, frame, ipv4, offload);
}

function forward(
  state: SwitchState,
  port: PortName,
  frame: FrameView,
  ipv4: Ipv4View,
  offload: Offload | undefined,
): Stepped<SwitchState> {
  if (ipv4.ttl <= 1) return drop(state, port, 'ttl');
  const { src, dst } = ipv4;
  const { config, rules } = state;
  const { tcp } = frame;
  const pending = offload?.checksumPending ?? false;
  // A fragment carries at most half of what a rule matches, and nothing that its other half could be known by (SWT-10).
  if (tcp && !ipv4.isFragment) {
    const { srcPort, dstPort } = tcp;
    const toBackend = findByClient(rules, src, srcPort, dst, dstPort);
    if (toBackend) {
      const clearFin = toBackend.rule.clearFin && !config.without.includes('fin-suppression');
      const hop = { src: config.mac, dst: toBackend.backendMac };
      const bytes = rewriteToBackend(frame, hop, toBackend.backend, clearFin, pending);
      return count(state, 'rewritten', [frameOut(toBackend.backendPort, bytes, offload)]);
    }
    const toClient = findByBackend(rules, src, srcPort, dst, dstPort);
    // Whoever takes the backend's address at another port is not that backend (SEC-1).
    if (toClient && toClient.backendPort === port) {
      const zeroWindow = toClient.rule.zeroWindow && !config.without.includes('window-closing');
      return deliver(state, port, dst, 'rewritten', offload, (hop) =>
        rewriteToClient(frame, hop, toClient.logical, zeroWindow, pending),
      );
    }
    const drain = findDrain(rules, src, srcPort, dst, dstPort);
    if (drain) return drop(state, port, 'draining', connectionName(drain.rule.rule.conn));
  }
  return deliver(state, port, dst, 'routed', offload, (hop) => routeUnchanged(frame, hop));
}

function frameOut(port: PortName, bytes: Uint8Array, offload: Offload | undefined): RoleOutput {
  return { kind: 'frame', port, bytes, ...(offload && { offload }) };
}

/** Sends what `transform` makes of the frame towards `dst`, or asks for the next hop's MAC address and drops the frame. */
function deliver(
  state: SwitchState,
  from: PortName,
  dst: Ipv4Address,
  counter: 'rewritten' | 'routed',
  offload: Offload | undefined,
  transform: (hop: { src: MacAddress; dst: MacAddress }) => Uint8Array,
): Stepped<SwitchState> {
  const { config } = state;
  if (config.ports.some(({ gateway }) => gateway === dst)) return drop(state, from, 'own-address');
  const route = findRoute(config, dst);
  if (!route) return drop(state, from, 'no-route');
  const nextHop = route.nextHop ?? dst;
  const mac = state.neighbours.get(nextHop);
  if (mac !== undefined) {
    return count(state, counter, [frameOut(route.port, transform({ src: config.mac, dst: mac }), offload)]);
  }
  const dropped = drop(state, from, 'unknown-neighbour');
  const gateway = config.ports.find(({ name }) => name === route.port)?.gateway;
  if (gateway === undefined) return dropped;
  const bytes = buildArpFrame({
    ethernet: { dst: BROADCAST_MAC, src: config.mac },
    arp: { operation: ArpOperation.REQUEST, senderMac: config.mac, senderIp: gateway, targetMac: 0, targetIp: nextHop },
  });
  return { state: dropped.state, outputs: [{ kind: 'frame', port: route.port, bytes }, ...dropped.outputs] };
}

function findRoute(config: SwitchConfig, dst: Ipv4Address): Route | undefined {
  return config.routes.find(({ prefix, length }) => length === 0 || (prefix ^ dst) >>> (32 - length) === 0);
}

function stepArp(state: SwitchState, port: Port, arp: ArpView): Stepped<SwitchState> {
  const learned = learnNeighbour(state, port, arp);
  const answers =
    arp.operation === ArpOperation.REQUEST &&
    arp.targetIp !== arp.senderIp &&
    answersFor(state.config, port, arp.targetIp);
  if (!answers) return count(learned, 'ignored', []);
  const bytes = buildArpFrame({
    ethernet: { dst: arp.senderMac, src: state.config.mac },
    arp: {
      operation: ArpOperation.REPLY,
      senderMac: state.config.mac,
      senderIp: arp.targetIp,
      targetMac: arp.senderMac,
      targetIp: arp.senderIp,
    },
  });
  return count(learned, 'ignored', [{ kind: 'frame', port: port.name, bytes }]);
}

function answersFor(config: SwitchConfig, port: Port, target: Ipv4Address): boolean {
  if (target === port.gateway) return true;
  return target === config.logical && findRoute(config, target)?.port !== port.name;
}

/** Believes a host about itself only on the port that leads to it, and never against the configuration. */
function learnNeighbour(state: SwitchState, port: Port, arp: ArpView): SwitchState {
  const { senderIp, senderMac } = arp;
  const { config, neighbours } = state;
  // A sender address of zero is a probe, of a host that has no address yet (RFC 5227 §2.1.1).
  const misplaced = senderIp === 0 || senderIp === port.gateway || findRoute(config, senderIp)?.port !== port.name;
  const configured = config.neighbours.some(({ ip }) => ip === senderIp);
  if (misplaced || configured || senderMac === BROADCAST_MAC || neighbours.get(senderIp) === senderMac) return state;
  return { ...state, neighbours: new Map(neighbours).set(senderIp, senderMac) };
}

function count(
  state: SwitchState,
  counter: 'rewritten' | 'routed' | 'dropped' | 'ignored',
  outputs: readonly RoleOutput[],
): Stepped<SwitchState> {
  const { frames, rewritten, routed, dropped } = state.counters;
  const counters: SwitchCounters = {
    frames: frames + 1,
    rewritten: rewritten + (counter === 'rewritten' ? 1 : 0),
    routed: routed + (counter === 'routed' ? 1 : 0),
    dropped: dropped + (counter === 'dropped' ? 1 : 0),
  };
  return { state: { ...state, counters }, outputs };
}

function drop(state: SwitchState, port: PortName, reason: string, conn: string | null = null): Stepped<SwitchState> {
  return count(state, 'dropped', [{ kind: 'event', event: { action: 'SwitchDrop', conn, port, reason } }]);
}

// Control

function stepControl(state: SwitchState, peer: string, message: ControlMessage, now: Micros): Stepped<SwitchState> {
  // SEC-3. Whoever carries the messages names their sender; a stranger is not even answered.
  if (state.config.peers?.includes(peer) === false)
    return { state, outputs: [rejected(null, peer, `${message.verb} from a peer that is not configured`)] };
  switch (message.verb) {
    case 'add':
    case 'remove':
      return stepRuleRequest(state, peer, message, now);
    case 'list':
      return reply(state, peer, listed(state.rules, message.id));
    case 'stats': {
      const stats = { rules: state.rules.size, capacity: state.config.ruleCapacity, ...state.counters };
      return reply(state, peer, { verb: 'ok', re: message.id, stats });
    }
    case 'handoff':
    case 'complete':
    case 'failed':
      return { state, outputs: [rejected(connectionName(message.conn), peer, `${message.verb} is not for a switch`)] };
    case 'ok':
    case 'refused':
      return { state, outputs: [rejected(null, peer, `${message.verb} answers nothing that was asked`)] };
  }
}

/** A repeated request is answered like the first time and changes nothing, even when the table has changed since (SWT-9, ERR-4). */
function stepRuleRequest(state: SwitchState, peer: string, request: RuleRequest, now: Micros): Stepped<SwitchState> {
  const key = `${peer}/${request.id}`;
  const earlier = state.answered.recent.get(key) ?? state.answered.older.get(key);
  if (earlier) {
    const same = sameRequest(earlier.request, request);
    const conn = connectionName(connectionOf(request));
    const event = rejected(conn, peer, same ? `repeated ${request.verb}` : 'id of another request');
    const answer = same ? earlier.answer : refusal(request.id, 'conflict', 'this id was used for another request');
    return { state, outputs: [{ kind: 'control', peer, message: answer }, event] };
  }
  const { rules, answer, outputs } = request.verb === 'add' ? addRule(state, request) : dropRule(state, request, now);
  const answered = remember(state.answered, key, { request, answer });
  return { state: { ...state, rules, answered }, outputs: [...outputs, { kind: 'control', peer, message: answer }] };
}

interface RuleChange {
  readonly rules: RuleTable;
  readonly answer: Ok | Refused;
  readonly outputs: readonly RoleOutput[];
}

function addRule({ config, rules }: SwitchState, { id, rule }: AddRuleRequest): RuleChange {
  const conn = connectionName(rule.conn);
  const refuse = (code: Refused['code'], reason: string): RuleChange => {
    const event = { action: 'SwitchRefuseRule', conn, backend: rule.backend.name, code, reason };
    return { rules, answer: refusal(id, code, reason), outputs: [{ kind: 'event', event }] };
  };
  const backend = parseIpv4Address(rule.backend.ip);
  const route = backend === undefined ? undefined : findRoute(config, backend);
  const entry = route && compileRule(rule, route.port);
  if (!entry) return refuse('unsupported', `no route to ${rule.backend.ip}`);
  const present = findConflict(rules, entry);
  if (present) {
    if (sameRule(present.rule, rule)) return { rules, answer: { verb: 'ok', re: id }, outputs: [] };
    return refuse('conflict', `${connectionName(present.rule.conn)} has a rule to ${present.rule.backend.name}`);
  }
  if (rules.size >= config.ruleCapacity) return refuse('full', `all ${config.ruleCapacity} rules are in use`);
  const event = { action: 'SwitchAddRule', conn, backend: rule.backend.name };
  return { rules: installRule(rules, entry), answer: { verb: 'ok', re: id }, outputs: [{ kind: 'event', event }] };
}

function dropRule({ config, rules }: SwitchState, { id, conn }: RemoveRuleRequest, now: Micros): RuleChange {
  const answer: Ok = { verb: 'ok', re: id };
  const entry = findByConnection(rules, conn);
  if (!entry) return { rules, answer, outputs: [] };
  const drains = !config.without.includes('drain-rules');
  const left = removeRule(rules, entry, drains ? now + config.drainMs * 1000 : null);
  const event = { action: 'SwitchRemoveRule', conn: connectionName(conn), backend: entry.rule.backend.name };
  const outputs: RoleOutput[] = [{ kind: 'event', event }];
  if (drains) outputs.push({ kind: 'timer', key: DRAIN_TIMER, at: nextDrainEnd(left) });
  return { rules: left, answer, outputs };
}

function remember(answered: SwitchState['answered'], key: string, entry: Answered): SwitchState['answered'] {
  if (answered.recent.size >= ANSWERED_GENERATION) return { recent: new Map([[key, entry]]), older: answered.recent };
  return { ...answered, recent: new Map(answered.recent).set(key, entry) };
}

function connectionOf(request: RuleRequest): FourTuple {
  return request.verb === 'add' ? request.rule.conn : request.conn;
}

function sameRequest(a: RuleRequest, b: RuleRequest): boolean {
  if (a.verb === 'add') return b.verb === 'add' && sameRule(a.rule, b.rule);
  return b.verb === 'remove' && sameConnection(a.conn, b.conn);
}

/** An answer that no line holds would be thrown away by its receiver: it is refused instead. */
function listed(rules: RuleTable, re: string): Ok | Refused {
  const answer: Ok = { verb: 'ok', re, rules: listRules(rules) };
  if (!isTooLong(JSON.stringify(answer))) return answer;
  return refusal(re, 'full', `${rules.size} rules are more than one line holds`);
}

function reply(state: SwitchState, peer: string, message: Ok | Refused): Stepped<SwitchState> {
  return { state, outputs: [{ kind: 'control', peer, message }] };
}

function refusal(re: string, code: Refused['code'], reason: string): Refused {
  return { verb: 'refused', re, code, reason };
}

function rejected(conn: string | null, peer: string, reason: string): RoleOutput {
  return { kind: 'event', event: { action: 'ControlRejected', conn, peer, reason } };
}

function connectionName(conn: FourTuple): string {
  return `${conn.client.ip}:${conn.client.port}`;
}
