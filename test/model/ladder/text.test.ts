/** Ladders as they are read: small traces, and the whole text of each. */
import t from 'tap';
import { ladder } from '../../../model/ladder/ladder.js';
import { LADDER_LEGEND, ladderText } from '../../../model/ladder/text.js';
import type { Lasso, Trace } from '../../../model/tlc/outcome.js';
import type { Json } from '../../../model/tlc/value-json.js';
import { changed, fromBackend, fromClient, fromController, INIT, LENT, NO_RULE, next, story } from './story.js';

const text = (trace: Trace, lasso: Lasso | null = null, width = 120) => ladderText(ladder(trace, lasso), { width });

/** The lines of a block in this file, without its indentation. */
const block = (lines: string) =>
  lines
    .split('\n')
    .slice(1, -1)
    .map((line) => line.slice(4).trimEnd());

const SYN = fromClient({ syn: true, ts: 0 });
const SYN_ACK = fromController({ syn: true, seq: 100, ack: 1 });
const HEADER = fromClient({ seq: 1, ack: 101, data: [1] });
const up = (client: Json, more = {}) => ({ net: { up: { client, ...more } } });
const crossed = (segment: Json, more: Json) => changed(segment, changed({ at: 'host' }, more));

t.test('a hand-off', async (t) => {
  const trace = story(
    INIT,
    ['Connect', { client: { st: 'synSent', nxt: 1 }, ...up([SYN]) }],
    ['Forward', { net: { up: { client: [] }, down: { logical: [crossed(SYN, {})] } } }],
    [
      'AcceptSyn',
      {
        controller: { phase: 'synReceived', rcv: 1, una: 100, nxt: 101 },
        net: { down: { logical: [], client: [SYN_ACK] } },
      },
    ],
    [
      'ClientReceive',
      {
        client: { st: 'established', una: 1, wnd: 2, rcv: 101, ts: 1 },
        net: { down: { client: [] }, up: { client: [fromClient({ seq: 1, ack: 101 })] } },
      },
    ],
    ['ClientSend', { client: { nxt: 2, want: 1 }, ...up([fromClient({ seq: 1, ack: 101 }), HEADER]) }],
    ['Lose', up([HEADER])],
    ['Forward', { net: { up: { client: [] }, down: { logical: [crossed(HEADER, {})] } } }],
    [
      'ReceiveRequest',
      {
        controller: { phase: 'installing', una: 101, rcv: 2, open: false },
        control: [{ type: 'add', handoff: 1, backend: 'b1', zero: true, copy: false }],
        net: { down: { logical: [], client: [fromController({ seq: 101, ack: 2, wnd: 0 })] } },
      },
    ],
    [
      'SwitchAddRule',
      { switch: { rule: { handoff: 1, backend: 'b1', zero: true } }, control: [{ type: 'added', handoff: 1 }] },
    ],
    [
      'HandOff',
      {
        controller: { phase: 'handedOff' },
        control: [{ type: 'handoff', handoff: 1, backend: 'b1', seq: 101, ack: 2, una: 101, ts: 1 }],
      },
    ],
    ['TakeOver', { backend: { b1: { st: 'serving', handoff: 1, una: 101, nxt: 101, rcv: 2, ts: 1 } }, control: [] }],
    ['ClientReceive', { client: { una: 2, wnd: 0 }, net: { down: { client: [] } } }],
  );
  t.strictSame(
    text(trace),
    block(`
                       client   switch  controller   b1       b2
     1                    |        |         |        |        |  initial state
     2 Connect            |-->     |         |        |        |  SYN seq 0   client closed -> synSent
     3 Forward            |------->|         |        |        |  SYN seq 0   to the controller
     4 AcceptSyn          |        |-------->#        |        |  SYN seq 0   controller listen -> synReceived
                          |        |      <--#        |        |  SYN seq 100 ack 1 win 2
     5 ClientReceive      |<-----------------#        |        |  SYN seq 100 ack 1 win 2   client synSent -> established
                          |-->     |         #        |        |  seq 1 ack 101
     6 ClientSend         |-->     |         #        |        |  seq 1:2 request 1 ack 101
     7 Lose               |---x    |         #        |        |  lost: seq 1 ack 101
     8 Forward            |------->|         #        |        |  seq 1:2 request 1 ack 101   to the controller
     9 ReceiveRequest     |        |-------->#        |        |  seq 1:2 request 1 ack 101
                          |        |         #        |        |    controller synReceived -> installing, window shut
                          |        |      <--#        |        |  seq 101 ack 2 win 0
                          |        |      < -#        |        |  add rule 1 -> b1, window 0
    10 SwitchAddRule      |        #< - - - -#        |        |  add rule 1 -> b1, window 0   switch rule 1 -> b1
                          |        #- >      #        |        |  rule 1 added
    11 HandOff            |        #- - - - >|        |        |  rule 1 added   controller installing -> handedOff
                          |        #         |- >     |        |  hand-off 1 seq 101 ack 2
    12 TakeOver           |        #         |- - - ->#        |  hand-off 1 seq 101 ack 2   b1 idle -> serving 1
    13 ClientReceive      |<-----------------|        #        |  seq 101 ack 2 win 0   client una 1 -> 2, window 2 -> 0
       at the end:
                          |        #         |        #        |  client established, una 2 nxt 2 rcv 101 window 0
                          |        #         |        #        |  switch rule 1 -> b1
                          |        #         |        #        |  controller handedOff, request 1, window shut
                          |        #         |        #        |  b1 serving 1, una 101 nxt 101 rcv 2
                          |        #         |        #        |  b2 idle
    `),
  );
});

