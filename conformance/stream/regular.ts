/**
 * Recognises the connections in which nothing happened but what every hand-off must be made of, and counts what the checks would count.
 * Whatever is not certainly so is left to the checks: a refusal here says nothing about anybody. What is regular:
 *
 * one handshake with the controller; requests one by one, each whole before it is acknowledged, handed off, answered and taken back in the
 * order of SoCC'17 §2; every segment sent in order, with right checksums, and arrived once, at the owner, changed as its hop must change it
 * and not otherwise; at most a close behind the last request. Of losses, what a backend repairs by itself is regular: its data, and the
 * client's acknowledgements.
 */
import { formatIpv4Address, type Ipv4Address, type MacAddress } from '../../reference-impl/wire/addresses.js';
import { readU32, readU48 } from '../../reference-impl/wire/octets.js';
import { seqAdd, seqDiff, seqLt } from '../../reference-impl/wire/seq.js';
import { findTcpOption, parseTcpOptions, TcpFlag } from '../../reference-impl/wire/tcp.js';
import type { Hosts } from '../flows/decode.js';
import { type RequestMessage, type ResponseMessage, readRequest, readResponse } from '../flows/http.js';
import { ColumnStream } from './column-stream.js';
import { type FlowFrames, Place, STRIDE, Word } from './frames.js';
import { pairPlainly } from './pairs.js';
import type { RegularConnection, RegularExchange } from './regular-connection.js';
import { SegmentBytes } from './segment-bytes.js';

const CLIENT = 0;
const CONTROLLER = 1;

/** No-operation twice, timestamps of ten bytes: the option bytes that every stack sends outside of SYNs. */
const STAMPED = 0x0101080a;
/** No-operation twice, SACK blocks. */
const SACK = 0x010105;
/** ECE and CWR are the network's, PSH is advice. */
const IGNORED = TcpFlag.PSH | TcpFlag.ECE | TcpFlag.CWR;
/** Larger than any frame a link carries without offloads. */
const LARGEST_PACKET = 9216;

/** Who is who, by the numbers of vantages. */
export class Scene {
  readonly logicalIp: Ipv4Address;
  readonly fabricMac: MacAddress | undefined;
  /** By vantage; the first is the client's and empty. */
  readonly names: readonly string[];
  readonly ips: readonly Ipv4Address[];
  readonly macs: readonly (ReadonlySet<MacAddress> | undefined)[];

  constructor(hosts: Hosts) {
    this.logicalIp = hosts.logicalIp;
    this.fabricMac = hosts.fabricMac;
    this.names = ['client', 'controller', ...hosts.backends.keys()];
    this.ips = [0, hosts.controllerIp, ...[...hosts.backends.values()].map(({ ip }) => ip)];
    this.macs = this.names.map((name) => hosts.macs.get(name));
  }
}

/** Ends the recognition from within; never leaves this module. */
class Irregular extends Error {}

function refuse(why: string): never {
  throw new Irregular(why);
}

/** The connection's facts, or in a few words why it is for the checks to judge. `client`: address and port of the flow. */
export function recognise(
  frames: FlowFrames,
  scene: Scene,
  client: { readonly ip: Ipv4Address; readonly port: number },
  reused: boolean,
): RegularConnection | string {
  if (frames.odd) return 'a frame that is no plain segment';
  frames.sort();
  const mates = pairPlainly(frames);
  if (mates === undefined) return 'an arrival of nothing that was sent once';
  try {
    return new Recognition(frames, mates, scene).run(`${formatIpv4Address(client.ip)}:${client.port}`, reused);
  } catch (error) {
    if (error instanceof Irregular) return error.message;
    throw error;
  }
}

/** Stages of an exchange, by who has to act next. */
const Stage = { HEADER: 0, HANDOFF: 1, OWNED: 2, DONE: 3 } as const;

class Recognition {
  readonly #segment: SegmentBytes;
  readonly #clientStream: ColumnStream;
  readonly #serverStream: ColumnStream;
  readonly #exchanges: RegularExchange[] = [];
  #arrivals = new Float64Array(0);
  #arrivalCount = 0;

