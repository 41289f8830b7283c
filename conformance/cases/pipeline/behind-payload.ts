/** The first bytes of the next request ride in the last payload segment of a write. */
import type { ClientJob } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import {
  bodyText,
  expectReadBack,
  expectStored,
  header,
  pause,
  putText,
  QUIET_MS,
  response,
  runAll,
  script,
  send,
  writeHeader,
} from '../vocabulary.js';

const BODY = { size: 600, seed: 15 };

/** The write's payload leaves after the hand-off, with a whole request and the start of another behind it. */
function towardsBackend(path: string): ClientJob {
  const last = header('GET', path);
  return script(
    send(writeHeader(BODY, path)),
    pause(QUIET_MS),
    send(bodyText(BODY) + header('GET', '/b/8k') + last.slice(0, 7)),
    pause(QUIET_MS),
    send(last.slice(7)),
    response('PUT'),
    response(),
    response(),
  );
}

/** Header, payload and the next requests leave together, before anything is handed off. */
function towardsController(path: string): ClientJob {
  return script(
    send(putText(path, BODY) + header('GET', '/b/8k') + header('GET', path)),
    response('PUT'),
    response(),
    response(),
  );
}

export const behindPayload: ConformanceCase = {
  id: 'BKD-2.next-request-behind-payload',
  clauses: ['BKD-2', 'RET-7', 'REQ-2', 'REQ-4', 'REQ-5', 'HOF-6'],
  summary: "A write's payload is acknowledged to its last byte and no further; the request behind it is served next.",
  worlds: ['sim', 'linux'],
  async run(context) {
    const results = await runAll(context, [towardsBackend('/a/one'), towardsController('/a/two')]);
    context.expectOk(results);
    for (const { responses } of results) {
      expectStored(context, responses[0], BODY);
      context.expectBody(responses[1], 200, '/b/8k');
      expectReadBack(context, responses[2], BODY);
    }
  },
};
