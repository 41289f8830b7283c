/**
 * The words of a segment story: what a packet-level client sends, expects and waits for, one step a line. Plain data, so that a story travels to
 * the process that plays it. Field left out: whatever the tracking gives (in what is sent), anything at all (in what is expected).
 *
 * Two streams are tracked. A place in one is a count of bytes from its beginning: SYN comes before place 0, FIN takes one place. What is sent
 * carries the next place of the client's stream and acknowledges what was last acknowledged, unless `shift` moves them.
 */
import type { BodySpec } from '../world.js';

export const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const;
export type FlagName = (typeof FLAGS)[number];

/** Added to the numbers that the tracking gives, modulo 2^32. */
export interface Shift {
  readonly seq?: number;
  readonly ack?: number;
}

/** Three-way handshake from the client's side; the story ends when it is not answered. Options not offered are not used later either. */
export interface ConnectStep {
  readonly do: 'connect';
  /** Initial sequence number; from the world's seed when absent. */
  readonly isn?: number;
  /** MSS option; 1460 when absent, not sent when null. */
  readonly mss?: number | null;
  /** Shift 0 to 14; not offered when absent. */
  readonly windowScale?: number;
  readonly sack?: boolean;
  readonly timestamps?: boolean;
  /** The 16-bit window of every segment from now on; 65535 when absent. */
  readonly window?: number;
}

/** New data, the next of the stream, in segments of at most the server's MSS. */
export interface SendStep {
  readonly do: 'send';
  /** Latin-1. */
  readonly text?: string;
  readonly body?: BodySpec;
  /** FIN on the last segment. */
  readonly fin?: boolean;
}

/** One segment from the server that has all of this, arriving within `withinMs` (1000), counted from what was last sent; others are passed over. */
export interface ExpectStep {
  readonly do: 'expect';
  /** All of these set. */
  readonly flags?: readonly FlagName[];
  /** None of these set. */
  readonly without?: readonly FlagName[];
  /** Bytes of payload, or whether there is any. */
  readonly payload?: number | boolean;
  /** False: no payload, or some that has not arrived before. */
  readonly repeated?: boolean;
  readonly window?: 'zero' | 'open';
  /** It acknowledges the client's stream up to exactly this place. */
  readonly acks?: number;
  /** It begins at this place of the server's stream. */
  readonly from?: number;
  readonly withinMs?: number;
  /** The next segment must be it; any other before it fails. */
  readonly next?: boolean;
}

/** For `ms` from now, and since what was last sent, no segment arrives that has all of `flags` (any segment when absent). */
export interface ExpectNothingStep {
  readonly do: 'expect-nothing';
  readonly ms: number;
  readonly flags?: readonly FlagName[];
  /** Only segments that acknowledge more of the client's stream than up to this place. */
  readonly acksBeyond?: number;
  /**
   * Only segments that say something: payload, SYN, FIN, RST, or an acknowledgement of more of the client's stream than up to this place. What
   * says nothing new (a keep-alive, an ACK once more because its cause was doubled on the way) may come without anything having drawn it.
   */
  readonly newsBeyond?: number;
  readonly payload?: boolean;
}

