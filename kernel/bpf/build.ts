/** eBPF objects, compiled by clang at their first use. */
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

/** `source`: relative to the package. Resolves to the object's path; rejects (WorldError) saying what is missing. */
export function bpfObject(what: string, name: string, source: string): Promise<string> {
  return compiled({
    what,
    name,
    compiler: 'clang',
    packages: 'clang, libbpf-dev, linux-libc-dev',
    source: join(packageRoot(), source),
    headers: ['/usr/include/bpf/bpf_helpers.h'],
    flags: ['-O2', '-g', '-Wall', '-Wextra', '-Werror', '-target', 'bpf', ...machineHeaders(), '-c'],
  });
}
