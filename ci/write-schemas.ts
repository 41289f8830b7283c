/** `npm run schemas`: writes schemas/*.schema.json; with --check, only says which of them are stale (exit 1). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { publishedSchemas } from '../conformance/schemas.js';

const check = process.argv.includes('--check');
for (const [name, text] of publishedSchemas()) {
  const path = new URL(`../schemas/${name}`, import.meta.url);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    process.exitCode = 1;
    process.stderr.write(`schemas/${name} is stale: npm run schemas\n`);
  } else {
    writeFileSync(path, text);
    process.stdout.write(`schemas/${name}\n`);
  }
}
