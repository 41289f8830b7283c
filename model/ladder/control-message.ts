/** Control messages of Handoff.tla (P2.3 to P2.5): between whom they go, and what they say. */
import type { Json } from '../tlc/value-json.js';
import { field, fieldsOf, isTrueAt, numberAt, textAt } from './fields.js';
import { olderTs } from './segment.js';

/** `from` and `to` are columns. */
export interface ControlMessage {
  readonly from: string;
  readonly to: string;
  /** With the time stamp that the client has seen, if it is known. */
  readonly label: (clientTs: number | undefined) => string;
}

export function readControlMessage(value: Json): ControlMessage | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  const type = textAt(fields, 'type');
  const handoff = numberAt(fields, 'handoff');
  if (type === undefined || handoff === undefined) return undefined;
  const again = isTrueAt(fields, 'copy') ? ', again' : '';
  const numbers = (clientTs: number | undefined): string =>
    [
      ...['seq', 'ack'].map((name) => `${name} ${numberAt(fields, name) ?? '?'}`),
      ...(field(fields, 'una') === field(fields, 'seq') ? [] : [`una ${numberAt(fields, 'una') ?? '?'}`]),
      ...olderTs(numberAt(fields, 'ts') ?? 0, clientTs),
      ...(isTrueAt(fields, 'clientReset') ? ['client reset'] : []),
    ].join(' ');

  switch (type) {
    case 'add': {
      const shut = isTrueAt(fields, 'zero') ? ', window 0' : '';
      const label = `add rule ${handoff} -> ${textAt(fields, 'backend') ?? '?'}${shut}${again}`;
      return { from: 'controller', to: 'switch', label: () => label };
    }
    case 'remove':
      return { from: 'controller', to: 'switch', label: () => `remove rule ${handoff}${again}` };
    case 'added':
    case 'refused':
    case 'removed':
      return { from: 'switch', to: 'controller', label: () => `rule ${handoff} ${type}` };
    case 'handoff': {
      const to = textAt(fields, 'backend');
      return to === undefined
        ? undefined
        : { from: 'controller', to, label: (ts) => `hand-off ${handoff} ${numbers(ts)}` };
    }
    case 'complete':
    case 'failed': {
      const from = textAt(fields, 'from');
      return from === undefined
        ? undefined
        : { from, to: 'controller', label: (ts) => `${type} ${handoff} ${numbers(ts)}` };
    }
    default:
      return undefined;
  }
}
