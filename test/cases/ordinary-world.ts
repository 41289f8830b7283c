/** A world without Prism: one ordinary HTTP server on the loopback, to show that the stories ask for nothing but what a good server does. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateBody, objectCatalogue } from '../../harness/objects.js';
import { defaultTopology } from '../../harness/topology.js';
import {
  type ClientJob,
  type HttpResponse,
  type JobResult,
  type ScriptStep,
  type World,
  WorldError,
} from '../../harness/world.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What the server does wrong, for showing that the stories notice. */
export type Defect = 'swaps-objects' | 'truncates' | 'stores-short' | 'serves-anything' | 'loses-writes';

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  store: Map<string, Uint8Array>,
  defect?: Defect,
) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const received = Buffer.concat(chunks);
  const path = (request.url ?? '').replace(/^http:\/\/[^/]*/, '').split('?')[0] ?? '';
  const hosts = request.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length;
  if (hosts > 1) {
    response.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end();
    return;
  }
  if (request.method === 'PUT' || request.method === 'POST') {
    const body = defect === 'stores-short' ? received.subarray(1) : received;
    const status = store.has(path) ? 200 : 201;
    if (defect !== 'loses-writes' || status === 201) store.set(path, body);
    response.writeHead(status, { ETag: `"${sha256(body)}"`, 'Content-Length': 0 }).end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(defect === 'serves-anything' ? 200 : 501, { Connection: 'close', 'Content-Length': 0 }).end();
    return;
  }
  const content = store.get(defect === 'swaps-objects' ? path.replace('/a/', '/b/') : path);
  if (!content) response.writeHead(404, { 'Content-Length': 0 }).end();
  else {
    const body = defect === 'truncates' ? content.subarray(0, content.length >> 1) : content;
    response.writeHead(200, { 'Content-Length': body.length }).end(request.method === 'HEAD' ? undefined : body);
  }
}

/** Reads from a socket what a script's steps wait for. */
class Reader {
  #bytes = Buffer.alloc(0);
  #parts: Buffer[] = [];
  ended: 'server-fin' | 'server-rst' | undefined;
  #wake = (): void => {};

  constructor(socket: Socket) {
    socket.on('data', (chunk) => {
      this.#parts.push(chunk);
      this.#wake();
    });
    socket.on('end', () => this.#end('server-fin'));
    socket.on('error', () => this.#end('server-rst'));
  }

  #end(how: 'server-fin' | 'server-rst'): void {
    this.ended ??= how;
    this.#wake();
  }

  /** Tries again with every piece of input until there is a value. */
  async #until<T>(attempt: () => T | undefined): Promise<T> {
    for (;;) {
      if (this.#parts.length > 0) this.#bytes = Buffer.concat([this.#bytes, ...this.#parts.splice(0)]);
      const value = attempt();
      if (value !== undefined) return value;
      if (this.ended) throw new Error(`the connection ended (${this.ended})`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async response(method: string): Promise<HttpResponse> {
    for (;;) {
      const head = await this.#until(() => {
        const end = this.#bytes.indexOf('\r\n\r\n');
        return end < 0 ? undefined : this.#bytes.subarray(0, end + 4).toString('latin1');
      });
      this.#bytes = this.#bytes.subarray(head.length);
      const status = Number(head.slice(9, 12));
      if (status < 200) continue;
      const length = method === 'HEAD' ? 0 : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      const body = await this.#until(() => (this.#bytes.length < length ? undefined : this.#bytes.subarray(0, length)));
      this.#bytes = this.#bytes.subarray(length);
      const etag = /^etag: *"(.*)"/im.exec(head)?.[1];
      return { status, bodySize: body.length, sha256: sha256(body), ...(etag === undefined ? {} : { etag }) };
    }
  }

  async close(): Promise<void> {
    await this.#until(() => this.ended);
  }
}

function stepsOf(job: ClientJob): readonly ScriptStep[] {
  if (job.kind === 'script') return job.steps;
  if (job.kind === 'load') {
    const count = job.program === 'ab' ? job.requests : job.connections;
    return stepsOf({ kind: 'http', program: 'nc', requests: Array(count).fill({ method: 'GET', path: job.path }) });
  }
  if (job.kind === 'segments') throw new WorldError('an ordinary server has no link for a packet-level client');
  if (job.kind === 'stranger') return [];
  return job.requests.flatMap(({ method, path, body }): ScriptStep[] => {
    const length = body ? `Content-Length: ${body.size}\r\n` : '';
    const text = `${method} ${path} HTTP/1.1\r\nHost: p\r\n${length}\r\n`;
    return [
      { do: 'send', text, ...(body ? { body } : {}) },
      { do: 'response', method },
    ];
  });
}

async function runJob(job: ClientJob, port: number): Promise<JobResult> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const reader = new Reader(socket);
  const responses: HttpResponse[] = [];
  const closedBy = () => ({ closedBy: reader.ended ?? ('client' as const) });
  try {
    await once(socket, 'connect');
    for (const step of stepsOf(job)) {
      if (step.do === 'send') {
        const body = step.body ? generateBody(step.body) : new Uint8Array();
        socket.write(Buffer.concat([Buffer.from(step.text ?? '', 'latin1'), body]));
      } else if (step.do === 'response') responses.push(await reader.response(step.method ?? 'GET'));
      else if (step.do === 'pause') await sleep(step.ms);
      else if (step.do === 'shutdown') socket.end();
      else if (step.do === 'wait-close') await reader.close();
      else if (step.do === 'abort') socket.resetAndDestroy();
      else socket.destroy();
    }
    if (job.kind === 'load') {
      const bytes = responses.reduce((sum, one) => sum + one.bodySize, 0);
      return { ok: true, responses: [], load: { done: responses.length, errors: 0, non2xx: 0, bytes } };
    }
    return { ok: true, responses, ...closedBy() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error), responses, ...closedBy() };
  } finally {
    socket.destroy();
  }
}

/** Listens on a free port of the loopback until it is destroyed; a job that waits for what never comes is cut off by that. */
export async function createOrdinaryWorld(serviceDelayMs: number, defect?: Defect): Promise<World> {
  const store = new Map([...objectCatalogue()].map(([path, spec]) => [path, generateBody(spec)]));
  const server: Server & { httpAllowHalfOpen?: boolean } = createServer({ maxHeaderSize: 64 * 1024 });
  // A client may have said all it has to say before it is answered.
  server.httpAllowHalfOpen = true;
  // All stories run at once; one that waits for its turn is not idle.
  server.keepAliveTimeout = 0;
  server.on('request', async (request, response) => {
    await sleep(serviceDelayMs);
    await answer(request, response, store, defect).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    kind: 'sim',
    topology: defaultTopology(),
    runClients: (jobs) => Promise.all(jobs.map((job) => runJob(job, port))),
    async settle() {},
    async finish() {
      throw new WorldError('an ordinary server leaves no evidence');
    },
    async destroy() {
      server.closeAllConnections();
      server.close();
    },
  };
}
