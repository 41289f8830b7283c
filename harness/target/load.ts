/** Finds a target: a manifest's path, or the name of a shipped one. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { didYouMean } from '../nearest.js';
import { packageRoot } from '../package-root.js';
import { type Manifest, parseManifest } from './manifest.js';
import { resolveTarget, type Target } from './target.js';

export type LoadedTarget =
  | { readonly ok: true; readonly target: Target }
  /** One line. */
  | { readonly ok: false; readonly error: string };

/** No manifest is as long as this, in bytes. */
const LONGEST = 1 << 20;
const EXTENSION = '.json';

const shippedFolder = (): string => join(packageRoot(), 'conformance', 'targets');

/** Names of the shipped targets, sorted. */
export function shippedTargets(): string[] {
  return readdirSync(shippedFolder())
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => basename(file, EXTENSION))
    .sort();
}

function read(file: string): { ok: true; manifest: Manifest } | { ok: false; error: string } {
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > LONGEST) return { ok: false, error: 'it is too long for a manifest' };
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { ok: false, error: 'no such file' };
    return { ok: false, error: code === 'EISDIR' ? 'it is a folder' : `cannot be read (${String(code)})` };
  }
  return parseManifest(text);
}

/** A shipped target; throws when the package itself is broken. */
export function shippedTarget(name: string): Target {
  const parsed = read(join(shippedFolder(), name + EXTENSION));
  if (!parsed.ok) throw new Error(`the shipped target ${name}: ${parsed.error}`);
  return resolveTarget(parsed.manifest, shippedFolder(), name);
}

/** `word`: a path when it looks like one or is one, else the name of a shipped target. */
export function loadTarget(word: string): LoadedTarget {
  const shipped = shippedTargets();
  if (shipped.includes(word)) return { ok: true, target: shippedTarget(word) };
  const file = resolve(word);
  const looksLikePath = word.includes('/') || /\.jsonc?$/.test(word);
  if (word === '' || (!looksLikePath && !existsSync(file)))
    return {
      ok: false,
      error: `no target is called '${word}'${didYouMean(word, shipped)}; give a manifest's path, or one of: ${shipped.join(', ')}`,
    };
  const parsed = read(file);
  if (!parsed.ok) return { ok: false, error: `${word}: ${parsed.error}` };
  const target = resolveTarget(parsed.manifest, dirname(file), word);
  // Results name a target by its name alone: two of one name could not be told apart.
  if (shipped.includes(target.name) && dirname(file) !== shippedFolder())
    return { ok: false, error: `${word}: name: '${target.name}' is the name of a shipped target; choose another` };
  return { ok: true, target };
}
