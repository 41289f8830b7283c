/** How far the clocks of several files are apart, by what they have in common at their beginning, and how far they can be trusted. */
import { alignClocks } from '../flows/clocks.js';
import { byTime, changesOf, type Packet, pairSegments } from '../flows/packets.js';
import type { Doubt } from './doubt.js';
import type { Sample } from './sample.js';

/** Stamps of sockets of one machine differ by less. */
const TRUSTED_NS = 100e3;
/** A stamp is coarse from here on: more than one frame of a conversation can have the same. */
const COARSE_NS = 1e6;

export interface ClockShifts {
  /** For each file, by how many nanoseconds its clock is ahead of the first one's. */
  readonly shifts: readonly number[];
  readonly notes: readonly string[];
  readonly doubt: Doubt | undefined;
}

/** Moves the sample's frames onto the first file's clock. */
export function clockShifts({ files, segments, others }: Sample): ClockShifts {
  const sample = files.map((_, file) => [...segments, ...others].find((frame) => frame.file === file));
  const before = sample.map((frame) => frame?.t ?? 0);
  const notes = files.length > 1 ? alignClocks(segments, others) : [];
  const shifts = sample.map((frame, file) => (before[file] ?? 0) - (frame?.t ?? 0));
  return { shifts, notes, doubt: doubtOf({ files, segments, others }) };
}

const ms = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`;

/** What contradicts the stamps: an arrival before its sending, time that runs backwards, ticks in which much happens. */
function doubtOf({ files, segments }: Sample): Doubt | undefined {
  let doubt: Doubt | undefined;
  const learn = (ns: number, why: string): void => {
    if (ns > (doubt?.ns ?? 0)) doubt = { ns, why };
  };
  for (const { name, backNs, backFrame } of files)
    if (backNs > TRUSTED_NS)
      learn(backNs, `frame ${backFrame} of ${name} is stamped ${ms(backNs)} before an earlier one of its link`);
  if (files.length === 1) return doubt;
  for (const { name, tickNs } of files)
    if (tickNs >= COARSE_NS) learn(tickNs, `the stamps of ${name} are whole multiples of ${ms(tickNs)}`);
  const packets = pairSegments(segments);
  for (const { sent, arrivals, twins } of packets) {
    const [arrived] = arrivals;
    if (sent === undefined || arrived === undefined || twins || arrivals.length !== 1) continue;
    const early = sent.t - arrived.t;
    if (sent.file === arrived.file || early <= TRUSTED_NS || changesOf(sent, arrived).length > 0) continue;
    learn(
      early,
      `frame ${arrived.number} of ${arrived.capture} is stamped ${ms(early)} before it was sent, in frame ${sent.number} of ${sent.capture}`,
    );
  }
  learnFromOrder(packets, learn);
  return doubt;
}

/** A flight that is longer than the usual one by so much was late: what it was overtaken by says nothing of clocks. */
const LATE_NS = 20e6;

/** Of packets of two hosts to a third one, that which arrives first was sent first, unless it was overtaken on its way. */
function learnFromOrder(packets: readonly Packet[], learn: (ns: number, why: string) => void): void {
  const landed = packets.flatMap(({ sent, arrivals: [arrived], twins }) =>
    sent === undefined || arrived === undefined || twins || sent.file === arrived.file ? [] : [{ sent, arrived }],
  );
  const flights = landed.map(({ sent, arrived }) => arrived.t - sent.t).sort((a, b) => a - b);
  const usual = flights[flights.length >>> 1] ?? 0;
  const prompt = landed.filter(({ sent, arrived }) => arrived.t - sent.t < usual + LATE_NS);
  prompt.sort((a, b) => byTime(a.arrived, b.arrived));
  const latest = new Map<number, (typeof prompt)[number]>();
  for (const one of prompt) {
    const before = latest.get(one.arrived.file);
    const inverted = before === undefined ? 0 : before.sent.t - one.sent.t;
    if (before !== undefined && before.sent.file !== one.sent.file && inverted > TRUSTED_NS)
      learn(
        inverted,
        `frame ${before.sent.number} of ${before.sent.capture} is stamped ${ms(inverted)} behind frame ${one.sent.number} of ${one.sent.capture}, and arrived before it`,
      );
    if (inverted <= 0) latest.set(one.arrived.file, one);
  }
}
