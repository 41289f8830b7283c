/**
 * Carries control messages between a role under test and its peers, writes them into the control log as the role's rim would, and is where
 * faults of the control channels act. Lines are handed on as they came; the harness may ask the role something itself in between.
 */
import {
  type ControlMessage,
  decodeControlLine,
  encodeControlLine,
  type Ok,
  type Refused,
} from '../../reference-impl/control/messages.js';
import type { ControlLogEntry } from '../world.js';

/** What becomes of one message; see harness/control-faults.ts. */
export type AdmitControl = (travelling: {
  readonly from: string;
  readonly to: string;
  readonly message: ControlMessage;
}) => {
  /** Lines without newline, each with its delay in ms; none when the message is lost. */
  readonly deliver: readonly { readonly delayMs: number; readonly line: string }[];
  /** What the sender is told at once in the receiver's stead. */
  readonly answer?: Refused;
};

/** One end of a channel: takes whole lines without newline. */
export interface LineEnd {
  send(line: string): void;
  close(): void;
}

interface Channel {
  role: LineEnd | undefined;
  peer: LineEnd | undefined;
  /** What waits for an end that is not there yet. */
  readonly toRole: string[];
  readonly toPeer: string[];
}

export interface RelayOptions {
  /** The role under test. */
  readonly role: string;
  readonly log: (direction: ControlLogEntry['direction'], peer: string, message: ControlMessage) => void;
  /** Absent: every message arrives once, at once. */
  readonly admit?: AdmitControl;
}

/** Lines that wait for an end; what is more than that is lost, as from a peer that is away. */
const MOST_WAITING = 1000;

/** Ids of the harness's own questions; no answer to them is carried on. */
const OWN_ID = 'prism-harness-';

export class ControlRelay {
  readonly #options: RelayOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #asked = new Map<string, (answer: Ok | Refused) => void>();
  #questions = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  #channel(peer: string): Channel {
    let channel = this.#channels.get(peer);
    if (!channel) {
      channel = { role: undefined, peer: undefined, toRole: [], toPeer: [] };
      this.#channels.set(peer, channel);
    }
    return channel;
  }

  /** The role's end of the channel to `peer` has come, or gone; with it goes the other end, so that either side sees the other's end. */
  roleEnd(peer: string, end: LineEnd | undefined): void {
    const channel = this.#channel(peer);
    channel.role = end;
    if (end) for (const line of channel.toRole.splice(0)) end.send(line);
    else {
      channel.toRole.length = 0;
      channel.peer?.close();
    }
  }

  peerEnd(peer: string, end: LineEnd | undefined): void {
    const channel = this.#channel(peer);
    channel.peer = end;
    if (end) for (const line of channel.toPeer.splice(0)) end.send(line);
    else {
      channel.toPeer.length = 0;
      channel.role?.close();
    }
  }

  /** Whether the role's end of the channel is there. */
  hasRole(peer: string): boolean {
    return this.#channels.get(peer)?.role !== undefined;
  }

  /** A line that the role sent. */
  fromRole(peer: string, line: string): void {
    const decoded = decodeControlLine(line);
    if (!decoded.ok) {
      // Whoever receives it says what is wrong with it (ERR-4).
      this.#toPeer(peer, line);
      return;
    }
    const { message } = decoded;
    if ((message.verb === 'ok' || message.verb === 'refused') && message.re.startsWith(OWN_ID)) {
      this.#asked.get(message.re)?.(message);
      this.#asked.delete(message.re);
      return;
    }
    this.#options.log('sent', peer, message);
    const { admit, role } = this.#options;
    if (!admit) {
      this.#toPeer(peer, line);
      return;
    }
    const { deliver, answer } = admit({ from: role, to: peer, message });
    if (answer) this.#receive(peer, encodeControlLine(answer).trimEnd());
    for (const { delayMs, line: text } of deliver) later(delayMs, () => this.#toPeer(peer, text));
  }

  /** A line that a peer sent. */
  fromPeer(peer: string, line: string): void {
    const { admit, role } = this.#options;
    const decoded = decodeControlLine(line);
    if (!admit || !decoded.ok) {
      this.#receive(peer, line);
      return;
    }
    const { deliver, answer } = admit({ from: peer, to: role, message: decoded.message });
    if (answer) this.#toPeer(peer, encodeControlLine(answer).trimEnd());
    for (const { delayMs, line: text } of deliver) later(delayMs, () => this.#receive(peer, text));
  }

  /** Asks the role something in the name of `peer`; resolves with its answer, or undefined when there is none in time. */
  ask(peer: string, verb: 'list' | 'stats', timeoutMs: number): Promise<Ok | Refused | undefined> {
    const id = `${OWN_ID}${++this.#questions}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#asked.delete(id);
        resolve(undefined);
      }, timeoutMs);
      this.#asked.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#toRole(peer, encodeControlLine({ verb, id }).trimEnd());
    });
  }

  #receive(peer: string, line: string): void {
    const decoded = decodeControlLine(line);
    if (decoded.ok) this.#options.log('received', peer, decoded.message);
    this.#toRole(peer, line);
  }

  #toRole(peer: string, line: string): void {
    const { role, toRole } = this.#channel(peer);
    if (role) role.send(line);
    else if (toRole.length < MOST_WAITING) toRole.push(line);
  }

  #toPeer(peer: string, line: string): void {
    const { peer: end, toPeer } = this.#channel(peer);
    if (end) end.send(line);
    else if (toPeer.length < MOST_WAITING) toPeer.push(line);
  }
}

function later(delayMs: number, act: () => void): void {
  if (delayMs <= 0) act();
  else setTimeout(act, delayMs);
}
