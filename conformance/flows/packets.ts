/**
 * Frames to packets: the frame that a host sent and the frames by which it arrived, across vantages.
 *
 * First by everything that a switch must keep; then, for what is left over, by everything but one field, so that a packet
 * with a forbidden change is still followed and its change named. A pairing that chance could have made is not made:
 * a judge who pairs two strangers finds an offence that nobody committed.
 */
import { type Frame, optionOf, type Segment } from './decode.js';

export interface Packet<F extends Frame = Segment> {
  /** As its sender's vantage saw it; undefined when that vantage is not captured or missed it. */
  readonly sent: F | undefined;
  /** As it was delivered, in order of time; more than one when the fabric duplicated it. */
  readonly arrivals: readonly F[];
  /** The first frame there is of it. */
  readonly head: F;
  /** Identical packets exist, so that which of them arrived as which is a guess. */
  readonly twins: boolean;
}

interface Draft<F extends Frame> {
  sent: F | undefined;
  arrivals: F[];
  twins: boolean;
}

/** Within one file a frame cannot arrive before it was sent, but for the stamps of separate sockets. */
const CLOCK_SLACK_NS = 1e6;
/** Nothing stays in the fabric longer. */
const MAX_FLIGHT_NS = 30e9;

/** What may change between two frames of one packet, by the name that a verdict uses. */
export type Field =
  | 'client port'
  | 'sequence number'
  | 'acknowledgement number'
  | 'flags'
  | 'window'
  | 'options'
  | 'IP id'
  | 'urgent pointer'
  | 'payload';

type Keys = readonly (readonly [Field, string | number])[];

/** A few bytes of every stretch: equal payloads agree, and what differs elsewhere is found when a pair is compared. */
function payloadHash(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 ^ bytes.length;
  const step = Math.max(1, bytes.length >>> 6);
  for (let at = 0; at < bytes.length; at += step) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash;
}

