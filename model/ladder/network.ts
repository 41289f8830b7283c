/** The network of Handoff.tla, and what moved in it between two states. */
import type { Json } from '../tlc/value-json.js';
import { canonical, field, fieldsOf, isList } from './fields.js';
import { readSegment, type Segment } from './segment.js';

/** Links by host, each in order; `late` is a set. */
export interface Network {
  readonly up: ReadonlyMap<string, readonly Segment[]>;
  readonly down: ReadonlyMap<string, readonly Segment[]>;
  readonly late: readonly Segment[];
}

export function readNetwork(value: Json | undefined): Network | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  const up = readLinks(field(fields, 'up'));
  const down = readLinks(field(fields, 'down'));
  const late = readSegments(field(fields, 'late'));
  return up && down && late && { up, down, late };
}

function readLinks(value: Json | undefined): ReadonlyMap<string, readonly Segment[]> | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  const links = new Map<string, readonly Segment[]>();
  for (const [host, link] of Object.entries(fields)) {
    const segments = readSegments(link);
    if (segments === undefined) return undefined;
    links.set(host, segments);
  }
  return links;
}

function readSegments(value: Json | undefined): readonly Segment[] | undefined {
  if (!isList(value)) return undefined;
  const segments = value.map(readSegment);
  return segments.every((segment) => segment !== undefined) ? segments : undefined;
}

/**
 * `left`: it came, was lost or was dropped; the action tells. `crossed`: the switch made `after` of `segment`. `wasLate`: it had been held up.
 */
export type Movement =
  | { readonly kind: 'left'; readonly segment: Segment; readonly wasLate: boolean }
  | { readonly kind: 'crossed'; readonly segment: Segment; readonly after: Segment; readonly wasLate: boolean }
  | { readonly kind: 'sent'; readonly segment: Segment }
  | { readonly kind: 'held-up' | 'doubled'; readonly segment: Segment };

/** What left first, what was sent last. */
export function movements(before: Network, after: Network): Movement[] {
  const links = [diffLinks(before.up, after.up), diffLinks(before.down, after.down)];
  const gone = links.flatMap((link) => link.gone).map((segment) => ({ segment, wasLate: false }));
  const come = links.flatMap((link) => link.come);
  gone.push(...missing(before.late, after.late).map((segment) => ({ segment, wasLate: true })));

  const moves: Movement[] = [];
  for (const segment of missing(after.late, before.late)) {
    const heldUp = takeFirst(gone, (other) => canonicalSegment(other.segment) === canonicalSegment(segment));
    moves.push({ kind: heldUp ? 'held-up' : 'doubled', segment });
  }
  for (const { segment, wasLate } of gone) {
    const crossing = segment.at === 'fabric' ? takeFirst(come, (other) => crossed(segment, other)) : undefined;
    moves.push(crossing ? { kind: 'crossed', segment, after: crossing, wasLate } : { kind: 'left', segment, wasLate });
  }
  return [...moves, ...come.map((segment): Movement => ({ kind: 'sent', segment }))];
}

/** All that is on the way, the late ones last. */
export function inFlight(network: Network): { readonly segment: Segment; readonly late: boolean }[] {
  return [
    ...[...network.up.values(), ...network.down.values()].flat().map((segment) => ({ segment, late: false })),
    ...network.late.map((segment) => ({ segment, late: true })),
  ];
}

type Links = ReadonlyMap<string, readonly Segment[]>;

/** A link loses at its head and gains at its tail: as little of both as explains the change. */
function diffLinks(before: Links, after: Links): { gone: Segment[]; come: Segment[] } {
  const gone: Segment[] = [];
  const come: Segment[] = [];
  for (const host of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(host) ?? [];
    const is = after.get(host) ?? [];
    const texts = is.map(canonicalSegment);
    let lost = 0;
    while (!was.slice(lost).every((segment, i) => canonicalSegment(segment) === texts[i])) lost++;
    gone.push(...was.slice(0, lost));
    come.push(...is.slice(was.length - lost));
  }
  return { gone, come };
}

/** Those of `some` that are not in `others`. */
function missing(some: readonly Segment[], others: readonly Segment[]): Segment[] {
  const texts = new Set(others.map(canonicalSegment));
  return some.filter((segment) => !texts.has(canonicalSegment(segment)));
}

/** The switch may have rewritten it, but not who sent it nor its numbers. */
function crossed(segment: Segment, other: Segment): boolean {
  return (
    other.at === 'host' &&
    other.by === segment.by &&
    other.seq === segment.seq &&
    other.ack === segment.ack &&
    other.data.length === segment.data.length
  );
}

function canonicalSegment(segment: Segment): string {
  return canonical({ ...segment });
}

/** Takes the first that fits out of the list. */
function takeFirst<T>(list: T[], fits: (item: T) => boolean): T | undefined {
  const i = list.findIndex(fits);
  return i < 0 ? undefined : list.splice(i, 1)[0];
}
