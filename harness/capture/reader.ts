/** A whole capture file at once, for files that fit into memory. */
import { type CapturedInterface, type CaptureError, CaptureParser, Unreadable } from './parser.js';

export type { CapturedInterface, CaptureError } from './parser.js';

export interface CapturedFrame {
  /** Into the capture's `interfaces`, counted over all sections of the file. */
  readonly interfaceIndex: number;
  /** Since the Unix epoch; 0 where the file records no time (Simple Packet Blocks). */
  readonly timestampNs: bigint;
  /** A view into the file's bytes. */
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly comment?: string;
}

export type Capture =
  | { readonly ok: true; readonly interfaces: readonly CapturedInterface[]; readonly frames: readonly CapturedFrame[] }
  | { readonly ok: false; readonly error: CaptureError };

/** Total: any bytes give a capture or a named error. */
export function readCapture(bytes: Uint8Array): Capture {
  const frames: CapturedFrame[] = [];
  const parser = new CaptureParser(
    {
      interface: () => undefined,
      frame: (interfaceIndex, clock, high, low, buffer, start, end, originalLength, comment) => {
        frames.push({
          interfaceIndex,
          timestampNs: clock === undefined ? 0n : clock.ns(high, low),
          bytes: buffer.subarray(start, end),
          originalLength,
          ...(comment !== undefined && { comment }),
        });
      },
    },
    true,
  );
  try {
    parser.parse(bytes, bytes.length, true);
    return { ok: true, interfaces: parser.interfaces, frames };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { reason, offset, detail } = error;
    return { ok: false, error: { reason, offset, detail, wholeFrames: parser.frames } };
  }
}
