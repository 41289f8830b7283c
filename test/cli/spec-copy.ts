/** A copy of the shipped specification with one text changed, for tests that break it. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedSpecification } from '../../spec/formal.js';

/** Makes it as folder `name` in `cwd` and answers `name`. Throws where `find` does not stand in the file. */
export function copySpecification(cwd: string, name: string, file: string, find: string, replace: string): string {
  const folder = join(cwd, name);
  cpSync(shippedSpecification(), folder, { recursive: true });
  const text = readFileSync(join(folder, file), 'utf8');
  if (!text.includes(find)) throw new Error(`${file} has no ${find}`);
  writeFileSync(join(folder, file), text.replace(find, replace));
  return name;
}
