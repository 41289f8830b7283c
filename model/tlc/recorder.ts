/** Puts the messages of one run together to its outcome. */
import type { ProcessEnd } from './guarded-process.js';
import type { ActionCoverage, State, TlcMessage, TraceState } from './messages.js';
import type { Lasso, RunFacts, TlcEnd, TlcOutcome } from './outcome.js';

/** The first thing that went wrong; what follows it explains it. */
type Fault = Extract<
  TlcMessage,
  { kind: 'invariant' | 'action-property' | 'temporal' | 'deadlock' | 'assumption' | 'parse-error' | 'bug' }
>;

const LAST_LINES = 20;
/** The JVM's exit code with -XX:+ExitOnOutOfMemoryError; TLC has no such code. */
const EXIT_ON_OUT_OF_MEMORY = 3;

export interface RunEnd {
  readonly end: ProcessEnd;
  readonly complaint: string;
  readonly durationMs: number;
  readonly timeoutMs: number;
}

export class Recorder {
  readonly #properties: readonly string[];
  readonly #needsSuccess: boolean;
  readonly #trace: TraceState[] = [];
  readonly #traceTexts: string[] = [];
  readonly #prints: string[] = [];
  readonly #lastLines: string[] = [];
  #coverage: ActionCoverage[] = [];
  #counts: Pick<RunFacts, 'generated' | 'distinct' | 'depth'> = { generated: null, distinct: null, depth: null };
  #fault: Fault | undefined;
  #evaluation: { readonly messages: string[]; positions: readonly string[]; state: State | null } | undefined;
  #disaster: Extract<TlcMessage, { kind: 'out-of-memory' | 'disk-full' }> | undefined;
  #lasso: Lasso | undefined;

  #success = false;
  readonly #stateTexts: string[] = [];

  /**
   * `properties`: the names that the configuration checks as temporal properties. `needsSuccess`: whether TLC says that it found nothing, as
   * it does but in simulations; an exit code of 0 alone is then not enough.
   */
  constructor(properties: readonly string[], needsSuccess: boolean) {
    this.#properties = properties;
    this.#needsSuccess = needsSuccess;
  }

  /** All states in TLA+, as printed, whether or not they make a trace. */
  get stateTexts(): readonly string[] {
    return this.#stateTexts;
  }