/** Where and how a forged frame differs from what the tracking would send. The tracking takes no notice of it. */
export interface Forgery {
  /** As the server would send it to this client: the other addresses (but for MACs), ports and numbers. */
  readonly asServer?: boolean;
  readonly flags?: readonly FlagName[];
  readonly shift?: Shift;
  /** Instead of the tracked numbers. */
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly urgentPointer?: number;
  /** Latin-1. */
  readonly text?: string;
  /** Timestamp option's TSval less the client's own; no option when null. */
  readonly tsval?: number | null;
  readonly from?: { readonly ip?: string; readonly port?: number; readonly mac?: string };
  readonly to?: { readonly ip?: string; readonly port?: number; readonly mac?: string };
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  readonly ttl?: number;
  /** IP options in hex. */
  readonly ipOptions?: string;
  /** Header length in 32-bit words as the data offset field says it, whatever is true. */
  readonly dataOffset?: number;
  /** IP fragments of what lies behind the IP header: begin and length in bytes; `garble` changes their bytes. */
  readonly fragments?: readonly { readonly at: number; readonly length: number; readonly garble?: boolean }[];
  readonly wrong?: 'ip-checksum' | 'tcp-checksum';
  /** The IPv4 octet of DSCP and ECN; 0 when absent. */
  readonly tos?: number;
  /** Octets behind the IP packet, as of a short frame that is filled up (IEEE 802.3 §4.2.3.3); not zero, so that who takes them for payload shows. */
  readonly padding?: number;
  /** An 802.1Q tag with this VLAN id. */
  readonly vlan?: number;
  /** What the Ethernet header says the frame holds, whatever it does. */
  readonly etherType?: number;
  /** Only so many bytes of the frame leave. */
  readonly cutTo?: number;
}

export type SegmentStep =
  | ConnectStep
  | SendStep
  /** FIN behind what was sent. */
  | { readonly do: 'shutdown' }
  /** RST with the number that the server expects; the connection is gone, and what still arrives for it is answered with RST. `connect` may follow. */
  | { readonly do: 'reset' }
  /** The last segment with payload or FIN once more, exactly, even where it has been acknowledged. */
  | { readonly do: 'retransmit' }
  /** Window probe: one number back, with no byte or an old one (RFC 9293 §3.8.6.1). */
  | { readonly do: 'probe'; readonly bytes?: 0 | 1 }
  | ExpectStep
  | ExpectNothingStep
  /** Reads one whole HTTP response (to a request of this method), interim ones skipped. */
  | { readonly do: 'response'; readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST'; readonly withinMs?: number }
  /** Waits until so many bytes of the server's stream have arrived in order. */
  | { readonly do: 'arrived'; readonly bytes: number; readonly withinMs?: number }
  /** Whether what arrives is acknowledged by itself (so it is at the beginning); turned on, what is owed is acknowledged at once. */
  | { readonly do: 'auto-ack'; readonly on: boolean }
  /** Whether what stays unacknowledged is repeated every 300 ms (so it is at the beginning). */
  | { readonly do: 'auto-retransmit'; readonly on: boolean }
  /** The window of every segment from now on; an ACK tells it at once. */
  | { readonly do: 'window'; readonly window: number }
  | { readonly do: 'wait'; readonly ms: number }
  /** Waits for the server's FIN or RST. */
  | { readonly do: 'closed'; readonly by: 'fin' | 'rst'; readonly withinMs?: number }
  /** Everything sent, FIN included, is acknowledged. */
  | { readonly do: 'acknowledged'; readonly withinMs?: number }
  /** Both sides close in order; it is done at the end by itself where the story has not. */
  | { readonly do: 'close' }
  /** A frame of somebody else's making, or a broken one (on Linux made by scapy). */
  | { readonly do: 'forge'; readonly frame: Forgery }
  /** SYNs from so many ports, as many of them at once, that nobody completes. */
  | { readonly do: 'flood'; readonly count: number };

/** One story: which of the topology's clients plays it (from 1; 0 is the kernel's), and from which port. */
export interface SegmentStory {
  readonly steps: readonly SegmentStep[];
  /** 1 when absent. */
  readonly client?: number;
  /** Drawn from the world's seed when absent. */
  readonly port?: number;
}

/** Whether frames have to be made that no client's own tracking makes. */
export function needsCrafting(story: SegmentStory): boolean {
  return story.steps.some((step) => step.do === 'forge' || step.do === 'flood');
}

/** One line that tells the step in a report: `expect ACK, no payload, acks 57`. */
export function tellStep(step: SegmentStep): string {
  const { do: word, ...fields } = step;
  const told = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    return `${name} ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
  });
  return [word, ...told].join(' ');
}
