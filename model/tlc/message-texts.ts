/** The text of one message of TLC, read by its code. */
import { CODE } from './codes.js';
import type { Progress, TlcMessage } from './messages.js';
import { actionName, parseLocation, parseState, parseTraceState } from './states.js';

/** A message whose text is not as TLC 2.18 and its successors write it is `other`, or an `evaluation-error` when it is an error. */
export function parseMessage(code: number, severity: number, text: string): TlcMessage {
  return disaster(code, text) ?? known(code, text) ?? bySeverity(code, severity, text);
}

/** Memory and disk end in messages of many codes, 1000 above all. */
function disaster(code: number, text: string): TlcMessage | undefined {
  const message = text.trim();
  if (code === CODE.state || code === CODE.assertFailed) return undefined;
  if (
    code === CODE.outOfMemory ||
    code === CODE.outOfMemoryInitialStates ||
    code === CODE.outOfMemoryLiveness ||
    /\bjava\.lang\.OutOfMemoryError\b/.test(message)
  )
    return { kind: 'out-of-memory', message };
  return /No space left on device|Disk quota exceeded/.test(message) ? { kind: 'disk-full', message } : undefined;
}

function known(code: number, text: string): TlcMessage | undefined {
  switch (code) {
    case CODE.version:
      return { kind: 'version', text: text.trim() };
    case CODE.progress:
    case CODE.simulationProgress: {
      const progress = parseProgress(text);
      return progress && { kind: 'progress', progress };
    }
    case CODE.initialStates: {
      const distinct = /(\d[\d,]*) distinct/.exec(text)?.[1];
      return distinct === undefined ? undefined : { kind: 'initial-states', distinct: count(distinct) };
    }
    case CODE.invariantViolated:
      return named(text, /^Invariant (.+) is violated\./s, (name) => ({ kind: 'invariant', name, state: null }));
    case CODE.invariantViolatedInitially:
    case CODE.propertyViolatedInitially:
      return named(text, /^(?:Invariant|Property) (.+?) is violated by the initial state:/s, (name) => ({
        kind: 'invariant',
        name,
        state: parseState(text.slice(text.indexOf('\n') + 1)),
      }));
    case CODE.actionPropertyViolated:
      return named(text, /^Action property (.+) is violated\./s, (name) => ({ kind: 'action-property', name }));
    case CODE.temporalViolated:
      return { kind: 'temporal', names: temporalNames(text) };
    case CODE.serverReady:
      return { kind: 'server-ready' };
    case CODE.workerCame:
      return { kind: 'worker', came: true };
    case CODE.workerGone:
      return { kind: 'worker', came: false };
    case CODE.deadlock:
      return { kind: 'deadlock' };
    case CODE.assumptionFalse:
      return { kind: 'assumption', message: text.trim() };
    case CODE.state: {
      const found = parseTraceState(text);
      return found && { kind: 'trace-state', ...found };
    }
    case CODE.stuttering:
      return named(text, /^(\d+):/, (index) => ({ kind: 'stuttering', index: Number(index) }));
    case CODE.backToState:
      return named(text, /^(\d+):/, (index) => ({ kind: 'back-to-state', index: Number(index) }));
    case CODE.initialStateError: {
      const [message = '', state] = text.split('\nWhile working on the initial state:\n');
      // The distributed mode's words.
      const name = /^Error: (?:Invariant|Implied-init) (.+) is violated\.$/.exec(message)?.[1];
      if (name !== undefined) return { kind: 'invariant', name, state: state ? parseState(state) : null };
      return { kind: 'evaluation-error', message: plainError(message), state: state ? parseState(state) : null };
    }
    case CODE.assertFailed:
      return { kind: 'evaluation-error', message: text.trim(), state: null };
    case CODE.nestedExpressions:
      return { kind: 'positions', positions: [...text.matchAll(/^\d+\. (.+)$/gm)].flatMap(([, at]) => at ?? []) };
    case CODE.statistics: {
      const [, generated, distinct] = /^(\S+) states generated, (\S+) distinct/.exec(text) ?? [];
      if (generated === undefined || distinct === undefined) return undefined;
      return { kind: 'statistics', generated: count(generated), distinct: count(distinct) };
    }
    case CODE.depth:
      return named(text, /search is (\S+?)\.?$/m, (depth) => ({ kind: 'depth', depth: count(depth) }));
    case CODE.coverageStart:
      return { kind: 'coverage-start' };
    case CODE.actionCoverage:
    case CODE.initCoverage:
      return parseCoverage(text);
    case CODE.success:
      return { kind: 'success' };
    case CODE.searchFinished:
      return { kind: 'finished', durationMs: parseDuration(text) };
    default:
      return undefined;
  }
}

