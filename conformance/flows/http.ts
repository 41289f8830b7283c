/** Just enough of HTTP/1.1 (RFC 9112) to know where the requests and responses of a byte stream begin and end. */

/** What of a byte stream is known: at most `limit` bytes from `offset` on, up to the first hole. */
export interface StreamReader {
  read(offset: number, limit: number): Uint8Array;
}

export interface RequestMessage {
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  /** GET and HEAD are reads, PUT and POST writes (SoCC'17 §2.2, §2.4). */
  readonly kind: 'read' | 'write' | 'other';
  /** Offset of the request line. */
  readonly start: number;
  /** Behind the empty line. */
  readonly headerEnd: number;
  /** Behind the payload; undefined while a chunked payload's end is not in the captures. */
  readonly end: number | undefined;
  readonly chunked: boolean;
  readonly expectContinue: boolean;
}

export interface ResponseMessage {
  /** Of the final response. */
  readonly status: number;
  /** Of the first byte, interim responses included. */
  readonly start: number;
  /** Of the final response's status line. */
  readonly finalStart: number;
  readonly headerEnd: number;
  /** Behind the last byte; undefined while its end is not in the captures. */
  readonly end: number | undefined;
  /** It ends with the connection. */
  readonly untilClose: boolean;
  readonly close: boolean;
}

export type Read<T> =
  | { readonly kind: 'message'; readonly message: T }
  /** Nothing of it is in the captures. */
  | { readonly kind: 'none' }
  /** It begins, but the captures do not have all of its header. */
  | { readonly kind: 'partial' }
  /** It is no HTTP/1. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** No header is longer here. */
const HEADER_LIMIT = 1 << 20;
const FIRST_LOOK = 4096;

interface Head {
  readonly startLine: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly start: number;
  readonly end: number;
}

export function readRequest(stream: StreamReader, from: number): Read<RequestMessage> {
  const read = readHead(stream, from);
  if (read.kind !== 'message') return read;
  const { startLine, fields, start, end: headerEnd } = read.message;
  const line = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP\/\d\.\d$/.exec(startLine);
  const method = line?.[1];
  const target = line?.[2];
  if (method === undefined || target === undefined) {
    return { kind: 'unreadable', reason: `the request line at byte ${start} of the client's stream is none of HTTP/1` };
  }
  const chunked = /(^|,)\s*chunked\s*$/i.test(fields.get('transfer-encoding') ?? '');
  const length = contentLength(fields);
  if (length === 'invalid')
    return { kind: 'unreadable', reason: `the request at byte ${start} has an invalid Content-Length` };
  const end = chunked ? chunkedEnd(stream, headerEnd) : headerEnd + (length ?? 0);
  const read_ = method === 'GET' || method === 'HEAD';
  const kind = read_
    ? end === headerEnd
      ? 'read'
      : 'other'
    : method === 'PUT' || method === 'POST'
      ? 'write'
      : 'other';
  const expectContinue = /^100-continue$/i.test(fields.get('expect') ?? '');
  return { kind: 'message', message: { method, target, kind, start, headerEnd, end, chunked, expectContinue } };
}

/** `closedAt`: where the server's stream ends, if its FIN was seen. */
export function readResponse(
  stream: StreamReader,
  from: number,
  method: string,
  closedAt: number | undefined,
): Read<ResponseMessage> {
  let at = from;
  for (;;) {
    const read = readHead(stream, at);
    if (read.kind === 'none' && at > from) return { kind: 'partial' };
    if (read.kind !== 'message') return read;
    const { startLine, fields, start, end: headerEnd } = read.message;
    const status = Number(/^HTTP\/\d\.\d (\d{3})( |$)/.exec(startLine)?.[1] ?? 0);
    if (status === 0) return { kind: 'unreadable', reason: `no status line at byte ${start} of the server's stream` };
    if (status < 200 && status !== 101) {
      at = headerEnd;
      continue;
    }
    const length = contentLength(fields);
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    const chunked = /(^|,)\s*chunked\s*$/i.test(fields.get('transfer-encoding') ?? '');
    const untilClose = !bodiless && !chunked && typeof length !== 'number';
    const end = bodiless
      ? headerEnd
      : chunked
        ? chunkedEnd(stream, headerEnd)
        : typeof length === 'number'
          ? headerEnd + length
          : closedAt;
    const close = untilClose || /(^|,)\s*close\s*(,|$)/i.test(fields.get('connection') ?? '');
    return { kind: 'message', message: { status, start: from, finalStart: start, headerEnd, end, untilClose, close } };
  }
}

function readHead(stream: StreamReader, from: number): Read<Head> {
  let start = from;
  for (let look = FIRST_LOOK; ; look *= 8) {
    const bytes = Buffer.from(stream.read(start, look));
    // Empty lines before a start line are ignored (RFC 9112 §2.2).
    let skip = 0;
    while (bytes[skip] === 13 || bytes[skip] === 10) skip++;
    if (skip > 0) {
      start += skip;
      continue;
    }
    if (bytes.length === 0) return { kind: 'none' };
    const end = headLength(bytes);
    if (end !== undefined) {
      const lines = bytes.toString('latin1', 0, end).split(/\r?\n/);
      const fields = new Map<string, string>();
      for (const line of lines.slice(1)) {
        const colon = line.indexOf(':');
        if (colon <= 0) continue;
        const name = line.slice(0, colon).toLowerCase();
        const value = line.slice(colon + 1).trim();
        const before = fields.get(name);
        fields.set(name, before === undefined ? value : `${before}, ${value}`);
      }
      return { kind: 'message', message: { startLine: lines[0] ?? '', fields, start, end: start + end } };
    }
    if (bytes.length < look || look > HEADER_LIMIT) return { kind: 'partial' };
  }
}

function headLength(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return undefined;
}

function contentLength(fields: ReadonlyMap<string, string>): number | 'invalid' | undefined {
  const text = fields.get('content-length');
  if (text === undefined) return undefined;
  const values = new Set(text.split(',').map((part) => part.trim()));
  const [value] = values;
  return values.size === 1 && value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : 'invalid';
}

/** Behind the last chunk and trailers (RFC 9112 §7.1); undefined when they are not in the captures. */
function chunkedEnd(stream: StreamReader, from: number): number | undefined {
  let at = from;
  for (;;) {
    const line = readLine(stream, at);
    const size = line && /^([0-9a-fA-F]{1,12})\s*(;.*)?$/.exec(line.text)?.[1];
    if (line === undefined || size === undefined) return undefined;
    at = line.end;
    const bytes = Number.parseInt(size, 16);
    if (bytes > 0) {
      at += bytes;
      const crlf = readLine(stream, at);
      if (crlf === undefined || crlf.text !== '') return undefined;
      at = crlf.end;
      continue;
    }
    for (;;) {
      const trailer = readLine(stream, at);
      if (trailer === undefined) return undefined;
      at = trailer.end;
      if (trailer.text === '') return at;
    }
  }
}

function readLine(stream: StreamReader, from: number): { text: string; end: number } | undefined {
  const bytes = Buffer.from(stream.read(from, FIRST_LOOK));
  const at = bytes.indexOf(10);
  if (at < 0) return undefined;
  return { text: bytes.toString('latin1', 0, at).replace(/\r$/, ''), end: from + at + 1 };
}