t.test('misfortune', async (t) => {
  const response = (seq: number) => fromBackend({ seq, ack: 2, data: [1] });
  const rewritten = crossed(response(101), { src: 'logical', wnd: 0, via: 1 });
  const add = { type: 'add', handoff: 2, backend: 'b2', zero: false, copy: false };
  const fin = fromClient({ seq: 2, ack: 101, fin: true });
  const trace = story(
    LENT,
    ['Respond', { backend: { b1: { nxt: 103 } }, served: [1], net: { up: { b1: [response(101), response(102)] } } }],
    ['Forward', { net: { up: { b1: [response(102)] }, down: { client: [rewritten] } } }],
    ['Duplicate', { net: { late: [rewritten] } }],
    ['Delay', { net: { up: { b1: [] }, late: [rewritten, response(102)] } }],
    ['ClientClose', { client: { fin: 2 } }],
    ['ClientSendFin', { client: { nxt: 3 }, net: { up: { client: [fin] } } }],
    ['Forward', { net: { up: { client: [] }, down: { b1: [crossed(fin, { fin: false, dst: 'b1', via: 1 })] } } }],
    ['Crash', { backend: { b1: { st: 'crashed', handoff: 0, una: 0, nxt: 0, rcv: 0, ts: 0 } } }],
    ['BackendReceive', { net: { down: { b1: [] } } }],
    [
      'BackendLost',
      { controller: { phase: 'removing', ...next('probe') }, control: [{ type: 'remove', handoff: 1, copy: false }] },
    ],
    [
      'RepeatEarly',
      {
        control: [
          { type: 'remove', handoff: 1, copy: false },
          { type: 'remove', handoff: 1, copy: true },
        ],
      },
    ],
    [
      'SwitchRemoveRule',
      {
        switch: { rule: NO_RULE, done: 1, drained: ['b1'] },
        control: [
          { type: 'removed', handoff: 1 },
          { type: 'remove', handoff: 1, copy: true },
        ],
      },
    ],
    ['Forward', { net: { late: [rewritten] } }],
    ['LoseControl', { control: [{ type: 'remove', handoff: 1, copy: true }] }],
    ['ControlRejected', { control: [] }],
    ['Misplaced', { control: [add, { type: 'new', handoff: 3 }], switch: { done: 2 } }],
    ['ResetClient', { controller: { phase: 'resetting', ...next('none'), decided: true } }],
    ['Timers', { net: { down: { client: [rewritten, fromController({ seq: 100, ack: 2, wnd: 0 })] } } }],
    ['ClientReceive', { client: { rcv: 102 }, net: { late: [] } }],
  );
  t.strictSame(
    text(trace),
    block(`
                         client   switch  controller   b1       b2
     1                      |        #         |        #        |  initial state
     2 Respond              |        #         |     <--#        |  seq 101:102 response 1 ack 2 win 2   request 1 served
                            |        #         |     <--#        |  seq 102:103 response 1 ack 2 win 2
     3 Forward              |        #<-----------------#        |  seq 101:102 response 1 ack 2 win 2
                            |        #         |        #        |    rule 1: from logical, win 2 -> 0
     4 Duplicate            |    =---#         |        #        |  doubled: seq 101:102 response 1 ack 2 win 0
                            |        #         |        #        |    its copy is held up
     5 Delay                |        #         ~--------#        |  held up: seq 102:103 response 1 ack 2 win 2
     6 ClientClose          *        #         |        #        |  client will close at 2
     7 ClientSendFin        |-->     #         |        #        |  FIN seq 2 ack 101
     8 Forward              |------->#         |        #        |  FIN seq 2 ack 101   rule 1: to b1, FIN cleared
     9 Crash                |        #         |        *        |  b1 serving -> crashed
    10 BackendReceive       |        #----------------->:        |  seq 2 ack 101   no effect
    11 BackendLost          |        #      < -|        :        |  remove rule 1
                            |        #         |        :        |    controller handedOff -> removing, then probe
    12 RepeatEarly          |        #      < -|        :        |  remove rule 1, again
    13 SwitchRemoveRule     |        |< - - - -|        :        |  remove rule 1
                            |        |         |        :        |    switch rule 1 gone, drops what comes from b1
                            |        |- >      |        :        |  rule 1 removed
    14 Forward              |        |x-----------------:        |  dropped: seq 102:103 response 1 ack 2 win 2
                            |        |         |        :        |    had been held up
    15 LoseControl          |        |- - x    |        :        |  lost: rule 1 removed
    16 ControlRejected      |        |x - - - -|        :        |  rejected: remove rule 1, again
    17 Misplaced            |        |      < -|        :        |  add rule 2 -> b2   switch rules up to 2 are over
                            |        |         |        :        |  control sent: {"handoff":3,"type":"new"}
    18 ResetClient          |        |         *        :        |  controller removing -> resetting, resets the client
    19 Timers               |        |      <--#        :        |  seq 100 ack 2 win 0   probe
    20 ClientReceive        |<-------|         #        :        |  seq 101:102 response 1 ack 2 win 0
                            |        |         #        :        |    had been held up; client rcv 101 -> 102
       at the end:
                            |     <--|         #        :        |  on the way: seq 101:102 response 1 ack 2 win 0
                            |        |      <--#        :        |  on the way: seq 100 ack 2 win 0
                            |        |      < -#        :        |  on the way: add rule 2 -> b2
                            |        |         #        :        |  control on-the-way: {"handoff":3,"type":"new"}
                            |        |         #        :        |  client established, una 2 nxt 3 rcv 102 window 0,
                            |        |         #        :        |  closes at 2
                            |        |         #        :        |  switch without a rule
                            |        |         #        :        |  controller resetting, request 1, window shut
                            |        |         #        :        |  b1 crashed
                            |        |         #        :        |  b2 idle
                         client   switch  controller   b1       b2
    `),
  );
});

