/** Cuts a byte stream into lines without ever holding more than one line of the longest length. */
import { StringDecoder } from 'node:string_decoder';

/** Calls `take` for each whole line, without its newline. A line longer than `longest` characters is handed on cut, and its rest left out. */
export class LineCutter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #longest: number;
  readonly #take: (line: string) => void;
  #partial = '';
  #skipping = false;

  constructor(longest: number, take: (line: string) => void) {
    this.#longest = longest;
    this.#take = take;
  }

  push(bytes: Buffer): void {
    const lines = (this.#partial + this.#decoder.write(bytes)).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      if (this.#skipping) this.#skipping = false;
      else this.#take(line);
    }
    if (this.#partial.length > this.#longest) {
      if (!this.#skipping) this.#take(this.#partial);
      this.#skipping = true;
    }
    if (this.#skipping) this.#partial = '';
  }
}
