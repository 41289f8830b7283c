/** The private folder of one run: its modules and configuration, and what TLC and its JVM would else write elsewhere. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Modules, TlcRequest } from './request.js';

export interface WorkFolder {
  readonly path: string;
  /** Options of the JVM that keep it inside the folder and within its heap. */
  readonly jvm: readonly string[];
  /** TLC's own folder for states. */
  readonly states: string;
  /** Removes it, or moves it to where it is to be kept. */
  readonly finish: () => void;
}

/** Throws a TypeError for names that are none, and the system's errors. */
export function createWorkFolder(request: Omit<TlcRequest, 'coverage'>): WorkFolder {
  const { modules, root, cfg, heapMegabytes, keepFolder } = request;
  if (!/^\w+$/.test(root)) throw new TypeError(`${root} is no name of a module`);
  const path = mkdtempSync(join(tmpdir(), 'prism-tlc-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    writeModules(modules, path);
    writeFileSync(join(path, `${root}.cfg`), cfg);
    const temporary = join(path, 'tmp');
    const home = join(path, 'home');
    mkdirSync(temporary);
    mkdirSync(join(home, '.tlaplus'), { recursive: true });
    // Without it TLC looks a host up, to send statistics of use.
    writeFileSync(join(home, '.tlaplus', 'esc.txt'), 'NO_STATISTICS\n');
    return {
      path,
      states: join(path, 'states'),
      jvm: [
        `-Xmx${heapMegabytes}m`,
        '-XX:+UseParallelGC',
        // A thread that dies of it alone would leave TLC waiting for ever.
        '-XX:+ExitOnOutOfMemoryError',
        // Would write into the system's /tmp whatever java.io.tmpdir says.
        '-XX:-UsePerfData',
        `-XX:ErrorFile=${join(path, 'jvm-error.log')}`,
        `-Duser.home=${home}`,
        `-Djava.io.tmpdir=${temporary}`,
        // The separators in numbers, and the signs of names and strings.
        '-Duser.language=en',
        '-Duser.country=US',
        '-Dfile.encoding=UTF-8',
        '-Dsun.stdout.encoding=UTF-8',
        '-Dstdout.encoding=UTF-8',
      ],
      finish: () => {
        if (keepFolder !== undefined) keep(path, keepFolder);
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The modules by file name, read where they are in a folder. Throws the system's errors. */
export function moduleTexts(modules: Modules): Readonly<Record<string, string>> {
  if ('texts' in modules) return modules.texts;
  const names = readdirSync(modules.folder).filter((file) => file.endsWith('.tla'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(modules.folder, name), 'utf8')]));
}

function writeModules(modules: Modules, path: string): void {
  if ('folder' in modules) {
    for (const name of readdirSync(modules.folder).filter((file) => file.endsWith('.tla')))
      cpSync(join(modules.folder, name), join(path, name), { dereference: true });
    return;
  }
  for (const [name, text] of Object.entries(modules.texts)) {
    if (!/^\w+\.tla$/.test(name) || basename(name) !== name) throw new TypeError(`${name} is no file name of a module`);
    writeFileSync(join(path, name), text);
  }
}

/** Over file systems too, where a rename cannot. */
function keep(path: string, destination: string): void {
  try {
    renameSync(path, destination);
  } catch {
    cpSync(path, destination, { recursive: true });
  }
}
