/** Reads HTTP/1.1 responses out of a byte stream: what a plain-socket client and saved wget output need (RFC 9112 §6). */

export interface ResponseMessage {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Where the next message starts. */
  readonly end: number;
}

export type ReadResponse =
  | { readonly kind: 'whole'; readonly message: ResponseMessage }
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Header lines, each ended by CRLF (wget saves them with a bare LF), up to the empty line. */
function readHeader(bytes: Uint8Array, start: number): { lines: string[]; end: number } | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = start; ; ) {
    const newline = text.indexOf(10, at);
    if (newline < 0) return undefined;
    const line = text.toString('latin1', at, newline).replace(/\r$/, '');
    at = newline + 1;
    if (line === '') return { lines, end: at };
    lines.push(line);
  }
}

function readChunks(bytes: Uint8Array, start: number): { body: Uint8Array; end: number } | 'malformed' | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Uint8Array[] = [];
  for (let at = start; ; ) {
    const newline = text.indexOf('\r\n', at, 'latin1');
    if (newline < 0) return undefined;
    const size = /^[0-9a-f]+/i.exec(text.toString('latin1', at, newline))?.[0];
    if (size === undefined) return 'malformed';
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      const trailer = readHeader(bytes, newline + 2);
      return trailer && { body: Buffer.concat(pieces), end: trailer.end };
    }
    at = newline + 2 + length + 2;
    if (at > bytes.length) return undefined;
    pieces.push(bytes.subarray(newline + 2, newline + 2 + length));
  }
}

/**
 * Reads the final response that starts at `start`, interim (1xx) ones skipped.
 * @param closed whether no more bytes will come, which ends a body that has no length.
 */
export function readResponse(bytes: Uint8Array, start: number, toHead: boolean, closed: boolean): ReadResponse {
  for (let from = start; ; ) {
    const header = readHeader(bytes, from);
    if (!header) return { kind: 'more' };
    const [first = '', ...rest] = header.lines;
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
    if (!Number.isInteger(status)) return { kind: 'malformed', reason: `not a status line: ${first.slice(0, 60)}` };
    const headers = new Map(
      rest.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    if (status < 200) {
      from = header.end;
      continue;
    }
    const whole = (body: Uint8Array, end: number): ReadResponse => ({
      kind: 'whole',
      message: { status, headers, body, end },
    });
    if (toHead || status === 204 || status === 304) return whole(new Uint8Array(0), header.end);
    if (/\bchunked\b/i.test(headers.get('transfer-encoding') ?? '')) {
      const chunks = readChunks(bytes, header.end);
      if (chunks === 'malformed') return { kind: 'malformed', reason: 'not a chunk size' };
      return chunks ? whole(chunks.body, chunks.end) : { kind: 'more' };
    }
    const length = headers.get('content-length');
    if (length === undefined) return closed ? whole(bytes.subarray(header.end), bytes.length) : { kind: 'more' };
    if (!/^\d+$/.test(length)) return { kind: 'malformed', reason: `not a length: ${length}` };
    const end = header.end + Number(length);
    return end <= bytes.length ? whole(bytes.subarray(header.end, end), end) : { kind: 'more' };
  }
}
