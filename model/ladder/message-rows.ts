/** Segments and control messages of a step as rows. */
import type { Json } from '../tlc/value-json.js';
import { readControlMessage } from './control-message.js';
import { numberAt } from './fields.js';
import type { Movement } from './network.js';
import { shown } from './role-changes.js';
import type { Fate, MessageRow, NoteRow } from './rows.js';
import { type Segment, segmentLabel } from './segment.js';
import { columnOf, type View } from './view.js';

/** What a row says beside its step. */
export type Told =
  | Pick<MessageRow, 'kind' | 'fate' | 'from' | 'to' | 'label' | 'changes'>
  | Pick<NoteRow, 'kind' | 'from' | 'to' | 'label' | 'changes'>;

/** What became of control messages that are there no more. */
export function heardFate(action: string | null): Fate {
  switch (action) {
    case 'LoseControl':
      return 'lost';
    case 'ControlRejected':
      return 'rejected';
    default:
      return 'arrives';
  }
}

export function controlRow(message: Json, fate: Fate, clientTs: number | undefined): Told {
  const read = readControlMessage(message);
  if (read === undefined)
    return { kind: 'note', from: null, to: null, label: `control ${fate}: ${shown(message)}`, changes: [] };
  return { kind: 'control', fate, from: read.from, to: read.to, label: read.label(clientTs), changes: [] };
}

export function segmentRow(
  segment: Segment,
  fate: Fate,
  changes: readonly string[],
  clientTs: number | undefined,
): Told {
  return { kind: 'segment', fate, ...hop(segment), label: segmentLabel(segment, clientTs), changes };
}

/** Where a segment went by a step; `view`: behind it. */
export function movementRow(move: Movement, action: string | null, view: View): Told {
  const { segment } = move;
  const row = (fate: Fate, changes: readonly string[]) =>
    segmentRow(segment, fate, changes, numberAt(view.client, 'ts'));
  switch (move.kind) {
    case 'sent':
      return row('sent', action === 'Timers' ? [isProbe(segment, view) ? 'probe' : 'again'] : []);
    case 'held-up':
      return row('held-up', []);
    case 'doubled':
      return row('doubled', ['its copy is held up']);
    case 'crossed':
      return row('arrives', [...late(move.wasLate), ...rewriting(segment, move.after)]);
    case 'left':
      if (action === 'Lose') return row('lost', []);
      return row(segment.at === 'fabric' ? 'dropped' : 'arrives', late(move.wasLate));
  }
}

/** One number before what the other side has acknowledged: sent to be answered (RFC 9293 3.8.6.1). */
function isProbe(segment: Segment, view: View): boolean {
  const role = segment.by === 'client' ? view.client : segment.by === 'logical' ? view.controller : undefined;
  const bare = segment.data.length === 0 && !segment.syn && !segment.fin && !segment.rst;
  return bare && role !== undefined && numberAt(role, 'una') === segment.seq + 1;
}

/** The controller's own segments are beyond the switch at once (no rule is about them). */
function hop(segment: Segment): { from: string; to: string } {
  if (segment.at === 'fabric') return { from: columnOf(segment.by), to: 'switch' };
  return { from: segment.by === 'logical' ? 'controller' : 'switch', to: columnOf(segment.dst) };
}

function late(wasLate: boolean): string[] {
  return wasLate ? ['had been held up'] : [];
}

/** What the switch made of it. */
function rewriting(before: Segment, after: Segment): string[] {
  const changes = [
    ...(before.dst === after.dst ? [] : [`to ${columnOf(after.dst)}`]),
    ...(before.src === after.src ? [] : [`from ${after.src}`]),
    ...(before.fin && !after.fin ? ['FIN cleared'] : []),
    ...(before.wnd === after.wnd ? [] : [`win ${before.wnd} -> ${after.wnd}`]),
  ];
  if (after.via !== 0) return [`rule ${after.via}: ${changes.join(', ') || 'nothing rewritten'}`];
  if (changes.length > 0) return changes;
  return [after.by === 'client' ? 'to the controller' : `not rewritten: to ${columnOf(after.dst)} from ${after.src}`];
}
