/** What curl 7.88, wget 1.21, Python's http.client, Node's http and those who type their requests put on the wire: their headers, and what they write in one piece. */
import { typedRequest } from '../clients/typed-request.js';
import { generateBody } from '../objects.js';
import type { ClientProgram, HttpRequestSpec } from '../world.js';
import { MILLISECOND } from './clock.js';
import { JobFailure, type Program, type Session, type Wait } from './job.js';

/** curl asks for 100 Continue by itself for any upload, and for a POST above this size (EXPECT_100_THRESHOLD). */
const CURL_EXPECT_THRESHOLD = 1024 * 1024;
/** curl waits no longer for a 100 Continue that nobody asked it to ask for. */
const CURL_EXPECT_TIMEOUT_MS = 1000;
/** curl sends a POST's body together with the header up to this size (MAX_INITIAL_POST_SIZE). */
const CURL_INITIAL_POST = 64 * 1024;
const CURL_UPLOAD_BUFFER = 64 * 1024;
const WGET_UPLOAD_BUFFER = 8 * 1024;

/** How one request goes out. */
export interface WirePlan {
  /** The header, with its empty line. */
  readonly header: string;
  readonly body: Uint8Array;
  /** Header and body in one write. */
  readonly together: boolean;
  /** Largest single write of the body. */
  readonly writeSize: number;
  /** Waits for 100 Continue before the body: for so many ms, without limit (null), or not at all (undefined). */
  readonly awaitContinueMs: number | null | undefined;
}

/** What `program` sends for `spec`; `host` is the Host header's value. */
export function planRequest(program: ClientProgram, spec: HttpRequestSpec, host: string): WirePlan {
  const hasBody = spec.body !== undefined || spec.method === 'PUT' || spec.method === 'POST';
  const body = spec.body === undefined ? new Uint8Array(0) : generateBody(spec.body);
  const own = Object.entries(spec.headers ?? {});
  const length: Field[] = hasBody ? [['Content-Length', String(body.length)]] : [];
  const asked: Field[] = spec.expectContinue === true ? [['Expect', '100-continue']] : [];
  const plan = (fields: readonly Field[], rest: Omit<WirePlan, 'header' | 'body'>): WirePlan => ({
    header: `${[`${spec.method} ${spec.path} HTTP/1.1`, ...fields.map(([n, v]) => `${n}: ${v}`)].join('\r\n')}\r\n\r\n`,
    body,
    ...rest,
  });
  const unhurried = spec.expectContinue === true && body.length > 0 ? null : undefined;
  switch (program) {
    case 'curl': {
      const large = body.length > (spec.method === 'PUT' ? 0 : CURL_EXPECT_THRESHOLD);
      const unasked: Field[] = spec.expectContinue === undefined && large ? [['Expect', '100-continue']] : [];
      const type: Field[] = spec.method === 'POST' ? [['Content-Type', 'application/octet-stream']] : [];
      const base: Field[] = [
        ['Host', host],
        ['User-Agent', 'curl/7.88.1'],
        ['Accept', '*/*'],
      ];
      const awaitContinueMs = unasked.length > 0 ? CURL_EXPECT_TIMEOUT_MS : unhurried;
      return plan([...base, ...type, ...asked, ...own, ...length, ...unasked], {
        together: spec.method === 'POST' && body.length <= CURL_INITIAL_POST && awaitContinueMs === undefined,
        writeSize: CURL_UPLOAD_BUFFER,
        awaitContinueMs,
      });
    }
    case 'wget': {
      const type: Field[] = hasBody ? [['Content-Type', 'application/x-www-form-urlencoded']] : [];
      const base: Field[] = [
        ['Host', host],
        ['User-Agent', 'Wget/1.21.3'],
        ['Accept', '*/*'],
        ['Accept-Encoding', 'identity'],
        ['Connection', 'Keep-Alive'],
      ];
      const rest = { together: false, writeSize: WGET_UPLOAD_BUFFER, awaitContinueMs: undefined };
      return plan([...base, ...type, ...length, ...asked, ...own], rest);
    }
    case 'python': {
      const base: Field[] = [
        ['Host', host],
        ['Accept-Encoding', 'identity'],
      ];
      // http.client sends header and body one after the other, and skips a 100 Continue that it did not wait for.
      const rest = { together: false, writeSize: Number.POSITIVE_INFINITY, awaitContinueMs: undefined };
      return plan([...base, ...length, ...own, ...asked], rest);
    }
    case 'node': {
      const rest = {
        together: unhurried === undefined,
        writeSize: Number.POSITIVE_INFINITY,
        awaitContinueMs: unhurried,
      };
      return plan([...own, ...length, ...asked, ['Host', host], ['Connection', 'keep-alive']], rest);
    }
    case 'nc':
    case 'scapy':
    case 'lwip': {
      const typed = typedRequest(spec, host);
      const header = typed.toString('latin1', 0, typed.length - body.length);
      return { header, body, together: true, writeSize: Number.POSITIVE_INFINITY, awaitContinueMs: undefined };
    }
  }
}

type Field = readonly [name: string, value: string];

/** All requests over one connection, each when the response to the one before is whole; or, pipelined, in one write. */
export function httpProgram(
  program: ClientProgram,
  requests: readonly HttpRequestSpec[],
  host: string,
  pipelined = false,
): Program {
  return function* play(session) {
    if (pipelined) {
      if (program !== 'nc') throw new JobFailure(`${program} sends no request before the response to the last one`);
      session.connection.write(Buffer.concat(requests.map((spec) => typedRequest(spec, host))));
      for (const [index, spec] of requests.entries())
        yield* session.response(spec.method, `response ${index + 1} of ${requests.length}`);
      return;
    }
    for (const [index, spec] of requests.entries()) {
      const which = `response ${index + 1} of ${requests.length}`;
      const bodySent = yield* sendRequest(session, planRequest(program, spec, host));
      const { headers } = yield* session.response(spec.method, which);
      const closes = /\bclose\b/i.test(headers.get('connection') ?? '');
      if (index + 1 < requests.length && (closes || !bodySent))
        throw new JobFailure(`the server keeps the connection no longer after ${which}`);
    }
  };
}

/** False when the server answered before it let the body come. */
function* sendRequest(session: Session, plan: WirePlan): Generator<Wait, boolean, void> {
  const header = Buffer.from(plan.header, 'latin1');
  if (plan.together) {
    session.connection.write(Buffer.concat([header, plan.body]));
    return true;
  }
  session.connection.write(header);
  if (plan.awaitContinueMs !== undefined && !(yield* continued(session, plan.awaitContinueMs))) return false;
  for (let at = 0; at < plan.body.length; at += plan.writeSize)
    session.connection.write(plan.body.subarray(at, at + plan.writeSize));
  return true;
}

/** Waits until the server lets the body come (or says nothing for so long); false when it answered instead. */
function* continued(session: Session, limitMs: number | null): Generator<Wait, boolean, void> {
  const until = limitMs === null ? null : session.now() + limitMs * MILLISECOND;
  for (;;) {
    session.pump();
    const text = Buffer.from(session.unread).toString('latin1');
    if (text.includes('\r\n\r\n')) return /^HTTP\/1\.1 1\d\d /.test(text);
    if (until !== null && session.now() >= until) return true;
    // A connection that ended shows when the response is read.
    if (session.connection.ended !== null) return false;
    yield { what: '100 Continue', until };
  }
}
