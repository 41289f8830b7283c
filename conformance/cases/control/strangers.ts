/** Somebody who is no configured peer speaks the control protocol: nobody obeys (SEC-3). */
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runAll, runOne, script } from '../vocabulary.js';

const RULES = 2;

const connOf = (port: number) => ({ client: { ip: '198.18.1.2', port }, logical: { ip: '198.18.0.80', port: 80 } });

export const strangerAtTheSwitch: ConformanceCase = {
  id: 'SEC-3.stranger-at-the-switch',
  clauses: ['SEC-3'],
  summary:
    'A stranger asks the switch for as many rules as it holds: it gets none, and there is room for the real ones.',
  worlds: ['sim', 'linux'],
  options: { ruleCapacity: RULES },
  async run(context) {
    const [backend] = context.world.topology.backends;
    const lines = Array.from({ length: RULES }, (_, i) =>
      JSON.stringify({
        verb: 'add',
        id: `stranger-${i}`,
        rule: { conn: connOf(i + 1), backend, zeroWindow: true, clearFin: true },
      }),
    );
    await runAll(context, [{ kind: 'stranger', to: 'switch', lines }]);
    expectObjects(context, await runOne(context, script(...gets('/a/8k', '/b/8k'))), ['/a/8k', '/b/8k']);
  },
};

const FORGED_PORT = 7;

export const strangerAtABackend: ConformanceCase = {
  id: 'SEC-3.stranger-at-a-backend',
  clauses: ['SEC-3', 'HOF-4'],
  summary:
    'A stranger hands a backend a connection that does not exist: the backend sends nothing, and serves its own.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const request = {
      method: 'GET',
      target: '/a/8k',
      header: Buffer.from('GET /a/8k HTTP/1.1\r\nHost: p\r\n\r\n').toString('base64'),
      payload: { kind: 'length', bytes: 0 },
      expectContinue: false,
      keepAlive: true,
      minorVersion: 1,
    };
    const snapshot = {
      seq: 1000,
      ack: 1000,
      clientWindow: 65_535,
      clientMss: 1460,
      ownMss: 1460,
      windowScale: null,
      sackPermitted: false,
      timestamps: null,
    };
    const handoff = {
      verb: 'handoff',
      id: 'stranger-1',
      handoff: 1_000_000,
      conn: connOf(FORGED_PORT),
      snapshot,
      request,
    };
    await runAll(context, [{ kind: 'stranger', to: 'backend0', lines: [JSON.stringify(handoff)] }]);
    expectObjects(context, await runOne(context, script(...gets('/a/8k', '/b/8k'))), ['/a/8k', '/b/8k']);
  },
  afterwards({ segments, expect }) {
    const forged = segments.find(({ vantage, dst }) => vantage === 'backend0' && dst.endsWith(`:${FORGED_PORT}`));
    expect(
      forged === undefined,
      `expected no segment on the forged connection, frame ${forged?.frame} is one`,
      ...(forged ? [{ frame: forged.frame, note: 'of the forged connection' }] : []),
    );
  },
};
