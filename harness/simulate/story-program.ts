/** The program of one client in a story: what it may do next, and its plan as far as it has been told. */
import type { Player } from './player.js';
import type { Story, StoryRequest, StoryStep } from './workload.js';

/** One thing that could happen now. */
export interface Move {
  /** In words, before it happens. */
  readonly words: string;
  /** It is one of the misfortunes of which a story may have a few only. */
  readonly harm: boolean;
  readonly go: () => void;
}

export interface ToldStory extends Story {
  readonly requests: StoryRequest[];
  readonly steps: StoryStep[];
}

/** The requests of a drawn story, with nothing decided about when they are sent. */
export function untold(story: Story): ToldStory {
  return { ...story, requests: [...story.requests], steps: [{ do: 'told' }], abortAt: null };
}

export class StoryProgram {
  /** Of the stream, by what was told. */
  #written = 0;
  #shut = false;
  #left = false;

  constructor(
    readonly player: Player,
    readonly story: ToldStory,
    readonly open: () => void,
  ) {}

  get isOpen(): boolean {
    return this.player.port !== null;
  }

  /** It has begun, and nothing has ended it. */
  get #active(): boolean {
    return this.isOpen && this.player.ended === null && !this.#left;
  }

  moves(): Move[] {
    const { player, story } = this;
    const name = `client ${story.index + 1}`;
    if (!this.isOpen) return [{ words: `${name} opens a connection`, harm: false, go: this.open }];
    if (!this.#active) return [];
    const moves: Move[] = [];
    const { begun, current } = this.#position();
    if (current !== undefined && !this.#shut) {
      const number = story.requests.indexOf(current) + 1;
      const { method, path, headerEnd, start, end } = current;
      const what = `request ${number} (${method} ${path})`;
      const to = this.#written < headerEnd ? headerEnd : end;
      const piece = this.#written + Math.ceil((to - this.#written) / 2);
      const part = piece <= headerEnd ? 'header' : 'payload';
      const inside = this.#written > start;
      const behind = player.responses < number - 1 ? ', behind one that has no answer yet' : '';
      moves.push({
        words: `${name} sends ${inside ? 'the rest of ' : ''}${what}${behind}`,
        harm: false,
        go: () => this.#write(end),
      });
      if (this.#written < headerEnd && headerEnd < end)
        moves.push({
          words: `${name} sends the header of ${what}, not its payload${behind}`,
          harm: false,
          go: () => this.#write(headerEnd),
        });
      if (piece < end)
        moves.push({
          words: `${name} sends a piece of the ${part} of ${what}${behind}`,
          harm: false,
          go: () => this.#write(piece),
        });
    }
    if (!this.#shut && begun > 0 && this.#atBoundary(begun))
      moves.push({ words: `${name} half-closes`, harm: false, go: () => this.#shutdown(begun) });
    moves.push(
      { words: `${name} closes, whatever is still to come`, harm: true, go: () => this.#leave() },
      { words: `${name} resets the connection`, harm: true, go: () => this.#abort() },
    );
    return moves;
  }

  /** Nothing more is chosen: it finishes what it has begun, and waits for what it deserves. */
  finish(): void {
    if (!this.#active) return;
    const { begun } = this.#position();
    const last = this.story.requests[begun - 1];
    const steps: StoryStep[] = [];
    if (last !== undefined && this.#written < last.end) steps.push({ do: 'write', from: this.#written, to: last.end });
    steps.push({ do: 'responses', count: begun });
    if (this.#shut || last?.close === true) steps.push({ do: 'server-close' });
    // No response to the others is due.
    this.story.requests.length = begun;
    this.#replace(steps);
    this.player.goOn();
  }

  /** How many requests have been begun, and the one whose bytes come next. */
  #position(): { readonly begun: number; readonly current: StoryRequest | undefined } {
    const { requests } = this.story;
    return {
      begun: requests.filter(({ start }) => start < this.#written).length,
      current: requests.find(({ end }) => end > this.#written),
    };
  }

  #atBoundary(begun: number): boolean {
    return this.story.requests[begun - 1]?.end === this.#written;
  }

  #write(to: number): void {
    const from = this.#written;
    this.#written = to;
    this.#replace([{ do: 'write', from, to }, { do: 'told' }]);
    this.player.goOn();
  }

  #shutdown(begun: number): void {
    this.#shut = true;
    this.story.requests.length = begun;
    // It is over for whoever has said all and been told the end: what comes behind both FINs is nobody's any more.
    this.#replace([{ do: 'shutdown' }, { do: 'server-close' }]);
    this.player.goOn();
  }

  #leave(): void {
    this.#left = true;
    this.#replace([{ do: 'leave' }]);
    this.player.goOn();
  }

  #abort(): void {
    this.#left = true;
    this.player.giveUp();
  }

  /** In the place of the last step, which waits. */
  #replace(steps: readonly StoryStep[]): void {
    this.story.steps.splice(-1, 1, ...steps);
  }
}
