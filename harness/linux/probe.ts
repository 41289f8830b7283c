/** Says whether the Linux world can be had here, and if not, what is missing and how to get it. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { WorldError } from '../world.js';

export interface Missing {
  readonly what: string;
  readonly remedy: string;
}

export interface LinuxProbe {
  readonly available: boolean;
  /** Available through a user namespace only: the command has to run itself again inside one (`reexecRootless`). */
  readonly rootless: boolean;
  readonly missing: readonly Missing[];
}

const TOOLS = [
  ['ip', 'apt-get install iproute2'],
  ['unshare', 'apt-get install util-linux'],
  ['nsenter', 'apt-get install util-linux'],
  ['setpriv', 'apt-get install util-linux'],
] as const;

/** Whether a program of that name is on the path. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function works(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  return spawnSync(program, args, { stdio: 'ignore', timeout: 5000 }).status === 0;
}

let known: Promise<LinuxProbe> | undefined;

/** Looks once a process. */
export function probeLinux(): Promise<LinuxProbe> {
  known ??= look();
  return known;
}

async function look(): Promise<LinuxProbe> {
  if (process.platform !== 'linux')
    return {
      available: false,
      rootless: false,
      missing: [{ what: 'Linux', remedy: 'run it on Linux, or in a virtual machine' }],
    };
  const missing: Missing[] = TOOLS.filter(([name]) => !hasProgram(name)).map(([what, remedy]) => ({ what, remedy }));
  try {
    (await import('./libc.js')).libc();
  } catch {
    missing.push({ what: 'libc through koffi', remedy: 'npm ci (on a glibc distribution)' });
  }
  if (missing.length > 0) return { available: false, rootless: false, missing };
  // A namespace with a packet-capable owner, joined by a veth to another: everything that needs a privilege or a kernel option.
  const trial = 'ip link add name prism0 type veth peer name prism1 && ip link set dev prism0 up';
  const inNamespace = (...flags: string[]) => works(['unshare', ...flags, '--net', 'sh', '-c', trial]);
  if (inNamespace()) return { available: true, rootless: false, missing: [] };
  if (inNamespace('--user', '--map-root-user')) return { available: true, rootless: true, missing: [] };
  const isRoot = process.getuid?.() === 0;
  missing.push(
    isRoot
      ? {
          what: 'network namespaces with veth',
          remedy: 'give the container CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW, and the kernel veth',
        }
      : {
          what: 'the right to make network namespaces',
          remedy:
            'run it as root, or allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)',
        },
  );
  return { available: false, rootless: false, missing };
}

/** Throws a WorldError that names what is missing, unless a world can be built by this very process. */
export async function requireLinux(): Promise<void> {
  const { available, rootless, missing } = await probeLinux();
  if (!available)
    throw new WorldError(`no Linux world here: ${missing.map((m) => `${m.what} (${m.remedy})`).join('; ')}`);
  if (rootless)
    throw new WorldError(
      'the Linux world needs root, or to be run inside a user namespace: unshare --user --map-root-user --net',
    );
}
