/** How many bytes of a request's payload must still come at least, whatever comes: so far the socket may be acknowledged (BKD-2). */
import type { Payload } from '../../reference-impl/backend/payload.js';

/** A line may end with LF alone, as `takePayload` reads it. */
const LINE_END = 1;
/** `0`, the end of its line, and the empty line that ends the trailer (RFC 9112 §7.1). */
const LAST_CHUNK = 1 + 2 * LINE_END;

function leastOfChunk(sizeLine: string): number {
  const digits = /^[0-9a-fA-F]{1,12}/.exec(sizeLine)?.[0];
  if (digits === undefined) return LAST_CHUNK;
  // More digits would only make it larger.
  const size = Number.parseInt(digits, 16);
  return LINE_END + (size === 0 ? LINE_END : size + LINE_END + LAST_CHUNK);
}

/** 0 once it is complete, or malformed. In bytes. */
export function leastToCome({ status, framing }: Pick<Payload, 'status' | 'framing'>): number {
  if (status !== 'incomplete') return 0;
  switch (framing.kind) {
    case 'length':
      return framing.left;
    case 'chunk-size':
      return leastOfChunk(framing.line);
    case 'chunk-data':
      return framing.left + LINE_END + LAST_CHUNK;
    case 'chunk-end':
      return LINE_END + LAST_CHUNK;
    case 'trailer':
      return /^\r?$/.test(framing.line) ? LINE_END : 2 * LINE_END;
  }
}