  add(message: TlcMessage): void {
    switch (message.kind) {
      case 'progress': {
        const { generated, distinct, depth } = message.progress;
        this.#counts = { generated, distinct, depth };
        return;
      }
      case 'statistics':
        this.#counts = { ...this.#counts, generated: message.generated, distinct: message.distinct };
        return;
      case 'depth':
        this.#counts = { ...this.#counts, depth: message.depth };
        return;
      case 'trace-state':
        // Simulation with several workers may find more than one; the first is enough.
        if (this.#lasso === undefined && message.state.index === this.#trace.length + 1) {
          this.#trace.push(message.state);
          this.#traceTexts.push(message.text);
        }
        this.#stateTexts.push(message.text);
        return;
      case 'stuttering':
        this.#lasso ??= { kind: 'stuttering' };
        return;
      case 'back-to-state':
        this.#lasso ??= { kind: 'back-to', index: message.index };
        return;
      case 'evaluation-error':
        // An exception around a message that said it better.
        if (this.#fault) return;
        this.#evaluation ??= { messages: [], positions: [], state: message.state };
        this.#evaluation.messages.push(message.message);
        return;
      case 'positions':
        if (this.#evaluation) this.#evaluation.positions = message.positions;
        return;
      case 'invariant':
      case 'action-property':
      case 'temporal':
      case 'deadlock':
      case 'assumption':
      case 'parse-error':
      case 'bug':
        if (!this.#evaluation) this.#fault ??= message;
        return;
      case 'out-of-memory':
      case 'disk-full':
        this.#disaster ??= message;
        return;
      case 'print':
        this.#prints.push(message.text);
        return;
      case 'coverage-start':
        // TLC counts again every minute; the last count is complete.
        this.#coverage = [];
        return;
      case 'coverage':
        this.#coverage.push(message.coverage);
        return;
      case 'other':
      case 'warning':
        this.#lastLines.push(...message.text.split('\n'));
        this.#lastLines.splice(0, this.#lastLines.length - LAST_LINES);
        return;
      case 'success':
        this.#success = true;
        return;
      case 'version':
      case 'initial-states':
      case 'server-ready':
      case 'worker':
      case 'finished':
        return;
    }
  }

  outcome(run: RunEnd): TlcOutcome {
    const facts: RunFacts = {
      durationMs: run.durationMs,
      ...this.#counts,
      prints: this.#prints,
      coverage: this.#coverage,
    };
    return { ...facts, ...this.#end(run) };
  }

  #end({ end, complaint, timeoutMs }: RunEnd): TlcEnd {
    if (end.kind === 'interrupted') return { kind: 'interrupted' };
    if (end.kind === 'time-out') return { kind: 'time-out', timeoutMs };
    if (end.kind === 'unstartable') return { kind: 'internal', message: end.reason };
    if (this.#disaster) return this.#disaster;
    if (end.kind === 'exited' && end.code === EXIT_ON_OUT_OF_MEMORY)
      return { kind: 'out-of-memory', message: 'the JVM ended for want of memory' };
    const unsaid = disasterIn(complaint);
    if (end.kind === 'exited' && end.code !== 0 && unsaid) return unsaid;
    if (this.#evaluation) {
      const { messages, positions, state } = this.#evaluation;
      const initial: TraceState[] = state ? [initialState(state)] : [];
      const trace = this.#trace.length > 0 ? this.#trace : initial;
      return { kind: 'evaluation-error', message: messages.join('\n'), positions, trace };
    }
    if (this.#fault) return this.#violation(this.#fault);
    if (end.kind === 'killed') return { kind: 'killed', signal: end.signal };
    if (end.code === 0 && (this.#success || !this.#needsSuccess)) return { kind: 'ok' };
    const last = [...this.#lastLines, ...complaint.trim().split('\n')].filter((line) => line.trim() !== '');
    return { kind: 'internal', message: [`exit code ${end.code}`, ...last.slice(-LAST_LINES)].join('\n') };
  }

  #violation(fault: Fault): TlcEnd {
    const trace = this.#trace;
    switch (fault.kind) {
      case 'invariant':
        return { kind: 'invariant', name: fault.name, trace: fault.state ? [initialState(fault.state)] : trace };
      case 'action-property':
        return { kind: 'action-property', name: fault.name, trace };
      case 'temporal': {
        const candidates = fault.names.length > 0 ? fault.names : this.#properties;
        const property = candidates.length === 1 ? (candidates[0] ?? null) : null;
        const lasso = this.#lasso ?? { kind: 'stuttering' };
        return { kind: 'liveness', property, candidates, trace, stateTexts: this.#traceTexts, lasso };
      }
      case 'deadlock':
        return { kind: 'deadlock', trace };
      case 'assumption':
        return { kind: 'assumption', message: fault.message };
      case 'parse-error':
        return { kind: 'parse-error', ...fault.error };
      case 'bug':
        return { kind: 'internal', message: fault.text };
    }
  }
}

function initialState(state: State): TraceState {
  return { index: 1, action: null, location: null, state };
}

/** A JVM that dies of it outside TLC's own handling says so on its standard error only. */
function disasterIn(complaint: string): TlcEnd | undefined {
  const line = complaint
    .split('\n')
    .find((text) => /OutOfMemoryError|Could not reserve enough space|Too small maximum heap/.test(text));
  if (line !== undefined) return { kind: 'out-of-memory', message: line.trim() };
  const full = complaint.split('\n').find((text) => text.includes('No space left on device'));
  return full === undefined ? undefined : { kind: 'disk-full', message: full.trim() };
}
