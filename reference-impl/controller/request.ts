/** Request headers: where one ends, what it asks for, what makes it unacceptable (RFC 9112, RFC 9110). */
import { HTTPParser } from 'http-parser-js';
import type { RequestDescription } from '../control/messages.js';

export type RequestHead =
  /** `end`: bytes up to and including the empty line. */
  | { readonly kind: 'complete'; readonly end: number; readonly request: RequestDescription; readonly path: string }
  | { readonly kind: 'incomplete' }
  /** REQ-7: what the controller answers. */
  | { readonly kind: 'refused'; readonly status: 400 | 431 | 501 | 505; readonly reason: string };

const METHODS = ['GET', 'HEAD', 'PUT', 'POST'] as const;
type Method = (typeof METHODS)[number];

/** A read's window is closed at hand-off, a write's stays open (SoCC'17 §2.2). */
export function isRead(method: Method): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Reads the request at the start of `bytes`. Nothing is decided before the whole header is there (REQ-1), but for a header
 * that is longer than `limit` bytes already.
 */
export function readRequestHead(bytes: Uint8Array, limit: number): RequestHead {
  const start = skipEmptyLines(bytes);
  const end = headerEnd(bytes, start);
  if ((end ?? bytes.length) - start > limit) return refused(431, `header longer than ${limit} bytes`);
  if (end === undefined) return { kind: 'incomplete' };
  const header = bytes.subarray(start, end);
  const text = Buffer.from(header).toString('latin1');
  const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\u0080-\u00ff]+) HTTP\/(\d)\.(\d)\r?\n/.exec(text);
  if (!line) return refused(400, 'malformed request line');
  const [, methodText = '', target = '', major, minor] = line;
  if (major !== '1' || (minor !== '0' && minor !== '1')) return refused(505, `HTTP/${major}.${minor}`);
  const method = METHODS.find((known) => known === methodText);
  if (method === undefined) return refused(501, `method ${methodText}`);
  const fields = parseFields(header);
  if (typeof fields === 'string') return refused(400, fields);
  const minorVersion = minor === '1' ? 1 : 0;
  const hosts = fields.get('host') ?? [];
  if (hosts.length > 1 || (minorVersion === 1 && hosts.length !== 1)) return refused(400, 'not exactly one Host field');
  const payload = payloadOf(fields);
  if (payload.kind === 'refused') return payload;
  if (isRead(method) && (payload.kind === 'chunked' || payload.bytes > 0)) return refused(400, `payload on ${method}`);
  const path = pathOf(target);
  if (path === undefined) return refused(400, 'malformed request target');
  const connection = tokens(fields.get('connection'));
  return {
    kind: 'complete',
    end,
    path,
    request: {
      method,
      target,
      header: Buffer.from(header).toString('base64'),
      payload,
      expectContinue: minorVersion === 1 && tokens(fields.get('expect')).includes('100-continue'),
      keepAlive: minorVersion === 1 ? !connection.includes('close') : connection.includes('keep-alive'),
      minorVersion,
    },
  };
}

function refused(status: 400 | 431 | 501 | 505, reason: string): Extract<RequestHead, { kind: 'refused' }> {
  return { kind: 'refused', status, reason };
}

/** RFC 9112 §2.2: empty lines before a request line are skipped. */
function skipEmptyLines(bytes: Uint8Array): number {
  let at = 0;
  for (;;) {
    if (bytes[at] === 10) at++;
    else if (bytes[at] === 13 && bytes[at + 1] === 10) at += 2;
    else return at;
  }
}

/** The index behind the empty line that ends the header. A bare LF ends a line too (RFC 9112 §2.2). */
function headerEnd(bytes: Uint8Array, start: number): number | undefined {
  for (let at = bytes.indexOf(10, start); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return undefined;
}

/** Field values by lower-case name, or what is wrong. */
function parseFields(header: Uint8Array): Map<string, string[]> | string {
  const fields = new Map<string, string[]>();
  const lines = Buffer.from(header).toString('latin1').split(/\r?\n/).slice(1, -2);
  // RFC 9112 §5: no white space before the colon; §5.2: no folding.
  for (const line of lines) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.test(line)) return 'malformed header field';
    // RFC 9110 §5.5; a CR that ends no line is RFC 9112 §2.2's.
    if (line.includes('\0') || line.includes('\r')) return 'NUL or CR in a header field';
  }
  const parser = new HTTPParser(HTTPParser.REQUEST);
  const collect = (list: readonly string[]): void => {
    for (let i = 0; i + 1 < list.length; i += 2) {
      const key = (list[i] ?? '').toLowerCase();
      fields.set(key, [...(fields.get(key) ?? []), list[i + 1] ?? '']);
    }
  };
  let complete = false;
  parser[HTTPParser.kOnHeaders] = collect;
  parser[HTTPParser.kOnHeadersComplete] = (info) => {
    complete = true;
    collect(info.headers);
  };
  const result = parser.execute(Buffer.from(header));
  if (result instanceof Error) return result.message;
  return complete ? fields : 'malformed header';
}

function payloadOf(
  fields: Map<string, string[]>,
): RequestDescription['payload'] | Extract<RequestHead, { kind: 'refused' }> {
  const codings = tokens(fields.get('transfer-encoding'));
  const lengths = new Set(
    (fields.get('content-length') ?? []).flatMap((value) => value.split(',').map((part) => part.trim())),
  );
  if (codings.length > 0) {
    // RFC 9112 §6.3: both fields together are an attempt at smuggling.
    if (lengths.size > 0) return refused(400, 'both Transfer-Encoding and Content-Length');
    return codings.length === 1 && codings[0] === 'chunked'
      ? { kind: 'chunked' }
      : refused(501, 'transfer coding other than chunked');
  }
  if (lengths.size === 0) return { kind: 'length', bytes: 0 };
  const [length = ''] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) return refused(400, 'malformed Content-Length');
  return { kind: 'length', bytes: Number(length) };
}

/** The path of an origin-form or absolute-form target (RFC 9112 §3.2), without the query. */
function pathOf(target: string): string | undefined {
  const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(target);
  const path = absolute ? absolute[1] || '/' : target;
  return path.startsWith('/') ? path.split(/[?#]/, 1)[0] : undefined;
}

function tokens(values: readonly string[] | undefined): string[] {
  return (values ?? [])
    .flatMap((value) => value.split(',').map((token) => token.trim().toLowerCase()))
    .filter((token) => token !== '');
}
