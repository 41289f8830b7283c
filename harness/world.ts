/**
 * The one world interface: a client, a switch, a controller and backends joined by links that are captured.
 * `harness/sim` and `harness/linux` implement it; a conformance case is written once and runs in both.
 */

import type { ControlMessage } from '../reference-impl/control/messages.js';
import type { RemedyName } from '../reference-impl/core/remedies.js';
import type { SegmentStory } from './segments/story.js';
import type { RolesUnderTest } from './target/target.js';
import type { Policy, Topology } from './topology.js';

export type WorldKind = 'sim' | 'linux';

export interface WorldOptions {
  /** Seeds every random choice of the world: sequence numbers' secret, faults, ports. */
  readonly seed: number;
  /** Remedies of the reference that are switched off. */
  readonly without: readonly RemedyName[];
  readonly policy: Policy;
  readonly faults: readonly Fault[];
  /** Largest number of rules the switch holds; default 1024. */
  readonly ruleCapacity?: number;
  /** Delays the backends' first response byte, in ms of the world's time (so that a client can act while handed off). */
  readonly serviceDelayMs?: number;
  /** What the harness does to control messages on their way between the roles. */
  readonly controlFaults?: readonly ControlFault[];
  /** Roles that crash or fall silent. */
  readonly roleFaults?: readonly RoleFault[];
  /** The initial sequence number of every connection the controller accepts (a wrap inside a response is wanted); by its secret when absent. */
  readonly initialSequence?: number;
  /** Bytes of each frame that the capture keeps; all when absent. For runs whose whole capture nobody could read. */
  readonly captureLength?: number;
  /** Paths of `LARGE_OBJECTS` that will be asked for: a backend under test serves files, and these are written for those who want them only. */
  readonly largeObjects?: readonly string[];
  /** Events after which the simulated world gives a run up that comes to no rest (an ACK war never ends); 1,000,000 when absent. */
  readonly eventLimit?: number;
  /** Silence after which waiting clients are given up on Linux, in ms of real time (harness/silence.ts); 8,000 when absent. */
  readonly silenceMs?: number;
  /** The mutant that the reference's roles are made of (`harness/mutants`), for tests of the judge. */
  readonly mutant?: string;
  /** How the clients' TCP stack is set; as the kernel is by itself when absent. */
  readonly clientProfile?: StackProfile;
  /** Bounds that the roles are told, and the topology states, instead of the usual ones. */
  readonly bounds?: NonNullable<Topology['bounds']>;
  /** Roles under test; the reference plays those that are not named. */
  readonly target?: WorldTarget;
}

/** Of a target, what a world has to know. Plain data. */
export interface WorldTarget {
  readonly roles: RolesUnderTest;
  /** The papers' variants it has declared; the topology says them to the judges. */
  readonly variants: readonly string[];
  /** The command line of this prism, for `{prism}`. */
  readonly prism: readonly string[];
}

/**
 * How the client's kernel is set, and the path's MTU; what is absent stays at the kernel's default (timestamps, SACK and window scaling
 * on, ECN off, MTU 1500, offloads off). Nothing of it bears on clients that bring a TCP of their own (lwIP, scapy).
 */
export interface StackProfile {
  /** RFC 7323 timestamps are offered. */
  readonly timestamps?: boolean;
  /** SACK-permitted is offered. */
  readonly sack?: boolean;
  /** RFC 7323 window scaling is offered. */
  readonly windowScaling?: boolean;
  /** ECN is asked for (RFC 3168). */
  readonly ecn?: boolean;
  /** In bytes of an IP datagram; 576: the client's link alone is so narrow; 9000: every link is so wide, and the controller's MSS with it. */
  readonly mtu?: 576 | 1500 | 9000;
  /** `tiny`: 8 KiB to send and to receive at most. */
  readonly buffers?: 'default' | 'tiny';
  readonly congestion?: 'cubic' | 'reno' | 'bbr';
  /** Checksum, segmentation and merging offloads of the client's link; the work is done before the link that is captured. */
  readonly offloads?: boolean;
}

