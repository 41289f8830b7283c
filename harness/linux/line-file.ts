/** An NDJSON file that is written as it grows. */
import { closeSync, openSync, writeSync } from 'node:fs';

const CHUNK = 64 * 1024;

export class LineFile {
  readonly #fd: number;
  #pending = '';

  /** `prompt`: every line is written at once, for a writer that may be killed. */
  constructor(
    path: string,
    readonly prompt = false,
  ) {
    this.#fd = openSync(path, 'w');
  }

  append(value: object): void {
    this.#pending += `${JSON.stringify(value)}\n`;
    if (this.prompt || this.#pending.length >= CHUNK) this.flush();
  }

  flush(): void {
    if (this.#pending.length > 0) writeSync(this.#fd, this.#pending);
    this.#pending = '';
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
  }
}
