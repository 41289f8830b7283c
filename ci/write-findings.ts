/** `npm run findings`: runs the commands in docs/findings.md and writes the ladders below them; with --check, says which are stale (exit 1). */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const check = process.argv.includes('--check');
const path = fileURLToPath(new URL('../docs/findings.md', import.meta.url));
const prism = fileURLToPath(new URL('../bin/prism.js', import.meta.url));

/** The ladder that a violated `prism spec check` prints, without its legend. */
function ladderOf(command: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [prism, ...command.split(' ').slice(1)], {
    encoding: 'utf8',
  });
  const [, ladder] = /^VIOLATED \w+\n\n([\s\S]*?)\n\n-->/m.exec(stdout) ?? [];
  // A model that is violated exits 1; a seeded fault that is caught as it should be, 0.
  if (status !== (command.startsWith('prism spec mutants ') ? 0 : 1) || ladder === undefined)
    throw new Error(`${command}: exit code ${status}, no counterexample\n${stderr}`);
  return ladder;
}

const text = readFileSync(path, 'utf8');
let stale = 0;
// A command in a `sh` block, with the ladder in the `text` block right below it.
const fresh = text.replace(
  /```sh\n(prism spec [^\n]*)\n```\n\n```text\n([\s\S]*?)```/g,
  (block, command: string, old: string) => {
    const ladder = `${ladderOf(command)}\n`;
    if (ladder === old) return block;
    stale++;
    process.stderr.write(`stale: ${command}\n`);
    return `\`\`\`sh\n${command}\n\`\`\`\n\n\`\`\`text\n${ladder}\`\`\``;
  },
);
if (check) process.exitCode = stale === 0 ? 0 : 1;
else writeFileSync(path, fresh);
