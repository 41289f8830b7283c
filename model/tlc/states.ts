/** The states and locations in TLC's messages. */
import type { Location, State, TraceState } from './messages.js';
import { parseTlaValue } from './value.js';
import { type Json, toJson } from './value-json.js';

const LOCATION = /line (\d+), col (\d+) to line (\d+), col (\d+) of module (\w+)/;

/** The first `line 8, col 9 to line 8, col 89 of module M` in a text. */
export function parseLocation(text: string): Location | null {
  const [, line, column, endLine, endColumn, module] = LOCATION.exec(text) ?? [];
  if (module === undefined) return null;
  return {
    module,
    line: Number(line),
    column: Number(column),
    endLine: Number(endLine),
    endColumn: Number(endColumn),
  };
}

/** The variables of a printed state with their values' texts: `/\ x = 1` and so on, without `/\` when there is only one. */
export function splitState(text: string): (readonly [name: string, value: string])[] {
  const body = text.trim();
  const parts = body.startsWith('/\\ ') ? body.slice(3).split(/\n\/\\ /) : [body];
  return parts.flatMap((part) => {
    const [, name, value] = /^\s*([\p{L}\p{N}_!]+)\s*=\s*(.*)$/su.exec(part) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value.trim()] as const];
  });
}

export function parseState(text: string): State {
  const variables = splitState(text).map(([name, value]): [string, Json] => {
    const parsed = parseTlaValue(value);
    return [name, parsed.ok ? toJson(parsed.value) : value];
  });
  return Object.fromEntries(variables);
}

/** `2: <Step line 8, col 9 to line 8, col 89 of module M>` with the state below it; undefined when it is something else. */
export function parseTraceState(text: string): { state: TraceState; text: string } | undefined {
  const [, index, head, body = ''] = /^(\d+): <(.*)>[^\S\n]*(?:\n([\s\S]*))?$/.exec(text) ?? [];
  if (index === undefined || head === undefined) return undefined;
  const location = parseLocation(head);
  return { state: { index: Number(index), action: actionName(head), location, state: parseState(body) }, text: body };
}

/** The name in `Step line 8, ...`, or in `Step(1, 2) line 8, ...` of a newer TLC. */
export function actionName(head: string): string | null {
  const name = /^([\p{L}\p{N}_!]+)(?:\(.*\))? line \d+, col /su.exec(head)?.[1];
  // TLC's own word for a step that is no named action.
  return name === undefined || name === 'Action' ? null : name;
}
