------------------------------- MODULE Handoff -------------------------------
(***************************************************************************)
(* The hand-off of Prism (SoCC'17): one client connection, one controller, *)
(* one switch, and backends to which the connection is lent request by     *)
(* request.  Sources: P = SoCC'17, T = the thesis, RFC 9293, RFC 5961.     *)
(*                                                                         *)
(* A sequence number counts units: SYN, FIN, and the pieces of requests    *)
(* and responses that are never cut further.  The network loses,           *)
(* duplicates and reorders; a segment is on the way to the switch or       *)
(* beyond it, and the switch rewrites it when it crosses.  Timers are      *)
(* longer than a round trip: they fire when nothing is in flight, and an   *)
(* early one is a duplicate.  A receiver keeps nothing that is out of      *)
(* order (RFC 9293 allows it; the sender repeats).  Time stamps stand      *)
(* still, which is the worst within a tick: only going back is told.       *)
(*                                                                         *)
(* Every remedy is a constant.  What the paper asks for and what it leaves *)
(* open is told in remedies.json; what must hold, in Clauses.tla; how      *)
(* small the world is made, in MC.tla and MC*.cfg.                         *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
  Backends,        \* their names, strings
  Requests,        \* what the client asks for, a sequence of
                   \*   [kind: {"read", "write", "bad"}, head, payload, response: lengths in units, backend: selected for it]
  Window,          \* an open receive window of controller and backends, in units
  ClientWindow,    \* the client's, which never closes
  MaxSegment,      \* the longest payload of a segment, in units
  Events,          \* how much misfortune there is in one behaviour,
  EventCost        \* and how much of it each kind takes, a function; a kind that is not in its domain never happens

CONSTANTS          \* The remedies, BOOLEAN each. What the paper asks for:
  HeaderOnlyAck,         \* P2.2: at hand-off the controller acknowledges the request header only
  CloseWindow,           \* P2.2: ... and closes the window when the request is a read
  ConfirmRule,           \* P2.3: the backend is contacted after the switch is configured
  ZeroWindow,            \* P2.4: while a read is handed off the backend's window is zero (T3.2: made so by the switch)
  SuppressFin,           \* P2.4: the client's FIN is not acknowledged by the backend (T3.2: cleared by the switch)
  AckLimitWrite,         \* P2.4: of a write, the backend acknowledges the payload only
  ContinueTimestamps,    \* P2.4: time stamps go on where the former owner stopped
  CompleteWhenAcked,     \* P2: a connection moves only without un-acknowledged data
  RemoveBeforeReopen,    \* P2.5: the rules are gone before the window reopens
                         \* And what it does not:
  EarlyGuard,            \* a backend answers nothing on a connection before it has taken it over
  LateGuard,             \* ... and nothing after it has given it up
  AckLimitRead,          \* the backend of a read acknowledges nothing behind the request, whatever its window
  AcceptAckAtZeroWindow, \* a backend judges segments by the window that was open once, so that an ACK beyond the zero window counts
  AnswerProbes,          \* RFC 9293 3.8.6.1: the controller answers a window probe
  DrainRules,            \* the switch drops what a former backend still has on the way
  NumberedRules,         \* a late repetition of a rule operation changes nothing
  RepeatControl,         \* an operation is repeated until the switch confirms it
  Lease,                 \* a backend has stopped when the controller gives it up
  ExactReset,            \* the controller learns from the client which number a reset must bear
  RepeatReset            \* ... and goes on until it knows the client to be reset

VARIABLES
  client,      \* [st, want, una, nxt, fin, wnd, wl1, wl2, rcv, eof, got, ts]
  controller,  \* [phase, una, nxt, rcv, req, open, eof, then, ts, decided]
  switch,      \* [rule, done, drained]
  backend,     \* name -> [st, handoff, una, nxt, rcv, ts, last, report]
  net,         \* [up, down: host -> sequence of segments, late: a set of them]
  control,     \* control messages in flight
  served,      \* history: the requests that were executed, or refused
  events       \* how many more unlucky things may happen

vars == <<client, controller, switch, backend, net, control, served, events>>

-----------------------------------------------------------------------------
(* Numbers.  The client's stream is its requests, the server's stream the  *)
(* responses; units are named by the request they belong to.               *)

N == Len(Requests)

ASSUME \A i \in 1..N : Requests[i].response <= ClientWindow        \* an owner may send all of a response at once

RECURSIVE Sum(_, _)
Sum(f, i) == IF i = 0 THEN 0 ELSE f[i] + Sum(f, i - 1)

Size     == [i \in 1..N |-> Requests[i].head + Requests[i].payload]
Length   == [i \in 1..N |-> Requests[i].response]

ISS == 100                                              \* the controller's initial sequence number; the client's is 0
Start    == [i \in 1..(N + 1) |-> 1 + Sum(Size, i - 1)]             \* where request i begins
HeadEnd  == [i \in 1..N |-> Start[i] + Requests[i].head]            \* the number behind its header
Reply    == [i \in 1..(N + 1) |-> ISS + 1 + Sum(Length, i - 1)]     \* where response i begins
RequestAt == [p \in 1..(Start[N + 1] - 1) |-> CHOOSE i \in 1..N : Start[i] <= p /\ p < Start[i + 1]]

IsRead(i) == i \in 1..N /\ Requests[i].kind = "read"
Min(a, b) == IF a < b THEN a ELSE b
Max(a, b) == IF a > b THEN a ELSE b

-----------------------------------------------------------------------------
(* Segments and the network.  A host is named by its address.  `by`,       *)
(* `owned` and `via` are not on the wire: who sent it, whether he owned    *)
(* the connection then, and the hand-off whose rule it crossed the switch  *)
(* by (0: none).  Each host has a link to the switch and one from it, in   *)
(* order; what misfortune holds up is `late` and arrives whenever it will. *)

Logical == "logical"             \* the logical address, which routes to the controller
Hosts   == {"client", Logical} \cup Backends

Segment(by, dst, owned) ==
  [at |-> IF by = Logical THEN "host" ELSE "fabric", src |-> by, dst |-> dst, seq |-> 0, ack |-> 0, data |-> <<>>, wnd |-> Window,
   syn |-> FALSE, fin |-> FALSE, rst |-> FALSE, ts |-> 0, by |-> by, owned |-> owned, via |-> 0]

FromClient == [Segment("client", Logical, TRUE) EXCEPT !.seq = client.nxt, !.ack = client.rcv, !.wnd = ClientWindow]

Extent(s) == Len(s.data) + (IF s.fin THEN 1 ELSE 0) + (IF s.syn THEN 1 ELSE 0)

Heads(links)   == {links[h][1] : h \in {g \in Hosts : links[g] # <<>>}}
Arriving(host) == {s \in Heads(net.down) \cup net.late : s.at = "host" /\ s.dst = host}
Crossing       == {s \in Heads(net.up) \cup net.late : s.at = "fabric"}
InFlight       == UNION {{l[h][i] : i \in 1..Len(l[h])} : l \in {net.up, net.down}, h \in Hosts} \cup net.late

Without(s) ==
  IF s \in net.late        THEN [net EXCEPT !.late = @ \ {s}]
  ELSE IF s.at = "fabric"  THEN [net EXCEPT !.up[s.by] = Tail(@)]
                           ELSE [net EXCEPT !.down[s.dst] = Tail(@)]

\* No rule is about the controller's own segments: they are beyond the switch at once.
With(n, sent) == IF sent = <<>> THEN n
                 ELSE IF sent[1].by = Logical THEN [n EXCEPT !.down["client"] = @ \o sent]
                                              ELSE [n EXCEPT !.up[sent[1].by] = @ \o sent]

Send(sent)    == net' = With(net, sent)
Swap(s, sent) == net' = With(Without(s), sent)          \* `s` arrives, and draws these

Quiet == InFlight = {}           \* a timer fires only now

Happens(kind) == kind \in DOMAIN EventCost /\ EventCost[kind] <= events /\ events' = events - EventCost[kind]
Nothing == UNCHANGED events

-----------------------------------------------------------------------------
(* Control messages (P2.3 to P2.5, the dashed lines of Figure 1).          *)

Say(ms) == control' = control \cup ms
Hear(m, ms) == control' = (control \ {m}) \cup ms

AddRule(h)    == [type |-> "add", handoff |-> h, backend |-> Requests[h].backend, zero |-> IsRead(h), copy |-> FALSE]
RemoveRule(h) == [type |-> "remove", handoff |-> h, copy |-> FALSE]
Confirm(verb, h) == [type |-> verb, handoff |-> h]
HandOffOf(c)  == [type |-> "handoff", handoff |-> c.req, backend |-> Requests[c.req].backend,
                  seq |-> c.nxt, ack |-> c.rcv, una |-> c.una, ts |-> IF ContinueTimestamps THEN c.ts ELSE 0]
Report(verb, b, k) == [type |-> verb, handoff |-> k.handoff, from |-> b, seq |-> k.nxt, ack |-> k.rcv, una |-> k.una,
                       ts |-> IF ContinueTimestamps THEN k.ts ELSE 1, clientReset |-> FALSE]

NoRule == [handoff |-> 0, backend |-> "none", zero |-> FALSE]

-----------------------------------------------------------------------------
(* The client: an unmodified TCP and any HTTP/1.1 program.                  *)

ClientEnded == client.st \in {"finished", "aborted", "reset"}
Vanished    == client.st \in {"aborted", "reset"}           \* its kernel knows no such connection

\* Whether there is something left to send of what the program has asked for so far, FIN included, and whether the window lets it.
Pending    == IF client.fin # 0 THEN client.nxt <= client.fin ELSE client.nxt < Start[client.want + 1]
WindowOpen == client.nxt < client.una + client.wnd

Connect ==
  /\ client.st = "closed"
  /\ client' = [client EXCEPT !.st = "synSent", !.nxt = 1]
  /\ Send(<<[FromClient EXCEPT !.seq = 0, !.syn = TRUE]>>)
  /\ Nothing /\ UNCHANGED <<controller, switch, backend, control, served>>

\* New data, pipelined or not, in whatever portions. What can be sent is sent when the program writes it.
ClientSend ==
  /\ client.st = "established" /\ client.fin = 0
  /\ \E n \in 1..MaxSegment :
       /\ client.nxt + n <= Min(Start[N + 1], client.una + client.wnd)
       /\ client' = [client EXCEPT !.nxt = @ + n, !.want = Max(@, RequestAt[client.nxt + n - 1])]
       /\ Send(<<[FromClient EXCEPT !.data = SubSeq(RequestAt, client.nxt, client.nxt + n - 1)]>>)
  /\ Nothing /\ UNCHANGED <<controller, switch, backend, control, served>>

\* The program asks for more while the window is closed.
ClientWrite ==
  /\ client.st = "established" /\ client.fin = 0 /\ client.wnd = 0 /\ ~Pending /\ client.want < N
  /\ client' = [client EXCEPT !.want = @ + 1]
  /\ Nothing /\ UNCHANGED <<controller, switch, backend, net, control, served>>

\* Closes early, behind any of its requests; or because the server has closed.
ClientClose ==
  /\ client.st = "established" /\ client.fin = 0
  /\ \/ client.eof /\ Nothing
     \/ client.nxt \in {Start[i] : i \in 2..(N + 1)} /\ Happens("close")
  /\ client' = [client EXCEPT !.fin = client.nxt]
  /\ UNCHANGED <<controller, switch, backend, net, control, served>>

\* A FIN has a number, and is subject to the window as data is (RFC 9293 3.4).
ClientSendFin ==
  /\ client.st = "established" /\ client.fin = client.nxt /\ WindowOpen
  /\ client' = [client EXCEPT !.nxt = @ + 1]
  /\ Send(<<[FromClient EXCEPT !.fin = TRUE]>>)
  /\ Nothing /\ UNCHANGED <<controller, switch, backend, control, served>>

ClientAbort ==
  /\ client.st = "established" /\ Happens("abort")
  /\ client' = [client EXCEPT !.st = "aborted"]
  /\ Send(<<[FromClient EXCEPT !.rst = TRUE]>>)
  /\ UNCHANGED <<controller, switch, backend, control, served>>

\* What its timers send: SYN, data and FIN again, or a window probe, as Linux makes it: one number back (RFC 9293 3.8.6.1).
ClientRepeats ==
  LET end  == IF client.fin # 0 THEN Min(client.nxt, client.fin) ELSE client.nxt
      stop == Min(end, client.una + MaxSegment)
  IN CASE client.st = "synSent" ->
            <<[FromClient EXCEPT !.seq = 0, !.syn = TRUE]>>
       [] client.st = "established" /\ client.una < client.nxt ->
            <<[FromClient EXCEPT !.seq = client.una, !.data = SubSeq(RequestAt, client.una, stop - 1),
                                 !.fin = client.fin # 0 /\ stop = client.fin /\ client.nxt > client.fin]>>
       [] client.st = "established" /\ client.una = client.nxt /\ Pending /\ ~WindowOpen ->
            <<[FromClient EXCEPT !.seq = client.una - 1]>>
       [] OTHER -> <<>>

\* What an established client makes of an acceptable segment (RFC 9293 3.10.7.4): the ACK, the window, the data, the FIN.
ClientTakes(s) ==
  LET valid  == client.una <= s.ack /\ s.ack <= client.nxt
      update == valid /\ (client.wl1 < s.seq \/ (client.wl1 = s.seq /\ client.wl2 <= s.ack))
      fresh  == IF s.seq <= client.rcv THEN SubSeq(s.data, client.rcv - s.seq + 1, Len(s.data)) ELSE <<>>
      rcv    == client.rcv + Len(fresh)
      eof    == s.fin /\ s.seq + Len(s.data) = rcv
      una    == IF valid THEN s.ack ELSE client.una
  IN [client EXCEPT
        !.una = una,
        !.wnd = IF update THEN s.wnd ELSE @,
        !.wl1 = IF update THEN s.seq ELSE @,
        !.wl2 = IF update THEN s.ack ELSE @,
        !.rcv = rcv + (IF eof THEN 1 ELSE 0),
        !.eof = @ \/ eof,
        !.got = @ \o fresh,
        !.st  = IF (client.eof \/ eof) /\ client.fin # 0 /\ una > client.fin THEN "finished" ELSE @]

\* RFC 9293 3.10.7.4, for a window that is open, or was.
Acceptable(s, rcv, window) == IF Extent(s) = 0 THEN rcv <= s.seq /\ s.seq <= rcv + window
                                               ELSE s.seq + Extent(s) > rcv /\ s.seq < rcv + window

ClientReceive ==
  \E s \in Arriving("client") :
    /\ LET ack(c) == [FromClient EXCEPT !.seq = c.nxt, !.ack = c.rcv]
           gone   == [FromClient EXCEPT !.seq = s.ack, !.ack = 0, !.rst = TRUE]
       IN CASE s.src # Logical ->                               \* not of this connection
                 UNCHANGED client /\ Swap(s, <<>>)
            [] client.st = "synSent" ->
                 IF s.syn /\ s.ack = 1
                 THEN /\ client' = [client EXCEPT !.st = "established", !.una = 1, !.wnd = s.wnd, !.wl1 = s.seq, !.wl2 = 1,
                                                  !.rcv = s.seq + 1, !.ts = s.ts]
                      /\ Swap(s, <<ack(client')>>)
                 ELSE UNCHANGED client /\ Swap(s, <<>>)
            [] client.st \in {"aborted", "reset"} ->                           \* no such connection (RFC 9293 3.10.7.1)
                 UNCHANGED client /\ Swap(s, IF s.rst THEN <<>> ELSE <<gone>>)
            [] client.st = "finished" ->                        \* TIME-WAIT
                 UNCHANGED client /\ Swap(s, IF s.fin THEN <<ack(client)>> ELSE <<>>)
            [] s.rst ->                                         \* RFC 5961 3.2
                 IF s.seq = client.rcv
                 THEN client' = [client EXCEPT !.st = "reset"] /\ Swap(s, <<>>)
                 ELSE UNCHANGED client /\ Swap(s, IF Acceptable(s, client.rcv, ClientWindow) THEN <<ack(client)>> ELSE <<>>)
            \* RFC 7323 5.3, RFC 5961 4.2, RFC 9293 3.10.7.4
            [] s.ts < client.ts \/ s.syn \/ ~Acceptable(s, client.rcv, ClientWindow) \/ s.ack > client.nxt ->
                 UNCHANGED client /\ Swap(s, <<ack(client)>>)
            [] OTHER ->
                 /\ client' = ClientTakes(s)
                 /\ Swap(s, IF Extent(s) > 0 THEN <<ack(client')>> ELSE <<>>)
    /\ Nothing /\ UNCHANGED <<controller, switch, backend, control, served>>

-----------------------------------------------------------------------------
(* The switch: two tables, rules first, then routes (T3.2).                *)

Pass(s, t) == net' = [Without(s) EXCEPT !.down[t.dst] = Append(@, t)]

Forward ==
  \E s \in Crossing :
    /\ LET rule    == switch.rule
           matches == rule # NoRule /\ s.src \in {"client", rule.backend}
           on      == [s EXCEPT !.at = "host", !.via = IF matches THEN rule.handoff ELSE 0]
       IN CASE matches /\ s.src = "client" ->
                 Pass(s, [on EXCEPT !.dst = rule.backend, !.fin = @ /\ ~SuppressFin])
            [] matches /\ s.src = rule.backend ->
                 Pass(s, [on EXCEPT !.src = Logical, !.wnd = IF rule.zero /\ ZeroWindow THEN 0 ELSE @])
            [] s.src \in switch.drained ->
                 Swap(s, <<>>)
            [] OTHER ->
                 Pass(s, on)
    /\ Nothing /\ UNCHANGED <<client, controller, switch, backend, control, served>>

SwitchAddRule ==
  \E m \in control :
    /\ m.type = "add"
    /\ IF NumberedRules /\ m.handoff <= switch.done             \* refused before, or over
       THEN UNCHANGED switch /\ Hear(m, {Confirm("refused", m.handoff)})
       ELSE /\ switch' = [switch EXCEPT !.rule = [handoff |-> m.handoff, backend |-> m.backend, zero |-> m.zero],
                                        !.drained = @ \ {m.backend}]
            /\ Hear(m, {Confirm("added", m.handoff)})
    /\ Nothing /\ UNCHANGED <<client, controller, backend, net, served>>

\* A full table, say.
SwitchRefuseRule ==
  \E m \in control :
    /\ m.type = "add" /\ switch.rule = NoRule /\ m.handoff > switch.done /\ Happens("refuse")
    /\ switch' = [switch EXCEPT !.done = m.handoff]
    /\ Hear(m, {Confirm("refused", m.handoff)})
    /\ UNCHANGED <<client, controller, backend, net, served>>

SwitchRemoveRule ==
  \E m \in control :
    /\ m.type = "remove"
    /\ LET rule == switch.rule
           mine == rule # NoRule /\ (NumberedRules => rule.handoff = m.handoff)
       IN switch' = [rule    |-> IF mine THEN NoRule ELSE rule,
                     done    |-> Max(switch.done, m.handoff),   \* also of a rule that is yet to come
                     drained |-> IF mine /\ DrainRules THEN switch.drained \cup {rule.backend} ELSE switch.drained]
    /\ Hear(m, {Confirm("removed", m.handoff)})
    /\ Nothing /\ UNCHANGED <<client, controller, backend, net, served>>

-----------------------------------------------------------------------------
(* The controller.  In `listen` and `gone` there is no connection; in      *)
(* `handedOff` it is a backend's, and until the rules are gone nobody's.   *)
(* `closing` ends in TIME-WAIT, `closed`; `lastAck`, when the client was   *)
(* first to close, in nothing.                                             *)

Silent(c) == c.phase \in {"handedOff", "removing"}
ControllerOwns(c) == ~Silent(c) /\ c.phase \notin {"listen", "gone"}

FromController(c) ==
  [Segment(Logical, "client", ~Silent(c)) EXCEPT
     !.seq = c.nxt, !.ack = c.rcv, !.wnd = IF c.open THEN Window ELSE 0, !.ts = c.ts]

SynAck      == [FromController(controller) EXCEPT !.seq = ISS, !.ack = 1, !.wnd = Window, !.syn = TRUE]
Rst(c, seq) == [FromController(c) EXCEPT !.seq = seq, !.ack = 0, !.wnd = 0, !.rst = TRUE]

\* One number before what the client is known to have: it is not acceptable, so the client tells the number that it expects.
Probe(c) == [FromController(c) EXCEPT !.seq = c.una - 1]

\* Nothing of the connection is kept.
Gone(c) == [c EXCEPT !.phase = "gone", !.una = 0, !.nxt = 0, !.rcv = 0, !.open = TRUE, !.eof = FALSE, !.then = "none"]

\* What it repeats until it is acknowledged: an answer of its own, or none, and the FIN behind it.
Close(c, n)  == [c EXCEPT !.phase = "closing", !.nxt = @ + n + 1, !.open = TRUE]
Unanswered(c) == LET n == c.nxt - 1 - c.una
                 IN [FromController(c) EXCEPT !.seq = c.una, !.data = [k \in 1..Max(n, 0) |-> c.req], !.fin = TRUE]

\* With its acknowledgement taken in (RFC 9293 3.10.7.4).
Acked(s) ==
  LET c   == controller
      una == IF c.una < s.ack /\ s.ack <= c.nxt THEN s.ack ELSE c.una
  IN [c EXCEPT !.una = una, !.phase = IF @ = "synReceived" /\ una > ISS THEN "reading" ELSE @]

Resettable == {"synReceived", "reading", "installing", "closing", "lastAck", "closed"}

\* What a segment is to the controller: its own actions below, or "other".
Meaning(s) ==
  LET c   == controller
      end == s.seq + Len(s.data)
      new == ~s.rst /\ ~s.syn /\ Acceptable(s, c.rcv, Window) /\ s.seq <= c.rcv /\ Acked(s).phase = "reading"
  IN CASE c.phase = "listen" /\ s.syn                                 -> "syn"
       [] c.phase \in Resettable /\ s.rst /\ s.seq = c.rcv                -> "reset"
       [] new /\ c.req <= N /\ end > c.rcv /\ end >= HeadEnd[c.req]   -> Requests[c.req].kind
       [] new /\ s.fin /\ end >= c.rcv                                -> "fin"
       [] OTHER                                                       -> "other"

AcceptSyn ==
  \E s \in Arriving(Logical) :
    /\ Meaning(s) = "syn"
    /\ controller' = [controller EXCEPT !.phase = "synReceived", !.rcv = 1, !.una = ISS, !.nxt = ISS + 1]
    /\ Swap(s, <<SynAck>>)
    /\ Nothing /\ UNCHANGED <<client, switch, backend, control, served>>

\* P2.2, steps 2 and 3: the header has arrived. It is acknowledged, and only the header: the rest will come again, to the backend.
ReceiveRequest ==
  \E s \in Arriving(Logical) :
    /\ Meaning(s) \in {"read", "write"}
    /\ LET c   == Acked(s)
           h   == c.req
           new == [c EXCEPT !.phase = IF ConfirmRule THEN "installing" ELSE "handedOff",
                            !.rcv   = IF HeaderOnlyAck THEN Min(HeadEnd[h], s.seq + Len(s.data)) ELSE s.seq + Len(s.data),
                            !.open  = ~(IsRead(h) /\ CloseWindow)]
       IN /\ controller' = new
          /\ Swap(s, <<FromController([new EXCEPT !.phase = "installing"])>>)
          /\ Say({AddRule(h)} \cup (IF ConfirmRule THEN {} ELSE {HandOffOf(new)}))
    /\ Nothing /\ UNCHANGED <<client, switch, backend, served>>

\* A request that cannot be handed off is answered, and the connection closed (REQ-7).
RefuseRequest ==
  \E s \in Arriving(Logical) :
    /\ Meaning(s) = "bad"
    /\ controller' = [Close([Acked(s) EXCEPT !.rcv = s.seq + Extent(s), !.eof = s.fin], 1)   \* what follows is taken, and discarded
                       EXCEPT !.phase = IF s.fin THEN "lastAck" ELSE "closing"]
    /\ Swap(s, <<Unanswered(controller')>>)
    /\ served' = Append(served, controller.req)
    /\ Nothing /\ UNCHANGED <<client, switch, backend, control>>

\* P2.5, step 12: the client closes, and so does the controller.
ClientFin ==
  \E s \in Arriving(Logical) :
    /\ Meaning(s) = "fin"
    /\ controller' = [Close([Acked(s) EXCEPT !.rcv = s.seq + Extent(s), !.eof = TRUE], 0) EXCEPT !.phase = "lastAck"]
    /\ Swap(s, <<Unanswered(controller')>>)
    /\ Nothing /\ UNCHANGED <<client, switch, backend, control, served>>

ClientReset ==
  \E s \in Arriving(Logical) :
    /\ Meaning(s) = "reset"
    /\ IF controller.phase = "installing"
       THEN controller' = [controller EXCEPT !.phase = "removing", !.then = "forget"] /\ Say({RemoveRule(controller.req)})
       ELSE controller' = Gone(controller) /\ UNCHANGED control
    /\ Swap(s, <<>>)
    /\ Nothing /\ UNCHANGED <<client, switch, backend, served>>

\* Part of a header, what belongs to a closing connection, repetitions, and what is not acceptable.
OtherSegment(s) ==
  LET c     == controller
      up    == Acked(s)
      end   == s.seq + Len(s.data)
      takes == up.phase \in {"reading", "closing"} /\ ~up.eof /\ s.seq <= c.rcv /\ end >= c.rcv
      fin   == takes /\ s.fin
      took  == IF takes THEN [up EXCEPT !.rcv = end + (IF fin THEN 1 ELSE 0), !.eof = fin] ELSE up
      acked == took.eof /\ took.una = took.nxt
      probe == Extent(s) = 0 /\ s.seq + 1 = c.rcv
  IN CASE c.phase \in {"handedOff", "removing"} ->              \* a former owner is silent
            UNCHANGED controller /\ Swap(s, <<>>)
       [] c.phase \in {"listen", "gone"} ->                     \* no such connection (RFC 9293 3.10.7.1)
            /\ controller' = [c EXCEPT !.decided = @ \/ ~s.rst]
            /\ Swap(s, IF s.rst THEN <<>> ELSE <<Rst(c, s.ack)>>)
       [] c.phase = "resetting" ->                              \* the answer to a probe tells the number
            /\ controller' = IF s.rst \/ ~RepeatReset THEN Gone(c) ELSE c
            /\ Swap(s, IF s.rst THEN <<>> ELSE <<IF s.syn THEN Probe(c) ELSE Rst(c, s.ack)>>)
       [] s.rst ->                                              \* RFC 5961 3.2
            UNCHANGED controller /\ Swap(s, IF Acceptable(s, c.rcv, Window) THEN <<FromController(c)>> ELSE <<>>)
       [] s.syn ->                                              \* EST-4; later, RFC 5961 4.2
            UNCHANGED controller /\ Swap(s, <<IF c.phase = "synReceived" THEN SynAck ELSE FromController(c)>>)
       [] ~Acceptable(s, c.rcv, Window) ->
            UNCHANGED controller /\ Swap(s, IF probe /\ ~AnswerProbes THEN <<>> ELSE <<FromController(c)>>)
       [] OTHER ->
            /\ controller' = CASE acked /\ took.phase = "closing" -> [took EXCEPT !.phase = "closed"]
                              [] acked /\ took.phase = "lastAck" -> Gone(took)
                              [] OTHER                            -> took
            /\ Swap(s, IF Extent(s) > 0 THEN <<FromController(took)>> ELSE <<>>)

ControllerReceive ==
  /\ \E s \in Arriving(Logical) : Meaning(s) = "other" /\ OtherSegment(s)
  /\ Nothing /\ UNCHANGED <<client, switch, backend, control, served>>

\* By itself, between two requests (P2.5).
CloseConnection ==
  /\ controller.phase = "reading" /\ controller.rcv = Start[controller.req] /\ Happens("close")
  /\ controller' = Close(controller, 0)
  /\ Send(<<Unanswered(controller')>>)
  /\ UNCHANGED <<client, switch, backend, control, served>>

ControllerRepeats ==
  LET c == controller
  IN CASE c.phase = "synReceived"                 -> <<SynAck>>
       [] c.phase \in {"closing", "lastAck"} /\ c.una < c.nxt -> <<Unanswered(c)>>
       [] c.phase = "resetting"                   -> <<IF ExactReset THEN Probe(c) ELSE Rst(c, c.nxt)>>
       [] OTHER                                   -> <<>>

\* The idle timer is longer than any pause of a client that is there.
IdleTimeout ==
  /\ Quiet /\ controller.phase = "reading" /\ Vanished
  /\ controller' = IF RepeatReset THEN [controller EXCEPT !.phase = "resetting", !.decided = TRUE]
                                  ELSE [Gone(controller) EXCEPT !.decided = TRUE]
  /\ Send(<<Rst(controller, controller.nxt)>>)
  /\ Nothing /\ UNCHANGED <<client, switch, backend, control, served>>

-----------------------------------------------------------------------------
(* Hand-off and return (P2.3 steps 4 and 5, P2.4 step 9, P2.5).            *)

HandOff ==
  \E m \in control :
    /\ m = Confirm("added", controller.req) /\ controller.phase = "installing"
    /\ controller' = [controller EXCEPT !.phase = "handedOff"]
    /\ Hear(m, {HandOffOf(controller)})
    /\ Nothing /\ UNCHANGED <<client, switch, backend, net, served>>

\* The switch refuses: the connection stays, and is answered (ERR-3).
RuleRefused ==
  \E m \in control :
    /\ m = Confirm("refused", controller.req) /\ controller.phase = "installing"
    /\ controller' = Close(controller, 1)
    /\ Send(<<Unanswered(controller')>>)
    /\ Hear(m, {})
    /\ served' = Append(served, controller.req)
    /\ Nothing /\ UNCHANGED <<client, switch, backend>>

\* After the rules are gone: the next request may come (P2.5, step 11).
Resume(c) == [c EXCEPT !.phase = "reading", !.then = "none", !.req = @ + 1, !.open = TRUE]
Reopening(c) == IF c.open THEN <<>> ELSE <<FromController(Resume(c))>>

InForce(m) == controller.phase = "handedOff" /\ m.handoff = controller.req

TakeBack ==
  \E m \in control :
    /\ m.type = "complete" /\ InForce(m)
    /\ LET c == [controller EXCEPT !.una = m.seq, !.nxt = m.seq, !.rcv = m.ack, !.ts = m.ts, !.phase = "removing", !.then = "resume"]
       IN IF RemoveBeforeReopen
          THEN controller' = c /\ UNCHANGED net
          ELSE controller' = Resume(c) /\ Send(Reopening(c))
    /\ Hear(m, {RemoveRule(m.handoff)})
    /\ Nothing /\ UNCHANGED <<client, switch, backend, served>>

BackendFailed ==
  \E m \in control :
    /\ m.type = "failed" /\ InForce(m)
    /\ controller' = [controller EXCEPT !.nxt = m.seq, !.rcv = m.ack, !.ts = m.ts, !.phase = "removing",
                                        !.then = IF m.clientReset THEN "forget" ELSE "reset"]
    /\ Hear(m, {RemoveRule(m.handoff)})
    /\ Nothing /\ UNCHANGED <<client, switch, backend, net, served>>

Serving(b, h) == backend[b].st = "serving" /\ backend[b].handoff = h
OnItsWay(types, h) == \E m \in control : m.type \in types /\ m.handoff = h

\* The time-out of a hand-off (P2.4): of one that is lost, or of one that only takes long.
BackendLost ==
  LET h == controller.req
  IN /\ controller.phase = "handedOff"
     /\ \/ /\ ~Serving(Requests[h].backend, h) /\ ~OnItsWay({"handoff", "complete", "failed"}, h)
           /\ Nothing
        \/ /\ Lease => ~Serving(Requests[h].backend, h) /\ ~OnItsWay({"handoff"}, h)
           /\ Happens("silence")
     /\ controller' = [controller EXCEPT !.phase = "removing", !.then = IF ExactReset THEN "probe" ELSE "reset"]
     /\ Say({RemoveRule(h)})
     /\ UNCHANGED <<client, switch, backend, net, served>>

RulesGone(m, then) == m = Confirm("removed", controller.req) /\ controller.phase = "removing" /\ controller.then \in then

ReopenWindow ==
  \E m \in control :
    /\ RulesGone(m, {"resume"})
    /\ controller' = Resume(controller)
    /\ Send(Reopening(controller))
    /\ Hear(m, {})
    /\ Nothing /\ UNCHANGED <<client, switch, backend, served>>

ResetClient ==
  \E m \in control :
    /\ RulesGone(m, {"reset", "probe"})
    /\ LET probe == controller.then = "probe"
           c     == [controller EXCEPT !.then = "none", !.decided = TRUE, !.phase = "resetting"]
       IN /\ controller' = IF probe \/ RepeatReset THEN c ELSE Gone(c)
          /\ Send(<<IF probe THEN Probe(c) ELSE Rst(c, c.nxt)>>)
    /\ Hear(m, {})
    /\ Nothing /\ UNCHANGED <<client, switch, backend, served>>

Forget ==
  \E m \in control :
    /\ RulesGone(m, {"forget"})
    /\ controller' = Gone(controller)
    /\ Hear(m, {})
    /\ Nothing /\ UNCHANGED <<client, switch, backend, net, served>>

RepeatRequest ==
  LET h == controller.req
  IN /\ RepeatControl /\ ~OnItsWay({"add", "added", "refused", "remove", "removed"}, h)
     /\ \/ controller.phase = "installing" /\ Say({AddRule(h)})
        \/ controller.phase = "removing" /\ Say({RemoveRule(h)})
     /\ Nothing /\ UNCHANGED <<client, controller, switch, backend, net, served>>

Expected(m) ==
  CASE m.type \in {"added", "refused"}    -> controller.phase = "installing" /\ m.handoff = controller.req
    [] m.type = "removed"                 -> controller.phase = "removing" /\ m.handoff = controller.req
    [] m.type \in {"complete", "failed"}  -> InForce(m)
    [] m.type = "handoff"                 -> backend[m.backend].st = "idle" /\ m.handoff > backend[m.backend].last
    [] OTHER                              -> TRUE

\* Unknown, repeated or late (ERR-4).
ControlRejected ==
  /\ \E m \in control : ~Expected(m) /\ Hear(m, {})
  /\ Nothing /\ UNCHANGED <<client, controller, switch, backend, net, served>>

-----------------------------------------------------------------------------
(* A backend (P2.4).                                                       *)

Idle(last, report) == [st |-> "idle", handoff |-> 0, una |-> 0, nxt |-> 0, rcv |-> 0, ts |-> 0, last |-> last, report |-> report]

FromBackend(b, k) ==
  [Segment(b, "client", k.st = "serving") EXCEPT !.seq = k.nxt, !.ack = k.rcv, !.ts = k.ts]

TakeOver ==
  \E m \in control :
    /\ m.type = "handoff" /\ Expected(m)
    /\ backend' = [backend EXCEPT ![m.backend] =
         [@ EXCEPT !.st = "serving", !.handoff = m.handoff, !.una = m.seq, !.nxt = m.seq, !.rcv = m.ack, !.ts = m.ts, !.report = "none"]]
    /\ Hear(m, {})
    /\ Nothing /\ UNCHANGED <<client, controller, switch, net, served>>

\* The end of what it may acknowledge: the request's own payload, nothing behind it.
Limit(h, end) == IF (IF IsRead(h) THEN AckLimitRead ELSE AckLimitWrite) THEN Min(end, Start[h + 1]) ELSE end

BackendReceive ==
  \E s \in UNION {Arriving(b) : b \in Backends} :
    /\ LET b    == s.dst
           k    == backend[b]
           h    == k.handoff
           ack  == FromBackend(b, k)
           shut == IsRead(h) /\ ~AcceptAckAtZeroWindow
           fits == IF shut THEN Extent(s) = 0 /\ s.seq = k.rcv ELSE Acceptable(s, k.rcv, Window)
           end  == Limit(h, s.seq + Len(s.data))
           took == [k EXCEPT !.una = IF @ < s.ack /\ s.ack <= k.nxt THEN s.ack ELSE @,
                             !.rcv = IF s.seq <= @ THEN Max(@, end + (IF s.fin THEN 1 ELSE 0)) ELSE @]
           same == UNCHANGED <<backend, control>>
           guarded == IF k.last < s.via THEN EarlyGuard ELSE LateGuard
       IN CASE k.st = "idle" ->                                 \* no such connection (RFC 9293 3.10.7.1)
                 same /\ Swap(s, IF guarded \/ s.rst THEN <<>> ELSE <<[ack EXCEPT !.seq = s.ack, !.ack = 0, !.rst = TRUE]>>)
            [] k.st = "crashed" ->
                 same /\ Swap(s, <<>>)
            [] s.rst /\ s.seq = k.rcv ->                        \* the request cannot be served any more
                 /\ backend' = [backend EXCEPT ![b] = Idle(h, "failed")]
                 /\ Say({[Report("failed", b, k) EXCEPT !.clientReset = TRUE]})
                 /\ Swap(s, <<>>)
            [] s.rst \/ s.syn \/ ~fits ->                       \* RFC 5961; a window probe
                 same /\ Swap(s, IF s.rst /\ ~Acceptable(s, k.rcv, Window) THEN <<>> ELSE <<ack>>)
            [] OTHER ->
                 /\ backend' = [backend EXCEPT ![b] = took]
                 /\ Swap(s, IF Extent(s) > 0 THEN <<FromBackend(b, took)>> ELSE <<>>)
                 /\ UNCHANGED control
    /\ Nothing /\ UNCHANGED <<client, controller, switch, served>>

\* The response in segments of at most MaxSegment, from a number on.
RECURSIVE Response(_, _, _)
Response(b, k, from) ==
  IF from = k.nxt THEN <<>>
  ELSE LET n == Min(MaxSegment, k.nxt - from)
       IN <<[FromBackend(b, k) EXCEPT !.seq = from, !.data = [i \in 1..n |-> k.handoff]]>> \o Response(b, k, from + n)

Respond ==
  \E b \in Backends :
    LET k == backend[b]
        h == k.handoff
        sent == [k EXCEPT !.nxt = Reply[h + 1]]
    IN /\ k.st = "serving" /\ k.nxt = Reply[h] /\ k.rcv >= Start[h + 1]
       /\ backend' = [backend EXCEPT ![b] = sent]
       /\ Send(Response(b, sent, Reply[h]))
       /\ served' = Append(served, h)
       /\ Nothing /\ UNCHANGED <<client, controller, switch, control>>

BackendRepeats(b) ==
  IF backend[b].st = "serving" /\ backend[b].una < backend[b].nxt THEN Response(b, backend[b], backend[b].una) ELSE <<>>

\* Step 9: all of the response is acknowledged.
Complete ==
  \E b \in Backends :
    LET k == backend[b]
    IN /\ k.st = "serving" /\ k.nxt = Reply[k.handoff + 1] /\ (k.una = k.nxt \/ ~CompleteWhenAcked)
       /\ backend' = [backend EXCEPT ![b] = Idle(k.handoff, "complete")]
       /\ Say({Report("complete", b, k)})
       /\ Nothing /\ UNCHANGED <<client, controller, switch, net, served>>

\* "If an unforeseen event prevents the backend server from serving" (P2.4); a client that has vanished is one.
Fail ==
  \E b \in Backends :
    LET k == backend[b]
    IN /\ k.st = "serving"
       /\ (Quiet /\ Vanished /\ Nothing) \/ Happens("fail")
       /\ backend' = [backend EXCEPT ![b] = Idle(k.handoff, "failed")]
       /\ Say({Report("failed", b, k)})
       /\ UNCHANGED <<client, controller, switch, net, served>>

Crash ==
  \E b \in Backends :
    /\ backend[b].st # "crashed" /\ controller.req <= N /\ Requests[controller.req].backend = b /\ Happens("crash")
    /\ backend' = [backend EXCEPT ![b] = [Idle(@.last, "none") EXCEPT !.st = "crashed"]]
    /\ UNCHANGED <<client, controller, switch, net, control, served>>

-----------------------------------------------------------------------------
(* Timers.  All that run have fired when the network has become quiet.     *)

Repeats(h) == CASE h = "client" -> ClientRepeats
                [] h = Logical  -> ControllerRepeats
                [] OTHER        -> BackendRepeats(h)

Timers ==
  /\ Quiet /\ \E h \in Hosts : Repeats(h) # <<>>
  /\ net' = [net EXCEPT !.up = [h \in Hosts |-> IF h = Logical THEN <<>> ELSE Repeats(h)], !.down["client"] = Repeats(Logical)]
  /\ Nothing /\ UNCHANGED <<client, controller, switch, backend, control, served>>

-----------------------------------------------------------------------------
(* The network.                                                            *)

Heldable == Heads(net.up) \cup Heads(net.down)

Lose ==
  /\ \E s \in Heldable : Swap(s, <<>>)
  /\ Happens("lose")
  /\ UNCHANGED <<client, controller, switch, backend, control, served>>

\* Held up, so that others overtake it.
Delay ==
  /\ \E s \in Heldable \ net.late : net' = [Without(s) EXCEPT !.late = @ \cup {s}]
  /\ Happens("delay")
  /\ UNCHANGED <<client, controller, switch, backend, control, served>>

\* Doubled, the copy held up.
Duplicate ==
  /\ \E s \in Heldable \ net.late : net' = [net EXCEPT !.late = @ \cup {s}]
  /\ Happens("duplicate")
  /\ UNCHANGED <<client, controller, switch, backend, control, served>>

LoseControl ==
  /\ \E m \in control : Hear(m, {})
  /\ Happens("loseControl")
  /\ UNCHANGED <<client, controller, switch, backend, net, served>>

\* The controller repeats an operation that is only slow.
RepeatEarly ==
  /\ \E m \in control : m.type \in {"add", "remove"} /\ ~m.copy /\ Say({[m EXCEPT !.copy = TRUE]})
  /\ Happens("repeat")
  /\ UNCHANGED <<client, controller, switch, backend, net, served>>

-----------------------------------------------------------------------------
Init ==
  /\ client = [st |-> "closed", want |-> 0, una |-> 0, nxt |-> 0, fin |-> 0, wnd |-> 0, wl1 |-> 0, wl2 |-> 0,
               rcv |-> 0, eof |-> FALSE, got |-> <<>>, ts |-> 0]
  /\ controller = [phase |-> "listen", una |-> 0, nxt |-> 0, rcv |-> 0, req |-> 1, open |-> TRUE, eof |-> FALSE,
                   then |-> "none", ts |-> 1, decided |-> FALSE]
  /\ switch = [rule |-> NoRule, done |-> 0, drained |-> {}]
  /\ backend = [b \in Backends |-> Idle(0, "none")]
  /\ net = [up |-> [h \in Hosts |-> <<>>], down |-> [h \in Hosts |-> <<>>], late |-> {}]
  /\ control = {} /\ served = <<>> /\ events = Events

ClientActs   == Connect \/ (Pending /\ ClientSend) \/ (client.eof /\ ClientClose) \/ ClientSendFin
Deliver      == \/ Forward \/ ClientReceive \/ BackendReceive
                \/ AcceptSyn \/ ReceiveRequest \/ RefuseRequest \/ ClientFin \/ ClientReset \/ ControllerReceive
ControlActs  == \/ SwitchAddRule \/ SwitchRemoveRule \/ HandOff \/ RuleRefused \/ TakeOver \/ TakeBack \/ BackendFailed
                \/ ReopenWindow \/ ResetClient \/ Forget \/ ControlRejected \/ RepeatRequest \/ BackendLost \/ IdleTimeout
BackendActs  == Respond \/ Complete \/ (Quiet /\ Vanished /\ Fail)

Next ==
  \/ Connect \/ ClientSend \/ ClientWrite \/ ClientClose \/ ClientSendFin \/ ClientAbort \/ ClientReceive
  \/ Forward \/ SwitchAddRule \/ SwitchRefuseRule \/ SwitchRemoveRule
  \/ AcceptSyn \/ ReceiveRequest \/ RefuseRequest \/ ClientFin \/ ClientReset \/ ControllerReceive
  \/ CloseConnection \/ IdleTimeout
  \/ HandOff \/ RuleRefused \/ TakeBack \/ BackendFailed \/ BackendLost \/ ReopenWindow \/ ResetClient \/ Forget
  \/ RepeatRequest \/ ControlRejected
  \/ TakeOver \/ BackendReceive \/ Respond \/ Complete \/ Fail \/ Crash
  \/ Timers
  \/ Lose \/ Delay \/ Duplicate \/ LoseControl \/ RepeatEarly

\* What is in flight arrives, hosts act, timers fire in the end. A client need not ask for more, misfortune need not come.
Fairness ==
  WF_vars(ClientActs) /\ WF_vars(Deliver) /\ WF_vars(ControlActs) /\ WF_vars(BackendActs) /\ WF_vars(Timers)

Spec == Init /\ [][Next]_vars /\ Fairness
=============================================================================
