/** Switches that err at times only, told segment by segment: the clause that names them, by which frame or line, and nobody beside them. */
import t from 'tap';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { body, get, type Mark, ok, read, respondWith, Story, Talk, type Wire, write } from './story.js';

interface Told {
  readonly what: string;
  /** Exactly these fail. */
  readonly clauses: readonly string[];
  readonly log?: boolean;
  readonly lossless?: boolean;
  /** Returns what must be in the first clause's evidence. */
  readonly tell: (talk: Talk, story: Story) => Mark | { readonly line: number } | undefined;
}

const toController =
  (story: Story) =>
  (wire: Wire): Wire => ({
    ...wire,
    vantage: 'controller',
    dst: story.logical,
    dstMac: story.host('controller').mac,
  });
const fromBackend =
  (story: Story) =>
  (wire: Wire): Wire => ({ ...wire, src: story.host('backend0').ip });

/** A whole second connection, so that the captures show what passes otherwise. */
function another(story: Story, port = 40100): Talk {
  const talk = new Talk(story, port);
  talk.connect();
  read(talk, '/b/1', 500);
  talk.close();
  return talk;
}

/** A request that is sent again and again and never arrives. */
function inVain(talk: Talk, story: Story, times: number): Mark {
  const at = talk.client.next;
  const { sent } = talk.fromClient({ payload: get('/a/2'), lost: true });
  for (let n = 1; n < times; n++) {
    story.pass(400_000 * n);
    talk.fromClient({ at, payload: get('/a/2'), lost: true });
  }
  return sent;
}

const lostBehindARule: Told['tell'] = (talk, story) => {
  another(story);
  talk.connect();
  read(talk, '/a/1', 500);
  const lost = inVain(talk, story, 4);
  another(story, 40101);
  return lost;
};

