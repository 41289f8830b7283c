/** Which sequence number on the wire is which of the specification's units, in both directions of the explored connection. */
import { type Seq, seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import { CLIENT_ISN, REQUESTS } from './scenario.js';

/** A number of the specification's: 0 is the client's SYN, 100 the controller's. */
export type Unit = number;

export const SERVER_ISN_UNIT: Unit = 100;

const sizes = REQUESTS.map((request) => request.head + request.payload);
const before = (lengths: readonly number[], first: Unit): Unit[] =>
  [...lengths, 0].map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, first));

/** START[i]: where request i begins, the requests counted from 0 here; one more for where the next would. */
export const START: readonly Unit[] = before(sizes, 1);
export const HEAD_END: readonly Unit[] = REQUESTS.map((request, i) => (START[i] ?? 0) + request.head);
/** REPLY[i]: where response i begins. */
export const REPLY: readonly Unit[] = before(
  REQUESTS.map((request) => request.response),
  SERVER_ISN_UNIT + 1,
);

/** The request (from 1, as in the specification) that a unit of the client's stream belongs to. */
export const REQUEST_AT: readonly number[] = [0, ...sizes.flatMap((size, i) => Array(size).fill(i + 1))];

/** What ends the streams, and so decides what the numbers behind mean. */
export interface Endings {
  /** The unit of the client's FIN, or 0. */
  readonly clientFin: Unit;
  /** The sequence number of the controller's FIN. */
  readonly serverFin: Seq | null;
  /** The request that the controller answered by itself, or 0: the answer is one unit. */
  readonly answered: number;
}

interface Stream {
  readonly bytes: ReadonlyMap<Unit, Seq>;
  readonly units: ReadonlyMap<Seq, Unit>;
  /** The content of each unit by its first number; absent where it is not known before it is seen. */
  readonly content: ReadonlyMap<Unit, Uint8Array>;
  readonly owner: ReadonlyMap<Unit, number>;
}

export class Layout {
  readonly #client: Stream;
  readonly #server: Stream;

  constructor(
    iss: Seq,
    readonly endings: Endings,
  ) {
    this.#client = clientStream(endings);
    this.#server = serverStream(iss, endings);
  }

  /** Undefined when the number falls within a unit, or behind the last. */
  clientUnit(seq: Seq): Unit | undefined {
    return this.#client.units.get(seq);
  }

  serverUnit(seq: Seq): Unit | undefined {
    return this.#server.units.get(seq);
  }

  clientSeq(unit: Unit): Seq {
    return this.#client.bytes.get(unit) ?? 0;
  }

  serverSeq(unit: Unit): Seq {
    return this.#server.bytes.get(unit) ?? 0;
  }

  /** The bytes of units of the client's stream. */
  clientBytes(from: Unit, count: number): Uint8Array {
    return Uint8Array.from(
      Buffer.concat(Array.from({ length: count }, (_, i) => this.#client.content.get(from + i) ?? new Uint8Array(0))),
    );
  }

  /** The requests that a payload's units belong to; a text says why it is no row of whole units of that stream. */
  units(direction: 'client' | 'server', seq: Seq, payload: Uint8Array): number[] | string {
    const stream = direction === 'client' ? this.#client : this.#server;
    let unit = stream.units.get(seq);
    const found: number[] = [];
    for (let at = 0; at < payload.length; ) {
      const here = unit ?? -1;
      const next = stream.bytes.get(here + 1);
      const owner = stream.owner.get(here);
      if (unit === undefined || next === undefined || owner === undefined)
        return `payload at ${at} bytes behind number ${seq} begins within a unit, or where none is`;
      const length = seqDiff(next, seqAdd(seq, at));
      if (at + length > payload.length) return `payload ends within unit ${unit}`;
      const content = stream.content.get(unit);
      if (content && Buffer.compare(content, payload.subarray(at, at + length)) !== 0)
        return `unit ${unit} is not what it should be`;
      found.push(owner);
      at += length;
      unit++;
    }
    return found;
  }
}

function clientStream({ clientFin }: Endings): Stream {
  const rows = REQUESTS.flatMap((request, i) => request.units.map((content) => ({ content, owner: i + 1 })));
  return stream(
    CLIENT_ISN,
    0,
    clientFin === 0 ? rows : rows.slice(0, clientFin - 1),
    clientFin === 0 ? null : clientFin,
  );
}

function serverStream(iss: Seq, { serverFin, answered }: Endings): Stream {
  const rows: { content?: Uint8Array; owner: number; length: number }[] = REQUESTS.flatMap((request, i) =>
    request.responseUnits.map((content) => ({ content, owner: i + 1, length: content.length })),
  );
  if (serverFin === null) return stream(iss, SERVER_ISN_UNIT, rows, null);
  // What is in front of the FIN is whole responses, and an answer of the controller's.
  const kept: typeof rows = [];
  let at = seqAdd(iss, 1);
  for (const row of rows) {
    if (seqDiff(serverFin, at) < row.length || (answered !== 0 && row.owner >= answered)) break;
    kept.push(row);
    at = seqAdd(at, row.length);
  }
  const answer = seqDiff(serverFin, at);
  if (answered !== 0 && answer > 0) kept.push({ owner: answered, length: answer });
  return stream(iss, SERVER_ISN_UNIT, kept, SERVER_ISN_UNIT + 1 + kept.length);
}

function stream(
  isn: Seq,
  isnUnit: Unit,
  rows: readonly { readonly content?: Uint8Array; readonly owner: number; readonly length?: number }[],
  fin: Unit | null,
): Stream {
  const bytes = new Map<Unit, Seq>([[isnUnit, isn]]);
  const content = new Map<Unit, Uint8Array>();
  const owner = new Map<Unit, number>();
  let unit = isnUnit + 1;
  let seq = seqAdd(isn, 1);
  bytes.set(unit, seq);
  for (const row of rows) {
    if (row.content) content.set(unit, row.content);
    owner.set(unit, row.owner);
    seq = seqAdd(seq, row.content?.length ?? row.length ?? 0);
    bytes.set(++unit, seq);
  }
  if (fin !== null) bytes.set(fin + 1, seqAdd(bytes.get(fin) ?? 0, 1));
  return { bytes, units: new Map([...bytes].map(([key, value]) => [value, key])), content, owner };
}
