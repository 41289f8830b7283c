/** Compiles the lwIP client at its first use; kept under the user's cache folder by what it was made from. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { packageRoot } from '../../package-root.js';
import { WorldError } from '../../world.js';

/** Debian's liblwip-dev. */
export const LWIP_HEADERS = '/usr/include/lwip';
const COMPILE_MS = 60_000;
const FLAGS = ['-O1', '-Wall', '-Wextra', '-D_GNU_SOURCE', `-I${LWIP_HEADERS}`];
const LIBRARIES = ['-llwip', '-lpthread'];

function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'prism-conformance');
}

function compile(source: string, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (why: string): void =>
      reject(new WorldError(`the lwIP client cannot be compiled (Debian: gcc, libc6-dev, liblwip-dev): ${why}`));
    const compiler = spawn('cc', [...FLAGS, '-o', target, source, ...LIBRARIES], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: COMPILE_MS,
    });
    let said = '';
    compiler.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    compiler.once('error', (error) => failed(error.message));
    compiler.once('close', (code) => {
      if (code === 0) resolve();
      else failed(said.split('\n').find((line) => /error|cannot find/.test(line)) ?? `cc exited with ${code}`);
    });
  });
}

async function build(): Promise<string> {
  const source = join(packageRoot(), 'harness/clients/lwip/client.c');
  const options = join(LWIP_HEADERS, 'lwipopts.h');
  if (!existsSync(options)) throw new WorldError(`the lwIP client needs ${options} (Debian: liblwip-dev)`);
  const version = spawnSync('cc', ['--version'], { encoding: 'utf8', timeout: 10_000 });
  if (version.status !== 0) throw new WorldError('the lwIP client needs a C compiler, cc (Debian: gcc, libc6-dev)');
  const digest = createHash('sha256')
    .update(readFileSync(source))
    .update(readFileSync(options))
    .update(readFileSync(join(LWIP_HEADERS, 'lwip/init.h')))
    .update(`${version.stdout} ${[...FLAGS, ...LIBRARIES].join(' ')}`)
    .digest('hex');
  const folder = cacheFolder();
  const target = join(folder, `lwip-client-${digest.slice(0, 32)}`);
  if (existsSync(target)) return target;
  // Compiled beside it and renamed, so that nobody runs half of it.
  const unfinished = `${target}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    await compile(source, unfinished);
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { force: true });
    if (error instanceof WorldError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new WorldError(`the lwIP client cannot be kept in ${folder} (XDG_CACHE_HOME names another): ${why}`);
  }
  return target;
}

let built: Promise<string> | undefined;

/** The program's path; compiled once a process at most. Rejects (WorldError) saying what is missing. */
export function lwipClient(): Promise<string> {
  built ??= build();
  return built;
}
