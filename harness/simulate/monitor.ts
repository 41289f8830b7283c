/**
 * Watches a run from outside: every frame where it leaves and where the switch sends it on, every control message, and a thin view
 * of what the roles hold. What is expected comes from what the clients asked and what was said, never from a role's own numbers.
 */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { checkControlReceived, checkControlSent } from './check-control.js';
import { checkForwarding, type Forwarding } from './check-forwarding.js';
import { checkOwnerFrame } from './check-owner.js';
import { Violation } from './invariants.js';
import type { RoleView } from './roles.js';
import type { Scene } from './scene.js';
import { RST, type SegmentHeader, SYN, seqDistance, timestampsOf } from './segment-header.js';
import { Tracked } from './tracked.js';
import type { Story } from './workload.js';

/** The response that a request deserves. */
export interface Deserved {
  readonly status: number;
  /** Null: whatever it says. */
  readonly body: Uint8Array | null;
  /** The ETag is of this content. */
  readonly tagged: Uint8Array | null;
}

export class Monitor {
  readonly connections = new Map<number, Tracked>();
  /** Backends that the controller has been told are gone. */
  readonly knownDown = new Set<string>();
  /** Backends that cannot be reached at this moment, whoever knows. */
  readonly cutOff = new Set<string>();
  handoffs = 0;
  /** Hand-offs begun, over all connections: where round robin stands. */
  turns = 0;
  /** In microseconds of the simulation. */
  now = 0;
  /** Connections that are none of the run's, and whose rules take room in the switch. */
  readonly strangers = new Set<string>();
  readonly #crashes = new Map<string, number>();
  /** By backend and path. */
  readonly #stored = new Map<string, Uint8Array>();

  constructor(
    readonly scene: Scene,
    readonly objects: ReadonlyMap<string, Uint8Array>,
    readonly views: ReadonlyMap<string, RoleView>,
    /** Whole responses that a story's client has. */
    readonly responses: (story: Story) => number,
    readonly storyAt: (port: number) => Story | undefined,
  ) {}

  /** The connection that a segment is of, whichever way it goes. */
  of(header: SegmentHeader): Tracked | undefined {
    return this.connections.get(header.src === this.scene.client.ip ? header.srcPort : header.dstPort);
  }

  byKey(key: string | null): Tracked | undefined {
    return key === null ? undefined : this.connections.get(Number(key.slice(key.indexOf(':') + 1)));
  }

  fail(...what: ConstructorParameters<typeof Violation>): never {
    throw new Violation(...what);
  }

  // --- frames ---------------------------------------------------------------------------------------------------------------

  clientSends(header: SegmentHeader): void {
    const known = this.connections.get(header.srcPort);
    if (known === undefined) {
      const story = this.storyAt(header.srcPort);
      if (story === undefined || (header.flags & SYN) === 0) return;
      const key = `${formatIpv4Address(header.src)}:${header.srcPort}`;
      this.connections.set(
        header.srcPort,
        noteClient(new Tracked(key, header.srcPort, story, header), header, this.now),
      );
    } else noteClient(known, header, this.now);
  }

  /** A segment that nothing has corrupted reaches a host. */
  hostReceives(header: SegmentHeader): void {
    const tracked = this.connections.get(header.srcPort);
    if (header.src !== this.scene.client.ip || tracked?.serverIss === null || tracked === undefined) return;
    // Not beyond what was sent: such a number is of no use to anybody.
    if (seqDistance(header.ack, tracked.ackedTo) > 0 && seqDistance(header.ack, tracked.sentTo) <= 0)
      tracked.ackedTo = header.ack;
  }

  hostSends(role: string, header: SegmentHeader): void {
    checkOwnerFrame(this, role, header);
  }

  forwarded(forwarding: Forwarding): void {
    checkForwarding(this, forwarding);
  }

  /** A frame vanished by a fault. */
  vanished(header: SegmentHeader | undefined): void {
    if (header === undefined || header.dst !== this.scene.client.ip || (header.flags & RST) === 0) return;
    const tracked = this.of(header);
    if (tracked !== undefined) tracked.resetsLost++;
  }

  // --- control --------------------------------------------------------------------------------------------------------------

  controlSent(from: string, to: string, message: ControlMessage): void {
    checkControlSent(this, from, to, message);
  }

  controlReceived(at: string, from: string, message: ControlMessage): void {
    checkControlReceived(this, at, from, message);
  }

  /** The controller is told that a peer is gone, or back. */
  peerKnown(peer: string, up: boolean): void {
    if (up) this.knownDown.delete(peer);
    else this.knownDown.add(peer);
  }

  /** The control connection of a backend breaks, at this moment. */
  broken(peer: string): void {
    this.cutOff.add(peer);
    for (const tracked of this.connections.values())
      if (tracked.turn.kind === 'backend' && tracked.turn.name === peer) tracked.lost = true;
  }

  mended(peer: string): void {
    this.cutOff.delete(peer);
  }

  /** How often it has crashed so far. */
  crashes(backend: string): number {
    return this.#crashes.get(backend) ?? 0;
  }