/**
 * What the switch's rim does to frames on their way (never the switch core itself): behind the switch, or `ahead` of it, on the sender's link, where
 * `match` knows no `to`.
 * A frame matches when every given field matches; `nth` counts matching frames from 1 (all when absent).
 * Captures are taken on the links: a frame that enters and is dropped shows at its sender's vantage only.
 */
export type Fault =
  | { readonly kind: 'drop'; readonly match: FrameMatch; readonly nth?: readonly number[]; readonly ahead?: true }
  /** The copy comes `ms` later (0 when absent). */
  | {
      readonly kind: 'duplicate';
      readonly match: FrameMatch;
      readonly nth?: readonly number[];
      readonly ms?: number;
      readonly ahead?: true;
    }
  | {
      readonly kind: 'delay';
      readonly match: FrameMatch;
      readonly nth?: readonly number[];
      readonly ms: number;
      readonly ahead?: true;
    }
  /** The sender's last octet is turned over, and its checksum stays: the capture shows it so already. The simulated world only. */
  | { readonly kind: 'spoil'; readonly match: FrameMatch; readonly nth?: readonly number[]; readonly ahead: true }
  /** Each matching frame independently, from the world's seed; `rate` in 0..1. */
  | { readonly kind: 'lose'; readonly match: FrameMatch; readonly rate: number }
  | { readonly kind: 'reorder'; readonly match: FrameMatch; readonly rate: number; readonly ms: number };

/** A control message matches when every given field matches. */
export interface ControlMatch {
  readonly verb?: ControlMessage['verb'];
  /** For `ok` and `refused`: the verb of the request they answer. */
  readonly answers?: 'add' | 'remove' | 'list' | 'stats' | 'handoff' | 'complete' | 'failed';
  /** The role that sends it (`controller`, `switch`, `backend0`, ...). */
  readonly from?: string;
  readonly to?: string;
}

/** `nth` counts matching messages from 1 (all when absent). Later messages of the same channel do not wait for a delayed one. */
export type ControlFault =
  | { readonly kind: 'drop'; readonly match: ControlMatch; readonly nth?: readonly number[] }
  | { readonly kind: 'delay'; readonly match: ControlMatch; readonly nth?: readonly number[]; readonly ms: number }
  /** Delivered now, and once more `ms` later; then, if it is a request, under the id `as` instead of its own where that is given. */
  | {
      readonly kind: 'repeat';
      readonly match: ControlMatch;
      readonly nth?: readonly number[];
      readonly ms: number;
      readonly as?: string;
    }
  /** Never delivered; the harness answers `refused` in the receiver's stead. */
  | {
      readonly kind: 'refuse';
      readonly match: ControlMatch;
      readonly nth?: readonly number[];
      readonly code: 'conflict' | 'full' | 'unknown-connection' | 'stale' | 'unsupported' | 'busy';
    }
  /** Delivered, and behind it, to the same receiver, this line as it stands (malformed, unknown, not JSON, ...). */
  | { readonly kind: 'follow'; readonly match: ControlMatch; readonly nth?: readonly number[]; readonly line: string };

/** What a role's end waits for: the moment a control message is sent, or a frame leaves the switch. */
export type RoleTrigger =
  | { readonly control: ControlMatch; readonly nth?: number }
  | { readonly frame: FrameMatch; readonly nth?: number };

/**
 * `crash`: the role's process is killed, its control connections break, nobody starts it again. `silence`: it is stopped; connections stay
 * up, nothing is read or sent any more. `role` acts `afterMs` (default 0) of the world's time after the trigger.
 */
export interface RoleFault {
  readonly kind: 'crash' | 'silence';
  readonly role: string;
  readonly on: RoleTrigger;
  readonly afterMs?: number;
}

