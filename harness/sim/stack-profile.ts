/** Which stack a simulated client plays: Linux's as a profile sets it, or that of a client that brings its own. */
import type { ClientJob, StackProfile } from '../world.js';
import { type ClientProfile, LINUX_CLIENT } from './client.js';

/** IPv4 and TCP header without options. */
const HEADERS = 40;
const TINY_BUFFER = 8192;

/** lwIP as Debian builds it: no timestamps, no SACK, a shift of 1. */
const LWIP: ClientProfile = { mss: 1460, windowScale: 1, sack: false, timestamps: false, receiveBuffer: 65_535 };
/** The scapy client offers nothing but an MSS (it has to be said here; by hand it leaves it out, which means the same). */
const SCAPY: ClientProfile = { mss: 536, windowScale: null, sack: false, timestamps: false, receiveBuffer: 16_384 };

/** What the simulated client has no counterpart of, and why; the same words as for levels that a kernel lacks. */
export const NOT_SIMULATED: readonly { readonly factor: string; readonly level: string; readonly reason: string }[] = [
  { factor: 'ecn', level: 'on', reason: 'the simulated client asks for no ECN' },
  { factor: 'congestion', level: 'reno', reason: 'the simulated client has one congestion control' },
  { factor: 'congestion', level: 'bbr', reason: 'the simulated client has one congestion control' },
  { factor: 'offloads', level: 'on', reason: 'a simulated host has no card' },
];

/** The stack that plays a job. */
export function simulatedStack(job: ClientJob, profile: StackProfile = {}): ClientProfile {
  if (job.kind === 'http' && job.program === 'lwip') return LWIP;
  if (job.kind === 'http' && job.program === 'scapy') return SCAPY;
  const { timestamps, sack, windowScaling, mtu, buffers } = profile;
  const tiny = buffers === 'tiny';
  return {
    mss: mtu === undefined ? LINUX_CLIENT.mss : mtu - HEADERS,
    // Linux shifts no further than its largest buffer asks for.
    windowScale: windowScaling === false ? null : tiny ? 0 : LINUX_CLIENT.windowScale,
    sack: sack ?? LINUX_CLIENT.sack,
    timestamps: timestamps ?? LINUX_CLIENT.timestamps,
    receiveBuffer: tiny ? TINY_BUFFER : LINUX_CLIENT.receiveBuffer,
  };
}
