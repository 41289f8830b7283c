/** The package's version, from its package.json (one folder up in a checkout, two when compiled to dist/). */
import { readFileSync } from 'node:fs';

function readPackage(): string {
  try {
    return readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  } catch {
    return readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  }
}

const manifest: unknown = JSON.parse(readPackage());

export const VERSION: string =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
