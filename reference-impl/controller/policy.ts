/** Which backend a request goes to (SoCC'17 §2.2: the controller "consults the metadata it maintains"). */
import type { SelectionPolicy } from './config.js';

/**
 * The name of the backend for `path`; `turn` counts earlier hand-offs, for round robin.
 * `backends` is not empty; a path map's names are in it.
 */
export function selectBackend(
  policy: SelectionPolicy,
  backends: readonly string[],
  path: string,
  turn: number,
): string {
  const at = (index: number): string => backends[index % backends.length] ?? '';
  switch (policy.kind) {
    case 'path-map':
      return policy.map.find((entry) => path.startsWith(entry.prefix))?.backend ?? policy.default;
    case 'path-hash':
      return at(fnv1a(path));
    case 'round-robin':
      return at(turn);
  }
}

/** FNV-1a, 32 bits, over the UTF-8 bytes. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
