/** What a module prints itself (PrintT): values, that may go over several lines. */
import type { TlcMessage } from './messages.js';

const STRING = /"(?:[^"\\]|\\.)*"/g;

/** Puts the lines of one value together again, by its brackets. */
export class PrintCollector {
  #lines: string[] = [];
  #depth = 0;

  line(text: string): TlcMessage[] {
    this.#lines.push(text);
    const outside = text.replace(STRING, '');
    for (const [sign] of outside.matchAll(/<<|>>|[[\](){}]/g)) this.#depth += /<<|[[({]/.test(sign) ? 1 : -1;
    return this.#depth > 0 ? [] : this.flush();
  }

  /** What a message or the end cut off. */
  flush(): TlcMessage[] {
    const text = this.#lines.join('\n');
    this.#lines = [];
    this.#depth = 0;
    return text === '' ? [] : [{ kind: 'print', text }];
  }
}
