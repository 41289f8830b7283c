/**
 * A hand-off to nobody at a backend's start: whatever the kernel lacks is found then, and the first client does not wait for code that has never run.
 * Its lease is over before it begins, so that the guard lets nothing of it out.
 */
import { HandedConnection, type TakeOver } from './connection.js';

/** An address that nobody has (RFC 5737), and the discard port. */
const NOBODY = { ip: 0xc0000201, port: 9 };
const NOBODYS = { client: { ip: '192.0.2.1', port: 9 }, logical: { ip: '192.0.2.2', port: 9 } };
/** Until the server has answered, or has had the time to. */
const LONG_ENOUGH_MS = 50;

/** Rejects with what taking over, or looking into, a connection throws. */
export async function rehearse(around: Pick<TakeOver, 'local' | 'guard' | 'server'>): Promise<void> {
  const connection = new HandedConnection({
    ...around,
    client: NOBODY,
    zeroWindow: false,
    ended: () => {},
    handoff: {
      verb: 'handoff',
      id: 'rehearsal',
      handoff: 1,
      conn: NOBODYS,
      snapshot: {
        seq: 1,
        ack: 1,
        clientWindow: 65_535,
        clientMss: 1460,
        ownMss: 1460,
        windowScale: { client: 7, own: 7 },
        sackPermitted: true,
        timestamps: { value: 1, recent: 1 },
      },
      request: {
        method: 'HEAD',
        target: '/',
        header: Buffer.from('HEAD / HTTP/1.1\r\nHost: rehearsal\r\n\r\n').toString('base64'),
        payload: { kind: 'length', bytes: 0 },
        expectContinue: false,
        keepAlive: true,
        minorVersion: 1,
      },
      leaseMs: 0,
    },
  });
  connection.begin();
  await new Promise((wake) => setTimeout(wake, LONG_ENOUGH_MS));
  connection.giveUp();
}
