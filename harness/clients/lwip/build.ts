/** The lwIP client as a program. */
import { join } from 'node:path';
import { compiled } from '../../compiled.js';
import { packageRoot } from '../../package-root.js';

/** Debian's liblwip-dev. */
export const LWIP_HEADERS = '/usr/include/lwip';

let built: Promise<string> | undefined;

/** The program's path; compiled once a process at most. Rejects (WorldError) saying what is missing. */
export function lwipClient(): Promise<string> {
  built ??= compiled({
    what: 'the lwIP client',
    name: 'lwip-client',
    compiler: 'cc',
    packages: 'gcc, libc6-dev, liblwip-dev',
    source: join(packageRoot(), 'harness/clients/lwip/client.c'),
    headers: [join(LWIP_HEADERS, 'lwipopts.h'), join(LWIP_HEADERS, 'lwip/init.h')],
    flags: ['-O1', '-Wall', '-Wextra', '-D_GNU_SOURCE', `-I${LWIP_HEADERS}`],
    libraries: ['-llwip', '-lpthread'],
  });
  return built;
}
