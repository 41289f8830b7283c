/** A log file that cannot fill a disk: its beginning and its end are kept, and how much was left out between them. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Bytes kept of each end. */
const KEPT = 256 * 1024;

export class BoundedLog {
  readonly #fd: number;
  #head = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #leftOut = 0;
  #last = '';
  #closed = false;

  /** Makes the file, or empties it. */
  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  append(bytes: Buffer): void {
    if (this.#closed) return;
    this.#last = (this.#last + bytes.subarray(-2048).toString('utf8')).slice(-2048);
    const room = KEPT - this.#head;
    const head = bytes.subarray(0, room);
    if (head.length > 0) writeSync(this.#fd, head);
    this.#head += head.length;
    const rest = bytes.subarray(head.length);
    if (rest.length === 0) return;
    // A copy: a piece of a pool would keep all of the pool.
    this.#tail.push(Buffer.from(rest));
    this.#tailBytes += rest.length;
    for (let first = this.#tail[0]; first && this.#tailBytes - first.length >= KEPT; first = this.#tail[0]) {
      this.#tail.shift();
      this.#tailBytes -= first.length;
      this.#leftOut += first.length;
    }
  }

  /** The last lines that are not empty, at most so many, joined by ` | `. */
  lastWords(lines: number): string {
    return this.#last
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .slice(-lines)
      .join(' | ')
      .slice(-500);
  }

  /** Writes the end; what is appended afterwards is forgotten. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#leftOut > 0) writeSync(this.#fd, `\n[... ${this.#leftOut} bytes left out ...]\n`);
    writeSync(this.#fd, Buffer.concat(this.#tail));
    closeSync(this.#fd);
  }
}

/** Keeps the two ends of a file that somebody else wrote; nothing happens where there is none. */
export function keepEnds(from: string, to: string): void {
  let fd: number;
  try {
    fd = openSync(from, 'r');
  } catch {
    return;
  }
  try {
    const log = new BoundedLog(to);
    const piece = Buffer.alloc(64 * 1024);
    for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece))
      log.append(piece.subarray(0, length));
    log.close();
  } finally {
    closeSync(fd);
  }
}