  // What the handshake settled.
  #clientFirst = 0;
  #serverFirst = 0;
  #mss = 536;
  #scale = 1;
  #timestamps = false;

  // Where the streams are; FINs count.
  #clientNext = 0;
  #serverNext = 0;
  #clientAcked = 0;
  #serverAcked = 0;
  #clientFin = false;
  #serverFin = false;
  #edge = 0;
  #firstStamp = 0;
  #clientStamp = 0;
  #serverStamp = 0;
  #speaker = CONTROLLER;
  #changes = 0;
  #lastToClient = Number.NEGATIVE_INFINITY;

  // The exchange under way.
  #stage: number = Stage.HEADER;
  #request: RequestMessage | undefined;
  /** The one behind it, if the rule took it to the backend. */
  #astray: RequestMessage | undefined;
  /** The one behind it, if it came before the controller spoke again. */
  #next: { readonly message: RequestMessage; readonly headerAt: number } | undefined;
  #response: ResponseMessage | undefined;
  #requestStart = 0;
  #responseStart = 0;
  #headerAt = 0;
  #begins = 0;
  #served = Number.NEGATIVE_INFINITY;
  #closing = false;
  #window = 0;
  #backend = 0;
  /** The backend that the client's segments reached before one spoke; 0 for none. */
  #reached = 0;
  #first = 0;
  #firstIndex = 0;
  #firstAtClient = 0;
  #doneFrom = 0;
  #doneAt = 0;
  #fromBackend = 0;
  #routed = 0;
  #tookPayload = false;
  /** When the client heard from the controller again; before it has once, it has always. */
  #heard = Number.NEGATIVE_INFINITY;
  #spokeAfter = false;

  #unmatched = 0;
  #rewritten = 0;
  #toClient = 0;
  #fromServers = 0;
  #repeated = 0;
  #heldFins = 0;

  constructor(
    private readonly frames: FlowFrames,
    private readonly mates: Int32Array,
    private readonly scene: Scene,
  ) {
    this.#segment = new SegmentBytes(frames);
    this.#clientStream = new ColumnStream(this.#segment.bytes);
    this.#serverStream = new ColumnStream(this.#segment.bytes);
  }

  run(client: string, reused: boolean): RegularConnection {
    const { count, words } = this.frames;
    this.#arrivals = new Float64Array(count >>> 1);
    let sent = 0;
    for (let index = 0; index < count; index++) {
      const low = words[index * STRIDE + Word.LENGTH_FLAGS_PLACE] ?? 0;
      if (((low >>> 24) & Place.SENT) === 0) continue;
      const mate = this.mates[index] ?? 0;
      if (mate >= 0) this.#compare(index, mate);
      else this.#lost(index, sent);
      if (sent === 0) this.#syn(index, mate);
      else if (sent === 1) this.#synAck(index, mate);
      else if ((low >>> 24) & Place.TO_SERVER) this.#fromClient(index, mate);
      else this.#fromServer(index, mate);
      sent++;
    }
    if (this.#exchanges.length === 0) refuse('no hand-off');
    // What a held FIN came to must be seen.
    if (this.#heldFins > 0 && !this.#ended) refuse('an open close');
    if (this.#stage !== Stage.HEADER || this.#clientStream.end !== this.#requestStart) refuse('an open exchange');
    return {
      client,
      exchanges: this.#exchanges,
      packets: this.#unmatched + this.#rewritten,
      lost: sent - this.#unmatched - this.#rewritten,
      fromServers: this.#fromServers,
      repeated: this.#repeated,
      heldFins: this.#heldFins,
      toClient: this.#toClient,
      unmatched: this.#unmatched,
      rewritten: this.#rewritten,
      timestamps: this.#timestamps,
      changesOfOwner: this.#changes,
      ended: this.#ended,
      arrivals: this.#arrivals.slice(0, this.#arrivalCount),
      reused,
    };
  }

  #ip(index: number): number {
    const w = index * STRIDE;
    return (this.frames.words[w + Word.START] ?? 0) + (this.frames.words[w + Word.IP] ?? 0);
  }

  #flags(index: number): number {
    return ((this.frames.words[index * STRIDE + Word.LENGTH_FLAGS_PLACE] ?? 0) >>> 16) & 0xff;
  }

  #vantage(index: number): number {
    return ((this.frames.words[index * STRIDE + Word.LENGTH_FLAGS_PLACE] ?? 0) >>> 24) & Place.VANTAGE;
  }