function bySeverity(code: number, severity: number, text: string): TlcMessage {
  switch (severity) {
    case 1:
      // Only headings of what follows.
      if (code === CODE.behaviour || code === CODE.counterexample) return { kind: 'other', code, text };
      return isOwnError(text)
        ? { kind: 'bug', code, text: plainError(text) }
        : { kind: 'evaluation-error', message: plainError(text), state: null };
    case 2:
      return { kind: 'bug', code, text };
    case 3:
      return { kind: 'warning', code, text };
    default:
      return { kind: 'other', code, text };
  }
}

/** An exception that no expression of a module throws: TLC's own, or the system's. */
function isOwnError(text: string): boolean {
  const exception = /^The exception was an? (\S+)/m.exec(text)?.[1];
  return (
    /^(?:when (?:reading|writing) |Unable to |Error: unrecognized option)/.test(text) ||
    (exception !== undefined && !/RuntimeException$|StackOverflowError$|EvalException$/.test(exception))
  );
}

/** The reason in `TLC threw an unexpected exception. ...`, without the sentences around it and the lines of a stack. */
function plainError(text: string): string {
  const [, exception = '', reason] =
    /^TLC threw an unexpected exception\.[\s\S]*?\nThe exception was an? (\S+)\s*?(?:\n: )?([\s\S]*)$/.exec(text) ?? [];
  const lines = (reason ?? text).split('\n').filter((line) => !/^\s+at [\w.$/]+\(.*\)$/.test(line));
  const plain = lines.join('\n').trim();
  return plain === '' ? exception : plain;
}

function named(text: string, pattern: RegExp, make: (found: string) => TlcMessage): TlcMessage | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : make(found);
}

/** A number with the separators of its thousands. */
function count(text: string): number {
  return Number(text.replace(/[^\d-]/g, ''));
}

function parseProgress(text: string): Progress | undefined {
  const [, depth, generated, generatedRate, distinct, distinctRate, queue] =
    /^Progress\((.*?)\) at .*?: (\S+) states (?:generated|checked)(?: \((\S+) s\/min\))?, (\S+) distinct states found(?: \((\S+) ds\/min\))?, (\S+) states left/.exec(
      text,
    ) ?? [];
  if (generated === undefined) return undefined;
  const known = (field: string | undefined): number | null => {
    if (field === undefined || !/\d/.test(field)) return null;
    const value = count(field);
    // TLC's word for "does not apply" is -1.
    return value < 0 ? null : value;
  };
  return {
    depth: known(depth),
    generated: count(generated),
    distinct: known(distinct),
    queue: known(queue),
    generatedPerMinute: known(generatedRate),
    distinctPerMinute: known(distinctRate),
  };
}

/**
 * `<Never line 7, col 1 to line 7, col 11 of module Covered>: 0:0`. A disjunct that has no name of its own comes under the name around it, with
 * its own place in brackets: `<Next line 5, col 1 to line 5, col 4 of module M (6 12 6 40)>: 5:9`.
 */
function parseCoverage(text: string): TlcMessage | undefined {
  const [, head, distinct, generated] = /^<(.*)>: ([\d,]+):([\d,]+)\s*$/s.exec(text) ?? [];
  const around = parseLocation(text);
  if (head === undefined || distinct === undefined || generated === undefined || !around) return undefined;
  const [, line, column, endLine, endColumn] = /\((\d+) (\d+) (\d+) (\d+)\)$/.exec(head) ?? [];
  const own = { line: Number(line), column: Number(column), endLine: Number(endLine), endColumn: Number(endColumn) };
  const location = line === undefined ? around : { module: around.module, ...own };
  const action = actionName(head) ?? head;
  return { kind: 'coverage', coverage: { action, location, distinct: count(distinct), generated: count(generated) } };
}

/** After 2.18 TLC names them: `Temporal property P was violated.`, `Temporal properties P, Q, and R were violated.` */
function temporalNames(text: string): string[] {
  const names = /^Temporal propert(?:y|ies) (.*?) ?(?:was|were) violated/s.exec(text)?.[1] ?? '';
  return names.split(/,? and |, /).filter((name) => name !== '');
}

/** `664ms`, `12s`, `01min 03s`, `1h 02min` ... */
function parseDuration(text: string): number | null {
  const span = /^Finished in (.*?) at /.exec(text)?.[1];
  if (span === undefined) return null;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...span.matchAll(/(\d+)\s*(ms|s|min|h|d)\b/g)];
  return parts.length === 0 ? null : parts.reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0), 0);
}
