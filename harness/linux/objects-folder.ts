/** The objects that a backend under test serves, as files: written once a process, removed with it. */
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateBody, LARGE_OBJECTS, objectCatalogue } from '../objects.js';
import { createRunFolder } from './run-folder.js';

let folder: string | undefined;

function writeLarge(made: string, path: string): void {
  const file = join(made, path);
  const object = LARGE_OBJECTS.get(path);
  if (object === undefined || existsSync(file)) return;
  const unit = generateBody(object.unit);
  const fd = openSync(file, 'wx');
  for (let i = 0; i < object.times; i++) writeSync(fd, unit);
  closeSync(fd);
}

/** Path of the folder; the object `/a/8k` is the file `a/8k` in it. `large`: paths of `LARGE_OBJECTS` that it holds too. */
export function objectsFolder(large: readonly string[] = []): string {
  const made = ordinaryFolder();
  for (const path of large) writeLarge(made, path);
  return made;
}

function ordinaryFolder(): string {
  if (folder !== undefined) return folder;
  const made = createRunFolder();
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  for (const [path, spec] of objectCatalogue()) {
    const file = join(made, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, generateBody(spec));
  }
  folder = made;
  return made;
}
