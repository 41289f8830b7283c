/** The capture process: reads every frame on the switch's links, independently of the switch, and writes one pcapng. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { pcapngHeader, pcapngPacket } from '../capture/pcapng.js';
import { answerLines } from './command-lines.js';
import { interfaceMtu } from './libc.js';
import { frameNews, News } from './news.js';
import { interfaceIndex, PacketSocket, type ReceivedFrame } from './packet-socket.js';

export interface CaptureLaunch {
  /** Interfaces of this namespace; each is a vantage of that name. */
  readonly vantages: readonly string[];
  readonly file: string;
  /** Bytes kept of each frame; all when absent. */
  readonly length?: number;
}

/** 64 MiB: an 8 MB transfer with its acknowledgements at two vantages, even if this process does not run meanwhile. */
const RING_SLOTS = 32 * 1024;
const BATCH = 512;
/** Two processors may put frames into the ring in another order than they stamped them; by this much at most. */
const REORDER_NS = 50_000_000n;
const WRITE_BYTES = 256 * 1024;

class CaptureFile {
  readonly #fd: number;
  readonly #length: number;
  readonly #numberOf = new Map<number, number>();
  #held: ReceivedFrame[] = [];
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  readonly news = new News();
  frames = 0;
  /** Of the newest frame, by the monotonic clock, in ms. */
  lastAt = performance.now();

  constructor(launch: CaptureLaunch) {
    for (const [number, vantage] of launch.vantages.entries()) this.#numberOf.set(interfaceIndex(vantage), number);
    this.#length = launch.length ?? Number.POSITIVE_INFINITY;
    this.#fd = openSync(launch.file, 'w');
    this.#write(pcapngHeader(launch.vantages));
  }

  hold(frame: ReceivedFrame): void {
    if (!this.#numberOf.has(frame.interfaceIndex)) return;
    const news = frameNews(frame.bytes, frame.interfaceIndex);
    if (news !== undefined) this.news.note(news);
    this.#held.push(
      frame.bytes.length > this.#length ? { ...frame, bytes: frame.bytes.slice(0, this.#length) } : frame,
    );
    this.lastAt = performance.now();
  }

  /** Writes, in the order of time stamps, what no later frame can precede. */
  release(all: boolean): void {
    // Nearly sorted, and the sort is stable: frames of one stamp keep the kernel's order.
    this.#held.sort((a, b) => (a.timestampNs < b.timestampNs ? -1 : a.timestampNs > b.timestampNs ? 1 : 0));
    const newest = this.#held.at(-1)?.timestampNs ?? 0n;
    let count = this.#held.length;
    if (!all) {
      count = this.#held.findIndex((frame) => frame.timestampNs > newest - REORDER_NS);
      if (count < 0) count = 0;
    }
    for (const frame of this.#held.slice(0, count)) {
      const number = this.#numberOf.get(frame.interfaceIndex);
      if (number !== undefined) this.#write(pcapngPacket(number, frame.timestampNs, frame.bytes, frame.originalLength));
      this.frames++;
    }
    this.#held = this.#held.slice(count);
    if (all || this.#pieceBytes >= WRITE_BYTES) this.#flush();
  }

  close(): void {
    this.release(true);
    closeSync(this.#fd);
  }

  #write(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
  }

  #flush(): void {
    writeSync(this.#fd, Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#pieceBytes = 0;
  }
}

let socket: PacketSocket | undefined;
let file: CaptureFile | undefined;
let sinceRelease = 0;

answerLines((question) => {
  if (!socket || !file) {
    const output = new CaptureFile(question as unknown as CaptureLaunch);
    const { vantages } = question as unknown as CaptureLaunch;
    const input = new PacketSocket({ outgoing: true, slots: RING_SLOTS, mtu: Math.max(...vantages.map(interfaceMtu)) });
    input.onReadable(() => {
      sinceRelease += input.receive(BATCH, (frame) => output.hold(frame));
      if (sinceRelease < BATCH) return;
      sinceRelease = 0;
      output.release(false);
    });
    socket = input;
    file = output;
    return { ready: true };
  }
  if (question.command === 'news?') return { news: file.news.count };
  if (question.command === 'quiet?') return { quietMs: performance.now() - file.lastAt };
  // Stop: whatever was sent before is in the ring already, because the kernel puts it there as it is sent.
  const output = file;
  while (socket.receive(BATCH, (frame) => output.hold(frame)) > 0);
  const drops = socket.drops();
  socket.close();
  output.close();
  return { frames: output.frames, drops };
});
