/** What a run tells while it is recorded; an ordinary run records nothing, so that its memory stays the same however long it is. */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleEvent } from '../../reference-impl/core/core.js';
import type { Nanos } from '../sim/clock.js';

export type RecordedFate = 'sent' | 'arrives' | 'lost' | 'held-up' | 'doubled' | 'corrupted' | 'no-host';

export type Recorded =
  /** `from` and `to` are vantages or `switch`. `sent`: leaves `from`; the others: what became of it. */
  | {
      readonly kind: 'frame';
      readonly at: Nanos;
      readonly from: string;
      readonly to: string;
      readonly bytes: Uint8Array;
      readonly fate: RecordedFate;
    }
  | {
      readonly kind: 'control';
      readonly at: Nanos;
      readonly from: string;
      readonly to: string;
      readonly message: ControlMessage;
      readonly fate: 'sent' | 'arrives' | 'lost';
    }
  | { readonly kind: 'event'; readonly at: Nanos; readonly role: string; readonly event: RoleEvent }
  /** A fault, or what else is to be told. */
  | { readonly kind: 'note'; readonly at: Nanos; readonly role: string; readonly text: string };

export type Recorder = (recorded: Recorded) => void;
