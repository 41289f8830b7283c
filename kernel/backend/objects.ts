/** What a backend serves over an ordinary `http` server: files of a folder by streaming, and what was PUT. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface ObjectsPlan {
  /** Folder of the objects, never written to: the object `/a/8k` is the file `a/8k` in it. */
  readonly objects: string;
  /** Folder for what is PUT. */
  readonly scratch: string;
  /** Waits this long before the first byte of each response, in ms. */
  readonly delayMs: number;
}

/** The path of a target in origin or absolute form, as it stands (RFC 9112 §3.2). */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] || '/';
}

/** The file of an object's path; undefined for a path that no object has, such as one that leads out of the folder. */
export function fileOf(folder: string, path: string): string | undefined {
  const parts = path.split('/').slice(1);
  if (
    !path.startsWith('/') ||
    path.includes('\0') ||
    parts.some((part) => part === '' || part === '.' || part === '..')
  )
    return undefined;
  return join(folder, ...parts);
}

/** Writes a payload to a file; returns its SHA-256. Rejects when the payload ends early. */
async function store(payload: IncomingMessage, file: string): Promise<string> {
  const hash = createHash('sha256');
  const hashing = new PassThrough();
  hashing.on('data', (bytes: Uint8Array) => hash.update(bytes));
  await pipeline(payload, hashing, createWriteStream(file));
  return hash.digest('hex');
}

/** A handler as `http.createServer` takes one. */
export function serveObjects({ objects, scratch, delayMs }: ObjectsPlan): RequestListener {
  const written = new Map<string, string>();
  let files = 0;

  const begin = async (response: ServerResponse, status: number, headers: OutgoingHttpHeaders): Promise<void> => {
    if (delayMs > 0) await new Promise((wake) => setTimeout(wake, delayMs));
    response.writeHead(status, { 'Content-Type': 'application/octet-stream', ...headers });
  };
  const sendFile = async (response: ServerResponse, file: string, size: number, headers: OutgoingHttpHeaders) => {
    await begin(response, 200, { 'Content-Length': size, ...headers });
    await pipeline(createReadStream(file), response);
  };
  const fileAt = (path: string): string | undefined => written.get(path) ?? fileOf(objects, path);
  const sizeAt = async (path: string): Promise<number | undefined> => {
    const file = fileAt(path);
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
    return found?.isFile() ? found.size : undefined;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request.url ?? '/');
    const size = await sizeAt(path);
    const file = fileAt(path);
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (file !== undefined && size !== undefined && request.method === 'GET')
        return sendFile(response, file, size, {});
      const text = 'not found\n';
      await begin(response, size === undefined ? 404 : 200, { 'Content-Length': size ?? text.length });
      response.end(size === undefined && request.method === 'GET' ? text : undefined);
      return;
    }
    const kept = join(scratch, `payload-${process.pid}-${++files}`);
    const etag = { ETag: `"${await store(request, kept)}"` };
    if (request.method === 'POST') {
      await sendFile(response, kept, (await stat(kept)).size, etag);
      await rm(kept, { force: true });
      return;
    }
    const before = written.get(path);
    written.set(path, kept);
    if (before !== undefined) await rm(before, { force: true });
    await begin(response, size === undefined ? 201 : 200, { 'Content-Length': 0, ...etag });
    response.end();
  };
  return (request, response) => {
    // The connection is lost, or a file is: what has not been answered never will be.
    serve(request, response).catch(() => response.destroy());
  };
}
