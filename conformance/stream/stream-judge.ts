/**
 * Judges captures of any length while they are read. What is held is what is being spoken about: the frames of connections that are open or
 * have ended a moment ago. A connection in which nothing is to be seen is counted and forgotten (`regular.ts`); of the others as many as
 * memory allows come before the checks together (`batch.ts`), at the end, when everything else is known.
 */
import type { Topology } from '../../harness/topology.js';
import type { ControlLogEntry } from '../../harness/world.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import type { Check, Finding } from '../checks/check.js';
import { CHECKS } from '../checks/index.js';
import { Tally } from '../checks/tally.js';
import { type Hosts, hostsOf, noVantage } from '../flows/decode.js';
import { type EarlierConnection, type Judged, NOBODY_BESIDE } from '../flows/judged.js';
import { type ControlLog, indexControlLog } from '../flows/logged.js';
import { certainSpan, handedOff, type RuleSpan, RuleTimes, spanOf } from '../flows/rules.js';
import type { ClauseFinding } from '../judge.js';
import { type Batch, type BatchContext, judgeBatch, suspectsOf } from './batch.js';
import { type Doubt, doubted, SKETCHY } from './doubt.js';
import { CaptureFeed, type FeedContext } from './feed.js';
import { type Flow, FlowTable, type TableLimits } from './flow-table.js';
import { LostSegments } from './lost.js';
import { pairPlainly } from './pairs.js';
import { recognise, Scene } from './regular.js';
import type { RegularConnection } from './regular-connection.js';

export interface StreamLimits extends TableLimits {
  /** Bytes of frames that wait for the checks. */
  readonly waitingBytes: number;
}

export const DEFAULT_LIMITS: StreamLimits = {
  heldBytes: 32 * 1024 * 1024,
  openBytes: 160 * 1024 * 1024,
  flowBytes: 96 * 1024 * 1024,
  waitingBytes: 32 * 1024 * 1024,
};

/** Moments of arrival that wait to be compared with the rules of connections that are not judged yet. */
const MOST_ARRIVALS = 2_000_000;
/** Spans of rules that are kept for others; the oldest go first. */
const MOST_SPANS = 200_000;
/** Ports whose last connection is remembered. */
const MOST_PORTS = 100_000;
/** A control log that is further away is not of the same run. */
const MOST_AWAY_S = 3600;
/** A control log may end so long before the last frame without anything being missing. */
const SHORT_S = 30;
/** Frames of other traffic that wait to be paired. */
const MOST_OTHERS = 20_000;
const MAX_FLIGHT_NS = 30e9;

/** What the beginnings of the files have told of them. */
export interface Surroundings {
  readonly distant: ReadonlySet<string>;
  readonly doubt: Doubt | undefined;
}

const PLAIN: Surroundings = { distant: new Set(), doubt: undefined };

export interface StreamOutcome {
  readonly findings: readonly ClauseFinding[];
  readonly notes: readonly string[];
  readonly frames: number;
  /** Connections of which nothing was to be said, and those that came before the checks. */
  readonly regular: number;
  readonly irregular: number;
}

export class StreamJudge {
  readonly #hosts: Hosts;
  readonly #scene: Scene;
  readonly #table: FlowTable;
  readonly #feed: FeedContext;
  readonly #feeds: CaptureFeed[] = [];
  readonly #checks: readonly { readonly check: Check; regular: number; beside: number }[];
  readonly #recognises: boolean;
  readonly #earlier = new Map<string, EarlierConnection>();
  readonly #missed = new Set<string>();
  readonly #offloads = new Set<string>();
  #possible: RuleSpan[] = [];
  #certain: RuleSpan[] = [];
  #pending: { readonly connection: RegularConnection; readonly own: RuleSpan['connection'] }[] = [];
  #arrivals = 0;
  #waiting: Flow[] = [];
  #waitingBytes = 0;
  #suspects: Flow[] = [];
  #suspectBytes = 0;
  readonly #batches: Batch['findings'][] = [];
  readonly #lost = new LostSegments();
  #regular = 0;
  #irregular = 0;
  /** Frames are missing all over a batch. */
  #sketchy = false;
  #log: ControlLog | undefined;
  /** Why connections were not regular, for whoever wants to know. */
  readonly reasons = new Map<string, number>();