function text(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

const FIN = 1;

/** What every hop keeps. FIN may be cleared towards the server, the window may be changed towards the client (SWT-5). */
function keptFields(s: Segment): Keys {
  const toServer = s.towards === 'server';
  return [
    ['client port', s.client],
    ['sequence number', s.seq],
    ['acknowledgement number', s.ack],
    ['flags', toServer ? s.flags & ~FIN : s.flags],
    ['window', toServer ? s.window : ''],
    ['options', text(s.tcp.optionBytes)],
    ['IP id', s.ipv4.id],
    ['urgent pointer', s.tcp.urgentPointer],
    ['payload', `${s.length}/${payloadHash(s.payload)}`],
  ];
}

function keyWithout(segment: Segment, keys: Keys, ...without: readonly Field[]): string {
  let key: string = segment.towards;
  for (const [field, value] of keys) key += without.includes(field) ? '|' : `|${value}`;
  return key;
}

/** Client segments to packets, in order of time. */
export function pairSegments(segments: readonly Segment[]): Packet[] {
  const drafts = pairExactly(segments, (s) => keyWithout(s, keptFields(s)));
  return finish(pairAltered(drafts));
}

/** Everything else, by addresses and content. */
export function pairOthers(frames: readonly Frame[]): Packet<Frame>[] {
  const addresses = (f: Frame): string => `${f.src}>${f.dst}|`;
  const drafts = pairExactly(frames, (f) => addresses(f) + contentKey(f));
  const result: Draft<Frame>[] = drafts.filter((d) => d.sent !== undefined && d.arrivals.length > 0);
  // A packet whose address was rewritten keeps its content.
  result.push(
    ...join(
      drafts.filter((d) => d.sent === undefined || d.arrivals.length === 0),
      (f) => (f.ipv4.id !== 0 || f.ipv4.payloadEnd - f.ipv4.payloadOffset >= 40 ? contentKey(f) : undefined),
      () => true,
    ),
  );
  return finish(result);
}

/** Protocol, IP id, fragment and bytes, but for those that a rewriting switch would touch: checksum, TCP flags and window. */
function contentKey({ ipv4, view }: Frame): string {
  const { tcp, udp } = view;
  const start = tcp ? tcp.offset + tcp.headerLength : udp ? udp.offset + 8 : ipv4.payloadOffset;
  const body = ipv4.bytes.subarray(Math.min(start, ipv4.payloadEnd), ipv4.payloadEnd);
  const head = tcp ? `${tcp.srcPort}>${tcp.dstPort}|${tcp.seq}|${tcp.ack}` : udp ? `${udp.srcPort}>${udp.dstPort}` : '';
  return `${ipv4.protocol}|${ipv4.id}|${ipv4.fragmentOffset}|${head}|${ipv4.totalLength}|${payloadHash(body)}`;
}

/** Order of time, then of the file. */
export function byTime(a: Frame, b: Frame): number {
  return a.t - b.t || a.file - b.file || a.number - b.number;
}

function pairExactly<F extends Frame>(frames: readonly F[], keyOf: (frame: F) => string): Draft<F>[] {
  const groups = new Map<string, { sent: Draft<F>[]; arrived: F[] }>();
  for (const frame of [...frames].sort(byTime)) {
    const key = keyOf(frame);
    let group = groups.get(key);
    if (group === undefined) {
      group = { sent: [], arrived: [] };
      groups.set(key, group);
    }
    if (frame.direction === 'sent') group.sent.push({ sent: frame, arrivals: [], twins: false });
    else group.arrived.push(frame);
  }
  const drafts: Draft<F>[] = [];
  for (const { sent, arrived } of groups.values()) {
    const twins = sent.length > 1;
    if (twins) for (const draft of sent) draft.twins = true;
    drafts.push(...sent);
    // Of identical packets, the latest that has not arrived yet: an earlier one was lost, or comes later.
    const waiting: Draft<F>[] = [];
    let next = 0;
    for (const arrival of arrived) {
      for (let draft = sent[next]; draft?.sent && couldPrecede(draft.sent, arrival); draft = sent[++next])
        waiting.push(draft);
      const draft = takeLikeliest(waiting, arrival) ?? latestBefore(sent, next);
      if (draft?.sent !== undefined && isInTime(draft.sent, arrival)) draft.arrivals.push(arrival);
      else drafts.push({ sent: undefined, arrivals: [arrival], twins });
    }
  }
  return drafts;
}

/**
 * Of identical packets that wait, the one that was sent before by the clock, then the one with the same window (two owners can send
 * the same number with the same IP id, and a different window is what tells them apart), then the latest.
 */
function takeLikeliest<F extends Frame>(waiting: Draft<F>[], arrival: F): Draft<F> | undefined {
  let best = -1;
  let most = -1;
  for (const [index, { sent }] of waiting.entries()) {
    if (sent === undefined) continue;
    const likely = (sent.t <= arrival.t ? 2 : 0) + (sent.view.tcp?.window === arrival.view.tcp?.window ? 1 : 0);
    if (likely >= most) {
      best = index;
      most = likely;
    }
  }
  return best < 0 ? undefined : waiting.splice(best, 1)[0];
}

/** All have arrived already: this is a duplicate that the fabric made. */
function latestBefore<F extends Frame>(sent: readonly Draft<F>[], next: number): Draft<F> | undefined {
  return next > 0 ? sent[next - 1] : undefined;
}

/** Files may come from machines whose clocks differ. */
function couldPrecede(sent: Frame, arrived: Frame): boolean {
  return sent.file !== arrived.file || sent.t <= arrived.t + CLOCK_SLACK_NS;
}

function isInTime(sent: Frame, arrived: Frame): boolean {
  return sent.file !== arrived.file || arrived.t - sent.t < MAX_FLIGHT_NS;
}

/** Pairs what is left over by everything but one field, and as a last resort by what identifies a packet beyond doubt. */
function pairAltered(drafts: readonly Draft<Segment>[]): Draft<Segment>[] {
  const whole = drafts.filter((d) => d.sent !== undefined && d.arrivals.length > 0);
  let loose = drafts.filter((d) => d.sent === undefined || d.arrivals.length === 0);
  const attempt = (
    keyOf: (segment: Segment) => string | undefined,
    credible: (sent: Segment, arrived: Segment) => boolean,
  ): void => {
    if (loose.length < 2) return;
    const joined = join(loose, keyOf, credible);
    whole.push(...joined.filter((d) => d.sent !== undefined && d.arrivals.length > 0));
    loose = joined.filter((d) => d.sent === undefined || d.arrivals.length === 0);
  };
  const fields: readonly Field[] = [
    'flags',
    'window',
    'urgent pointer',
    'acknowledgement number',
    'sequence number',
    'options',
    'payload',
    'client port',
    'IP id',
  ];
  for (const field of fields) {
    attempt(
      (s) => keyWithout(s, keptFields(s), field),
      (sent, arrived) => {
        if (field === 'payload' && isPartOfOther(sent, arrived)) return false;
        // An acknowledgement may be repeated within one tick of the clock; data hardly is.
        if (field === 'IP id') {
          return isTelling(sent.payload) && timestampOf(sent) !== undefined && arrived.t - sent.t < 10e6;
        }
        return sent.ipv4.id !== 0 || (field !== 'payload' && isTelling(sent.payload)) || field === 'payload';
      },
    );
  }
  // Several fields changed at once: the same id, timestamps and content a moment later are no chance.
  attempt(
    (s) =>
      s.ipv4.id === 0 || timestampOf(s) === undefined
        ? undefined
        : `${s.towards}|${s.ipv4.id}|${s.length}|${payloadHash(s.payload)}|${text(s.tcp.optionBytes)}`,
    (sent, arrived) => arrived.t - sent.t < 1e9,
  );
  return [...whole, ...loose];
}

function timestampOf(segment: Segment): number | undefined {
  return optionOf(segment, 'timestamps')?.value;
}

/** What a link without jumbo frames carries. */
const ORDINARY_PACKET = 1500;

/** One was cut off the other, or grew into it, by a card's offloads: that is the host's doing on its side of the link, and no alteration. */
function isPartOfOther(a: Segment, b: Segment): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length === long.length || long.ipv4.totalLength <= ORDINARY_PACKET) return false;
  return (
    firstDifference(short.payload, long.payload, Math.min(short.payload.length, long.payload.length)) === undefined
  );
}

