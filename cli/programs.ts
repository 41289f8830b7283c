/** Whether a program can be found, without running anything. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Looks along PATH, and where administrators' tools are for those whose PATH lacks it. */
export function isInstalled(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    if (folder === '') return false;
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
