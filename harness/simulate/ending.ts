/** What has to be true when nothing moves any more, and what is counted of the run then. */
import type { SimClient } from '../sim/client.js';
import { MILLISECOND, type Nanos } from '../sim/clock.js';
import type { Figures } from './figures.js';
import { Violation } from './invariants.js';
import type { Monitor } from './monitor.js';
import type { Plan } from './plan.js';
import type { Player } from './player.js';
import type { SimulatedRole } from './roles.js';

export interface Ending {
  readonly players: readonly Player[];
  readonly roles: ReadonlyMap<
    string,
    { readonly actor: SimulatedRole; readonly timers: { keys(): IterableIterator<string> } }
  >;
  readonly monitor: Monitor;
  readonly client: SimClient;
  /** When something would happen still; undefined when nothing would. */
  readonly next: Nanos | undefined;
}

/** @throws Violation where somebody was not served, or holds something. */
export function checkEnd(ending: Ending): void {
  for (const player of ending.players) if (player.ended === null) checkWaiting(ending.monitor, player);
  for (const [name, { actor, timers }] of ending.roles) {
    const [first] = actor.view.held();
    if (first !== undefined)
      throw new Violation('nothing-left', keyIn(first), name, `${name} still holds ${actor.view.held().join(', ')}`);
    for (const key of timers.keys())
      throw new Violation('nothing-left', keyIn(key), name, `${name} has a timer left: ${key}`);
  }
  const untold = ending.players.filter(({ ended }) => ended === null).length;
  const left = ending.client.live - untold;
  if (left > 0) throw new Violation('nothing-left', null, 'client', `${left} connections of the client never end`);
  if (ending.next !== undefined && untold === 0)
    throw new Violation('nothing-left', null, 'switch', 'something still happens, long after the last fault');
}

/** Nobody acknowledges a RST: who sends it once only has not tried to tell (ERR-1). */
const LEAST_TELLINGS = 3;

/** A client that waits at the end: right only if its backend was lost, and each reset that told it so was lost too. */
function checkWaiting(monitor: Monitor, player: Player): void {
  const tracked = player.port === null ? undefined : monitor.connections.get(player.port);
  const key = tracked?.key ?? null;
  const waits = `the client still waits for ${player.waiting}`;
  if (tracked?.lost !== true) throw new Violation('progress', key, 'client', waits);
  if (tracked.tellings < LEAST_TELLINGS || tracked.resetsLost < tracked.resetsSent)
    throw new Violation('reset-reaches-client', key, 'client', `${waits}, though its backend was lost long ago`);
}

/** Adds what shows at the end only. */
export function countRun(figures: Figures, { players, monitor }: Ending, plan: Plan, now: Nanos): void {
  figures.runs = 1;
  figures.connections = players.length;
  figures.handoffs = monitor.handoffs;
  figures.responses = players.reduce((sum, { responses }) => sum + responses, 0);
  figures.simulatedMs = Math.round(now / MILLISECOND);
  for (const { ended } of players) {
    if (ended === null) figures.untold++;
    else if (ended !== 'served') figures[ended]++;
  }
  figures.faults.abort = figures.aborted;
  if (!plan.faults.includes('rule-full')) return;
  for (const { refused, noRule } of monitor.connections.values())
    if (refused !== null && noRule) figures.faults['rule-full']++;
}

function keyIn(text: string): string | null {
  return /^[\d.]+:\d+/.exec(text)?.[0] ?? null;
}
