/** For every clause a run that breaks it: the clause fails, by the right frame, and no other does. */
import t from 'tap';
import { CHECKS } from '../../conformance/checks/index.js';
import { defaultTopology, type Policy } from '../../harness/topology.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpOption } from '../../reference-impl/wire/tcp.js';
import {
  body,
  get,
  type Mark,
  ok,
  put,
  read,
  requestEnd,
  respondWith,
  SEGMENT,
  Story,
  Talk,
  type Wire,
  write,
} from './story.js';

interface Broken {
  readonly what: string;
  /** Exactly these fail. */
  readonly clauses: readonly string[];
  readonly policy?: Policy;
  readonly log?: boolean;
  /** Tells the story; returns the frame that must be in the first clause's evidence, or a line of the control log. */
  readonly tell: (talk: Talk, story: Story) => Mark | { readonly line: number } | undefined;
}

function respond(
  talk: Talk,
  backend: 'backend0' | 'backend1',
  size: number,
  sending: Parameters<Talk['fromServer']>[1] = {},
): Mark | undefined {
  const content = body(size);
  talk.fromServer(backend, { payload: ok(size) });
  talk.fromClient();
  const odd = talk.fromServer(backend, { payload: content, ...sending });
  talk.fromClient();
  return odd.arrived;
}

const FIN = TcpFlag.FIN | TcpFlag.ACK;

