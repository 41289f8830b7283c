/** What a result is to a build system that knows only ok, not ok and skipped (TAP, JUnit). */
import type { ResultDocument } from '../result-schema.js';
import type { Result } from '../verdict.js';

/** `reason` is one line. */
export type Outcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'failed' }
  /** The harness or the environment failed: no verdict on the target. */
  | { readonly kind: 'error' }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** What the target's manifest excuses; the reason is its own. */
  | { readonly kind: 'waived'; readonly reason: string };

/** Under `strict` what stayed open is a failure, as it is for the exit code. */
export function outcomeOf(result: Result, strict: boolean): Outcome {
  if (result.waiver !== undefined) return { kind: 'waived', reason: oneLine(waiverWords(result.waiver)) };
  switch (result.verdict) {
    case 'pass':
      return { kind: 'ok' };
    case 'fail':
      return { kind: 'failed' };
    case 'error':
      return { kind: 'error' };
    case 'inconclusive':
    case 'unsupported':
      return strict ? { kind: 'failed' } : { kind: 'skipped', reason: oneLine(`${result.verdict}: ${result.message}`) };
  }
}

/** Why, where it is written down, and until when. */
export function waiverWords({ reason, link, expires }: NonNullable<Result['waiver']>): string {
  return `${reason} (${link}), until ${expires}`;
}

export interface Suite {
  /** `sim`, `linux`, `spec`, `refine`, `captures`. */
  readonly name: string;
  /** Their ids without the suite's name. */
  readonly results: readonly Result[];
}

/** The document's results by world: by what `prism verify` puts before an id, else all of the one world of the run. */
export function suitesOf(document: ResultDocument): Suite[] {
  const whole = document.world === 'none' ? 'captures' : document.world;
  const suites = new Map<string, Result[]>();
  for (const result of document.results) {
    const slash = result.id.indexOf('/');
    const name = slash > 0 ? result.id.slice(0, slash) : whole;
    const own = { ...result, id: result.id.slice(slash > 0 ? slash + 1 : 0) };
    const suite = suites.get(name);
    if (suite) suite.push(own);
    else suites.set(name, [own]);
  }
  return [...suites].map(([name, results]) => ({ name, results }));
}

/** White space and line ends of any kind become one space each. */
export function oneLine(text: string): string {
  return text.replace(/[\s\u0085]+/gu, ' ').trim();
}
