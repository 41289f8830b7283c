/** Capture files read piece by piece, so that their size does not matter: plain, compressed by gzip, or from standard input. */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { type CaptureError, CaptureParser, type FrameSink, Unreadable } from './parser.js';

/** Large enough that a piece's overhead does not show, small enough to stay in a processor's cache. */
const PIECE = 1 << 20;

export type SourceError = CaptureError | { readonly reason: 'io'; readonly cause: unknown };

/** One capture file on its way to a sink. */
export class CaptureSource {
  readonly parser: CaptureParser;
  #buffer = Buffer.allocUnsafeSlow(PIECE);
  /** Bytes in the buffer that are not parsed yet. */
  #have = 0;
  /** Bytes of the file that were read, before decompression. */
  read = 0;
  #file: number | undefined;
  #pieces: AsyncIterator<Buffer> | undefined;
  #end = false;

  private constructor(sink: FrameSink) {
    this.parser = new CaptureParser(sink, false);
  }

  /** `-` is standard input. Throws what `open` throws. */
  static open(path: string, sink: FrameSink): CaptureSource {
    const source = new CaptureSource(sink);
    if (path === '-') {
      source.#pieces = maybeCompressed(process.stdin, (n) => {
        source.read += n;
      });
      return source;
    }
    const file = openSync(path, 'r');
    const magic = Buffer.alloc(2);
    if (readSync(file, magic, 0, 2, 0) === 2 && magic.readUInt16BE() === 0x1f8b) {
      closeSync(file);
      source.#pieces = maybeCompressed(createReadStream(path, { highWaterMark: PIECE }), (n) => {
        source.read += n;
      });
    } else source.#file = file;
    return source;
  }

  /** Reads and parses one more piece; true while there may be more. Throws `Unreadable`, or what reading throws. */
  async step(): Promise<boolean> {
    if (this.#end) return false;
    if (this.#file !== undefined) this.stepFile(this.#file);
    else {
      const next = await this.#pieces?.next();
      if (next === undefined || next.done === true) this.#end = true;
      else this.#take(next.value);
      this.#parse();
    }
    return !this.#end;
  }

  /** Frees what it holds; safe at any time. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#end = true;
    void this.#pieces?.return?.();
  }

  private stepFile(file: number): void {
    if (this.#have === this.#buffer.length) this.#grow(2 * this.#buffer.length);
    const n = readSync(file, this.#buffer, this.#have, this.#buffer.length - this.#have, null);
    this.#have += n;
    this.read += n;
    if (n === 0) this.#end = true;
    this.#parse();
  }

  #take(piece: Buffer): void {
    const needed = this.#have + piece.length;
    if (needed > this.#buffer.length) this.#grow(Math.max(needed, 2 * this.#buffer.length));
    piece.copy(this.#buffer, this.#have);
    this.#have = needed;
  }

  /** A block is longer than the buffer; the parser refuses what no block can be. */
  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(grown, 0, 0, this.#have);
    this.#buffer = grown;
  }

  #parse(): void {
    const used = this.parser.parse(this.#buffer, this.#have, this.#end);
    this.#buffer.copyWithin(0, used, this.#have);
    this.#have -= used;
  }
}

async function* maybeCompressed(
  stream: AsyncIterable<Buffer> & NodeJS.ReadableStream,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const pieces = stream[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  count(head.length);
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield head;
    for (;;) {
      const next = await pieces.next();
      if (next.done === true) return;
      count(next.value.length);
      yield next.value;
    }
  };
  if (head.length < 2 || head.readUInt16BE() !== 0x1f8b) {
    yield* rest();
    return;
  }
  const gunzip = createGunzip({ chunkSize: PIECE });
  const { Readable, pipeline } = await import('node:stream');
  pipeline(Readable.from(rest(), { objectMode: false }), gunzip, () => undefined);
  for await (const piece of gunzip) yield piece as Buffer;
}

/** What a step threw, as data; undefined for what is none of the file's. */
export function sourceError(error: unknown, wholeFrames: number): CaptureError | undefined {
  if (error instanceof Unreadable) {
    const { reason, offset, detail } = error;
    return { reason, offset, detail, wholeFrames };
  }
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  if (typeof code === 'string' && /^Z_|^ERR_STREAM_PREMATURE/.test(code)) {
    return { reason: 'corrupt', offset: 0, detail: `gzip: ${(error as Error).message}`, wholeFrames };
  }
  return undefined;
}