const BROKEN: readonly Broken[] = [
  {
    what: 'a repeated SYN is answered with another initial number',
    clauses: ['EST-4'],
    log: false,
    tell: (talk) => {
      const options: TcpOption[] = [{ kind: 'mss', value: 1460 }];
      talk.fromClient({ at: -1, flags: TcpFlag.SYN, options });
      talk.fromServer('controller', { at: -1, ack: 0, flags: TcpFlag.SYN | TcpFlag.ACK, options, lost: true });
      talk.fromClient({ at: -1, flags: TcpFlag.SYN, options });
      return talk.fromServer('controller', { at: 4000, ack: 0, flags: TcpFlag.SYN | TcpFlag.ACK, options }).sent;
    },
  },
  {
    what: 'a lost SYN-ACK is never repeated',
    clauses: ['EST-4'],
    log: false,
    tell: (talk, story) => {
      const options: TcpOption[] = [{ kind: 'mss', value: 1460 }];
      talk.fromClient({ at: -1, flags: TcpFlag.SYN, options });
      talk.fromServer('controller', { at: -1, ack: 0, flags: TcpFlag.SYN | TcpFlag.ACK, options, lost: true });
      story.pass(1_000_000);
      const again = talk.fromClient({ at: -1, flags: TcpFlag.SYN, options });
      story.pass(2_000_000);
      talk.fromClient({ at: -1, flags: TcpFlag.SYN, options });
      story.pass(4_000_000);
      const other = new Talk(story, 40009);
      other.connect();
      return again.arrived;
    },
  },
  {
    what: 'the hand-off carries a sequence number that is not the next',
    clauses: ['HOF-3'],
    tell: (talk, story) => {
      talk.connect();
      const right = talk.snapshot.bind(talk);
      talk.snapshot = () => ({ ...right(), seq: seqAdd(right().seq, 1) });
      read(talk, '/a/1', 700, {
        respond: () => {
          talk.snapshot = right;
          respond(talk, 'backend0', 700);
        },
      });
      return { line: story.line(({ verb }) => verb === 'handoff') };
    },
  },
  {
    what: 'the hand-off carries another window scale than was negotiated',
    clauses: ['HOF-3'],
    tell: (talk, story) => {
      talk.connect();
      const right = talk.snapshot.bind(talk);
      talk.snapshot = () => ({ ...right(), windowScale: { client: 2, own: 7 } });
      read(talk, '/a/1', 700, {
        respond: () => {
          talk.snapshot = right;
          respond(talk, 'backend0', 700);
        },
      });
      return { line: story.line(({ verb }) => verb === 'handoff') };
    },
  },
  {
    what: 'a SYN goes to a backend',
    clauses: ['EST-1'],
    tell: (talk, story) => {
      const odd = talk.fromClient({
        at: -1,
        flags: TcpFlag.SYN,
        options: [{ kind: 'mss', value: 1460 }],
        arrives: (wire) => ({ ...story.toBackend(wire, 'backend0'), dst: wire.dst }),
      });
      return odd.arrived;
    },
  },
  {
    what: 'the SYN-ACK acknowledges another number',
    clauses: ['EST-1'],
    tell: (talk) => {
      talk.fromClient({ at: -1, flags: TcpFlag.SYN, options: [{ kind: 'mss', value: 1460 }] });
      return talk.fromServer('controller', { at: -1, ack: 5, flags: TcpFlag.SYN | TcpFlag.ACK, noOptions: true }).sent;
    },
  },
  {
    what: 'the controller resets a connection attempt',
    clauses: ['EST-1'],
    tell: (talk) => {
      talk.fromClient({ at: -1, flags: TcpFlag.SYN, options: [{ kind: 'mss', value: 1460 }] });
      return talk.fromServer('controller', { at: -1, ack: 0, flags: TcpFlag.RST | TcpFlag.ACK, noOptions: true }).sent;
    },
  },
  {
    what: "a segment reaches the client with another MAC than the fabric's",
    clauses: ['EST-2'],
    tell: (talk) => {
      const { synAck } = talk.connect({ synAck: { arrives: (wire) => ({ ...wire, srcMac: 0x020000000099 }) } });
      return synAck.arrived;
    },
  },
  {
    what: 'the SYN-ACK offers SACK to a client that did not',
    clauses: ['EST-3'],
    tell: (talk) =>
      talk.connect({
        synOptions: [{ kind: 'mss', value: 1460 }],
        synAckOptions: [{ kind: 'mss', value: 1460 }, { kind: 'sack-permitted' }],
      }).synAck.sent,
  },
  {
    what: 'a backend leaves the timestamps out',
    clauses: ['EST-3'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100, {
        respond: () => {
          odd = talk.fromServer('backend0', { payload: ok(100), noOptions: true }).sent;
          talk.fromServer('backend0', { payload: body(100) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: "a backend's segment is larger than the client's MSS",
    clauses: ['EST-3'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1470, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1470) });
          odd = talk.fromServer('backend0', { payload: body(1470) }).sent;
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: "a backend sends beyond the client's window",
    clauses: ['EST-3'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.window = 1;
      talk.connect();
      read(talk, '/a/1', 2000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(2000) });
          talk.fromClient();
          odd = talk.fromServer('backend0', { payload: body(1400), lost: true }).sent;
          talk.fromClient();
          talk.fromClient({ window: 501 });
          talk.fromServer('backend0', { at: talk.server.next - 1400, payload: body(1400) });
          talk.fromClient({ window: 501 });
          talk.fromServer('backend0', { payload: body(600) });
          talk.fromClient({ window: 501 });
        },
      });
      return odd;
    },
  },
  {
    what: 'a backend speaks before the header is whole',
    clauses: ['REQ-1'],
    log: false,
    tell: (talk, story) => {
      talk.connect();
      const header = get('/a/1');
      talk.fromClient({ payload: header.slice(0, 20) });
      talk.server.ack = 20;
      talk.fromServer('controller', { window: 0 });
      story.rules.set(talk.port, { backend: 'backend0', zeroWindow: true });
      const odd = talk.fromServer('backend0', { payload: ok(10), ack: 20 }).sent;
      talk.fromClient();
      story.rules.clear();
      talk.fromClient({ payload: header.slice(20) });
      return odd;
    },
  },
  {
    what: 'the rest of a header goes to a backend',
    clauses: ['REQ-1'],
    log: false,
    tell: (talk, story) => {
      talk.connect();
      const header = get('/a/1');
      talk.fromClient({ payload: header.slice(0, 20) });
      talk.server.ack = 20;
      talk.fromServer('controller', { window: 0 });
      story.rules.set(talk.port, { backend: 'backend0', zeroWindow: true });
      return talk.fromClient({ payload: header.slice(20) }).arrived;
    },
  },
  {
    what: 'the controller acknowledges payload behind the header',
    clauses: ['REQ-2'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      write(talk, '/a/w', 3000, 500, {
        headerAck: () => {
          talk.server.ack = requestEnd(talk, put('/a/w', 3000));
          odd = talk.fromServer('controller', { ack: talk.server.ack + 500 }).sent;
        },
      });
      return odd;
    },
  },
  {
    what: 'the controller leaves the window open for a read',
    clauses: ['REQ-3'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100, {
        headerAck: () => {
          talk.server.ack = requestEnd(talk, get('/a/1'));
          odd = talk.fromServer('controller', { window: 2048 }).sent;
        },
      });
      return odd;
    },
  },
  {
    what: 'the controller closes the window for a write',
    clauses: ['REQ-4'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      write(talk, '/a/w', 3000, 0, {
        headerAck: () => {
          talk.server.ack = requestEnd(talk, put('/a/w', 3000));
          odd = talk.fromServer('controller', { window: 0 }).sent;
        },
      });
      return odd;
    },
  },
  {
    what: "the switch zeroes a write's window",
    clauses: ['REQ-4'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      write(talk, '/a/w', 3000, 0, {
        payload: () => {
          const start = requestEnd(talk, put('/a/w', 3000));
          for (let at = 0; at < 3000; at += SEGMENT) {
            talk.fromClient({ at: start + at, payload: body(3000).subarray(at, at + SEGMENT) });
            talk.server.ack = start + Math.min(3000, at + SEGMENT);
            odd ??= talk.fromServer('backend0', { arrives: (wire) => ({ ...wire, window: 0 }) }).arrived;
          }
        },
      });
      return odd;
    },
  },
  {
    what: 'payload behind the header never reaches the backend, which acknowledges it',
    clauses: ['REQ-5'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      write(talk, '/a/w', 500, 500, {
        payload: () => {
          talk.server.ack = requestEnd(talk, put('/a/w', 500)) + 500;
          odd = talk.fromServer('backend0').sent;
        },
      });
      return odd;
    },
  },
  {
    what: "another backend than the policy's",
    clauses: ['REQ-6'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(
        talk,
        '/a/1',
        100,
        {
          respond: () => {
            odd = talk.fromServer('backend1', { payload: ok(100) }).sent;
            talk.fromServer('backend1', { payload: body(100) });
            talk.fromClient();
          },
        },
        'backend1',
      );
      return odd;
    },
  },
  {
    what: 'a turn is taken twice',
    clauses: ['REQ-6'],
    policy: { kind: 'round-robin' },
    tell: (talk) => {
      talk.connect();
      read(talk, '/a', 10, {}, 'backend0');
      read(talk, '/a', 10, {}, 'backend0');
      read(talk, '/a', 10, {}, 'backend1');
      return undefined;
    },
  },
  {
    what: 'the backend is told before the rule is confirmed',
    clauses: ['HOF-1'],
    tell: (talk, story) => {
      talk.connect();
      read(talk, '/a/1', 100, {
        install: () => talk.handOff('backend0', get('/a/1')),
        handOff: () => talk.install('backend0', true),
      });
      return { line: story.line(({ verb }) => verb === 'handoff') };
    },
  },
  {
    what: 'a removal is refused',
    clauses: ['SWT-9', 'RET-1'],
    tell: (talk, story) => {
      talk.connect();
      read(talk, '/a/1', 100, { remove: () => talk.remove('unknown-connection') });
      return { line: story.line(({ verb }) => verb === 'refused') };
    },
  },
  {
    what: 'what a late rule leaves alone is its own offence',
    clauses: ['EST-2', 'HOF-1'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100, {
        install: () => talk.handOff('backend0', get('/a/1')),
        handOff: () => {
          odd = talk.fromServer('backend0', { payload: ok(100), arrives: (wire) => ({ ...wire, window: 0 }) }).arrived;
          talk.install('backend0', true);
        },
        respond: () => {
          talk.fromServer('backend0', { payload: body(100) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'the backend gives up with data in flight',
    clauses: ['HOF-2'],
    log: false,
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(100) });
          talk.fromClient();
          odd = talk.fromServer('backend0', { payload: body(100) }).sent;
        },
        reopen: () => {
          talk.fromServer('controller');
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'the controller speaks while a backend owns the connection',
    clauses: ['HOF-4'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(100) });
          talk.fromClient();
          odd = talk.fromServer('controller', { window: 0 }).sent;
          talk.fromServer('backend0', { payload: body(100) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a former owner answers',
    clauses: ['HOF-4'],
    log: false,
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100, {
        reopen: () => {
          talk.fromServer('controller');
          story.pass(8000);
          odd = talk.fromServer('backend0', { lost: true }).sent;
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a backend resets the connection that moved to it',
    clauses: ['HOF-6'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 100);
      read(talk, '/b/1', 2800, {
        respond: () => {
          talk.fromServer('backend1', { payload: ok(2800) });
          talk.fromClient();
          odd = talk.fromServer('backend1', { flags: TcpFlag.RST, noOptions: true }).sent;
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: "a segment of one connection arrives as another's",
    clauses: ['HOF-7', 'SWT-5'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      const other = new Talk(story, 40001);
      talk.connect();
      other.connect();
      read(talk, '/a/1', 1300, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1300) });
          read(other, '/b/1', 1300, {
            respond: () => {
              other.fromServer('backend1', { payload: ok(1300) });
              other.fromClient();
              odd = talk.fromServer('backend0', {
                payload: body(1300),
                arrives: (wire) => ({ ...wire, dstPort: 40001 }),
              }).arrived;
              talk.client.ack -= 1300;
              other.fromServer('backend1', { payload: body(1300, 5) });
              other.fromClient();
            },
          });
          talk.client.ack += 1300;
          talk.fromServer('backend0', { at: talk.server.next - 1300, payload: body(1300) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'client segments during a hand-off go to the controller',
    clauses: ['SWT-1'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 2800, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(2800) });
          const toController = (wire: Wire): Wire => ({
            ...wire,
            vantage: 'controller',
            dst: story.logical,
            dstMac: story.host('controller').mac,
          });
          odd = talk.fromClient({ arrives: toController }).arrived;
          talk.fromServer('backend0', { payload: body(2800).subarray(0, 1400) });
          talk.fromClient();
          talk.fromServer('backend0', { payload: body(2800).subarray(1400) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'client segments keep the logical address on the way to the backend',
    clauses: ['SWT-1'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1400, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1400) });
          odd = talk.fromClient({ arrives: (wire) => ({ ...wire, dst: story.logical }) }).arrived;
          talk.fromServer('backend0', { payload: body(1400) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: "client segments keep another MAC than the backend's",
    clauses: ['SWT-1'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1400, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1400) });
          odd = talk.fromClient({ arrives: (wire) => ({ ...wire, dstMac: 0x020000000077 }) }).arrived;
          talk.fromServer('backend0', { payload: body(1400) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: "a backend's segment reaches the client from its own address",
    clauses: ['EST-2', 'SWT-2'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          odd = respond(talk, 'backend0', 1000, { arrives: (wire) => ({ ...wire, src: story.host('backend0').ip }) });
        },
      });
      return odd;
    },
  },
  {
    what: 'unmatched traffic loses two from its TTL',
    clauses: ['SWT-3'],
    tell: (talk) => talk.connect({ synAck: { arrives: (wire) => ({ ...wire, ttl: wire.ttl - 1 }) } }).synAck.arrived,
  },
  {
    what: 'unmatched traffic has its options changed',
    clauses: ['SWT-3'],
    tell: (talk) => {
      talk.connect();
      return talk.fromServer('controller', { arrives: (wire) => ({ ...wire, window: 17 }) }).arrived;
    },
  },
  {
    what: 'a valid checksum does not survive',
    clauses: ['SWT-4'],
    tell: (talk) => {
      talk.connect();
      let odd: Mark | undefined;
      read(talk, '/a/1', 1400, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1400) });
          odd = talk.fromClient({ arrives: (wire) => ({ ...wire, corrupt: true }) }).arrived;
          talk.fromServer('backend0', { payload: body(1400) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a corrupt segment is made to look valid',
    clauses: ['SWT-4'],
    tell: (talk) => {
      talk.connect();
      let odd: Mark | undefined;
      read(talk, '/a/1', 1400, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1400) });
          odd = talk.fromClient({ corrupt: true, arrives: (wire) => ({ ...wire, corrupt: false }) }).arrived;
          talk.fromServer('backend0', { payload: body(1400) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  ...(
    [
      ['sequence number', (wire: Wire) => ({ ...wire, seq: wire.seq + 1 })],
      ['acknowledgement number', (wire: Wire) => ({ ...wire, ack: wire.ack + 1 })],
      ['IP id', (wire: Wire) => ({ ...wire, id: wire.id + 1000 })],
      ['urgent pointer', (wire: Wire) => ({ ...wire, urgentPointer: 9 })],
      ['PSH flag', (wire: Wire) => ({ ...wire, flags: wire.flags ^ TcpFlag.PSH })],
      [
        'payload',
        (wire: Wire) => ({
          ...wire,
          payload: Uint8Array.from(wire.payload, (byte, at) => (at === 40 ? byte ^ 1 : byte)),
        }),
      ],
      [
        'options',
        (wire: Wire) => ({
          ...wire,
          options: [{ kind: 'timestamps', value: 77_777, echo: 5000 }, { kind: 'nop' }, { kind: 'nop' }],
        }),
      ],
      ['TTL', (wire: Wire) => ({ ...wire, ttl: 7 })],
    ] satisfies [string, (wire: Wire) => Wire][]
  ).map(
    ([field, change]): Broken => ({
      what: `the switch changes the ${field} of a rewritten segment`,
      clauses: ['SWT-5'],
      tell: (talk) => {
        let odd: Mark | undefined;
        talk.connect();
        read(talk, '/a/1', 1000, {
          respond: () => {
            odd = respond(talk, 'backend0', 1000, { arrives: change });
          },
        });
        return odd;
      },
    }),
  ),
  {
    what: "the client's window is changed on its way to the backend",
    clauses: ['SWT-5'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          odd = talk.fromClient({ arrives: (wire) => ({ ...wire, window: 0 }) }).arrived;
          talk.fromServer('backend0', { payload: body(1000) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: "a read's backend shows the client an open window",
    clauses: ['SWT-6'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          odd = respond(talk, 'backend0', 1000, { arrives: (wire) => ({ ...wire, window: 512 }) });
        },
      });
      return odd;
    },
  },
  {
    what: 'a backend answers from a port of its own, which no rule covers',
    clauses: ['EST-2'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          odd = talk.fromServer('backend0', {
            payload: ok(1000),
            leaves: (wire) => ({ ...wire, srcPort: 8080 }),
            arrives: (wire) => ({ ...wire, src: story.host('backend0').ip, window: 512 }),
          }).arrived;
          talk.fromServer('backend0', { at: 0, payload: ok(1000) });
          talk.fromServer('backend0', { payload: body(1000) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a FIN reaches the backend and is acknowledged',
    clauses: ['SWT-7', 'BKD-4'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          odd = talk.fromClient({
            flags: FIN,
            arrives: (wire) => ({ ...wire, flags: wire.flags | TcpFlag.FIN }),
          }).arrived;
          talk.server.ack = talk.client.next;
          talk.fromServer('backend0', { payload: body(1000) });
          talk.fromClient();
        },
        reopen: () => {
          talk.fromServer('controller', { flags: FIN });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a FIN reaches a backend that ignores it, though the rule asks for it to be cleared',
    clauses: ['SWT-7'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          odd = talk.fromClient({
            flags: FIN,
            arrives: (wire) => ({ ...wire, flags: wire.flags | TcpFlag.FIN }),
          }).arrived;
          talk.fromServer('backend0', { payload: body(1000) });
          talk.fromClient();
        },
        reopen: () => {
          talk.fromClient({ at: talk.client.next - 1, flags: FIN });
          talk.server.ack = talk.client.next;
          talk.fromServer('controller', { flags: FIN });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a cleared FIN is acknowledged all the same',
    clauses: ['BKD-4'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          talk.fromClient({ flags: FIN });
          talk.server.ack = talk.client.next;
          odd = talk.fromServer('backend0', { payload: body(1000) }).sent;
          talk.fromClient();
        },
        reopen: () => {
          talk.fromServer('controller', { flags: FIN });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: "a rule takes another connection's segment",
    clauses: ['SWT-8'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      const other = new Talk(story, 40001);
      talk.connect();
      other.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          odd = other.fromClient({ payload: 'GET', arrives: (wire) => story.toBackend(wire, 'backend0') }).arrived;
          talk.fromServer('backend0', { payload: body(1000) });
          talk.fromClient();
        },
      });
      other.fromClient({ at: 0, payload: 'GET' });
      return odd;
    },
  },
  {
    what: "a rule closes another connection's window",
    clauses: ['SWT-8'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      const other = new Talk(story, 40001);
      talk.connect();
      other.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          odd = other.fromServer('controller', { arrives: (wire) => ({ ...wire, window: 0 }) }).arrived;
          talk.fromServer('backend0', { payload: body(1000) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a response leaves a gap',
    clauses: ['BKD-1'],
    log: false,
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          talk.fromClient();
          odd = talk.fromServer('backend0', { at: talk.server.next + 7, payload: body(993) }).sent;
          talk.fromClient();
          story.pass(300_000);
          talk.fromClient();
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: 'a response begins one number late, and the client waits at the hole',
    clauses: ['BKD-1'],
    log: false,
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          odd = talk.fromServer('backend0', { at: talk.server.next + 1, payload: ok(1000) }).sent;
          talk.fromClient();
          story.pass(300_000);
          talk.fromClient();
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: 'a response overlaps the one before it',
    clauses: ['BKD-1'],
    log: false,
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000);
      read(talk, '/a/2', 1000, {
        respond: () => {
          odd = talk.fromServer('backend0', { at: talk.server.next - 10, payload: body(10, 9) }).sent;
          respondWith(talk, 'backend0', ok(1000), body(1000));
        },
      });
      return odd;
    },
  },
  {
    what: "a write's backend acknowledges what follows the payload",
    clauses: ['BKD-2'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      write(talk, '/a/w', 500, 0, {
        payload: () => {
          const start = requestEnd(talk, put('/a/w', 500));
          talk.fromClient({ payload: Buffer.concat([body(500), Buffer.from(get('/a/next'))]) });
          talk.server.ack = start + 500;
          odd = talk.fromServer('backend0', { ack: talk.client.next }).sent;
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: "a read's backend acknowledges what follows the header",
    clauses: ['BKD-3'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(500) });
          talk.fromClient({ payload: 'GET /' });
          odd = talk.fromServer('backend0', { payload: body(500), ack: talk.client.next }).sent;
          talk.fromClient();
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: 'the controller repeats what the backend sent',
    clauses: ['BKD-5'],
    log: false,
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        reopen: () => {
          talk.fromServer('controller');
          odd = talk.fromServer('controller', { at: talk.server.next - 500, payload: body(500, 4 + 500) }).sent;
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'completion is reported before everything is acknowledged',
    clauses: ['BKD-6'],
    tell: (talk, story) => {
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(500) });
          talk.fromServer('backend0', { payload: body(500) });
        },
        complete: () => {
          talk.complete('backend0');
          talk.fromClient();
        },
      });
      return { line: story.line(({ verb }) => verb === 'complete') };
    },
  },
  ...(['seq', 'ack'] as const).map(
    (field): Broken => ({
      what: `completion is reported with another ${field}`,
      clauses: ['BKD-6'],
      tell: (talk, story) => {
        talk.connect();
        read(talk, '/a/1', 500, {
          complete: () => talk.complete('backend0', { ...talk.snapshot(), [field]: talk.snapshot()[field] - 3 }),
        });
        return { line: story.line(({ verb }) => verb === 'complete') };
      },
    }),
  ),
  {
    what: "the controller's clock is behind the backend's",
    clauses: ['BKD-8'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        reopen: () => {
          odd = talk.fromServer('controller', { tsval: 8000 }).sent;
        },
      });
      return odd;
    },
  },
  {
    what: 'an echo that the client never sent',
    clauses: ['BKD-8'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          odd = talk.fromServer('backend0', { payload: ok(500), tsecr: 99_999 }).sent;
          talk.fromServer('backend0', { payload: body(500) });
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'a backend resets with the last acknowledgement in hand, before the controller speaks',
    clauses: ['HOF-4', 'BKD-9'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        complete: () => {
          odd = talk.fromServer('backend0', { flags: TcpFlag.RST | TcpFlag.ACK, lost: true }).sent;
        },
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: 'a backend sends data after giving up',
    clauses: ['HOF-4', 'BKD-9'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        reopen: () => {
          talk.fromServer('controller');
          story.pass(10_000);
          odd = talk.fromServer('backend0', {
            at: talk.server.next - 500,
            payload: body(500, 4 + 500),
            lost: true,
          }).sent;
          talk.fromClient();
        },
      });
      return odd;
    },
  },
  {
    what: 'the rule is left when the window reopens',
    clauses: ['RET-1'],
    log: false,
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        remove: () => {},
        reopen: () => {
          talk.fromServer('controller');
          odd = talk.fromClient({ payload: get('/a/2') }).arrived;
          talk.client.next -= get('/a/2').length;
          talk.remove();
        },
      });
      read(talk, '/a/2', 500);
      return odd;
    },
  },
  {
    what: 'the rule goes before the response is acknowledged',
    clauses: ['RET-1'],
    log: false,
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 4200, {
        respond: () => {
          const content = body(4200);
          const toController = (wire: Wire): Wire => ({
            ...wire,
            vantage: 'controller',
            dst: story.logical,
            dstMac: story.host('controller').mac,
          });
          talk.fromServer('backend0', { payload: ok(4200) });
          talk.fromClient();
          talk.fromServer('backend0', { payload: content.subarray(0, 1400) });
          odd = talk.fromClient({ arrives: toController }).arrived;
          talk.fromServer('backend0', { payload: content.subarray(1400, 2800) });
          talk.fromClient({ arrives: toController });
          talk.fromServer('backend0', { payload: content.subarray(2800) });
          talk.fromClient({ window: 100, arrives: toController });
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: 'the window reopens before the switch has answered',
    clauses: ['RET-1'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        remove: () => {
          odd = talk.fromServer('controller').sent;
        },
        reopen: () => talk.remove(),
      });
      return odd;
    },
  },
  {
    what: 'a closed window is never reopened',
    clauses: ['RET-2'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        reopen: () => {
          for (let probe = 0; probe < 4; probe++) {
            story.pass(200_000);
            odd = talk.fromClient({ at: talk.client.next - 1 }).arrived;
            talk.fromServer('controller', { window: 0 });
          }
        },
      });
      return odd;
    },
  },
  {
    what: 'a FIN during a hand-off is forgotten',
    clauses: ['RET-3'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(500) });
          talk.fromClient({ flags: FIN });
          talk.fromServer('backend0', { payload: body(500) });
          talk.fromClient();
        },
        reopen: () => {
          talk.fromServer('controller');
          for (let again = 0; again < 4; again++) {
            story.pass(300_000);
            odd = talk.fromClient({ at: talk.client.next - 1, flags: FIN }).arrived;
            talk.fromServer('controller');
          }
        },
      });
      return odd;
    },
  },
  {
    what: 'a FIN during a hand-off is answered with a reset',
    clauses: ['RET-3'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(500) });
          talk.fromClient({ flags: FIN });
          talk.fromServer('backend0', { payload: body(500) });
          talk.fromClient();
        },
        reopen: () => {
          odd = talk.fromServer('controller', { flags: TcpFlag.RST | TcpFlag.ACK, noOptions: true }).sent;
        },
      });
      return odd;
    },
  },
  {
    what: 'a backend that was taken for dead goes on after its rules were removed',
    clauses: ['EST-2'],
    tell: (talk) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          talk.fromServer('backend0', { payload: body(500) });
          talk.fromClient();
        },
        complete: () => {},
        reopen: () => {
          odd = talk.fromServer('backend0', { payload: body(500) }).arrived;
        },
      });
      return odd;
    },
  },
  {
    what: 'a rule outlives its connection and takes the next SYN',
    clauses: ['RET-6'],
    log: false,
    tell: (talk, story) => {
      talk.connect();
      read(talk, '/a/1', 500);
      talk.close();
      story.rules.set(talk.port, { backend: 'backend0', zeroWindow: true });
      return talk.fromClient({ at: 100_000, flags: TcpFlag.SYN, options: [{ kind: 'mss', value: 1460 }] }).arrived;
    },
  },
];