const SWITCHES: readonly Told[] = [
  {
    what: 'what follows a rule never comes out',
    clauses: ['SWT-3'],
    tell: lostBehindARule,
  },
  {
    what: 'so it is from frames alone',
    clauses: ['SWT-3'],
    log: false,
    tell: lostBehindARule,
  },
  {
    what: 'once is enough where nobody else can have lost it',
    clauses: ['SWT-3'],
    lossless: true,
    tell: (talk, story) => {
      talk.connect();
      read(talk, '/a/1', 500);
      const { sent } = talk.fromClient({ payload: get('/a/2'), lost: true });
      story.pass(100_000);
      another(story);
      return sent;
    },
  },
  {
    what: 'a payload is swallowed under its rule',
    clauses: ['SWT-1'],
    lossless: true,
    tell: (talk, story) => {
      let lost: Mark | undefined;
      talk.connect();
      write(talk, '/a/1', 1000, 0, {
        payload: () => {
          lost = talk.fromClient({ payload: body(1000), lost: true }).sent;
        },
        respond: () => {},
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      story.pass(100_000);
      another(story);
      return lost;
    },
  },
  {
    what: "a backend's segment is swallowed",
    clauses: ['SWT-2'],
    lossless: true,
    tell: (talk, story) => {
      let lost: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          talk.fromClient();
          lost = talk.fromServer('backend0', { payload: body(1000), lost: true }).sent;
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      story.pass(100_000);
      another(story);
      return lost;
    },
  },
  {
    what: 'what was lost and made good is no offence',
    clauses: [],
    lossless: true,
    tell: (talk, story) => {
      talk.connect();
      const at = talk.client.next;
      talk.fromClient({ payload: get('/a/1'), lost: true });
      story.pass(300_000);
      talk.client.next = at;
      read(talk, '/a/1', 500);
      talk.close();
      return undefined;
    },
  },
  {
    what: 'twice is no more than bad luck',
    clauses: [],
    tell: (talk, story) => {
      another(story);
      talk.connect();
      read(talk, '/a/1', 500);
      inVain(talk, story, 2);
      another(story, 40101);
      return undefined;
    },
  },
  {
    what: "a client's reset goes to the controller, although its rule is confirmed",
    clauses: ['SWT-1'],
    tell: (talk, story) => {
      let odd: Mark | undefined;
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          talk.fromClient();
          odd = talk.fromClient({ flags: TcpFlag.RST | TcpFlag.ACK, arrives: toController(story) }).arrived;
        },
        complete: () => {},
        remove: () => talk.remove(),
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: "a write's rule stays, though its removal is confirmed",
    clauses: ['RET-1'],
    tell: (talk, story) => {
      talk.connect();
      write(talk, '/a/1', 1000, 0, { reopen: () => {} });
      return talk.fromClient({
        payload: get('/a/2'),
        arrives: (wire) => story.toBackend({ ...wire, ttl: wire.ttl }, 'backend0'),
      }).arrived;
    },
  },
  {
    what: 'the switch says ok before the rule is there',
    clauses: ['HOF-1', 'EST-2', 'SWT-2'],
    tell: (talk, story) => {
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          talk.fromServer('backend0', {
            payload: ok(500),
            arrives: (wire) => ({ ...fromBackend(story)(wire), window: 512 }),
          });
          talk.fromServer('backend0', { payload: body(500) });
          talk.fromServer('backend0', { at: 0, payload: ok(500) });
          talk.fromClient();
        },
      });
      return { line: story.line((message) => message.verb === 'ok' && message.re.startsWith('1/')) };
    },
  },
  {
    what: 'a rule to one backend is confirmed and never installed',
    clauses: ['SWT-9', 'EST-2', 'SWT-2', 'SWT-1', 'HOF-1'],
    tell: (talk, story) => {
      another(story);
      talk.connect();
      let line = 0;
      read(talk, '/a/1', 500, {
        install: () => {
          talk.install('backend0', true);
          line = story.entries.length;
        },
        respond: () => {
          const arrives = fromBackend(story);
          talk.fromServer('backend0', { payload: ok(500), arrives: (wire) => ({ ...arrives(wire), window: 512 }) });
          talk.fromClient({ arrives: toController(story) });
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      // The switch's own trace of its ok is the one before the controller's.
      return { line: line - 1 };
    },
  },
  {
    what: "a rule is gone behind the removal of another connection's",
    clauses: ['SWT-8', 'SWT-1'],
    tell: (talk, story) => {
      const other = new Talk(story, 40100);
      other.connect();
      talk.connect();
      let odd: Mark | undefined;
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          talk.fromClient();
          read(other, '/b/1', 500);
          story.rules.delete(talk.port);
          odd = talk.fromClient({ payload: get('/a/9') }).arrived;
        },
        complete: () => {},
        remove: () => {},
        reopen: () => {},
      });
      return odd;
    },
  },
  {
    what: "a backend's segment reaches the client from an address that nobody has",
    clauses: ['SWT-2', 'EST-2'],
    tell: (talk) => {
      let odd: Mark | undefined;
      const src = parseIpv4Address('198.18.0.81') ?? 0;
      talk.connect();
      read(talk, '/a/1', 500, {
        respond: () => {
          odd = talk.fromServer('backend0', { payload: ok(500), arrives: (wire) => ({ ...wire, src }) }).arrived;
          talk.fromServer('backend0', { at: 0, payload: ok(500) });
          respondWith(talk, 'backend0', '', body(500));
        },
      });
      return odd;
    },
  },
  {
    what: 'windows are zeroed at all times, beside a rule too',
    clauses: ['SWT-3'],
    tell: (talk, story) => {
      const other = new Talk(story, 40100);
      const zeroed = { arrives: (wire: Wire): Wire => ({ ...wire, window: 0 }) };
      other.connect();
      const first = other.fromServer('controller', zeroed);
      talk.connect();
      read(talk, '/a/1', 1000, {
        respond: () => {
          talk.fromServer('backend0', { payload: ok(1000) });
          other.fromServer('controller', zeroed);
          talk.fromClient();
          respondWith(talk, 'backend0', '', body(1000));
        },
      });
      return first.arrived;
    },
  },
];

for (const { what, clauses, log = true, lossless = false, tell } of SWITCHES) {
  t.test(`${clauses.join(', ') || 'nobody'}: ${what}`, async (t) => {
    const story = new Story();
    const odd = tell(new Talk(story), story);
    const { findings, fails, number } = story.judge({ log, lossless });
    const said = [...findings].filter(([, finding]) => finding.verdict === 'fail');
    t.same([...fails].sort(), [...clauses].sort(), said.map(([id, { message }]) => `${id}: ${message}`).join('\n'));
    if (odd === undefined) return;
    const frames = findings.get(clauses[0] ?? '')?.evidence.map(({ frame }) => frame) ?? [];
    const wanted = 'line' in odd ? odd.line : number(odd);
    t.ok(frames.includes(wanted), `frame ${wanted} is evidence, among ${frames.join(', ')}`);
  });
}
