/** A recorded run of the simulation as a ladder: who sends what to whom, time going down, the offence at its foot. */
import { clauseOfInvariant } from '../../harness/simulate/invariants.js';
import type { Recorded } from '../../harness/simulate/recorder.js';
import type { Failure } from '../../harness/simulate/run.js';
import { type ControlMessage, clientOf } from '../../reference-impl/control/messages.js';
import type { Ladder, LadderRow } from './rows.js';
import { ConnectionNumbers } from './simulated-segment.js';

export interface SimulatedLadderOptions {
  /** The last so many rows before the offence; null: all. */
  readonly rows: number | null;
}

export interface SimulatedLadder {
  /** The step of a row is its time, in microseconds from the start. */
  readonly ladder: Ladder;
  /** Rows of this connection that came before. */
  readonly left: number;
}

const COLUMNS = ['client', 'switch', 'controller'] as const;

/** Of the connection that failed; of all connections where the failure is about none, or there was none. */
export function simulatedLadder(
  recorded: readonly Recorded[],
  failure: Failure | null,
  { rows: most }: SimulatedLadderOptions,
): SimulatedLadder {
  const backends = new Set<string>();
  for (const row of recorded) if (row.kind === 'event' && /^backend\d+$/.test(row.role)) backends.add(row.role);
  for (const row of recorded) if (row.kind === 'frame' && /^backend\d+$/.test(row.to)) backends.add(row.to);
  const columns = [...COLUMNS, ...[...backends].sort()];
  const teller = new Teller(failure?.conn ?? null, columns);
  for (const row of recorded) teller.tell(row, failure);
  const rows = teller.rows;
  const shown = most === null ? rows : rows.slice(-most);
  const last = failure === null ? [] : [offence(failure, columns, teller)];
  return { ladder: { columns, rows: [...shown, ...last], last: [], ending: null }, left: rows.length - shown.length };
}

const micros = (at: number): number => Math.round(at / 1000);

function offence(failure: Failure, columns: readonly string[], teller: Teller): LadderRow {
  return {
    step: micros(failure.at),
    action: 'VIOLATION',
    kind: 'note',
    from: columns.includes(failure.role) ? failure.role : null,
    to: null,
    label: `>>> ${clauseOfInvariant(failure.invariant)} ${failure.invariant}: ${failure.message}`,
    changes: [],
    ...teller.standing(),
  };
}

/** Who owns the connection after these events, and who no longer does. */
const GAINS: ReadonlySet<string> = new Set([
  'AcceptSyn',
  'TakeOver',
  'SwitchAddRule',
  'ReopenWindow',
  'CloseConnection',
  'ResetClient',
]);
const LOSES: ReadonlySet<string> = new Set(['HandOff', 'Complete', 'Fail', 'SwitchRemoveRule', 'Forget']);

class Teller {
  readonly rows: LadderRow[] = [];
  readonly #numbers = new ConnectionNumbers();
  readonly #owners = new Set<string>();
  readonly #ended = new Set<string>();

  constructor(
    readonly conn: string | null,
    readonly columns: readonly string[],
  ) {}

  standing(): { readonly owners: readonly string[]; readonly ended: readonly string[] } {
    return { owners: [...this.#owners], ended: [...this.#ended] };
  }

  tell(row: Recorded, failure: Failure | null): void {
    switch (row.kind) {
      case 'frame':
        this.#frame(row, failure);
        break;
      case 'control':
        this.#control(row, failure);
        break;
      case 'event':
        this.#event(row);
        break;
      case 'note':
        if (/crashes/.test(row.text)) {
          this.#ended.add(row.role);
          this.#owners.delete(row.role);
        } else this.#ended.delete(row.role);
        this.#put(row.at, 'note', 'arrives', row.role, null, row.text);
        break;
    }
  }

  #frame(row: Extract<Recorded, { kind: 'frame' }>, failure: Failure | null): void {
    const segment = this.#numbers.segment(row.bytes);
    if (segment === undefined || (this.conn !== null && segment.conn !== this.conn)) return;
    const { at, from, to, fate } = row;
    // What leaves is told when it arrives; but the last may be the offence.
    if (fate === 'sent') {
      if (failure !== null && at === failure.at) this.#put(at, 'segment', 'sent', from, to, segment.label);
      return;
    }
    const told = fate === 'corrupted' ? 'held-up' : fate === 'no-host' ? 'lost' : fate;
    const how =
      fate === 'corrupted'
        ? `corrupted: ${segment.label}`
        : fate === 'no-host'
          ? `nobody there: ${segment.label}`
          : segment.label;
    this.#put(at, 'segment', told, from, to, how);
  }

  #control(row: Extract<Recorded, { kind: 'control' }>, failure: Failure | null): void {
    const { at, from, to, message, fate } = row;
    const conn = connOf(message);
    if (conn === null || (this.conn !== null && conn !== this.conn)) return;
    if (fate === 'sent' && at !== failure?.at) return;
    this.#put(at, 'control', fate, from, to, this.#numbers.control(message));
  }

  #event(row: Extract<Recorded, { kind: 'event' }>): void {
    const { role, at, event } = row;
    if (event.conn !== null && this.conn !== null && event.conn !== this.conn) return;
    if (event.conn === null && this.conn !== null) return;
    if (GAINS.has(event.action)) this.#owners.add(role);
    if (LOSES.has(event.action)) this.#owners.delete(role);
    if (event.action === 'Forget') this.#ended.add(role);
    const words = this.#numbers.event(event);
    const last = this.rows.at(-1);
    // What a role does because of what has just reached it belongs to that row.
    if (last !== undefined && last.step === micros(at) && (last.to ?? last.from) === role)
      this.rows[this.rows.length - 1] = { ...last, changes: [...last.changes, words], ...this.standing() };
    else this.#put(at, 'note', 'arrives', role, null, words);
  }

  #put(
    at: number,
    kind: 'segment' | 'control' | 'note',
    fate: 'sent' | 'arrives' | 'lost' | 'held-up' | 'doubled',
    from: string,
    to: string | null,
    label: string,
  ): void {
    const common = { step: micros(at), action: '', label, changes: [], ...this.standing() };
    if (kind === 'note' || to === null)
      this.rows.push({ ...common, kind: 'note', from: this.columns.includes(from) ? from : null, to: null });
    else this.rows.push({ ...common, kind, fate, from, to });
  }
}

/** An answer names it in the id of what it answers. */
function connOf(message: ControlMessage): string | null {
  if (message.verb === 'ok' || message.verb === 'refused') return message.re.slice(message.re.indexOf('/') + 1);
  return clientOf(message);
}
