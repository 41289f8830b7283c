/** Traffic beside a rule: other ports, other clients, and who pretends to be a backend (SEC-1, SWT-8). */
import type { SegmentStep } from '../../../harness/segments/story.js';
import type { ConformanceCase } from '../case.js';
import { clientOf, nameOffence, whereabouts } from '../segment-frames.js';
import {
  connect,
  expectNothing,
  forge,
  readResponse,
  resumeAcks,
  segments,
  segmentsFrom,
  sendText,
  wait,
  withholdAcks,
} from '../segment-words.js';
import { header, runAll, runOne } from '../vocabulary.js';
import { AT_THE_BACKEND } from './ownership.js';

const PORT = 21_000;
/** The first connection stays handed off while the other one is made and served, its response half sent. */
const LONG_MS = 600;
const HANDED_MS = 200;
/** Whatever it sends at once, be it a segment (RFC 5681 §3.1 lets it be as small as it likes). */
const SOME_OF_IT = 1;
const SILENCE_MS = 60;
const OTHER_BACKEND = { ip: '198.18.11.2', port: 80 };
const BACKEND = { ip: '198.18.10.2', port: 80 };

const read = (path: string) => [connect(), sendText(header('GET', path)), readResponse];
const readSlowly = (path: string): SegmentStep[] => [
  connect(),
  withholdAcks,
  sendText(header('GET', path)),
  { do: 'arrived', bytes: SOME_OF_IT },
  wait(LONG_MS),
  resumeAcks,
  readResponse,
];

function beside(id: string, summary: string, other: { client?: number; port?: number }): ConformanceCase {
  return {
    id,
    clauses: ['SWT-8'],
    summary,
    worlds: ['sim', 'linux'],
    async run(context) {
      const results = await runAll(context, [
        segmentsFrom({ port: PORT }, ...readSlowly('/a/64k')),
        segmentsFrom(other, wait(HANDED_MS), ...read('/b/1')),
      ]);
      context.expectOk(results);
      for (const [i, path] of ['/a/64k', '/b/1'].entries()) context.expectBody(results[i]?.responses[0], 200, path);
    },
  };
}

export const anotherPort = beside(
  'SWT-8.another-port-during-a-rule',
  'Another port of a client whose connection is handed off connects and is served.',
  { port: PORT + 1 },
);

export const samePortOfAnother = beside(
  'SWT-8.same-port-of-another-client-during-a-rule',
  'Another client connects from the port number that a rule is for, and is served.',
  { client: 2, port: PORT },
);

export const anotherLogicalPort: ConformanceCase = {
  id: 'SWT-8.another-logical-port-during-a-rule',
  clauses: ['SWT-8'],
  summary: "A segment from a rule's client and port to another port of the logical address does not follow the rule.",
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const { lead, place, rest } = AT_THE_BACKEND;
    const other = forge({ flags: ['ACK'], to: { port: 81 } });
    const result = await runOne(
      context,
      segments(...lead, other, expectNothing(SILENCE_MS, { newsBeyond: place }), ...rest),
    );
    context.expectOk([result]);
    AT_THE_BACKEND.expect(context, result);
  },
  afterwards(run) {
    const astray = whereabouts(run, 'forge').filter(({ vantage }) => vantage.startsWith('backend'));
    const frames = astray.map(({ frame, vantage }) => ({ frame, note: `to port 81, seen at ${vantage}` }));
    run.expect(astray.length === 0, 'expected a segment to another logical port to follow no rule', ...frames);
    nameOffence(run);
  },
};

export const anotherDestination: ConformanceCase = {
  id: 'SWT-8.another-destination-during-a-rule',
  clauses: ['SWT-8'],
  summary: "A segment from a rule's client and port to the same port of another address does not follow the rule.",
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const { lead, rest } = AT_THE_BACKEND;
    const other = forge({ flags: ['ACK'], to: OTHER_BACKEND });
    const result = await runOne(context, segments(...lead, other, wait(SILENCE_MS), ...rest));
    context.expectOk([result]);
    AT_THE_BACKEND.expect(context, result);
  },
  afterwards(run) {
    const astray = whereabouts(run, 'forge').filter(({ vantage }) => vantage === AT_THE_BACKEND.vantage);
    const frames = astray.map(({ frame, vantage }) => ({
      frame,
      note: `meant for ${OTHER_BACKEND.ip}, seen at ${vantage}`,
    }));
    run.expect(astray.length === 0, 'expected a segment to another address to follow no rule', ...frames);
    nameOffence(run);
  },
};

export const backendAddressed: ConformanceCase = {
  id: 'SEC-1.backend-addressed-directly',
  clauses: ['SEC-1'],
  summary: 'A client that addresses a backend itself at the logical port gets no connection there.',
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const { lead, rest } = AT_THE_BACKEND;
    const direct = forge({ flags: ['SYN'], from: { port: 3999 }, to: BACKEND, ack: 0, tsval: null });
    const result = await runOne(context, segments(...lead, direct, wait(SILENCE_MS), ...rest));
    context.expectOk([result]);
    AT_THE_BACKEND.expect(context, result);
  },
  afterwards(run) {
    const client = `${clientOf(run)}:3999`;
    // A stock kernel's RST gives nothing away.
    const answers = run.segments.filter((s) => s.vantage === 'client' && s.dst === client && (s.flags & 4) === 0);
    const frames = answers.map(({ frame }) => ({ frame, note: 'an answer from the backend itself' }));
    run.expect(answers.length === 0, 'expected no connection to a backend but by a rule', ...frames);
    nameOffence(run);
  },
};

export const backendForged: ConformanceCase = {
  id: 'SEC-1.forged-backend',
  clauses: ['SEC-1'],
  summary:
    "A segment with a backend's address that comes from a client's link is not passed off as the logical server's.",
  worlds: ['sim', 'linux'],
  programs: ['scapy'],
  async run(context) {
    const { lead, rest } = AT_THE_BACKEND;
    const forged = forge({
      asServer: true,
      from: BACKEND,
      flags: ['ACK', 'PSH'],
      text: 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged',
    });
    const result = await runOne(
      context,
      segments(...lead, forged, expectNothing(SILENCE_MS, { payload: true }), ...rest),
    );
    context.expectOk([result]);
    AT_THE_BACKEND.expect(context, result);
  },
  afterwards: nameOffence,
};
