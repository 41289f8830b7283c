/** The worlds that can be had on this machine. Each is loaded only when it is wanted, so that the simulated one needs nothing of Linux. */
import { probeLinux } from '../harness/linux/probe.js';
import { needsRootless, reexecRootless } from '../harness/linux/rootless.js';
import type { WorldFactory, WorldKind } from '../harness/world.js';
import { Failure } from './failure.js';

export interface NamedWorld {
  readonly kind: WorldKind;
  readonly create: WorldFactory;
  /** How many cases run at once. */
  readonly sideBySide: number;
}

export async function simWorld(): Promise<NamedWorld> {
  const { createTargetWorld } = await import('../harness/sim/target-world.js');
  return { kind: 'sim', create: createTargetWorld, sideBySide: 1 };
}

export async function linuxWorld(): Promise<NamedWorld> {
  const { createLinuxWorld } = await import('../harness/linux/world.js');
  // Much of a case is waiting for real time to pass: three fill two processors, more would only make the kernel's timers late.
  return { kind: 'linux', create: createLinuxWorld, sideBySide: 3 };
}

/** What stands between this process and the Linux world. */
export type LinuxAccess =
  | { readonly kind: 'here' }
  /** Not root, but the kernel lets us make namespaces in a user namespace of our own. */
  | { readonly kind: 'rootless' }
  /** `what` lacks; `remedy` is how to get it. */
  | { readonly kind: 'missing'; readonly what: string; readonly remedy: string };

export async function linuxAccess(): Promise<LinuxAccess> {
  const { available, missing } = await probeLinux();
  if (available) return { kind: (await needsRootless()) ? 'rootless' : 'here' };
  return {
    kind: 'missing',
    what: missing.map((m) => m.what).join(', '),
    remedy: [...new Set(missing.map((m) => m.remedy))].join('; '),
  };
}

/** Runs this same command line again inside a user namespace; answers its exit code. */
export function rerunRootless(): Promise<number> {
  return reexecRootless(process.argv.slice(2));
}

/**
 * Makes sure that the Linux world can be had: answers undefined to go on here, or the exit code of a run that has been made elsewhere.
 * Throws `Failure` 4 with what is missing.
 */
export async function enterLinux(): Promise<number | undefined> {
  const access = await linuxAccess();
  switch (access.kind) {
    case 'here':
      return undefined;
    case 'rootless':
      return rerunRootless();
    case 'missing':
      throw new Failure(4, `the Linux world cannot be had here: ${access.what}; ${access.remedy}`);
  }
}