for (const { what, clauses, policy, log, tell } of BROKEN) {
  t.test(`${clauses.join(', ')}: ${what}`, async (t) => {
    const story = new Story(policy === undefined ? defaultTopology() : defaultTopology(policy));
    const talk = new Talk(story);
    const odd = tell(talk, story);
    const { findings, fails, number } = story.judge({ log: log ?? true });
    t.same(
      fails,
      clauses,
      [...findings]
        .filter(([, f]) => f.verdict === 'fail')
        .map(([id, f]) => `${id}: ${f.message}`)
        .join('\n'),
    );
    const [clause] = clauses;
    const evidence = findings.get(clause ?? '')?.evidence ?? [];
    t.ok(evidence.length > 0, 'there is evidence');
    if (odd === undefined) return;
    const wanted = 'line' in odd ? odd.line : number(odd);
    t.ok(
      evidence.some(({ frame }) => frame === wanted),
      `frame ${wanted} is evidence, among ${evidence.map(({ frame }) => frame).join(', ')}`,
    );
  });
}

/** In `failures.test.ts`. */
const TOLD_ELSEWHERE = new Set('REQ-7 HOF-5 SWT-9 BKD-7 RET-4 RET-5 RET-7 ERR-1 ERR-2 ERR-3 SEC-1'.split(' '));

t.test('every clause that has a check is broken here', async (t) => {
  const broken = new Set(BROKEN.flatMap(({ clauses }) => clauses));
  t.same(
    CHECKS.map(({ clause }) => clause).filter((clause) => !broken.has(clause) && !TOLD_ELSEWHERE.has(clause)),
    [],
  );
});
