/** What the clients of a Linux world need beside Node: programs on the path, and the parts of the lwIP client. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../linux/probe.js';
import { findPythonWithScapy, ScapyMissing } from '../scapy/bridge.js';
import type { ClientProgram, LoadProgram } from '../world.js';
import { LWIP_HEADERS } from './lwip/build.js';

/** What each needs, in the words of `isInstalled`. */
export const CLIENT_NEEDS: Readonly<Record<ClientProgram | LoadProgram, readonly string[]>> = {
  curl: ['curl'],
  wget: ['wget'],
  python: ['python3'],
  node: ['node'],
  nc: ['netcat-openbsd'],
  scapy: ['python3-scapy'],
  lwip: ['cc', 'liblwip-dev'],
  wrk: ['wrk'],
  ab: ['ab'],
};

const known = new Map<string, boolean>();

function look(name: string): boolean {
  switch (name) {
    case 'python3-scapy':
      try {
        findPythonWithScapy();
        return true;
      } catch (error) {
        if (error instanceof ScapyMissing) return false;
        throw error;
      }
    case 'liblwip-dev':
      return existsSync(join(LWIP_HEADERS, 'lwipopts.h'));
    case 'netcat-openbsd':
      // Other netcats do not know -N, and say so in other words.
      return / \[?-[0-9a-zA-Z]*N/.test(spawnSync('nc', ['-h'], { encoding: 'utf8', timeout: 5000 }).stderr ?? '');
    default:
      return hasProgram(name);
  }
}

/** Whether a program on the path, or a package by its Debian name, is here; looks once a process for each. */
export function isInstalled(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  const found = look(name);
  known.set(name, found);
  return found;
}