/** Long and varied enough that two different packets do not carry it by chance. */
function isTelling(payload: Uint8Array): boolean {
  return payload.length >= 16 && payload.some((byte) => byte !== payload[0]);
}

/** Joins a sent frame and an arrival of the same key where there is exactly one of each and the arrival follows. */
function join<F extends Frame>(
  drafts: readonly Draft<F>[],
  keyOf: (frame: F) => string | undefined,
  credible: (sent: F, arrived: F) => boolean,
): Draft<F>[] {
  const groups = new Map<string, Draft<F>[]>();
  const result: Draft<F>[] = [];
  for (const draft of drafts) {
    const frame = draft.sent ?? draft.arrivals[0];
    const key = frame && keyOf(frame);
    if (key === undefined) result.push(draft);
    else {
      const group = groups.get(key);
      if (group) group.push(draft);
      else groups.set(key, [draft]);
    }
  }
  for (const group of groups.values()) {
    const [a, b] = group;
    const [left, right] = a?.sent ? [a, b] : [b, a];
    const sent = left?.sent;
    const arrived = right?.arrivals[0];
    const fits =
      group.length === 2 &&
      sent !== undefined &&
      arrived !== undefined &&
      right?.sent === undefined &&
      couldPrecede(sent, arrived) &&
      isInTime(sent, arrived) &&
      credible(sent, arrived);
    if (fits && right) result.push({ sent, arrivals: right.arrivals, twins: false });
    else result.push(...group);
  }
  return result;
}

function finish<F extends Frame>(drafts: readonly Draft<F>[]): Packet<F>[] {
  const packets: Packet<F>[] = [];
  for (const { sent, arrivals, twins } of drafts) {
    const head = sent ?? arrivals[0];
    if (head !== undefined) packets.push({ sent, arrivals, head, twins });
  }
  return packets.sort((a, b) => byTime(a.head, b.head));
}

export interface Change {
  readonly field:
    | Field
    | 'differentiated services'
    | 'ECN field'
    | "don't-fragment flag"
    | 'IP options'
    | 'server port';
  readonly before: string;
  readonly after: string;
}

/**
 * What differs between a segment as sent and as it arrived beyond addresses, MACs, checksums and TTL, and beyond what SWT-5 allows
 * (FIN towards the server, the window towards the client): the numbers are those on the wire.
 */
export function changesOf(sent: Segment, arrived: Segment): Change[] {
  const changes: Change[] = [];
  const differ = (field: Change['field'], before: string | number, after: string | number): void => {
    if (before !== after) changes.push({ field, before: `${before}`, after: `${after}` });
  };
  differ('client port', sent.client, arrived.client);
  differ('sequence number', sent.seq, arrived.seq);
  differ('acknowledgement number', sent.ack, arrived.ack);
  const mask = sent.towards === 'server' ? ~FIN : ~0;
  differ('flags', hex(sent.flags & mask), hex(arrived.flags & mask));
  if (sent.towards === 'server') differ('window', sent.window, arrived.window);
  differ('options', bytesText(sent.tcp.optionBytes), bytesText(arrived.tcp.optionBytes));
  differ('IP id', sent.ipv4.id, arrived.ipv4.id);
  differ('urgent pointer', sent.tcp.urgentPointer, arrived.tcp.urgentPointer);
  differ('differentiated services', sent.ipv4.tos >>> 2, arrived.ipv4.tos >>> 2);
  if (!ecnKept(sent.ipv4.tos, arrived.ipv4.tos)) differ('ECN field', sent.ipv4.tos & 3, arrived.ipv4.tos & 3);
  differ("don't-fragment flag", `${sent.ipv4.dontFragment}`, `${arrived.ipv4.dontFragment}`);
  differ('IP options', bytesText(sent.ipv4.options), bytesText(arrived.ipv4.options));
  const captured = Math.min(sent.payload.length, arrived.payload.length);
  if (sent.length !== arrived.length) differ('payload', `${sent.length} bytes`, `${arrived.length} bytes`);
  else {
    const at = firstDifference(sent.payload, arrived.payload, captured);
    if (at !== undefined) differ('payload', `${sent.payload[at]} at byte ${at}`, `${arrived.payload[at]}`);
  }
  return changes;
}

const CONGESTION_EXPERIENCED = 3;

/** Of the lower two bits a router may say only that it was congested, to who asked to be told (RFC 3168 §5). */
export function ecnKept(before: number, after: number): boolean {
  return (before & 3) === (after & 3) || ((before & 3) !== 0 && (after & 3) === CONGESTION_EXPERIENCED);
}

/** The first index below `length` where two byte arrays differ. */
export function firstDifference(a: Uint8Array, b: Uint8Array, length: number): number | undefined {
  if (Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0) return undefined;
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return undefined;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

function bytesText(bytes: Uint8Array): string {
  return bytes.length === 0 ? 'none' : Buffer.from(bytes).toString('hex');
}
