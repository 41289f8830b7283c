/** Traces as the module TraceData that Trace.tla extends. */
import type { TracedOperation, TraceProgram } from './program.js';

type Written =
  | number
  | boolean
  | string
  | readonly Written[]
  | ReadonlySet<Written>
  | { readonly [name: string]: Written };

/** A value in TLA+: arrays are sequences, sets are sets, objects are records. */
function text(value: Written): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'string') return JSON.stringify(value);
  if (isArray(value)) return `<<${value.map(text).join(', ')}>>`;
  if (value instanceof Set) return `{${[...value].map(text).join(', ')}}`;
  return `[${Object.entries(value)
    .map(([name, field]) => `${name} |-> ${text(field)}`)
    .join(', ')}]`;
}

function isArray(value: Written): value is readonly Written[] {
  return Array.isArray(value);
}

function operation(step: TracedOperation): Written {
  switch (step.op) {
    case 'act':
      return { op: step.op, role: step.role, name: step.name, ...step.says };
    case 'meet':
      return { op: step.op, ...step.segment };
    case 'leave':
      return { op: step.op, id: step.id };
    case 'arrive':
      return { op: step.op, host: step.host, id: step.id, ends: step.ends, fin: step.fin };
  }
}

/** `stops`: of each trace, the operation at which to ask what was allowed; 0 for none. */
export function traceData(programs: readonly TraceProgram[], stops: readonly number[] = []): string {
  const traces = programs.map((program, index): string =>
    text({
      wire: program.wire,
      backends: new Set(program.backends),
      misfortune: new Set(program.misfortune),
      hidden: new Set(program.hidden),
      interim: program.interim,
      stop: stops[index] ?? 0,
      requests: program.requests.map(({ kind, head, payload, response, backend }) => ({
        kind,
        head,
        payload,
        response,
        backend,
      })),
      packets: program.packets.map((packet) => ({ ...packet })),
      ops: program.steps.map((step) => operation(step.operation)),
    }),
  );
  return `---- MODULE TraceData ----\n\\* Generated.\nTraces == <<\n${traces.join(',\n')}\n>>\n====\n`;
}