  crashed(backend: string): void {
    this.#crashes.set(backend, this.crashes(backend) + 1);
    for (const tracked of this.connections.values()) if (tracked.owners.delete(backend)) tracked.former.add(backend);
    for (const at of [...this.#stored.keys()]) if (at.startsWith(`${backend} `)) this.#stored.delete(at);
  }

  forgotten(conn: string | null): void {
    const tracked = this.byKey(conn);
    if (tracked !== undefined) tracked.forgotten = true;
  }

  // --- states ---------------------------------------------------------------------------------------------------------------

  /** After a step of a host. */
  checkOwners(stepped: string): void {
    const seen = new Map<string, string>();
    for (const [role, view] of this.views) {
      for (const key of view.owned()) {
        const other = seen.get(key);
        if (other !== undefined && this.byKey(key)?.lost !== true)
          this.fail('one-owner', key, stepped, `${other} and ${role} both own the connection`);
        seen.set(key, role);
      }
    }
    if (stepped === 'controller') this.#checkReopened();
  }

  /** After a step of the switch that was not about a frame: where a frame changes a rule, the next one goes astray. */
  checkRules(): void {
    const fabric = this.views.get('switch');
    if (this.rulesConfirmed() > this.scene.ruleCapacity)
      this.fail(
        'rules-as-confirmed',
        null,
        'switch',
        `more rules are confirmed than the ${this.scene.ruleCapacity} that there is room for`,
      );
    for (const { key, rule } of this.connections.values()) {
      const present = fabric?.rule(key) ?? null;
      if (present !== rule)
        this.fail(
          'rules-as-confirmed',
          key,
          'switch',
          `the switch has ${present === null ? 'no rule' : `a rule to ${present}`}, having confirmed ${rule === null ? 'that there is none' : `one to ${rule}`}`,
        );
    }
  }

  rulesConfirmed(): number {
    const fabric = this.views.get('switch');
    let count = 0;
    for (const { rule } of this.connections.values()) if (rule !== null) count++;
    for (const key of this.strangers) if (fabric?.rule(key) !== undefined) count++;
    return count;
  }

  /** What has to be sent in this very step. */
  #checkReopened(): void {
    for (const tracked of this.connections.values()) {
      if (!tracked.reopens) continue;
      tracked.reopens = false;
      this.fail(
        'window-reopened',
        tracked.key,
        'controller',
        'the rules of a read are gone, and the controller does not open the window',
      );
    }
  }

  // --- what requests deserve ------------------------------------------------------------------------------------------------

  /** What a backend has under a path, by what was stored with it since its last crash. */
  present(backend: string, path: string): Uint8Array | undefined {
    return this.#stored.get(`${backend} ${path}`) ?? this.objects.get(path);
  }

  /** The backend that the policy names for the next hand-off of this path. */
  chosen(path: string): string {
    const { policy, backends } = this.scene;
    switch (policy.kind) {
      case 'path-map':
        return policy.map.find(({ prefix }) => path.startsWith(prefix))?.backend ?? policy.default;
      case 'round-robin':
        return backends[this.turns % backends.length]?.name ?? '';
      case 'path-hash': {
        let hash = 0x811c9dc5;
        for (const byte of Buffer.from(path)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
        return backends[hash % backends.length]?.name ?? '';
      }
    }
  }

  deserved(tracked: Tracked, index: number): Deserved {
    const request = tracked.story.requests[index];
    const backend = tracked.servedBy[index];
    if (tracked.refused === index) return { status: 503, body: new Uint8Array(0), tagged: null };
    if (request === undefined || backend === undefined)
      this.fail(
        'response-right',
        tracked.key,
        'client',
        `response ${index + 1} answers a request that nobody was handed`,
      );
    const { method, body } = request;
    const present = tracked.presentThen[index];
    if (method === 'POST') return { status: 200, body, tagged: body };
    if (method === 'PUT') return { status: present === undefined ? 201 : 200, body: new Uint8Array(0), tagged: body };
    return present === undefined
      ? { status: 404, body: null, tagged: null }
      : { status: 200, body: present, tagged: null };
  }

  /** The client has the response to a request: what it stored is there. */
  responded(tracked: Tracked, index: number): void {
    const request = tracked.story.requests[index];
    const backend = tracked.servedBy[index];
    if (request?.method !== 'PUT' || backend === undefined || tracked.refused === index) return;
    // What it stored before a crash is gone.
    if (tracked.servedIn[index] === this.crashes(backend)) this.#stored.set(`${backend} ${request.path}`, request.body);
  }
}

function noteClient(tracked: Tracked, header: SegmentHeader, now: number): Tracked {
  const { flags, seq, ack, window } = header;
  tracked.heardAt = now;
  if ((flags & RST) !== 0) {
    tracked.aborted = true;
    return tracked;
  }
  const stamps = timestampsOf(header);
  if (stamps !== undefined) {
    if (tracked.clientTs === null) tracked.clientTs = { first: stamps.value, last: stamps.value };
    else if (seqDistance(stamps.value, tracked.clientTs.last) > 0) tracked.clientTs.last = stamps.value;
  }
  if ((flags & 1) !== 0) tracked.finSent = true;
  tracked.written = Math.max(tracked.written, seqDistance(seq, tracked.iss + 1) + header.end - header.payload);
  if ((flags & SYN) === 0) {
    const scale = tracked.answer?.scale === null || tracked.answer === null ? 0 : (tracked.offers.scale ?? 0);
    const edge = (ack + window * 2 ** scale) >>> 0;
    if (tracked.rightEdge === null || seqDistance(edge, tracked.rightEdge) > 0) tracked.rightEdge = edge;
  }
  return tracked;
}
