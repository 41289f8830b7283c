/** The objects that a backend under test serves, as files: written once a process, removed with it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateBody, objectCatalogue } from '../objects.js';
import { createRunFolder } from './run-folder.js';

let folder: string | undefined;

/** Path of the folder; the object `/a/8k` is the file `a/8k` in it. */
export function objectsFolder(): string {
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
