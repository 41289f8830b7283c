/** When the frames of a run were seen and its control messages were logged: what puts evidence in order. */
import { readCapture } from '../harness/capture/pcapng.js';
import type { ControlLogEntry } from '../harness/world.js';
import type { Moment, MomentOf } from './cause.js';

/**
 * Of one run: its whole capture (pcapng) and the entries of its control log, one a line. Files are told apart by their ending alone. The
 * capture is read when the first frame is asked for; one that cannot be read has no moments.
 */
export function momentsOf(capture: Uint8Array, control: readonly ControlLogEntry[]): MomentOf {
  let frames: readonly Moment[] | undefined;
  return ({ capture: file, frame }) => {
    if (file.endsWith('.ndjson')) {
      const entry = control[frame - 1];
      return entry && { t: BigInt(entry.t) };
    }
    frames ??= framesOf(capture);
    return frames[frame - 1];
  };
}

function framesOf(bytes: Uint8Array): readonly Moment[] {
  const capture = readCapture(bytes);
  if (!capture.ok) return [];
  return capture.frames.map(({ interfaceIndex, timestampNs }) => {
    const vantage = capture.interfaces[interfaceIndex]?.name;
    return { t: timestampNs, ...(vantage ? { vantage } : {}) };
  });
}