export interface FrameMatch {
  /** The vantage the frame comes from (`client`, `controller`, `backend0`, ...). */
  readonly from?: string;
  /** The vantage it leaves to, after the switch has decided. */
  readonly to?: string;
  /** TCP payload present or absent. */
  readonly payload?: boolean;
  /** All of these TCP flags set. */
  readonly flags?: readonly ('FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK')[];
  /** Unscaled window of zero (true) or not (false). */
  readonly zeroWindow?: boolean;
}

/** Deterministic content: `size` bytes from `seed` (see harness/objects.ts). */
export interface BodySpec {
  readonly size: number;
  readonly seed: number;
}

export interface HttpRequestSpec {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST';
  /** Path, such as `/a/8k`. */
  readonly path: string;
  readonly body?: BodySpec;
  /** true: ask for `100 Continue`; false: suppress it; absent: as the program does by itself. */
  readonly expectContinue?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `lwip` and `scapy` bring a TCP of their own and an address that the client's kernel does not have. */
export type ClientProgram = 'curl' | 'wget' | 'python' | 'node' | 'nc' | 'scapy' | 'lwip';

/** Load generators: many requests for one object, counted and not looked at. */
export type LoadProgram = 'wrk' | 'ab';

export type ScriptStep =
  /** Sends these bytes at once, as one write; `text` is Latin-1, `body` is generated content. */
  | { readonly do: 'send'; readonly text?: string; readonly body?: BodySpec }
  /** Reads one whole HTTP response (to a request of this method), interim ones skipped. */
  | { readonly do: 'response'; readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' }
  | { readonly do: 'pause'; readonly ms: number }
  /** Half-close: sends FIN after what was sent. */
  | { readonly do: 'shutdown' }
  /** Waits until the other side closes. */
  | { readonly do: 'wait-close' }
  /** Closes both directions. */
  | { readonly do: 'close' }
  /** Sends RST. */
  | { readonly do: 'abort' };

export type ClientJob =
  /** All requests over one keep-alive connection, in order. In the simulated world a client of our own sends what the program would. */
  | {
      readonly kind: 'http';
      readonly program: ClientProgram;
      readonly requests: readonly HttpRequestSpec[];
      /** All requests in one write, before the first response; only `nc` can. */
      readonly pipelined?: boolean;
      readonly timeoutMs?: number;
    }
  /** GETs for `path` over `connections` connections at once: `requests` in all (ab), or for whole seconds (wrk). */
  | {
      readonly kind: 'load';
      readonly program: 'ab';
      readonly path: string;
      readonly connections: number;
      readonly requests: number;
      readonly timeoutMs?: number;
    }
  | {
      readonly kind: 'load';
      readonly program: 'wrk';
      readonly path: string;
      readonly connections: number;
      readonly durationMs: number;
      readonly timeoutMs?: number;
    }
  /** Exact bytes over one connection, Nagle off. */
  | {
      readonly kind: 'script';
      readonly steps: readonly ScriptStep[];
      readonly timeoutMs?: number;
      /** What the client's stack begins with; the simulated world only, a kernel takes no advice. */
      readonly stack?: ClientStart;
    }
  /**
   * Somebody who is no configured peer opens a connection to the place where that role (the switch, a backend) waits for its control peer,
   * and sends these lines. Ok, whether or not it was let in; no responses.
   */
  | { readonly kind: 'stranger'; readonly to: string; readonly lines: readonly string[]; readonly timeoutMs?: number }
  /** Exact segments from a client of its own address, which no kernel owns (harness/segments/story.ts). */
  | { readonly kind: 'segments'; readonly story: SegmentStory; readonly timeoutMs?: number };

/** Numbers that a client's stack chooses by itself unless told. */
export interface ClientStart {
  readonly initialSequence?: number;
  /** The TSval of its SYN. */
  readonly initialTimestamp?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly bodySize: number;
  /** Of the body, lower-case hex. */
  readonly sha256: string;
  /** ETag header without quotes, if there was one; the reference answers a PUT with the SHA-256 of what it stored. */
  readonly etag?: string;
}

/** What a load generator counted. */
export interface LoadResult {
  /** Whole responses. */
  readonly done: number;
  /** Connections or requests that failed: refused, reset, cut short, timed out. */
  readonly errors: number;
  /** Responses of another status than 2xx. */
  readonly non2xx: number;
  /** Bytes received, headers included. */
  readonly bytes: number;
}

export interface JobResult {
  /** The client did all it was told and got a whole response to each request. */
  readonly ok: boolean;
  /** One line, when not ok. */
  readonly error?: string;
  /** Empty for a load generator. */
  readonly responses: readonly HttpResponse[];
  /** Of a load job that ran. */
  readonly load?: LoadResult;
  /** Whether the server's FIN or RST was seen before the client closed. */
  readonly closedBy?: 'server-fin' | 'server-rst' | 'client';
  /** What a segment story did and saw, a row for each step that was done. */
  readonly observations?: readonly Observation[];
  /** The segment that ended a segment story against its expectation. */
  readonly offence?: SeenArrival;
}

/** A segment that came to a packet-level client. */
export interface SeenArrival {
  readonly ipId: number;
  /** Nanoseconds since the epoch, a decimal string. */
  readonly t: string;
  /** In words. */
  readonly what: string;
}

/** One step of a segment story as it was played; times in nanoseconds since the epoch on the clock of the captures, as decimal strings. */
export interface Observation {
  /** From 1. */
  readonly step: number;
  readonly do: string;
  /** When it began. */
  readonly t: string;
  /** When it was done. */
  readonly done: string;
  /** IP identifications of the frames that it sent; a captured frame of the client's address with one of them is that frame. */
  readonly sent: readonly number[];
  /** The segment that it waited for. */
  readonly seen?: SeenArrival;
}

/** A control message as some role sent or received it. One line of `NAME.control.ndjson`. */
export interface ControlLogEntry {
  /** Nanoseconds since the epoch on the clock of the captures, as a decimal string. */
  readonly t: string;
  /** The role that logged it. */
  readonly at: string;
  readonly direction: 'sent' | 'received';
  readonly peer: string;
  readonly message: ControlMessage;
}

/** What a run leaves behind for the judges. */
export interface Evidence {
  readonly topology: Topology;
  /** The pcapng file's path. */
  readonly capture: string;
  /** The control log's path. */
  readonly controlLog: string;
  /** The events of all roles (NDJSON: `{t, role, action, conn, ...}`), the path. */
  readonly trace: string;
  /** Frames the capture is known to have missed; 0 in the simulated world. */
  readonly captureDrops: number;
  /** Faults asked for (those that come by chance left out) that were done to nothing, in words: their premise did not happen. Empty or absent: none. */
  readonly missedFaults?: readonly string[];
}

export interface World {
  readonly kind: WorldKind;
  readonly topology: Topology;
  /** Runs the jobs side by side and waits for all. Never rejects for what a client or server did; rejects (WorldError) when the world itself fails. */
  runClients(jobs: readonly ClientJob[]): Promise<readonly JobResult[]>;
  /** Waits until connections are finished and no rule is left, or `limitMs` of the world's time have passed. */
  settle(limitMs: number): Promise<void>;
  /** Ends the world and writes its evidence; nothing is left running. */
  finish(): Promise<Evidence>;
  /** Ends the world without evidence; safe to call at any time and more than once. */
  destroy(): Promise<void>;
}

/** The world or its tools failed (exit code 4), never the implementation under test. */
export class WorldError extends Error {
  override name = 'WorldError';
}

/** Builds a world that writes `capture.pcapng`, `capture.control.ndjson` and `trace.ndjson` into `folder` (which exists). */
export type WorldFactory = (folder: string, options: WorldOptions) => Promise<World>;
