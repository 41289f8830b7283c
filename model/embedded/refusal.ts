/** Why a model is not run: what is wrong with its text, or what in it the embedded checker does not do. */

export type Refusal =
  | {
      readonly kind: 'parse-error';
      readonly module: string | null;
      readonly line: number | null;
      readonly column: number | null;
      readonly message: string;
    }
  /** `what` is the construct, as a phrase. */
  | { readonly kind: 'unsupported'; readonly what: string };

/** Thrown inside model/embedded only; its functions for others answer with outcomes. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.kind === 'unsupported' ? refusal.what : refusal.message);
    this.refusal = refusal;
  }
}

export function unsupported(what: string): RefusedError {
  return new RefusedError({ kind: 'unsupported', what });
}

export function parseError(message: string, module: string | null, line?: number, column?: number): RefusedError {
  return new RefusedError({ kind: 'parse-error', module, line: line ?? null, column: column ?? null, message });
}
