/** How far the clocks of several files are apart, by what they have in common at their beginning. */
import type { StampClock } from '../../harness/capture/blocks.js';
import { CaptureSource, sourceError } from '../../harness/capture/source.js';
import type { Topology } from '../../harness/topology.js';
import { readU48 } from '../../reference-impl/wire/octets.js';
import { alignClocks } from '../flows/clocks.js';
import { decodeFrame, type Frame, hostsOf, type Segment } from '../flows/decode.js';
import { asEthernet } from '../flows/link.js';
import { VantageFinder, vantageByMac } from '../flows/vantage.js';
import type { FileInput } from './judge-files.js';

/** Frames of each file that are compared; clocks that drift apart later are not followed. */
const SAMPLE = 20_000;
/** The time of the day a file was begun may differ; what is further behind the latest beginning has nothing to compare. */
const BEHIND_NS = 600e9;

export type ClockShifts =
  | { readonly shifts: readonly number[]; readonly notes: readonly string[] }
  | { readonly error: string };

/** For each file, by how many nanoseconds its clock is ahead of the first one's. */
export async function clockShifts(files: readonly FileInput[], topology: Topology): Promise<ClockShifts> {
  const hosts = hostsOf(topology);
  const names = new Map<number, string>();
  const frames: Frame[] = [];
  const segments: Segment[] = [];
  let origin: bigint | undefined;
  for (const [file, input] of files.entries()) {
    const finder = new VantageFinder(hosts, input.vantage, () => undefined);
    const links: number[] = [];
    let number = 0;
    let first: number | undefined;
    let enough = false;
    const take = (
      index: number,
      clock: StampClock | undefined,
      high: number,
      low: number,
      bytes: Uint8Array,
      start: number,
      end: number,
    ): void => {
      number++;
      if (clock === undefined || enough) return;
      origin ??= clock.ns(high, low);
      const t = clock.since(origin, high, low);
      first ??= t;
      if (number > SAMPLE || t - first > BEHIND_NS) enough = true;
      const place = finder.place(index);
      if (place === undefined) return;
      const own = 'vantage' in place ? hosts.macs.get(place.vantage) : undefined;
      const ethernet = asEthernet(links[index] ?? 0, bytes.slice(start, end), own);
      if (ethernet === undefined) return;
      const vantage =
        'vantage' in place ? place.vantage : vantageByMac(hosts, readU48(ethernet, 6), readU48(ethernet, 0));
      if (vantage === undefined) return;
      const frame = decodeFrame(ethernet, { capture: input.name, number, file, vantage, t }, hosts, names);
      if (frame === undefined) return;
      if ('towards' in frame) segments.push(frame);
      else frames.push(frame);
    };
    const source = CaptureSource.open(input.path, {
      interface: (index, described) => {
        links[index] = described.linkType;
        finder.add(index, described);
      },
      frame: take,
    });
    try {
      while (!enough && (await source.step()));
    } catch (error) {
      const known = sourceError(error, source.parser.frames);
      if (known === undefined) throw error;
      const { reason, offset, detail, wholeFrames } = known;
      const whole = wholeFrames > 0 ? ` (${wholeFrames} whole frames before it)` : '';
      return { error: `${input.name}: ${reason} at byte ${offset}: ${detail}${whole}` };
    } finally {
      source.close();
    }
  }
  const sample = files.map((_, file) => [...segments, ...frames].find((frame) => frame.file === file));
  const before = sample.map((frame) => frame?.t ?? 0);
  const notes = alignClocks(segments, frames);
  return { shifts: sample.map((frame, file) => (before[file] ?? 0) - (frame?.t ?? 0)), notes };
}
