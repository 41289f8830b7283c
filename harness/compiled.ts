/** Programs that are compiled at their first use and kept under the user's cache folder, named after all they were made from. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.js';
import { WorldError } from './world.js';

export interface Recipe {
  /** For messages, as in "the lwIP client". */
  readonly what: string;
  /** Begins the file's name in the cache. */
  readonly name: string;
  readonly compiler: string;
  /** The Debian packages with all that it takes. */
  readonly packages: string;
  readonly source: string;
  /** Other files that it is made from; the first that is missing is told. */
  readonly headers: readonly string[];
  /** Between compiler and source, and behind the source. */
  readonly flags: readonly string[];
  readonly libraries?: readonly string[];
}

const COMPILE_MS = 60_000;

function compile({ what, compiler, packages, source, flags, libraries = [] }: Recipe, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (why: string): void =>
      reject(new WorldError(`${what} cannot be compiled (Debian: ${packages}): ${why}`));
    const running = spawn(compiler, [...flags, '-o', target, source, ...libraries], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: COMPILE_MS,
    });
    let said = '';
    running.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    running.once('error', (error) => failed(error.message));
    running.once('close', (code) => {
      if (code === 0) resolve();
      else failed(said.split('\n').find((line) => /error|cannot find/.test(line)) ?? `${compiler} exited with ${code}`);
    });
  });
}

/** The program's path. Rejects (WorldError) saying what is missing, or what the compiler holds against the source. */
export async function compiled(recipe: Recipe): Promise<string> {
  const { what, name, compiler, packages, source, headers, flags, libraries = [] } = recipe;
  for (const header of headers)
    if (!existsSync(header)) throw new WorldError(`${what} needs ${header} (Debian: ${packages})`);
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  if (version.status !== 0) throw new WorldError(`${what} needs the compiler ${compiler} (Debian: ${packages})`);
  const digest = createHash('sha256');
  for (const file of [source, ...headers]) digest.update(readFileSync(file));
  digest.update(`${version.stdout} ${[...flags, ...libraries].join(' ')}`);
  const folder = cacheFolder(process.env);
  const target = join(folder, `${name}-${digest.digest('hex').slice(0, 32)}`);
  if (existsSync(target)) return target;
  // Compiled beside it and renamed, so that nobody runs half of it.
  const unfinished = `${target}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    await compile(recipe, unfinished);
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { force: true });
    if (error instanceof WorldError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new WorldError(`${what} cannot be kept in ${folder} (XDG_CACHE_HOME names another): ${why}`);
  }
  return target;
}
