/** Splits the text that TLC prints with `-tool` into its messages and the lines between them. */

/** Severity: 0 none, 1 error, 2 a bug of TLC, 3 warning, 4 a state. */
export type Frame =
  | { readonly kind: 'message'; readonly code: number; readonly severity: number; readonly text: string }
  | { readonly kind: 'line'; readonly text: string };

const START = /^(?:: )?@!@!@STARTMSG (\d+):(\d+) @!@!@$/;
const END = /^@!@!@ENDMSG (\d+) @!@!@$/;

interface Open {
  readonly code: number;
  readonly severity: number;
  readonly lines: string[];
}

/**
 * Takes the output in pieces of any size. A message inside a message (TLC wraps the errors of a configuration file so) comes out before the
 * one around it. Nothing that a module prints can look like a message: TLC escapes line breaks in strings.
 */
export class FrameSplitter {
  readonly #open: Open[] = [];
  #partial = '';

  /** The frames that this piece completes. */
  push(text: string): Frame[] {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  /** What is left when the output ends, messages that were not finished included. */
  end(): Frame[] {
    const frames = this.#partial === '' ? [] : this.#line(this.#partial);
    this.#partial = '';
    for (let open = this.#open.pop(); open; open = this.#open.pop()) frames.push(message(open));
    return frames;
  }

  #line(line: string): Frame[] {
    const [, code, severity] = START.exec(line) ?? [];
    if (code !== undefined) {
      this.#open.push({ code: Number(code), severity: Number(severity), lines: [] });
      return [];
    }
    const current = this.#open.at(-1);
    if (!current) return [{ kind: 'line', text: line }];
    if (END.exec(line)?.[1] !== String(current.code)) {
      current.lines.push(line);
      return [];
    }
    this.#open.pop();
    return [message(current)];
  }
}

function message({ code, severity, lines }: Open): Frame {
  return { kind: 'message', code, severity, text: lines.join('\n') };
}
