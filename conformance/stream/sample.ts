/** The beginning of every file of a run, looked at before it is judged: what the clocks are like, and whether the topology fits. */
import type { FrameSink } from '../../harness/capture/parser.js';
import { CaptureSource, sourceError } from '../../harness/capture/source.js';
import type { Topology } from '../../harness/topology.js';
import { readU48 } from '../../reference-impl/wire/octets.js';
import { decodeFrame, type Frame, type Hosts, hostsOf, type Segment } from '../flows/decode.js';
import { asEthernet } from '../flows/link.js';
import { VantageFinder, vantageByMac } from '../flows/vantage.js';
import type { FileInput } from './judge-files.js';

/** Frames of each of several files that are compared; clocks that drift apart later are not followed. */
const MOST_OF_SEVERAL = 20_000;
/** Of a single one only the topology and the stamps are looked at. */
const MOST_OF_ONE = 4000;
/** The time of the day a file was begun may differ; what is further behind the latest beginning has nothing to compare. */
const BEHIND_NS = 600e9;

export interface FileSample {
  readonly name: string;
  /** The largest power of ten of nanoseconds that divides every stamp, 1 to 10^9. */
  readonly tickNs: number;
  /** The furthest that a stamp lies before an earlier frame's of the same interface, nanoseconds, and the frame. */
  readonly backNs: number;
  readonly backFrame: number;
}

export interface Sample {
  readonly files: readonly FileSample[];
  readonly segments: readonly Segment[];
  readonly others: readonly Frame[];
}

/** Fewer stamps are even by chance. */
const FEWEST = 8;

class Stamps {
  #tick = 1_000_000_000n;
  #count = 0;
  readonly #last = new Map<number, bigint>();
  back = 0;
  backFrame = 0;

  add(index: number, at: bigint, number: number): void {
    this.#count++;
    while (this.#tick > 1n && at % this.#tick !== 0n) this.#tick /= 10n;
    const last = this.#last.get(index);
    if (last !== undefined && at < last && Number(last - at) > this.back) {
      this.back = Number(last - at);
      this.backFrame = number;
    }
    if (last === undefined || at > last) this.#last.set(index, at);
  }

  get tickNs(): number {
    return this.#count < FEWEST ? 1 : Number(this.#tick);
  }
}

/** Reads the beginnings; what is standard input is left alone. An error is one line: which file cannot be read, and why. */
export async function sampleFiles(
  files: readonly FileInput[],
  topology: Topology,
): Promise<Sample | { readonly error: string }> {
  const hosts = hostsOf(topology);
  const names = new Map<number, string>();
  const sample = { files: [] as FileSample[], segments: [] as Segment[], others: [] as Frame[] };
  const origin: { at: bigint | undefined } = { at: undefined };
  const most = files.length > 1 ? MOST_OF_SEVERAL : MOST_OF_ONE;
  for (const [file, input] of files.entries()) {
    const stamps = new Stamps();
    if (input.path !== '-') {
      const failed = await sampleFile(input, file, most, hosts, names, origin, stamps, (frame) => {
        if ('towards' in frame) sample.segments.push(frame);
        else sample.others.push(frame);
      });
      if (failed !== undefined) return { error: failed };
    }
    const { tickNs, back, backFrame } = stamps;
    sample.files.push({ name: input.name, tickNs, backNs: back, backFrame });
  }
  return sample;
}

async function sampleFile(
  input: FileInput,
  file: number,
  most: number,
  hosts: Hosts,
  names: Map<number, string>,
  origin: { at: bigint | undefined },
  stamps: Stamps,
  keep: (frame: Frame | Segment) => void,
): Promise<string | undefined> {
  const finder = new VantageFinder(hosts, input.vantage, () => undefined);
  const links: number[] = [];
  let number = 0;
  let first: number | undefined;
  let enough = false;
  const take: FrameSink['frame'] = (index, clock, high, low, bytes, start, end) => {
    number++;
    if (clock === undefined || enough) return;
    const at = clock.ns(high, low);
    stamps.add(index, at, number);
    origin.at ??= at;
    const t = clock.since(origin.at, high, low);
    first ??= t;
    if (number > most || t - first > BEHIND_NS) enough = true;
    const place = finder.place(index);
    if (place === undefined) return;
    const own = 'vantage' in place ? hosts.macs.get(place.vantage) : undefined;
    const ethernet = asEthernet(links[index] ?? 0, bytes.slice(start, end), own);
    if (ethernet === undefined) return;
    const vantage =
      'vantage' in place ? place.vantage : vantageByMac(hosts, readU48(ethernet, 6), readU48(ethernet, 0));
    if (vantage === undefined) return;
    const frame = decodeFrame(ethernet, { capture: input.name, number, file, vantage, t }, hosts, names);
    if (frame !== undefined) keep(frame);
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
    return `${input.name}: ${reason} at byte ${offset}: ${detail}${whole}`;
  } finally {
    source.close();
  }
  return undefined;
}
