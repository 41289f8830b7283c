/** What a client made of its responses, from the bytes that it received. */
import { createHash } from 'node:crypto';
import type { HttpRequestSpec, HttpResponse } from '../world.js';
import { readResponse } from './http-message.js';

/** `etag` may still have its quotes. */
export function httpResponse(status: number, body: Uint8Array, etag: string | undefined): HttpResponse {
  return {
    status,
    bodySize: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    ...(etag === undefined ? {} : { etag: etag.replace(/^"|"$/g, '') }),
  };
}

export interface Received {
  readonly responses: readonly HttpResponse[];
  /** What is wrong with the bytes behind the last whole response. */
  readonly malformed?: string;
}

/** The whole responses in a stream, one for each request in turn. `closed`: no more bytes will come. */
export function readResponses(
  bytes: Uint8Array,
  methods: readonly HttpRequestSpec['method'][],
  closed: boolean,
): Received {
  const responses: HttpResponse[] = [];
  let at = 0;
  for (const method of methods) {
    if (at >= bytes.length) break;
    const read = readResponse(bytes, at, method === 'HEAD', closed);
    if (read.kind === 'malformed') return { responses, malformed: read.reason };
    if (read.kind === 'more') break;
    const { status, body, headers, end } = read.message;
    responses.push(httpResponse(status, body, headers.get('etag')));
    at = end;
  }
  return { responses };
}