t.test('loops and stuttering', async (t) => {
  const probe = fromClient({ seq: 1, ack: 101 });
  const trace = story(
    LENT,
    ['Timers', up([probe])],
    ['Forward', { net: { up: { client: [] }, down: { b1: [crossed(probe, { dst: 'b1', via: 1 })] } } }],
  );
  t.strictSame(
    text(trace, { kind: 'back-to', index: 1 }),
    block(`
               client   switch  controller   b1       b2
    1             |        #         |        #        |  initial state
      from here on for ever:
    2 Timers      |-->     #         |        #        |  seq 1 ack 101   probe
    3 Forward     |------->#         |        #        |  seq 1 ack 101   rule 1: to b1
    1 (back)      |        #----------------->#        |  seq 1 ack 101   no effect
      ... and for ever again from step 2
    `),
  );
  t.strictSame(
    text(trace.slice(0, 2), { kind: 'stuttering' }),
    block(`
              client   switch  controller   b1       b2
    1            |        #         |        #        |  initial state
    2 Timers     |-->     #         |        #        |  seq 1 ack 101   probe
      at the end:
                 |-->     #         |        #        |  on the way: seq 1 ack 101
                 |        #         |        #        |  client established, una 2 nxt 2 rcv 101 window 0
                 |        #         |        #        |  switch rule 1 -> b1
                 |        #         |        #        |  controller handedOff, request 1, window shut
                 |        #         |        #        |  b1 serving 1, una 101 nxt 101 rcv 2
                 |        #         |        #        |  b2 idle
      stuttering: nothing happens any more
    `),
  );
});

