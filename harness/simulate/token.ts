/** The replay token of a simulated run, kind `sim1`: the plan, and which invariant failed. */
import { isRemedyName } from '../../reference-impl/core/remedies.js';
import { readToken, type TokenParts, writeToken } from '../replay/token.js';
import { type InvariantName, isInvariantName } from './invariants.js';
import { FAULT_KINDS, isFaultKind, MOST_CONNECTIONS, type Plan } from './plan.js';

export const SIMULATION_TOKEN = 'sim1';

export interface SimulationToken {
  readonly plan: Plan;
  /** What failed when the token was written; null when nothing did. */
  readonly invariant: InvariantName | null;
}

const ANY = 'all';
const NONE = 'none';

/** Fields in this order, joined by dots; lists joined by `+`. */
export function writeSimulationToken({ plan, invariant }: SimulationToken): string {
  const list = (words: readonly (string | number)[]): string => (words.length === 0 ? NONE : words.join('+'));
  const body = [
    plan.seed,
    list(plan.faults),
    plan.connections,
    list(plan.skip),
    plan.requests ?? ANY,
    plan.faultMs ?? ANY,
    list(plan.without),
    invariant ?? NONE,
  ].join('.');
  return writeToken({ kind: SIMULATION_TOKEN, body });
}

export type ReadSimulationToken =
  | { readonly ok: true; readonly token: SimulationToken }
  | { readonly ok: false; readonly error: string };

/** Total. */
export function readSimulationToken(text: string): ReadSimulationToken {
  const read = readToken(text);
  return read.ok ? readSimulationBody(read.parts) : read;
}

/** Reads the body of a token of this kind. */
export function readSimulationBody({ kind, body }: TokenParts): ReadSimulationToken {
  const fields = body.split('.');
  if (kind !== SIMULATION_TOKEN || fields.length !== 8) return wrong('the number of its fields');
  const [seedText, faultText, connectionText, skipText, requestText, msText, withoutText, invariantText] = fields;
  const seed = whole(seedText, 0, 0xffffffff);
  if (seed === undefined) return wrong('the seed');
  const words = listed(faultText);
  const faults = FAULT_KINDS.filter((kind) => words.includes(kind));
  if (!words.every(isFaultKind) || faults.length !== words.length) return wrong('the kinds of fault');
  const connections = whole(connectionText, 1, MOST_CONNECTIONS);
  if (connections === undefined) return wrong('the number of connections');
  const skip = listed(skipText).map((text) => whole(text, 0, connections - 1));
  const skipped = skip.filter((index) => index !== undefined);
  if (skipped.length !== skip.length || new Set(skipped).size !== skip.length) return wrong('the connections left out');
  const requests = requestText === ANY ? null : whole(requestText, 1, 1000);
  if (requests === undefined) return wrong('the number of requests');
  const faultMs = msText === ANY ? null : whole(msText, 0, 1_000_000);
  if (faultMs === undefined) return wrong('the time of the faults');
  const without = listed(withoutText).filter(isRemedyName);
  if (without.length !== listed(withoutText).length) return wrong('a remedy');
  const invariant = invariantText === NONE ? null : (invariantText ?? '');
  if (invariant !== null && !isInvariantName(invariant)) return wrong('the invariant');
  return {
    ok: true,
    token: { plan: { seed, faults, connections, skip: skipped, requests, faultMs, without }, invariant },
  };
}

function wrong(what: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error: `this version does not know ${what} in it` };
}

function listed(text: string | undefined): string[] {
  return text === undefined || text === NONE ? [] : text.split('+');
}

/** Canonical decimal only, so that every run has one token. */
function whole(text: string | undefined, least: number, most: number): number | undefined {
  const value = Number(text);
  return /^(0|[1-9]\d{0,9})$/.test(text ?? '') && value >= least && value <= most ? value : undefined;
}
