/** Responses that are not what the backends serve: the first wrong byte, and who sent it. */
import { createHash } from 'node:crypto';
import { generateBody, objectCatalogue } from '../../harness/objects.js';
import { at, named } from '../checks/tally.js';
import type { Exchange } from '../flows/connection.js';
import { isBackend } from '../flows/connection.js';
import type { Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import { handedOff } from '../flows/rules.js';
import type { Diagnosis } from './diagnosis.js';

const catalogue = objectCatalogue();
/** Made when first asked for: the largest is 8 MiB. */
const bodies = new Map<string, Uint8Array>();

function catalogued(path: string): Uint8Array | undefined {
  const spec = catalogue.get(path);
  if (spec === undefined) return undefined;
  let body = bodies.get(path);
  if (body === undefined) {
    body = generateBody(spec);
    bodies.set(path, body);
  }
  return body;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** RFC 9112 §3.2.2: an absolute form has its path behind the authority. */
function pathOf(target: string): string {
  return (target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '') || '/';
}

/** Each backend's objects that differ from the catalogue, as far as the writes of these captures tell. */
type Stored = Map<string, Uint8Array | undefined>;

/** The first response of each connection, in order of time, that is not what its request asked for. */
export function wrongResponses(judged: Judged): Diagnosis[] {
  const found: Diagnosis[] = [];
  const stored: Stored = new Map();
  const offended = new Set<unknown>();
  for (const exchange of judged.handoffs) {
    const { connection } = exchange;
    const wrong = offended.has(connection) ? undefined : wrongByte(judged, exchange, stored);
    if (wrong !== undefined) {
      offended.add(connection);
      found.push(wrong);
    }
    store(exchange, stored);
  }
  return found;
}

/** A write replaces what its backend has; one whose payload is not whole in the captures leaves it unknown. */
function store({ connection, request, response, handoff }: Exchange, stored: Stored): void {
  if (request.method !== 'PUT' || handoff === undefined) return;
  const done = response !== undefined && response.status < 300;
  stored.set(`${handoff.backend} ${pathOf(request.target)}`, done ? payloadOf(connection, request) : undefined);
}

/** Undefined for chunked payloads and for what is not whole in the captures. */
function payloadOf({ clientStream }: Exchange['connection'], request: Exchange['request']): Uint8Array | undefined {
  const { headerEnd, end, chunked } = request;
  if (end === undefined || chunked) return undefined;
  const bytes = clientStream.read(headerEnd, end - headerEnd);
  return bytes.length === end - headerEnd ? bytes : undefined;
}

interface Expected {
  readonly status: readonly number[];
  /** Undefined where it is not known. */
  readonly body: Uint8Array | undefined;
  /** Of HEAD: the length that is announced, and not sent. */
  readonly announced?: number;
}

function expectedOf(exchange: Exchange, stored: Stored): Expected | undefined {
  const { connection, request, handoff } = exchange;
  const path = pathOf(request.target);
  const key = `${handoff?.backend} ${path}`;
  const object = stored.has(key) ? stored.get(key) : catalogued(path);
  // What another connection is writing at this moment may be there or not.
  switch (request.method) {
    case 'GET':
      return object === undefined ? undefined : { status: [200], body: object };
    case 'HEAD':
      return object === undefined ? undefined : { status: [200], body: new Uint8Array(0), announced: object.length };
    case 'POST':
      return { status: [200], body: payloadOf(connection, request) };
    case 'PUT':
      return { status: [200, 201, 204], body: undefined };
    default:
      return undefined;
  }
}

function wrongByte(judged: Judged, exchange: Exchange, stored: Stored): Diagnosis | undefined {
  const { connection, request, response } = exchange;
  const expected = expectedOf(exchange, stored);
  if (expected === undefined || response === undefined) return undefined;
  const what = `${request.method} ${request.target}`;
  const { finalStart, headerEnd } = response;
  if (!expected.status.includes(response.status))
    return offence(
      judged,
      exchange,
      finalStart,
      `expected status ${expected.status[0]} for ${what}, got ${response.status}`,
    );
  const head = Buffer.from(connection.serverStream.read(finalStart, headerEnd - finalStart)).toString('latin1');
  const length = /^content-length:\s*(\d+)/im.exec(head);
  const whole = expected.announced ?? expected.body?.length;
  if (length !== null && whole !== undefined && Number(length[1]) !== whole)
    return offence(
      judged,
      exchange,
      finalStart + length.index,
      `expected Content-Length ${whole} for ${what}, got ${length[1]}`,
    );
  // The reference tells what it has stored by its digest; others' tags are their own.
  const tag = /^etag:\s*"([0-9a-f]{64})"/im.exec(head);
  const payload = request.kind === 'write' ? payloadOf(connection, request) : undefined;
  if (tag?.[1] !== undefined && payload !== undefined && tag[1] !== sha256(payload))
    return offence(
      judged,
      exchange,
      finalStart + tag.index,
      `expected the ${payload.length} bytes of ${what} to be taken as they were sent, the ETag says otherwise`,
    );
  if (expected.body === undefined) return undefined;
  const { body } = expected;
  const limit = expected.announced === undefined ? body.length : 1;
  const sent = connection.serverStream.read(headerEnd, limit);
  if (expected.announced !== undefined) {
    // What follows the header of an answer to HEAD is the next response, or nothing.
    if (sent.length === 0 || sent[0] === 0x48) return undefined;
    return offence(judged, exchange, headerEnd, `expected no body for ${what}`);
  }
  const most = Math.min(sent.length, body.length);
  for (let i = 0; i < most; i++) {
    if (sent[i] !== body[i])
      return offence(
        judged,
        exchange,
        headerEnd + i,
        `expected other content for ${what} from byte ${i + 1} of the body on`,
      );
  }
  return undefined;
}

/** The segment that carried a byte of the servers' stream first. */
function carrier({ serverData }: Exchange['connection'], offset: number): Segment | undefined {
  return serverData.overlapping(offset, offset + 1).sort((a, b) => a.t - b.t)[0];
}

function offence(judged: Judged, exchange: Exchange, offset: number, what: string): Diagnosis | undefined {
  const segment = carrier(exchange.connection, offset);
  if (segment === undefined) return undefined;
  const sender = segment.vantage;
  if (!isBackend(sender)) return controllersAnswer(judged, exchange, segment, what);
  return {
    kind: 'content',
    clause: 'BKD-1',
    message: `${what}; ${sender} sent the first wrong byte in ${named(segment)}, at relative ${offset + 1}`,
    evidence: [at(segment, `the first wrong byte, relative ${offset + 1}`)],
    t: segment.t,
    role: sender,
  };
}

/** Answers of the controller itself to requests that a backend should have had. */
export function answersOfController(judged: Judged): Diagnosis[] {
  return judged.connections.flatMap((connection) => {
    for (const exchange of connection.exchanges) {
      const { request, response } = exchange;
      if (response === undefined || exchange.handoff !== undefined) continue;
      if (request.kind === 'other') continue;
      const segment = carrier(connection, response.finalStart);
      if (segment?.vantage !== 'controller') continue;
      const what = `expected ${request.method} ${request.target} to be served by a backend, got status ${response.status}`;
      return [controllersAnswer(judged, exchange, segment, what)];
    }
    return [];
  });
}

/** RFC 9110: statuses by which the controller says that it cannot make out the request. */
const REFUSALS = [400, 411, 413, 414, 417, 431, 501, 505];

function controllersAnswer(judged: Judged, exchange: Exchange, segment: Segment, what: string): Diagnosis {
  const { connection, response, begins } = exchange;
  const log = judged.log?.name ?? '';
  const own = connection.log.filter(({ t }) => t >= begins - 1e6 && t <= segment.t);
  const refused = own.findLast(({ answer }) => answer?.ok === false);
  const rule = own.findLast(({ message }) => message.verb === 'add');
  const frame = at(segment, `the controller answers ${response?.status ?? ''}`.trim());
  if (refused?.answer !== undefined) {
    const role = refused.message.verb === 'handoff' ? backendOf(exchange, refused.to) : 'switch';
    return {
      kind: 'end',
      clause: refused.message.verb === 'handoff' ? 'BKD-7' : 'SWT-9',
      message: `${what}; ${role} refused ${refused.message.verb} in line ${refused.answer.line}`,
      evidence: [{ capture: log, frame: refused.answer.line, note: `${refused.message.verb} refused` }, frame],
      t: refused.answer.t,
      role,
    };
  }
  if (rule !== undefined && rule.answer === undefined && (response?.status ?? 0) >= 500)
    return {
      kind: 'end',
      clause: 'SWT-9',
      message: `${what}; the switch never answered add in line ${rule.line}`,
      evidence: [{ capture: log, frame: rule.line, note: 'add without an answer' }, frame],
      t: rule.t,
      role: 'switch',
    };
  const status = response?.status ?? 0;
  // A connection that was served before and is now refused, for another backend perhaps.
  const moved = connection.exchanges.slice(0, exchange.index).some(({ handoff }) => handoff !== undefined);
  const clause = REFUSALS.includes(status) ? 'REQ-7' : moved && status >= 500 ? 'HOF-6' : 'REQ-6';
  return {
    kind: status >= 500 ? 'end' : 'content',
    clause,
    message: `${what} from the controller in ${named(segment)}`,
    evidence: [frame, ...(exchange.headerAt ? [at(exchange.headerAt, 'the request')] : [])],
    t: segment.t,
    role: 'controller',
  };
}

function backendOf(exchange: Exchange, to: string): string {
  return to || (handedOff(exchange.connection)[0]?.handoff.backend ?? 'the backend');
}
