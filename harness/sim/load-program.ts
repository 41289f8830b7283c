/** Load generators in virtual time: so many connections of one client, each asking for the same object again and again. */
import type { ClientJob, JobResult, LoadResult } from '../world.js';
import type { ClientProfile, Remote, SimClient } from './client.js';
import { MILLISECOND } from './clock.js';
import { type Program, startJob } from './job.js';

export type LoadJob = Extract<ClientJob, { kind: 'load' }>;

interface Counted {
  asked: number;
  done: number;
  non2xx: number;
  bytes: number;
}

/** What ab -k 2.3 and wrk 4.1 send. */
function requestText(job: LoadJob, host: string): string {
  if (job.program === 'wrk') return `GET ${job.path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const fields = ['Connection: Keep-Alive', `Host: ${host}`, 'User-Agent: ApacheBench/2.3', 'Accept: */*'];
  return [`GET ${job.path} HTTP/1.0`, ...fields, '', ''].join('\r\n');
}

/** One connection: asks while `more` lets it, until the server closes. */
function asker(text: Buffer, counted: Counted, more: () => boolean): Program {
  return function* play(session) {
    while (more()) {
      counted.asked++;
      session.connection.write(text);
      const before = session.received;
      const { status, headers } = yield* session.response('GET', `response ${counted.asked}`);
      counted.done++;
      counted.bytes += session.received - before;
      if (status < 200 || status > 299) counted.non2xx++;
      if (/\bclose\b/i.test(headers.get('connection') ?? '')) return;
      if (text.includes('HTTP/1.0') && !/\bkeep-alive\b/i.test(headers.get('connection') ?? '')) return;
    }
  };
}

/** Starts the connections now; `done` gets one result when all have ended. A connection the server closed in good order is made anew. */
export function startLoad(
  client: SimClient,
  remote: Remote,
  job: LoadJob,
  options: { readonly host: string; readonly timeoutMs: number; readonly profile: ClientProfile },
  done: (result: JobResult) => void,
): void {
  const { clock } = client;
  const counted: Counted = { asked: 0, done: 0, non2xx: 0, bytes: 0 };
  const text = Buffer.from(requestText(job, options.host), 'latin1');
  const until = clock.now + (job.program === 'wrk' ? job.durationMs : options.timeoutMs) * MILLISECOND;
  const more = (): boolean => clock.now < until && (job.program === 'wrk' || counted.asked < job.requests);
  const errors: string[] = [];
  let open = 0;
  const ended = (result: JobResult): void => {
    open--;
    if (!result.ok) errors.push(result.error ?? 'no reason given');
    else if (more()) begin();
    if (open > 0) return;
    const { asked: _, ...counts } = counted;
    const load: LoadResult = { ...counts, errors: errors.length };
    const [first] = errors;
    const missing = job.program === 'ab' && counted.done < job.requests;
    const short = missing ? `${counted.done} of ${job.requests} requests of ab were answered` : undefined;
    const error = first ?? short ?? (counted.done === 0 ? `${job.program} got no response` : undefined);
    done({
      ok: error === undefined,
      ...(error === undefined ? {} : { error }),
      responses: [],
      load,
      closedBy: 'client',
    });
  };
  const begin = (): void => {
    open++;
    startJob(
      client,
      remote,
      asker(text, counted, more),
      { timeoutMs: options.timeoutMs, profile: options.profile },
      ended,
    );
  };
  for (let i = 0; i < Math.max(1, job.connections); i++) begin();
}
