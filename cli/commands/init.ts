/** `prism init`: a manifest to begin with, and a gate for continuous integration. */
import { chmodSync, constants, copyFileSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { packageRoot } from '../../harness/package-root.js';
import { Failure, fileReason, systemCode } from '../failure.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut } from '../output.js';

/** File of `templates/`, and whether it is to be run. */
const FILES = [
  { name: 'prism-target.jsonc', mode: 0o644 },
  { name: 'prism-gate.sh', mode: 0o755 },
] as const;

function write(folder: string, name: string, mode: number): void {
  const path = join(folder, name);
  try {
    copyFileSync(join(packageRoot(), 'templates', name), path, constants.COPYFILE_EXCL);
    chmodSync(path, mode);
  } catch (error) {
    if (systemCode(error) === 'EEXIST')
      throw new Failure(2, `${relative('', path)} is there already; it is not overwritten`);
    throw new Failure(4, `cannot write ${path}: ${fileReason(error)}`);
  }
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ENOENT';
  }
}

function init(folder: string | undefined, options: OutputOptions): void {
  const output = new Output(options);
  const where = prepareOut(folder ?? options.out ?? '.');
  // All or nothing: nothing is written when one of them is there.
  const present = FILES.find(({ name }) => exists(join(where, name)));
  if (present)
    throw new Failure(2, `${relative('', join(where, present.name))} is there already; it is not overwritten`);
  for (const { name, mode } of FILES) write(where, name, mode);
  const files = FILES.map(({ name }) => relative('', join(where, name)));
  for (const file of files) output.line(`wrote ${file}`);
  output.line(
    `next: say in ${files[0]} how your implementation is started, then: prism test --world linux --target ${files[0]}`,
  );
  output.document({ schema: 'prism-init/1', files });
}

export function registerInit(program: Command): void {
  const command = program
    .command('init')
    .summary('write a manifest and a CI gate for an implementation of your own')
    .description(
      'Writes prism-target.jsonc, a commented target manifest, and prism-gate.sh, which continuous integration runs. Never overwrites a file.',
    )
    .argument('[DIR]', 'folder to write into (default: the present one)');
  addOutputOptions(command, {
    out: 'the same as DIR',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism init
  prism init conformance/`,
  );
  command.action(init);
}
