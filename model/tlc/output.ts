/** TLC's output with `-tool`, as typed messages, while it comes. */
import { CODE, isConfigurationError } from './codes.js';
import { type Frame, FrameSplitter } from './frames.js';
import { parseMessage } from './message-texts.js';
import type { TlcMessage } from './messages.js';
import { PrintCollector } from './prints.js';
import { parseSany } from './sany.js';

export class TlcOutput {
  readonly #frames = new FrameSplitter();
  readonly #prints = new PrintCollector();
  readonly #root: string;
  /** What SANY printed; undefined before it starts. */
  #sany: string[] | undefined;
  #sanyEnded = false;

  /** `root`: the name of the root module, for errors that name none. */
  constructor(root: string) {
    this.#root = root;
  }

  /** The messages that this piece of the output completes. */
  push(text: string): TlcMessage[] {
    return this.#frames.push(text).flatMap((frame) => this.#frame(frame));
  }

  /** The rest, when the output has ended. */
  end(): TlcMessage[] {
    const messages = this.#frames.end().flatMap((frame) => this.#frame(frame));
    return [...messages, ...this.#prints.flush()];
  }

  #frame(frame: Frame): TlcMessage[] {
    if (frame.kind === 'line') return this.#line(frame.text);
    const before = this.#prints.flush();
    if (frame.code === CODE.sanyStart) this.#sany = [];
    if (frame.code === CODE.sanyEnd) this.#sanyEnded = true;
    if (frame.code === CODE.parsingFailed || frame.code === CODE.parsingFailedBecause) {
      const fallback = { module: this.#root, line: null, column: null, message: frame.text };
      return [...before, { kind: 'parse-error', error: parseSany(this.#sany ?? [], this.#root) ?? fallback }];
    }
    if (isConfigurationError(frame.code)) {
      const line = /at line (\d+)/.exec(frame.text)?.[1];
      const message = frame.text.trim().replace(/\s*\n\s*/g, ' ');
      const module = `${this.#root}.cfg`;
      const error = { module, line: line === undefined ? null : Number(line), column: null, message };
      return [...before, { kind: 'parse-error', error }];
    }
    return [...before, parseMessage(frame.code, frame.severity, frame.text)];
  }

  #line(text: string): TlcMessage[] {
    // The JVM's own last words, which come on the standard output.
    if (/^Terminating due to java\.lang\.OutOfMemoryError|^Exception .*java\.lang\.OutOfMemoryError/.test(text))
      return [{ kind: 'out-of-memory', message: text }];
    if (this.#sany === undefined) return text.trim() === '' ? [] : [{ kind: 'other', code: 0, text }];
    if (this.#sanyEnded) return this.#prints.line(text);
    this.#sany.push(text);
    return [];
  }
}
