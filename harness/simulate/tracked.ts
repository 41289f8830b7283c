/** What is known of one connection from outside the roles: what the client offered and sent, what was said about it, who may speak. */
import { handshakeOptions, type SegmentHeader, seqDistance } from './segment-header.js';
import type { Story } from './workload.js';

/** Who may speak, by the control messages alone. `removing`: the controller, once the rules are gone. */
export type Turn =
  | { readonly kind: 'controller' }
  | { readonly kind: 'backend'; readonly name: string; readonly handoff: number }
  | { readonly kind: 'removing' };

export type Offers = ReturnType<typeof handshakeOptions>;

export class Tracked {
  // The client.
  readonly iss: number;
  readonly offers: Offers;
  finSent = false;
  /** It has reset the connection. */
  aborted = false;
  clientTs: { readonly first: number; last: number } | null = null;
  /** How far into the server's numbers the client has let anybody send. */
  rightEdge: number | null = null;
  /** When it last sent anything, in microseconds. */
  heardAt = 0;
  /** How many bytes of its stream it has sent. */
  written = 0;

  // The server, whoever that is.
  serverIss: number | null = null;
  answer: Offers | null = null;
  /** The number behind the last that was sent. */
  sentTo = 0;
  /** What the client has acknowledged and somebody has received. */
  ackedTo = 0;
  lastTs: number | null = null;
  /** Where the present owner's numbers begin, and what it sent from there. */
  base = 0;
  #bytes = Buffer.alloc(0);
  #length = 0;

  // The hand-offs.
  turn: Turn = { kind: 'controller' };
  /** Requests whose completion the controller has taken. */
  completed = 0;
  /** By request: who was told to serve it. */
  readonly servedBy: string[] = [];
  /** By request: how often that backend had crashed by then. */
  readonly servedIn: number[] = [];
  /** By request: what that backend had under its path by then. */
  readonly presentThen: (Uint8Array | undefined)[] = [];
  /** The rule request that has no answer yet, and when it was sent first. */
  adding: { readonly id: string; readonly at: number } | null = null;
  /** Rules may be in force: one has been asked for, and no removal been confirmed since. */
  ruleWanted = false;
  removeId: string | null = null;
  /** The backend of the rule that the switch has confirmed, and whether it was asked for a read. */
  rule: string | null = null;
  ruleIsRead = false;
  /** The latest rule requests that the switch has confirmed: a repetition changes nothing. */
  confirmedAdd: string | null = null;
  confirmedRemove: string | null = null;
  /** Backends that own it by their own messages, and those that did. */
  readonly owners = new Map<string, number>();
  readonly former = new Set<string>();
  /** A read's rules have just been confirmed gone, and the connection goes on: the window has to be opened. */
  reopens = false;
  reopenDue = false;
  /** Its backend was cut off or crashed while it had the connection. */
  lost = false;
  /** How much of the client's stream the backend that failed last says that it has taken; 0 where none said so. */
  failedAt = 0;
  /** Why a 503 would be right: no rule was to be had. */
  noRule = false;
  /** The request that was refused. */
  refused: number | null = null;
  /** The controller has forgotten it. */
  forgotten = false;
  /** Segments of the controller's since its backend was lost: probes and resets. */
  tellings = 0;
  resetsSent = 0;
  resetsLost = 0;

  constructor(
    readonly key: string,
    readonly port: number,
    readonly story: Story,
    syn: SegmentHeader,
  ) {
    this.iss = syn.seq;
    this.offers = handshakeOptions(syn);
  }

  /** How many bytes of the client's stream `ack` covers. */
  covered(ack: number): number {
    return seqDistance(ack, this.iss + 1);
  }

  /** The request that the connection is at. */
  get request(): Story['requests'][number] | undefined {
    return this.story.requests[this.completed];
  }

  /** A new owner begins where everything is acknowledged. */
  startOwner(): void {
    this.base = this.sentTo;
    this.#length = 0;
  }

  /** Takes payload that begins at `seq`, not behind what was sent; false when it contradicts what the same owner sent there before. */
  takeBytes(seq: number, payload: Uint8Array): boolean {
    const at = seqDistance(seq, this.base);
    const known = Math.min(payload.length, this.#length - at);
    if (known > 0 && Buffer.compare(payload.subarray(0, known), this.#bytes.subarray(at, at + known)) !== 0)
      return false;
    if (known >= payload.length) return true;
    const end = at + payload.length;
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(4096, 2 * end));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(payload, at);
    this.#length = end;
    return true;
  }
}
