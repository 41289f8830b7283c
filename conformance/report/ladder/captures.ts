/** The capture files of one run, of which a ladder needs a conversation or two. */
import { type CapturedFrame, readCapture } from '../../../harness/capture/pcapng.js';
import type { JudgeInput } from '../../judge.js';
import type { Places, SeenFrame } from './frames.js';

/** Of a large capture only the frames that are to be drawn are kept dissected. Files that cannot be read have no frames. */
export class Captures {
  readonly #files: readonly {
    readonly frames: readonly CapturedFrame[];
    readonly vantages: readonly (string | undefined)[];
  }[];
  readonly #places: Places;
  /** Epoch time of the first frame. */
  readonly origin: bigint;

  constructor(input: JudgeInput, places: Places) {
    this.#places = places;
    this.#files = input.captures.map(({ bytes, vantage }) => {
      const capture = readCapture(bytes);
      if (!capture.ok) return { frames: [], vantages: [] };
      return { frames: capture.frames, vantages: capture.interfaces.map(({ name }) => vantage ?? name) };
    });
    let origin: bigint | undefined;
    for (const { frames } of this.#files)
      for (const { timestampNs } of frames) if (origin === undefined || timestampNs < origin) origin = timestampNs;
    this.origin = origin ?? 0n;
  }

  /** `number` from 1. Undefined where there is none, or nothing says where it was taken. */
  at(file: number, number: number): SeenFrame | undefined {
    const frame = this.#files[file]?.frames[number - 1];
    if (frame === undefined) return undefined;
    const vantage = this.#files[file]?.vantages[frame.interfaceIndex];
    return vantage === undefined ? undefined : this.#places.see(frame, vantage, file, number);
  }

  /** Every frame of these conversations, in order of time. */
  of(conversations: ReadonlySet<string>): SeenFrame[] {
    const kept: SeenFrame[] = [];
    for (const [file, { frames }] of this.#files.entries()) {
      for (let number = 1; number <= frames.length; number++) {
        const seen = this.at(file, number);
        if (seen !== undefined && conversations.has(seen.conversation)) kept.push(seen);
      }
    }
    return kept.sort((a, b) => (a.timestampNs < b.timestampNs ? -1 : a.timestampNs > b.timestampNs ? 1 : 0));
  }

  /** Where no frame decides: the last conversation in which a client was reset, else the one that was heard of last. */
  lastEnd(): string | undefined {
    let last: SeenFrame | undefined;
    let reset: SeenFrame | undefined;
    for (const [file, { frames }] of this.#files.entries()) {
      for (let number = 1; number <= frames.length; number++) {
        const seen = this.at(file, number);
        if (seen?.segment === undefined) continue;
        if (last === undefined || seen.timestampNs >= last.timestampNs) last = seen;
        if (!seen.segment.tcp.rst || seen.segment.towards !== 'client') continue;
        if (reset === undefined || seen.timestampNs >= reset.timestampNs) reset = seen;
      }
    }
    return (reset ?? last)?.conversation;
  }
}