  constructor(
    private readonly topology: Topology,
    private readonly controlLog: { readonly name: string; readonly entries: readonly ControlLogEntry[] } | undefined,
    private readonly limits: StreamLimits = DEFAULT_LIMITS,
    private readonly surroundings: Surroundings = PLAIN,
  ) {
    this.#hosts = hostsOf(topology);
    this.#scene = new Scene(this.#hosts);
    this.#table = new FlowTable(limits, (flow, why) => this.#take(flow, why));
    this.#feed = {
      hosts: this.#hosts,
      vantages: this.#scene.names,
      table: this.#table,
      names: new Map(),
      origin: undefined,
      seen: new Set(),
      notes: new Set(),
    };
    this.#checks = CHECKS.map((check) => ({ check, regular: 0, beside: 0 }));
    this.#recognises = (topology.variants ?? []).length === 0 && CHECKS.every(({ regular }) => regular !== undefined);
  }

  /** The sink for the frames of one more file. */
  file(name: string, vantage: string | undefined): CaptureFeed {
    const feed = new CaptureFeed(this.#feed, name, this.#feeds.length, vantage);
    this.#feeds.push(feed);
    this.#table.several = this.#feeds.length > 1;
    return feed;
  }

  /** The earliest time stamp. */
  get #first(): number {
    return this.#table.first;
  }

  /** Bytes of frames in memory. */
  get held(): number {
    return this.#table.held + this.#waitingBytes + this.#suspectBytes;
  }

  /** To be called between pieces of the files. */
  sweep(): void {
    if (this.#table.several) {
      this.#table.known = this.#feeds.reduce(
        (least, { last, done }) => (done ? least : Math.min(least, last)),
        Number.POSITIVE_INFINITY,
      );
    }
    this.#table.sweep();
    if (this.#waitingBytes > this.limits.waitingBytes || this.#table.others.length > MOST_OTHERS) this.#judgeWaiting();
  }

  #indexedLog(): ControlLog | undefined {
    // A log without a line shows nothing.
    if (this.#log === undefined && this.controlLog !== undefined && this.controlLog.entries.length > 0) {
      this.#log = indexControlLog(this.controlLog.name, this.controlLog.entries, this.#feed.origin ?? 0n);
    }
    return this.#log;
  }

  #take(flow: Flow, why: 'ended' | 'cut' | 'last'): void {
    const client = `${formatIpv4Address(flow.ip)}:${flow.port}`;
    const earlier = this.#earlier.get(client);
    const logged = this.#indexedLog()?.byClient.has(client) === true;
    const found =
      this.#recognises && !logged
        ? recognise(flow.frames, this.#scene, flow, earlier?.ended === true)
        : 'not looked at';
    if (typeof found !== 'string' && this.#count(found)) {
      this.#regular++;
      const mates = found.lost > 0 ? pairPlainly(flow.frames) : undefined;
      if (mates !== undefined) this.#lost.remember(flow, mates);
      flow.frames.release();
      this.#remember(client, { name: nameOf(client, earlier), count: (earlier?.count ?? 0) + 1, ended: found.ended });
      return;
    }
    if (why === 'cut') {
      this.#feed.notes.add(
        `connection ${client} is longer than is held at once, or was silent while memory was short; it was judged in pieces`,
      );
    }
    const reason = typeof found === 'string' ? found : 'another backend than the policy names';
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    this.#irregular++;
    this.#waiting.push(flow);
    this.#waitingBytes += flow.frames.held;
  }

  #remember(client: string, one: EarlierConnection): void {
    this.#earlier.delete(client);
    this.#earlier.set(client, one);
    if (this.#earlier.size <= MOST_PORTS) return;
    for (const oldest of this.#earlier.keys()) {
      this.#earlier.delete(oldest);
      return;
    }
  }

  /** Counts what every check counts in a regular connection; false where one has to look for itself. */
  #count(connection: RegularConnection): boolean {
    const counts: number[] = [];
    for (const { check } of this.#checks) {
      const count = check.regular?.(connection, this.topology);
      if (count === undefined) return false;
      counts.push(count);
    }
    for (const [index, entry] of this.#checks.entries()) entry.regular += counts[index] ?? 0;
    const own = { name: connection.client, client: connection.client };
    for (const { backend, headerAt, first, doneFrom, takenBackAtClient } of connection.exchanges) {
      this.#possible.push({
        connection: own,
        backend,
        from: headerAt,
        to: takenBackAtClient,
        heard: true,
        beside: true,
      });
      this.#certain.push({ connection: own, backend, from: first, to: doneFrom, heard: false, beside: true });
    }
    this.#pending.push({ connection, own });
    this.#arrivals += connection.arrivals.length;
    if (this.#arrivals > MOST_ARRIVALS) this.#countBeside();
    return true;
  }

  /** Compares pending connections with the rules of all that are known; the exercise of a clause is counted from below. */
  #countBeside(): void {
    const times = new RuleTimes(this.#certain);
    for (const { connection, own } of this.#pending) {
      const others = (t: number): boolean => times.ofOthers(own, t) !== undefined;
      for (const entry of this.#checks) entry.beside += entry.check.beside?.(connection, others) ?? 0;
    }
    this.#pending = [];
    this.#arrivals = 0;
    if (this.#certain.length > MOST_SPANS) {
      this.#certain = this.#certain.slice(-MOST_SPANS / 2);
      this.#possible = this.#possible.slice(-MOST_SPANS / 2);
    }
  }

  #context(): BatchContext {
    return {
      topology: this.topology,
      hosts: this.#hosts,
      log: this.#indexedLog(),
      vantages: this.#scene.names,
      captures: this.#feeds.map(({ name }) => name),
      seen: this.#feed.seen,
      notes: [...this.#feed.notes],
      names: this.#feed.names,
    };
  }

  #judge(flows: readonly Flow[], others: Parameters<typeof judgeBatch>[1], last = false): Batch {
    return judgeBatch(flows, others, this.#context(), {
      ...NOBODY_BESIDE,
      possible: this.#possible,
      certain: this.#certain,
      earlier: this.#earlier,
      missed: this.#missed,
      offloads: this.#offloads,
      partial: !last || this.#batches.length > 0,
      end: this.#table.now,
      distant: this.surroundings.distant,
    });
  }

  /** Memory is short: judges what waits; what looks like an offence waits on, since what comes may explain it. */
  #judgeWaiting(): void {
    const { others } = this.#table;
    const settled = others.filter(({ t }) => t < this.#table.now - MAX_FLIGHT_NS);
    const unsettled =
      settled.length === 0 && others.length > 2 * MOST_OTHERS ? [] : others.filter((one) => !settled.includes(one));
    const taken = unsettled.length === others.length ? [] : others.filter((one) => !unsettled.includes(one));
    others.splice(0, others.length, ...unsettled);
    let flows = [...this.#waiting, ...this.#lost.claimedBy(this.#waiting, taken)];
    let batch = this.#judge(flows, taken);
    const suspects = suspectsOf(flows, batch, this.#context());
    const bytes = suspects.reduce((sum, { frames }) => sum + frames.held, 0);
    if (suspects.length > 0 && this.#suspectBytes + bytes <= this.limits.waitingBytes) {
      this.#suspects.push(...suspects);
      this.#suspectBytes += bytes;
      const kept = new Set(suspects);
      flows = flows.filter((flow) => !kept.has(flow));
      batch = this.#judge(flows, taken);
    }
    this.#finishBatch(flows, batch);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #finishBatch(flows: readonly Flow[], { judged, findings }: Batch): void {
    this.#batches.push(findings);
    this.#sketchy ||= judged.sketchy;
    this.#learn(judged);
    for (const { frames } of flows) frames.release();
  }

  /** Keeps of judged connections what others may be asked about. */
  #learn(judged: Judged): void {
    for (const connection of judged.connections) {
      for (const exchange of handedOff(connection)) {
        const named = { name: connection.name, client: connection.client };
        this.#possible.push({ ...spanOf(exchange), connection: named, beside: true });
        this.#certain.push(
          ...certainSpan(exchange).map((span) => ({ ...span, connection: named, beside: true as const })),
        );
      }
      if (handedOff(connection).length === 0) continue;
      const count = Math.max(1, Number(connection.name.split('#')[1] ?? 1));
      this.#remember(connection.client, { name: connection.name, count, ended: connection.ended !== undefined });
    }
    for (const vantage of this.#scene.names) {
      if (judged.missedFrames(vantage)) this.#missed.add(vantage);
      if (judged.offloaded(vantage)) this.#offloads.add(vantage);
    }
  }

  /** All files have been read. An error is one line that says why nothing can be judged. */
  finish(): StreamOutcome | { readonly error: string } {
    this.#table.end();
    if (this.#feed.seen.size === 0) return { error: noVantage(this.#hosts, [...this.#feed.notes]) };
    const { others } = this.#table;
    const waiting = [...this.#suspects, ...this.#waiting];
    const flows = [...waiting, ...this.#lost.claimedBy(waiting, others)];
    const log = this.#indexedLog();
    if (log !== undefined) {
      const away = Math.max(this.#first - log.end, log.begin - this.#table.now) / 1e9;
      if (away > MOST_AWAY_S)
        return { error: `${log.name} lies ${Math.round(away)} s away from the captures: it is none of this run` };
      const short = (this.#table.now - log.end) / 1e9;
      if (short > SHORT_S)
        this.#feed.notes.add(
          `${log.name} ends ${short.toFixed(1)} s before the captures: what it does not show was judged by frames alone`,
        );
    }
    const last = this.#judge(flows, others, true);
    for (const exchange of last.judged.handoffs) this.#certain.push(...certainSpan(exchange));
    this.#countBeside();
    this.#batches.push(last.findings);
    this.#sketchy ||= last.judged.sketchy;
    const findings = this.#checks.map(({ check, regular, beside }, index) => {
      const own: Finding[] = this.#batches.flatMap((batch) => batch[index] ?? []);
      const finding = Tally.merged(own, regular + beside);
      return {
        clause: check.clause,
        finding:
          check.timeless === true
            ? finding
            : doubted(finding, this.surroundings.doubt ?? (this.#sketchy ? SKETCHY : undefined)),
      };
    });
    return {
      findings,
      notes: [...this.#feed.notes],
      frames: this.#feeds.reduce((sum, { number }) => sum + number, 0),
      regular: this.#regular,
      irregular: this.#irregular,
    };
  }
}

function nameOf(client: string, earlier: EarlierConnection | undefined): string {
  return earlier === undefined ? client : `${client}#${earlier.count + 1}`;
}
