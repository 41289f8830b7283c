/** Counts what a check saw and makes a finding of it. */
import type { Frame, Segment } from '../flows/decode.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Finding } from './check.js';

/** What a finding was made of, for merging. */
const origins = new WeakMap<Finding, { readonly tally: Tally; readonly held: string; readonly missing: string }>();

/** More frames show nothing more. */
const MAX_EVIDENCE = 8;
/** Of a clause that is broken everywhere the first cases are told, and all are counted. */
const MAX_KEPT = 64;

export class Tally {
  #exercised = 0;
  readonly #fails: { readonly message: string; readonly evidence: readonly EvidenceFrame[] }[] = [];
  readonly #suspicions: { readonly message: string; readonly evidence: readonly EvidenceFrame[] }[] = [];
  #failed = 0;
  #doubts = 0;
  #doubt: string | undefined;
  #unsupported: string | undefined;

  /** The clause's premise occurred, and it held. */
  hold(times = 1): void {
    this.#exercised += times;
  }

  /** The clause was violated. `message`: what was expected, what was seen. */
  fail(message: string, ...evidence: readonly EvidenceFrame[]): void {
    this.#exercised++;
    this.#failed++;
    if (this.#fails.length < MAX_KEPT) this.#fails.push({ message, evidence });
  }

  /** Two readings are possible, and one of them is an offence: nothing can pass. */
  suspect(message: string, ...evidence: readonly EvidenceFrame[]): void {
    if (this.#suspicions.length < MAX_KEPT) this.#suspicions.push({ message, evidence });
  }

  /** The premise may have occurred once, but the captures cannot show what came of it. */
  doubt(reason: string): void {
    this.#doubts++;
    this.#doubt ??= reason;
  }

  unsupported(reason: string): void {
    this.#unsupported = reason;
  }

  /** `held`: what was counted, for `N held`; `missing`: why nothing was, when no doubt says it better. */
  finding(held: string, missing: string): Finding {
    const finding = this.#concluded(held, missing);
    origins.set(finding, { tally: this, held, missing });
    return finding;
  }

  /** One finding over several batches of evidence of one run, in the order in which they were judged. */
  static merged(findings: readonly Finding[], regular = 0): Finding {
    const sum = new Tally();
    sum.#exercised = regular;
    let words = { held: '', missing: '' };
    for (const finding of findings) {
      const origin = origins.get(finding);
      if (origin === undefined) throw new Error('a finding that no tally made cannot be merged');
      const { tally, held, missing } = origin;
      sum.#exercised += tally.#exercised;
      sum.#failed += tally.#failed;
      sum.#fails.push(...tally.#fails.slice(0, MAX_KEPT - sum.#fails.length));
      sum.#suspicions.push(...tally.#suspicions.slice(0, MAX_KEPT - sum.#suspicions.length));
      sum.#doubts += tally.#doubts;
      sum.#doubt ??= tally.#doubt;
      sum.#unsupported ??= tally.#unsupported;
      words = { held, missing };
    }
    return sum.finding(words.held, words.missing);
  }

  #concluded(held: string, missing: string): Finding {
    const [fail] = this.#fails;
    const [suspicion] = this.#suspicions;
    const doubt = this.#doubt;
    if (this.#unsupported !== undefined) {
      return { verdict: 'unsupported', exercised: this.#exercised, message: this.#unsupported, evidence: [] };
    }
    if (fail !== undefined) {
      const more = this.#failed > 1 ? ` (and ${this.#failed - 1} more)` : '';
      const evidence = this.#fails.flatMap((one) => one.evidence).slice(0, MAX_EVIDENCE);
      return { verdict: 'fail', exercised: this.#exercised, message: fail.message + more, evidence };
    }
    if (suspicion !== undefined) {
      const evidence = suspicion.evidence.slice(0, MAX_EVIDENCE);
      return { verdict: 'inconclusive', exercised: this.#exercised, message: suspicion.message, evidence };
    }
    if (this.#exercised > 0) {
      const rest = doubt === undefined ? '' : `; not judged: ${this.#doubts} (${doubt})`;
      return {
        verdict: 'pass',
        exercised: this.#exercised,
        message: `${this.#exercised} ${held}${rest}`,
        evidence: [],
      };
    }
    return { verdict: 'inconclusive', exercised: 0, message: doubt ?? missing, evidence: [] };
  }
}

/** A frame as evidence. */
export function at(frame: Frame, note: string): EvidenceFrame {
  return { capture: frame.capture, frame: frame.number, note };
}

/** Which frame a message speaks of. */
export function named(frame: Frame): string {
  return `frame ${frame.number} of ${frame.capture} (${frame.vantage})`;
}

/** A number on the wire with its place in the stream, Wireshark's relative number. */
export function seqText(segment: Segment): string {
  return Number.isNaN(segment.offset) ? `${segment.seq}` : `${segment.seq} (relative ${segment.offset + 1})`;
}

export function ackText(segment: Segment): string {
  return Number.isNaN(segment.acked) ? `${segment.ack}` : `${segment.ack} (relative ${segment.acked + 1})`;
}

/** `a, b and c` are not in the captures; undefined when all are. */
export function missingVantages(vantages: ReadonlySet<string>, ...wanted: readonly string[]): string | undefined {
  const missing = wanted.filter((name) => !vantages.has(name));
  return missing.length === 0 ? undefined : `no capture at ${missing.join(' and ')}`;
}
