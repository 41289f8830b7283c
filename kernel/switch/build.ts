/** The switch's eBPF object, compiled by clang. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compiled } from '../../harness/compiled.js';
import { packageRoot } from '../../harness/package-root.js';

/** Where Debian keeps asm/types.h, which the target bpf does not look for: one folder for each machine; as flags. */
export function machineHeaders(): string[] {
  return ['x86_64', 'aarch64', 'riscv64']
    .map((machine) => `/usr/include/${machine}-linux-gnu`)
    .filter((folder) => existsSync(folder))
    .map((folder) => `-I${folder}`);
}

let built: Promise<string> | undefined;

/** The object's path; compiled once a process at most. Rejects (WorldError) saying what is missing. */
export function switchObject(): Promise<string> {
  built ??= compiled({
    what: 'the eBPF switch',
    name: 'prism-switch',
    compiler: 'clang',
    packages: 'clang, libbpf-dev, linux-libc-dev',
    source: join(packageRoot(), 'kernel/switch/prism_switch.bpf.c'),
    headers: ['/usr/include/bpf/bpf_helpers.h'],
    flags: ['-O2', '-g', '-Wall', '-Wextra', '-Werror', '-target', 'bpf', ...machineHeaders(), '-c'],
  });
  return built;
}