  #windowOf(index: number): number {
    return (this.frames.words[index * STRIDE + Word.WINDOW_ID] ?? 0) & 0xffff;
  }

  /** Nobody can tell from a lost segment what its hop did; its checksums are the sender's. */
  #lost(index: number, position: number): void {
    const ip = this.#ip(index);
    const segment = this.#segment;
    if (position < 2 || this.#stage !== Stage.OWNED) refuse('a loss that changes the story');
    if (!segment.ipChecksumValid(ip) || !segment.tcpChecksumValid(ip)) refuse('a wrong checksum');
    if (this.#flags(index) & (TcpFlag.RST | TcpFlag.URG | TcpFlag.FIN)) refuse('a loss that changes the story');
    const from = this.#vantage(index);
    if (
      from === CLIENT
        ? this.#length(index) > 0 || readU32(segment.bytes, ip + 16) !== this.scene.logicalIp
        : from === CONTROLLER
    )
      refuse('a loss that changes the story');
  }

  /** What every hop must do: keep the segment's content and its checksums right, and get the addresses right. */
  #compare(sent: number, arrived: number): void {
    const { scene } = this;
    const { bytes } = this.#segment;
    const a = this.#ip(sent);
    const b = this.#ip(arrived);
    const segment = this.#segment;
    if (!segment.agree(a, b)) refuse('a segment changed on its way');
    const size = ((bytes[a + 2] ?? 0) << 8) | (bytes[a + 3] ?? 0);
    if (size > LARGEST_PACKET) refuse('a segment that no link carries');
    if (!segment.ipChecksumValid(a) || !segment.ipChecksumValid(b)) refuse('a wrong IP checksum');
    if (!segment.tcpChecksumValid(a) || !segment.stillValid(a, b)) refuse('a wrong TCP checksum');
    const from = this.#vantage(sent);
    const to = this.#vantage(arrived);
    const flags = this.#flags(sent);
    if (flags & (TcpFlag.RST | TcpFlag.URG)) refuse('RST or URG');
    const ttl = (bytes[a + 8] ?? 0) - (bytes[b + 8] ?? 0);
    const toServer = from === CLIENT;
    // Where the Ethernet header begins, tags or not.
    const frame = this.frames.words[arrived * STRIDE + Word.START] ?? 0;
    if (toServer) {
      if (to === CLIENT) refuse('a segment between clients');
      if (readU32(bytes, a + 16) !== scene.logicalIp) refuse('a segment to another address');
      const wanted = to === CONTROLLER ? scene.logicalIp : scene.ips[to];
      if (readU32(bytes, b + 16) !== wanted) refuse('another destination address');
      const macs = scene.macs[to];
      if (to !== CONTROLLER && macs !== undefined && !macs.has(readU48(bytes, frame)))
        refuse('another destination MAC');
      if (this.#windowOf(sent) !== this.#windowOf(arrived)) refuse('another window');
      const cleared = to === CONTROLLER ? flags : flags & ~TcpFlag.FIN;
      if (cleared !== this.#flags(arrived)) refuse('other flags');
    } else {
      if (to !== CLIENT) refuse('a segment between servers');
      if (from === CONTROLLER && readU32(bytes, a + 12) !== scene.logicalIp)
        refuse('another address of the controller');
      if (readU32(bytes, b + 12) !== scene.logicalIp) refuse('another source address');
      if (scene.fabricMac !== undefined && readU48(bytes, frame + 6) !== scene.fabricMac) refuse('another source MAC');
      if (flags !== this.#flags(arrived)) refuse('other flags');
      if (from === CONTROLLER && this.#windowOf(sent) !== this.#windowOf(arrived)) refuse('another window');
      const t = this.frames.t[arrived] ?? 0;
      if (t < this.#lastToClient) refuse('segments that overtook one another');
      this.#lastToClient = t;
      this.#toClient++;
    }
    if (from === CONTROLLER || to === CONTROLLER) {
      if (ttl !== 1) refuse('another TTL');
      this.#unmatched++;
      this.#arrivals[this.#arrivalCount++] = this.frames.t[arrived] ?? 0;
    } else {
      if (ttl !== 0 && ttl !== 1) refuse('another TTL');
      this.#rewritten++;
    }
  }

  /** A SYN's options, which stand for a whole connection. */
  #options(index: number): ReturnType<typeof parseTcpOptions> {
    const ip = this.#ip(index);
    const { bytes } = this.#segment;
    return parseTcpOptions(bytes.subarray(ip + 40, ip + 20 + ((bytes[ip + 32] ?? 0) >>> 4) * 4));
  }

  #syn(index: number, mate: number): void {
    const flags = this.#flags(index) & ~IGNORED;
    if (this.#vantage(index) !== CLIENT || flags !== TcpFlag.SYN) refuse('no SYN first');
    if (this.#vantage(mate) !== CONTROLLER || this.#length(index) !== 0) refuse('a SYN elsewhere');
    this.#clientFirst = seqAdd(this.frames.words[index * STRIDE + Word.SEQ] ?? 0, 1);
  }

  #synAck(index: number, mate: number): void {
    const w = index * STRIDE;
    const { words } = this.frames;
    const flags = this.#flags(index) & ~IGNORED;
    if (this.#vantage(index) !== CONTROLLER || flags !== (TcpFlag.SYN | TcpFlag.ACK)) refuse('no SYN-ACK second');
    if (words[w + Word.ACK] !== this.#clientFirst || this.#length(index) !== 0) refuse('another SYN-ACK');
    this.#serverFirst = seqAdd(words[w + Word.SEQ] ?? 0, 1);
    const offered = this.#options(0);
    const answered = this.#options(index);
    for (const kind of ['window-scale', 'sack-permitted', 'timestamps'] as const) {
      if (findTcpOption(answered, kind) !== undefined && findTcpOption(offered, kind) === undefined)
        refuse('an option that was not offered');
    }
    const scale = findTcpOption(offered, 'window-scale');
    const scaling = scale !== undefined && findTcpOption(answered, 'window-scale') !== undefined;
    this.#scale = scaling ? 2 ** Math.min(scale.shift, 14) : 1;
    this.#mss = findTcpOption(offered, 'mss')?.value ?? 536;
    const own = findTcpOption(offered, 'timestamps');
    const theirs = findTcpOption(answered, 'timestamps');
    this.#timestamps = own !== undefined && theirs !== undefined;
    if (own !== undefined && theirs !== undefined) {
      this.#firstStamp = own.value;
      this.#clientStamp = own.value;
      this.#serverStamp = theirs.value;
      if (theirs.echo !== own.value) refuse('an echo of something else');
    }
    // A SYN's window is never scaled (RFC 7323 §2.2).
    this.#edge = this.#windowOf(0);
    if (this.#vantage(mate) !== CLIENT) refuse('a SYN-ACK elsewhere');
  }

  #length(index: number): number {
    return (this.frames.words[index * STRIDE + Word.LENGTH_FLAGS_PLACE] ?? 0) & 0xffff;
  }

  /** Where the payload begins in the flow's bytes; only the usual options are regular. */
  #payload(index: number): number {
    const ip = this.#ip(index);
    const { bytes } = this.#segment;
    const header = (bytes[ip + 32] ?? 0) >>> 4;
    const usual = this.#timestamps ? 8 : 5;
    if (header < usual) refuse('other options');
    if (this.#timestamps && readU32(bytes, ip + 40) !== STAMPED) refuse('other options');
    if (header > usual) {
      const sack = readU32(bytes, ip + 20 + usual * 4);
      if (this.#vantage(index) !== CLIENT || sack >>> 8 !== SACK) refuse('other options');
    }
    return ip + 20 + header * 4;
  }

  /** Both FINs are acknowledged. */
  get #ended(): boolean {
    return (
      this.#clientFin &&
      this.#serverFin &&
      this.#clientAcked === this.#serverNext &&
      this.#serverAcked === this.#clientNext
    );
  }

  #fromClient(index: number, mate: number): void {
    const { words, t } = this.frames;
    if (this.#ended) refuse('a segment behind the end');
    const w = index * STRIDE;
    const flags = this.#flags(index) & ~IGNORED;
    if ((flags & ~TcpFlag.FIN) !== TcpFlag.ACK) refuse('flags that are not usual');
    const payload = this.#payload(index);
    const length = this.#length(index);
    const offset = this.#clientNext + seqDiff(words[w + Word.SEQ] ?? 0, seqAdd(this.#clientFirst, this.#clientNext));
    const again = this.#clientFin && offset === this.#clientNext - 1 && (flags & TcpFlag.FIN) !== 0 && length === 0;
    const resent = this.#astray !== undefined && length > 0 && offset < this.#clientNext && mate >= 0;
    if (offset !== this.#clientNext && !again && !resent) refuse('a segment of the client out of order');
    const acked = this.#clientAcked + seqDiff(words[w + Word.ACK] ?? 0, seqAdd(this.#serverFirst, this.#clientAcked));
    if (acked < this.#clientAcked || acked > this.#serverNext) refuse('an acknowledgement that goes back');
    this.#clientAcked = acked;
    this.#edge = Math.max(this.#edge, acked + this.#windowOf(index) * this.#scale);
    if (this.#timestamps) {
      const stamp = readU32(this.#segment.bytes, this.#ip(index) + 44);
      if (seqLt(stamp, this.#clientStamp)) refuse('a client whose clock goes back');
      this.#clientStamp = stamp;
    }
    const sentAt = t[index] ?? 0;
    if (mate < 0) {
      // An acknowledgement that was lost; a later one takes its place.
      if (acked >= (this.#response?.end ?? Number.POSITIVE_INFINITY)) refuse('a loss that changes the story');
      return;
    }
    const arrivedAt = t[mate] ?? 0;
    const to = this.#vantage(mate);
    if (resent) {
      if (to !== CONTROLLER || flags & TcpFlag.FIN) refuse('a segment of the client out of order');
      this.#comesAgain(offset, length, payload, arrivedAt);
      return;
    }
    if (length > 0) {
      if (this.#clientFin) refuse('data behind a FIN');
      this.#clientStream.append(payload, length);
      this.#clientNext += length;
    }
    if (flags & TcpFlag.FIN) {
      if (length > 0) refuse('a FIN that is not alone');
      if (to !== CONTROLLER) {
        if (this.#stage !== Stage.DONE && this.#stage !== Stage.HEADER) refuse('a FIN while handed off');
        this.#heldFins++;
      } else if (again && this.#heldFins === 0) refuse('a FIN that is repeated');
      if (!this.#clientFin) {
        this.#clientFin = true;
        this.#clientNext++;
      }
    }
    // A rule may take to the backend what was sent before the client heard from the controller again.
    const ruled = to !== CONTROLLER;
    if (ruled) {
      if (this.#stage === Stage.HEADER && (this.#exchanges.length === 0 || sentAt > this.#heard))
        refuse('a segment at a backend before the hand-off');
      if (this.#stage === Stage.HANDOFF) {
        if (sentAt < this.#headerAt) refuse('a segment at a backend before the hand-off');
        this.#reached = to;
      } else if (to !== this.#backend) refuse('a segment astray');
      this.#routed++;
      this.#arrivals[this.#arrivalCount++] = arrivedAt;
    }
    if (this.#stage === Stage.HEADER) this.#headerFromClient(length, flags, sentAt, arrivedAt, to);
    else if (this.#stage === Stage.HANDOFF) {
      const payloadOf = ruled && this.#request?.kind === 'write' && this.#clientNext <= (this.#request.end ?? 0);
      if (flags & TcpFlag.FIN || (length > 0 && !payloadOf)) refuse('data before the hand-off');
    } else if (this.#stage === Stage.OWNED) {
      if (flags & TcpFlag.FIN) refuse('a FIN while handed off');
      if (sentAt > this.#firstAtClient && !ruled) refuse('a segment past the owner');
      const end = this.#request?.end ?? 0;
      if (length > 0 && (!ruled || this.#request?.kind !== 'write' || this.#clientNext > end))
        refuse('data while handed off');
      if (this.#response?.end !== undefined && acked >= this.#response.end) {
        if (!ruled || acked > this.#response.end || this.#clientNext !== end) refuse('an end that is not plain');
        this.#doneFrom = sentAt;
        this.#doneAt = arrivedAt;
        this.#stage = Stage.DONE;
      }
    } else if (length > 0 || (flags & TcpFlag.FIN && !ruled)) this.#early(length, ruled, arrivedAt);
  }

  /** Behind a write the window was never closed: the client goes on, and the controller's answer is its first word. */
  #early(length: number, ruled: boolean, arrivedAt: number): void {
    const request = this.#request;
    if (request?.kind !== 'write' || this.#next !== undefined || this.#astray !== undefined)
      refuse('data before the controller is back');
    if (length === 0) return;
    const message = this.#readRequest(request.end ?? 0);
    if (ruled) {
      // The old owner leaves it alone, and the client will say it again.
      if (message === undefined || message.headerEnd - message.start !== length) refuse('half a header astray');
      this.#astray = message;
    } else if (message !== undefined) this.#next = { message, headerAt: arrivedAt };
  }

  /** The next request, which the rule of the last one had taken, comes again and reaches the controller. */
  #comesAgain(offset: number, length: number, payload: number, arrivedAt: number): void {
    const message = this.#astray ?? refuse('a segment of the client out of order');
    if (this.#stage !== Stage.DONE || offset !== message.start || length !== message.headerEnd - message.start)
      refuse('a segment of the client out of order');
    const before = this.#clientStream.read(offset, length);
    if (Buffer.compare(before, this.#segment.bytes.subarray(payload, payload + length)) !== 0)
      refuse('a repetition with other bytes');
    this.#astray = undefined;
    this.#next = { message, headerAt: arrivedAt };
  }

  #readRequest(start: number): RequestMessage | undefined {
    const read = readRequest(this.#clientStream, start);
    if (read.kind === 'unreadable') refuse('a request that cannot be read');
    if (read.kind !== 'message') return undefined;
    const { message } = read;
    if (message.kind === 'other' || message.chunked || message.end === undefined) refuse('an unusual request');
    if (message.start !== start || this.#clientStream.end !== message.headerEnd) refuse('more than a header');
    return message;
  }

  #begin(message: RequestMessage, headerAt: number): void {
    this.#request = message;
    this.#response = undefined;
    this.#headerAt = headerAt;
    this.#begins = Math.max(this.#served, headerAt);
    this.#closing = false;
    this.#stage = Stage.HANDOFF;
  }

  #headerFromClient(length: number, flags: number, sentAt: number, arrivedAt: number, to: number): void {
    const after = this.#exchanges.at(-1);
    if (after !== undefined) {
      if (sentAt <= this.#heard && (length > 0 || (flags & TcpFlag.FIN && to === CONTROLLER)))
        refuse('data before the controller is back');
      if (sentAt > this.#heard && to === CONTROLLER && !this.#spokeAfter) {
        this.#spokeAfter = true;
        this.#exchanges[this.#exchanges.length - 1] = { ...after, spokeAfter: true };
      }
    } else if (flags & TcpFlag.FIN) refuse('a FIN before the first request');
    if (length === 0) return;
    if (this.#serverFin) refuse('a request behind the FIN of the server');
    const message = this.#readRequest(this.#requestStart);
    if (message !== undefined) this.#begin(message, arrivedAt);
  }

  #fromServer(index: number, mate: number): void {
    const { words, t } = this.frames;
    const w = index * STRIDE;
    const flags = this.#flags(index) & ~IGNORED;
    if ((flags & ~TcpFlag.FIN) !== TcpFlag.ACK) refuse('flags that are not usual');
    const payload = this.#payload(index);
    const length = this.#length(index);
    const offset = this.#serverNext + seqDiff(words[w + Word.SEQ] ?? 0, seqAdd(this.#serverFirst, this.#serverNext));
    const again = offset < this.#serverNext && length > 0;
    if (offset !== this.#serverNext && !again) refuse('a segment of a server out of order');
    this.#fromServers++;
    const acked = this.#serverAcked + seqDiff(words[w + Word.ACK] ?? 0, seqAdd(this.#clientFirst, this.#serverAcked));
    if (acked < this.#serverAcked || acked > this.#clientNext) refuse('an acknowledgement that goes back');
    this.#serverAcked = acked;
    const from = this.#vantage(index);
    if (this.#timestamps) {
      const ip = this.#ip(index);
      const stamp = readU32(this.#segment.bytes, ip + 44);
      const echo = readU32(this.#segment.bytes, ip + 48);
      if (seqLt(stamp, this.#serverStamp)) refuse('a server whose clock goes back');
      this.#serverStamp = stamp;
      if (echo === 0 || seqLt(echo, this.#firstStamp) || seqLt(this.#clientStamp, echo)) refuse('an unusual echo');
      if (from !== this.#speaker) this.#changes++;
    }
    this.#speaker = from;
    const sentAt = t[index] ?? 0;
    const arrivedAt = mate < 0 ? Number.POSITIVE_INFINITY : (t[mate] ?? 0);
    if (from === CONTROLLER) this.#fromController(length, flags, acked, index, sentAt, arrivedAt);
    else {
      this.#fromBackendOf(from, flags, acked, index, mate, sentAt, arrivedAt);
      if (again) this.#repeat(payload, offset, length);
      else if (length > 0) this.#respond(payload, length);
    }
  }

  #fromController(
    length: number,
    flags: number,
    acked: number,
    index: number,
    sentAt: number,
    arrivedAt: number,
  ): void {
    if (length > 0) refuse('a controller that answers by itself');
    if (this.#stage === Stage.DONE) {
      if (this.#astray !== undefined) refuse('a controller that speaks before it is asked');
      this.#takeBack(index, sentAt, arrivedAt);
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.#begin(next.message, next.headerAt);
    }
    if (flags & TcpFlag.FIN) {
      if (this.#serverFin || this.#stage !== Stage.HEADER || this.#exchanges.length === 0)
        refuse('a FIN of the controller');
      if (this.#clientStream.end !== this.#requestStart) refuse('a FIN of the controller');
      this.#serverFin = true;
      this.#serverNext++;
    }
    if (this.#stage === Stage.HANDOFF) {
      if (sentAt < this.#begins || acked > (this.#request?.headerEnd ?? 0)) refuse('an early acknowledgement');
      if (acked === this.#request?.headerEnd) {
        this.#closing = true;
        this.#window = this.#windowOf(index);
      }
    } else if (this.#stage === Stage.OWNED) refuse('the controller while handed off');
  }

  #takeBack(index: number, sentAt: number, arrivedAt: number): void {
    const { scene } = this;
    const request = this.#request ?? refuse('no request');
    const response = this.#response;
    if (response?.end === undefined || response.end !== this.#serverStream.end) refuse('an open response');
    if (sentAt < this.#doneAt) refuse('a controller that is back too soon');
    if (request.kind === 'read' && this.#windowOf(index) === 0) refuse('a window that stays closed');
    const w = this.#firstIndex * STRIDE;
    const { words } = this.frames;
    this.#exchanges.push({
      kind: request.kind === 'read' ? 'read' : 'write',
      target: request.target,
      payload: request.end !== request.headerEnd,
      backend: scene.names[this.#backend] ?? '',
      tookPayload: this.#tookPayload,
      headerAt: this.#headerAt,
      begins: this.#begins,
      first: this.#first,
      firstFrame: { file: (words[w + Word.CAPTURED_FILE] ?? 0) >>> 20, number: words[w + Word.NUMBER] ?? 0 },
      doneFrom: this.#doneFrom,
      takenBackAtClient: arrivedAt,
      spokeAfter: false,
      fromBackend: this.#fromBackend,
      routed: this.#routed,
    });
    this.#heard = arrivedAt;
    this.#spokeAfter = false;
    this.#served = this.#doneFrom;
    this.#requestStart = request.end ?? 0;
    this.#responseStart = response.end;
    this.#fromBackend = 0;
    this.#routed = 0;
    this.#tookPayload = false;
    this.#stage = Stage.HEADER;
  }

  #fromBackendOf(
    from: number,
    flags: number,
    acked: number,
    index: number,
    mate: number,
    sentAt: number,
    arrivedAt: number,
  ): void {
    const request = this.#request;
    if (flags & TcpFlag.FIN) refuse('a FIN of a backend');
    if (request === undefined) refuse('a backend before a request');
    if (this.#stage === Stage.HANDOFF) {
      if (!this.#closing || sentAt < this.#begins) refuse('a backend before the acknowledgement');
      if (this.#window === 0 ? request.kind === 'write' && request.end !== request.headerEnd : request.kind === 'read')
        refuse('another window at the hand-off');
      if (this.#reached !== 0 && this.#reached !== from) refuse('a segment astray');
      this.#reached = 0;
      this.#backend = from;
      this.#first = sentAt;
      this.#firstIndex = index;
      this.#firstAtClient = Number.POSITIVE_INFINITY;
      this.#stage = Stage.OWNED;
    } else if (this.#stage !== Stage.OWNED || from !== this.#backend) refuse('a backend that is not the owner');
    const arrived = mate >= 0;
    if (arrived) {
      this.#fromBackend++;
      this.#firstAtClient = Math.min(this.#firstAtClient, arrivedAt);
    }
    if (request.kind === 'read') {
      if (arrived && this.#windowOf(mate) !== 0) refuse('an open window during a read');
      if (acked !== request.headerEnd) refuse('an acknowledgement behind the header');
    } else {
      if (arrived && this.#windowOf(mate) !== this.#windowOf(index)) refuse('another window during a write');
      if (acked > (request.end ?? 0) || acked < request.headerEnd) refuse('an acknowledgement behind the payload');
      if (acked > request.headerEnd) this.#tookPayload = true;
    }
  }

  /** What a backend sends again must be its own, and the same. */
  #repeat(payload: number, offset: number, length: number): void {
    const end = offset + length;
    if (offset < this.#responseStart || end > this.#serverNext) refuse('a repetition that is not plain');
    const before = this.#serverStream.read(offset, length);
    if (Buffer.compare(before, this.#segment.bytes.subarray(payload, payload + length)) !== 0)
      refuse('a repetition with other bytes');
    // A keep-alive may carry one byte of anything (RFC 9293 §3.8.4).
    if (length > 1) this.#repeated++;
    if (length + (this.#timestamps ? 12 : 0) > this.#mss) refuse('a segment that is too large');
  }

  #respond(payload: number, length: number): void {
    const request = this.#request ?? refuse('a response to nothing');
    const size = length + (this.#timestamps ? 12 : 0);
    if (size > this.#mss) refuse('a segment that is too large');
    this.#serverStream.append(payload, length);
    this.#serverNext += length;
    if (this.#serverNext > this.#edge) refuse('data behind the window');
    if (this.#response === undefined) {
      const read = readResponse(this.#serverStream, this.#responseStart, request.method, undefined);
      if (read.kind === 'unreadable') refuse('a response that cannot be read');
      if (read.kind === 'message') {
        if (read.message.end === undefined || read.message.untilClose) refuse('an unusual response');
        this.#response = read.message;
      }
    }
    if (this.#response?.end !== undefined && this.#serverNext > this.#response.end) refuse('data behind the response');
  }
}