t.test('narrow', async (t) => {
  const trace = story(
    LENT,
    ['ClientClose', { client: { fin: 2 } }],
    ['Lose', {}],
    ['ClientSendFin', up([fromClient({ seq: 2, ack: 101, fin: true })])],
  );
  t.strictSame(
    text(trace, null, 80),
    block(`
       client   switch  controller   b1       b2
    1     |        #         |        #        |  initial state
    2     *        #         |        #        |  ClientClose: client will close at
          |        #         |        #        |  2
    3     |        #         |        #        |  Lose:
    4     |-->     #         |        #        |  ClientSendFin: FIN seq 2 ack 101
      at the end:
          |-->     #         |        #        |  on the way: FIN seq 2 ack 101
          |        #         |        #        |  client established,
          |        #         |        #        |  una 2 nxt 2 rcv 101 window 0,
          |        #         |        #        |  closes at 2
          |        #         |        #        |  switch rule 1 -> b1
          |        #         |        #        |  controller handedOff, request 1,
          |        #         |        #        |  window shut
          |        #         |        #        |  b1 serving 1, una 101 nxt 101 rcv
          |        #         |        #        |  2
          |        #         |        #        |  b2 idle
    `),
  );
  t.strictSame(
    text(trace, null, 40),
    block(`
    1  initial state
    2  ClientClose: client will close at 2
    3  Lose:
    4  ClientSendFin: sent,
       client -> switch: FIN seq 2 ack 101
      at the end:
       on the way, client -> switch: FIN seq
       2 ack 101
       client established,
       una 2 nxt 2 rcv 101 window 0,
       closes at 2
       switch rule 1 -> b1
       controller handedOff, request 1,
       window shut
       b1 serving 1, una 101 nxt 101 rcv 2
       b2 idle
    `),
  );
  t.throws(() => text(trace, null, 39), RangeError);
});

t.test('another specification', async (t) => {
  const trace = story(
    { count: 0, log: { owner: 'o1', seen: [] } },
    ['Step', { count: 1 }],
    ['Step', { log: { seen: [0] } }],
  );
  t.strictSame(
    text(trace),
    block(`
    1       initial state   count 0; log {"owner":"o1","seen":[]}
    2 Step  count 0 -> 1
    3 Step  log {"owner":"o1","seen":[]} -> {"owner":"o1","seen":[0]}
    `),
  );
  t.strictSame(
    text(trace, { kind: 'back-to', index: 2 }),
    block(`
    1         initial state   count 0; log {"owner":"o1","seen":[]}
    2 Step    count 0 -> 1
      from here on for ever:
    3 Step    log {"owner":"o1","seen":[]} -> {"owner":"o1","seen":[0]}
    2 (back)  log {"owner":"o1","seen":[0]} -> {"owner":"o1","seen":[]}
      ... and for ever again from step 3
    `),
  );
  t.strictSame(text([]), []);
});

t.test('the legend is no wider than a terminal', async (t) => {
  for (const line of LADDER_LEGEND) t.ok(line.length <= 100, line);
});
