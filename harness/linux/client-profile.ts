/** Sets the client's kernel as a profile says, in its namespace alone; says which levels this machine does not have. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type StackProfile, WorldError } from '../world.js';
import { inNamespace } from './libc.js';

/** A setting that cannot be had here, and why. */
export interface UnavailableLevel {
  readonly factor: 'congestion' | 'offloads';
  readonly level: string;
  readonly reason: string;
}

const ON_OFF = ['0', '1'] as const;

/** Files under /proc/sys/net/ipv4 and what goes into them; only what the profile names. */
export function sysctlsOf(profile: StackProfile): readonly (readonly [file: string, value: string])[] {
  const { timestamps, sack, windowScaling, ecn, buffers } = profile;
  const files: (readonly [string, string])[] = [];
  const flag = (file: string, value: boolean | undefined): void => {
    if (value !== undefined) files.push([file, ON_OFF[value ? 1 : 0]]);
  };
  flag('tcp_timestamps', timestamps);
  flag('tcp_sack', sack);
  // Duplicate SACKs are said even to a peer that did not ask for SACK where this stays on.
  if (sack === false) files.push(['tcp_dsack', '0']);
  flag('tcp_window_scaling', windowScaling);
  // 0 neither asks for ECN nor takes it, 1 does both (the kernel's own 2 takes it and never asks).
  flag('tcp_ecn', ecn);
  if (buffers === 'tiny') files.push(['tcp_rmem', '4096 8192 8192'], ['tcp_wmem', '4096 8192 8192']);
  return files;
}

/**
 * What a profile adds to the client's route. The congestion control goes here: a namespace may not choose one by sysctl that the machine has
 * not allowed to everybody (tcp_allowed_congestion_control), and that is not ours to change.
 */
export function routeOptions({ congestion }: StackProfile): string {
  return congestion === undefined ? '' : ` congctl ${congestion}`;
}

/** What the kernel has built in or loaded; a module that is not loaded does not count, because nothing is loaded into the user's kernel. */
function congestionControls(): readonly string[] {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'latin1').trim().split(/\s+/);
  } catch {
    return [];
  }
}

let known: readonly UnavailableLevel[] | undefined;

/** Looks once a process. */
export function unavailableLevels(): readonly UnavailableLevel[] {
  if (known) return known;
  const here = congestionControls();
  const levels: UnavailableLevel[] = ['cubic', 'reno', 'bbr']
    .filter((name) => !here.includes(name))
    .map((level) => ({
      factor: 'congestion',
      level,
      reason: `not in this kernel (tcp_available_congestion_control: ${here.join(' ') || 'unreadable'})`,
    }));
  const bridge = ['--net', 'ip', 'link', 'add', 'prism0', 'type', 'bridge'];
  const mapped = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  if (spawnSync('unshare', [...mapped, ...bridge], { stdio: 'ignore', timeout: 5000 }).status !== 0)
    levels.push({
      factor: 'offloads',
      level: 'on',
      reason: 'this kernel makes no bridge, which does the work of the card',
    });
  known = levels;
  return levels;
}

/** The profile without what is not available here. */
export function availableProfile(profile: StackProfile, missing: readonly UnavailableLevel[]): StackProfile {
  const lacks = (factor: UnavailableLevel['factor'], level: string): boolean =>
    missing.some((one) => one.factor === factor && one.level === level);
  const { congestion, offloads, ...rest } = profile;
  return {
    ...rest,
    ...(congestion !== undefined && !lacks('congestion', congestion) ? { congestion } : {}),
    ...(offloads === true && lacks('offloads', 'on') ? {} : { offloads: offloads ?? false }),
  };
}

/** Throws a WorldError that names the setting when the kernel refuses it. */
export function applyProfile(clientPid: number, profile: StackProfile): void {
  inNamespace(clientPid, () => {
    for (const [file, value] of sysctlsOf(profile))
      try {
        writeFileSync(`/proc/sys/net/ipv4/${file}`, value);
      } catch (error) {
        const why = error instanceof Error ? error.message.replace(/, open .*/, '') : String(error);
        throw new WorldError(`the client's kernel cannot be set to ${file}=${value}: ${why}`);
      }
  });
}
