/** Where this package lies, from the sources as from `dist/`. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorldError } from './world.js';

/** Folder of package.json, from the sources as from `dist/`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new WorldError('the package.json of prism-conformance is not above its modules');
    folder = parent;
  }
  return folder;
}
