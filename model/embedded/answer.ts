/** What the checker says of a run, and what that means. */
import { z } from 'zod';
import type { EmbeddedEnd } from './outcome.js';
import type { CheckerInput } from './source.js';

/** Its JSON. `states_explored` counts distinct states. */
export const Answer = z.object({
  success: z.boolean(),
  error_type: z.string().nullable(),
  error_message: z.string().nullable(),
  states_explored: z.number().int().nonnegative(),
  warnings: z.array(z.string()),
});
export type Answer = z.infer<typeof Answer>;

/** `property`: the violated one, as far as it is known. */
export function endOf(answer: Answer, input: CheckerInput, maxStates: number, property: string | null): EmbeddedEnd {
  const message = answer.error_message ?? '';
  // It warns of what it leaves out.
  if (answer.warnings.length > 0) return { kind: 'unsupported', what: answer.warnings.join('; ') };
  if (answer.success) return { kind: 'ok', distinct: answer.states_explored };
  switch (answer.error_type) {
    case 'InvariantViolation': {
      const name = input.invariants[Number(/^Invariant (\d+) violated/.exec(message)?.[1])];
      return name === undefined ? { kind: 'internal', message } : { kind: 'invariant', name };
    }
    case 'LivenessViolation':
      return { kind: 'liveness', property };
    case 'NoInitialStates':
      return { kind: 'ok', distinct: 0 };
    case 'MaxStatesExceeded':
      return { kind: 'too-many-states', maxStates };
    case 'InitError':
    case 'NextError':
    case 'InvariantError':
    case 'AssumeError':
    case 'AssumeViolation':
      return { kind: 'evaluation-error', message };
    case 'ParseError':
      return parseErrorOf(message, input);
    case 'ConfigError':
      // Its names have been looked up before: a definition is not what the checker wants it to be.
      return { kind: 'unsupported', what: message };
    default:
      return { kind: 'internal', message: `${answer.error_type}: ${message}` };
  }
}

/** `ParseError { message: "unexpected `+`", span: Some(Span { start: 79, end: 80 }), ... }` */
function parseErrorOf(text: string, input: CheckerInput): EmbeddedEnd {
  const start = /start: (\d+)/.exec(text)?.[1];
  const place = start === undefined ? undefined : input.placeAt(Number(start));
  const said = /message: "((?:\\.|[^"\\])*)"/.exec(text)?.[1]?.replace(/\\(.)/g, '$1') ?? text;
  const message = place?.defines ? `${place.defines}: ${said}` : said;
  return {
    kind: 'parse-error',
    module: place?.module ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    message,
  };
}
