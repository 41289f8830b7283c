-------------------------------- MODULE Trace --------------------------------
(***************************************************************************)
(* Is what was observed a behaviour of Handoff.tla?  TraceData.tla, which  *)
(* is generated, has the traces; each is of one connection and a program   *)
(* of operations:                                                          *)
(*   act     a role took this action (its own event), with these numbers   *)
(*   meet    the network brings a role this segment (between two events)   *)
(*   leave   a frame was seen to leave its host      (captures)            *)
(*   arrive  ... and to arrive at a host                                   *)
(* Of captures the actions between two frames are hidden.  The roles' and  *)
(* the switch's steps are Handoff's own actions, each of them; the client  *)
(* is not judged and does what was seen.  What a role sends by an action   *)
(* is struck from the network: what was seen to leave takes its place, cut *)
(* and repeated otherwise, as long as the state it is sent in allows it.   *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets, TLC, TraceData

VARIABLES client, controller, switch, backend, net, control, served, events,   \* Handoff's
  tid,       \* which trace
  at,        \* the operation that comes next
  dirty,     \* an action has been taken whose segments are yet to be struck
  said,      \* what the controller has sent by its actions since it owns the connection
  owes,      \* what must be seen of the controller before it does anything else: of frames "header" and "reopen", acknowledgements;
             \*   of events the name of one; "nothing"
  waiting,   \* host -> how many segments have arrived there and are not taken in yet
  got,       \* the client's stream of responses: the highest number that has arrived
  high,      \* the highest number that has left a server
  sent,      \* the client's stream of requests: the highest number that has left it
  room,      \* whether a client that has taken in all of `got` may have seen an open window
  acked,     \* the highest acknowledgement that has left a server
  clock,     \* the highest time stamp that has left a server
  asking     \* what would have been allowed instead: "no", "yes", "tried" a segment, "told"

CONSTANT Mode   \* "check"; "farthest": prints how far each trace goes; "explain": prints what was allowed where it stops

handoffVars == <<client, controller, switch, backend, net, control, served, events>>
seen == <<said, owes, waiting, got, high, sent, room, acked, clock>>

Large == 1000000

H(t) == INSTANCE Handoff WITH
  Backends <- Traces[t].backends, Requests <- Traces[t].requests,
  Window <- Large, ClientWindow <- Large, MaxSegment <- Large,
  Events <- 0, EventCost <- [k \in Traces[t].misfortune |-> 0],
  HeaderOnlyAck <- TRUE, CloseWindow <- TRUE, ConfirmRule <- TRUE, ZeroWindow <- TRUE, SuppressFin <- TRUE,
  AckLimitWrite <- TRUE, ContinueTimestamps <- TRUE, CompleteWhenAcked <- TRUE, RemoveBeforeReopen <- TRUE,
  EarlyGuard <- TRUE, LateGuard <- TRUE, AckLimitRead <- TRUE, AcceptAckAtZeroWindow <- TRUE, AnswerProbes <- TRUE,
  DrainRules <- TRUE, NumberedRules <- TRUE, RepeatControl <- TRUE, Lease <- TRUE, ExactReset <- TRUE, RepeatReset <- TRUE

Logical == "logical"
Ops(t) == Traces[t].ops
Max(a, b) == IF a > b THEN a ELSE b

-----------------------------------------------------------------------------
(* Actions by name.                                                         *)

TakesSegment == {"AcceptSyn", "ReceiveRequest", "RefuseRequest", "ClientFin", "ClientReset", "ControllerReceive"}

Act(t, n) ==
  CASE n = "AcceptSyn"         -> H(t)!AcceptSyn
    [] n = "ReceiveRequest"    -> H(t)!ReceiveRequest
    [] n = "RefuseRequest"     -> H(t)!RefuseRequest
    [] n = "ClientFin"         -> H(t)!ClientFin
    [] n = "ClientReset"       -> H(t)!ClientReset
    [] n = "ControllerReceive" -> H(t)!ControllerReceive
    [] n = "CloseConnection"   -> H(t)!CloseConnection
    [] n = "IdleTimeout"       -> H(t)!IdleTimeout
    [] n = "SwitchAddRule"     -> H(t)!SwitchAddRule
    [] n = "SwitchRefuseRule"  -> H(t)!SwitchRefuseRule
    [] n = "SwitchRemoveRule"  -> H(t)!SwitchRemoveRule
    [] n = "HandOff"           -> H(t)!HandOff
    [] n = "RuleRefused"       -> H(t)!RuleRefused
    [] n = "TakeBack"          -> H(t)!TakeBack
    [] n = "BackendFailed"     -> H(t)!BackendFailed
    [] n = "BackendLost"       -> H(t)!BackendLost
    [] n = "ReopenWindow"      -> H(t)!ReopenWindow
    [] n = "ResetClient"       -> H(t)!ResetClient
    [] n = "Forget"            -> H(t)!Forget
    [] n = "TakeOver"          -> H(t)!TakeOver
    [] n = "BackendReceive"    -> H(t)!BackendReceive
    [] n = "Respond"           -> H(t)!Respond
    [] n = "Complete"          -> H(t)!Complete
    [] n = "Fail"              -> H(t)!Fail
    [] n = "Crash"             -> H(t)!Crash

OfController == TakesSegment \cup
  {"CloseConnection", "IdleTimeout", "HandOff", "RuleRefused", "TakeBack", "BackendFailed", "BackendLost", "ReopenWindow", "ResetClient", "Forget"}

\* Only what has arrived is taken in.
TakesArrived == \A h \in DOMAIN waiting : Len(net'.down[h]) < Len(net.down[h]) => waiting[h] > 0
Taken == [h \in DOMAIN waiting |-> IF Len(net'.down[h]) < Len(net.down[h]) THEN waiting[h] - 1 ELSE waiting[h]]

Do(t, n) ==
  /\ n \in OfController => owes = "nothing" \/ (n = "CloseConnection" /\ owes = "reopen")   \* its FIN says as much
  /\ Act(t, n)
  /\ TakesArrived /\ waiting' = Taken
  /\ owes' = CASE n = "ReceiveRequest" -> IF Traces[t].wire THEN "header" ELSE "InstallRule"
               [] n = "ReopenWindow" /\ ~controller.open /\ Traces[t].wire -> "reopen"
               [] n \in {"TakeBack", "BackendFailed", "BackendLost"} /\ ~Traces[t].wire -> "RemoveRule"
               [] n = "ClientReset" /\ controller.phase = "installing" /\ ~Traces[t].wire -> "RemoveRule"
               [] n = "ControllerReceive" /\ ~Traces[t].wire /\ controller.phase = "synReceived" /\ controller'.phase = "reading" -> "Establish"
               [] OTHER -> owes
  /\ dirty' = (net'.up # net.up \/ net'.down # net.down)
  /\ UNCHANGED <<tid, said, got, high, sent, room, acked, clock>>

\* What an action sent is told from what was seen by its number.
Seen(s)   == "id" \in DOMAIN s
Strike(t) ==
  /\ dirty /\ dirty' = FALSE
  /\ LET isSeen(s) == Seen(s)
         unseen == SelectSeq(net.down["client"], LAMBDA s : ~isSeen(s))
     IN /\ net' = [up   |-> [h \in DOMAIN net.up   |-> SelectSeq(net.up[h], isSeen)],
                   down |-> [h \in DOMAIN net.down |-> SelectSeq(net.down[h], isSeen)],
                   late |-> {}]
        /\ said' = (IF H(t)!Silent(controller) THEN {} ELSE said)
                     \cup {unseen[k] : k \in {j \in 1..Len(unseen) : unseen[j].by = Logical}}
  /\ UNCHANGED <<client, controller, switch, backend, control, served, events, tid, at, owes, waiting, got, high, sent, room, acked, clock, asking>>

-----------------------------------------------------------------------------
(* Frames.  `open`: its window is not zero; `far`: as it arrived.           *)

Packet(t, k) == Traces[t].packets[k]

SegmentOf(t, k) ==
  LET p == Packet(t, k)
  IN [at |-> IF p.by = Logical THEN "host" ELSE "fabric", src |-> p.by, dst |-> IF p.by = "client" THEN Logical ELSE "client",
      seq |-> p.seq, ack |-> p.ack, data |-> [j \in 1..p.len |-> 0], wnd |-> IF p.open THEN Large ELSE 0,
      syn |-> p.syn, fin |-> p.fin, rst |-> p.rst, ts |-> 1, by |-> p.by, owned |-> TRUE, via |-> 0, id |-> k]

Same(s, p) ==
  /\ s.seq = p.seq /\ Len(s.data) = p.len /\ s.syn = p.syn /\ s.fin = p.fin /\ s.rst = p.rst
  /\ p.rst \/ (s.ack = p.ack /\ (s.wnd > 0) = p.open)

\* What the state of its connection lets the controller send: what it sent before, an acknowledgement, a piece of its answer.
ControllerMay(t, p) ==
  LET c       == controller
      repeats == H(t)!ControllerRepeats
      owner   == H(t)!ControllerOwns(c)
      plain   == ~p.syn /\ ~p.rst /\ p.open = c.open
      end     == p.seq + p.len + (IF p.fin THEN 1 ELSE 0)
  IN \/ \E s \in said : Same(s, p)
     \/ \E k \in DOMAIN repeats : Same(repeats[k], p)
     \/ owner /\ plain /\ c.phase \in {"reading", "installing"} /\ p.len = 0 /\ ~p.fin /\ p.seq = c.nxt
          /\ (IF c.phase = "installing" THEN p.ack = c.rcv ELSE acked <= p.ack /\ p.ack <= c.rcv)
     \/ owner /\ plain /\ c.phase \in {"closing", "lastAck", "closed"} /\ acked <= p.ack /\ p.ack <= c.rcv
          /\ end <= c.nxt /\ (p.fin => end = c.nxt) /\ (~p.fin => p.seq + p.len <= c.nxt)
          /\ (p.len > 0 => p.seq >= H(t)!Reply[Cardinality({k \in DOMAIN Traces[t].requests : H(t)!Reply[k] <= p.seq})])

\* A piece of the response, new or repeated, with whatever has been received acknowledged; an interim response (RFC 9110 15.2) goes before.
BackendMay(t, p) ==
  LET k    == backend[p.by]
      h    == k.handoff
      last == Max(k.nxt, H(t)!Reply[h] + Traces[t].interim[h])
  IN /\ k.st = "serving" /\ ~p.syn /\ ~p.fin /\ ~p.rst
     /\ acked <= p.ack /\ p.ack <= k.rcv
     /\ p.seq + 1 >= H(t)!Reply[h] /\ (p.len > 0 => p.seq >= H(t)!Reply[h]) /\ p.seq + p.len <= last

ServerLeaves(t, p) ==
  /\ IF p.by = Logical THEN ControllerMay(t, p) ELSE BackendMay(t, p)
  /\ p.ts > 0 => p.ts >= clock
  /\ clock' = Max(clock, p.ts)
  /\ high' = Max(high, p.seq + p.len + (IF p.syn \/ p.fin THEN 1 ELSE 0))
  /\ acked' = IF p.rst THEN acked ELSE Max(acked, p.ack)
  /\ owes' = IF p.by = Logical /\ p.ack = controller.rcv /\ p.open = controller.open /\ ~p.rst THEN "nothing" ELSE owes

Leave(t, k) ==
  LET p == Packet(t, k)
  IN /\ IF p.by = "client"
        THEN /\ p.syn \/ p.rst \/ p.ack <= got                       \* nobody acknowledges what has not come
             /\ p.fresh /\ p.seq + p.len > sent => room \/ p.ack < got   \* ... or sends new data into a window that he knows to be closed
             /\ sent' = Max(sent, p.seq + p.len)
             /\ client' = IF p.rst THEN [client EXCEPT !.st = "aborted"] ELSE client
             /\ UNCHANGED <<owes, high, acked, clock>>
        ELSE ServerLeaves(t, p) /\ UNCHANGED <<client, sent>>
     /\ net' = CASE p.to = "none"   -> net                           \* lost, or dropped by a switch that drains
                 [] p.by = Logical  -> [net EXCEPT !.down["client"] = Append(@, SegmentOf(t, k))]
                 [] OTHER           -> [net EXCEPT !.up[p.by] = Append(@, SegmentOf(t, k))]
     /\ UNCHANGED <<controller, switch, backend, control, served, events, tid, said, waiting, got, room>>

\* The switch: a frame crosses as soon as that makes of it what arrived.
Grown == {h \in DOMAIN net.down : Len(net'.down[h]) > Len(net.down[h])}
Crosses(t) ==
  /\ H(t)!Forward
  /\ Grown # {}
  /\ \A h \in Grown :
       LET s == net'.down[h][Len(net'.down[h])]
           p == Packet(t, s.id)
       IN p.to = h /\ (s.wnd > 0) = p.farOpen /\ s.fin = p.farFin /\ s.src = p.farSrc
  /\ UNCHANGED <<tid, at, dirty, seen, asking>>

\* Order within a host's link is the order of arrival; who was overtaken comes later.
Insert(queue, k, s) == SubSeq(queue, 1, k) \o <<s>> \o SubSeq(queue, k + 1, Len(queue))
Without(queue, id) == SelectSeq(queue, LAMBDA s : s.id # id)

\* `ends`, `fin`: with what the receiver may have kept that came before its turn (RFC 9293 3.10.7.4: it should).
Arrive(t, op) ==
  LET host == op.host
      k    == op.id
      q    == net.down[host]
      mine == {j \in 1..Len(q) : q[j].id = k}
      p    == Packet(t, k)
  IN /\ mine # {}
     /\ IF host = "client"
        THEN /\ net' = [net EXCEPT !.down[host] = Without(q, k)]
             /\ LET end == p.seq + p.len + (IF p.syn \/ p.fin THEN 1 ELSE 0)
                IN /\ got' = Max(got, end)
                   /\ room' = IF end > got THEN p.farOpen ELSE room \/ p.farOpen
             /\ UNCHANGED waiting
        ELSE LET j == CHOOSE j \in mine : TRUE
             IN /\ j > waiting[host]
                /\ net' = [net EXCEPT !.down[host] =
                             Insert(Without(q, k), waiting[host], [q[j] EXCEPT !.data = [n \in 1..(op.ends - p.seq) |-> 0], !.fin = op.fin])]
                /\ waiting' = [waiting EXCEPT ![host] = @ + 1]
                /\ UNCHANGED <<got, room>>
     /\ UNCHANGED <<client, controller, switch, backend, control, served, events, tid, said, owes, high, sent, acked, clock>>

\* A segment of the environment's: of an event trace, or a frame that arrives once more.
Bring(host, s) ==
  LET q == net.down[host]
  IN IF host = "client" THEN UNCHANGED <<net, waiting>>
     ELSE /\ net' = [net EXCEPT !.down[host] = Insert(q, waiting[host], s)]
          /\ waiting' = [waiting EXCEPT ![host] = @ + 1]

Meet(t, op) ==
  LET s == [at |-> "host", src |-> "client", dst |-> op.host, seq |-> op.seq, ack |-> op.ack, data |-> [j \in 1..op.len |-> 0],
            wnd |-> Large, syn |-> op.syn, fin |-> op.fin, rst |-> op.rst, ts |-> 1, by |-> "client", owned |-> TRUE, via |-> 0, id |-> 0]
  IN /\ Bring(op.host, s)
     /\ client' = IF op.rst THEN [client EXCEPT !.st = "aborted"] ELSE client
     /\ UNCHANGED <<controller, switch, backend, control, served, events, tid, said, owes, got, high, sent, room, acked, clock>>

-----------------------------------------------------------------------------
(* What a role's own event says, held against the step.                     *)

Says(op, field, value) == field \in DOMAIN op => op[field] = value

Agrees(t, op) ==
  LET b == op.role
      n == op.name
      h == controller.req
  IN CASE n = "ReceiveRequest" ->
            /\ Says(op, "seq", controller.rcv) /\ Says(op, "ack", controller'.rcv)
            /\ Says(op, "backend", Traces[t].requests[h].backend) /\ Says(op, "closeWindow", ~controller'.open)
       [] n = "HandOff" ->
            /\ Says(op, "seq", controller.nxt) /\ Says(op, "ack", controller.rcv)
            /\ Says(op, "handoff", h) /\ Says(op, "backend", Traces[t].requests[h].backend)
       [] n \in {"TakeBack", "BackendFailed", "BackendLost"} ->
            /\ Says(op, "seq", controller'.nxt) /\ Says(op, "ack", controller'.rcv)
            /\ Says(op, "handoff", h) /\ Says(op, "backend", Traces[t].requests[h].backend)
            /\ n = "BackendFailed" /\ "clientReset" \in DOMAIN op => op.clientReset = (controller'.then = "forget")
       [] n = "ReopenWindow" -> Says(op, "seq", controller'.nxt) /\ Says(op, "ack", controller'.rcv) /\ Says(op, "wasClosed", ~controller.open)
       [] n = "ResetClient" -> Says(op, "seq", controller'.nxt) /\ Says(op, "probe", controller.then = "probe")
       [] n = "ClientFin" -> Says(op, "seq", controller'.rcv - 1)
       [] n = "RuleRefused" -> Says(op, "backend", Traces[t].requests[h].backend)
       [] n = "SwitchAddRule" -> Says(op, "backend", switch'.rule.backend) /\ switch'.rule # switch.rule
       [] n = "SwitchRemoveRule" -> Says(op, "backend", switch.rule.backend) /\ switch.rule.handoff > 0
       [] n = "TakeOver" ->
            /\ b \in Traces[t].backends /\ backend'[b] # backend[b]
            /\ Says(op, "seq", backend'[b].nxt) /\ Says(op, "ack", backend'[b].rcv) /\ Says(op, "handoff", backend'[b].handoff)
       [] n = "Respond" ->
            /\ b \in Traces[t].backends /\ backend'[b] # backend[b]
            /\ Says(op, "handoff", backend[b].handoff) /\ Says(op, "end", backend'[b].nxt)
       [] n \in {"Complete", "Fail"} ->
            /\ b \in Traces[t].backends /\ backend'[b] # backend[b]
            /\ Says(op, "handoff", backend[b].handoff) /\ Says(op, "seq", backend[b].nxt) /\ Says(op, "ack", backend[b].rcv)
       [] OTHER -> TRUE

\* Events that tell of a part of a step, or of its consequence.
Notes(t, op) ==
  LET n == op.name
      h == controller.req
  IN CASE n = "Establish"     -> controller.phase = "reading" /\ h = 1 /\ controller.rcv = 1
       [] n = "InstallRule"   -> controller.phase = "installing" /\ H(t)!AddRule(h) \in control /\ Says(op, "backend", Traces[t].requests[h].backend)
       [] n = "RemoveRule"    -> controller.phase = "removing" /\ H(t)!RemoveRule(h) \in control
       [] n = "ProbeClient"   -> controller.phase = "resetting"
       [] n = "Forget"        -> controller.phase \in {"closing", "lastAck", "closed", "gone", "resetting"}
       [] n = "IgnoreSegment" -> op.role \in Traces[t].backends /\ backend[op.role].st # "serving"
       [] OTHER               -> FALSE

-----------------------------------------------------------------------------

\* The step that an event is of; some tell of a part of a step, or of its consequence, and are owed after it.
Parts == {"Establish", "InstallRule", "RemoveRule", "ProbeClient", "Forget", "IgnoreSegment", "HandOffRefused", "SwitchSilent"}

Told(t, op) ==
  LET n     == op.name
      phase == controller.phase
      does  == CASE n = "ClientFin" /\ phase = "closing" -> "ControllerReceive"
                 [] n = "Forget" /\ phase = "removing"   -> "Forget"
                 [] n = "Fail" /\ op.clientReset         -> "BackendReceive"
                 [] n \in Parts                          -> "nothing"
                 [] OTHER                                -> n
  IN IF does = "nothing"
     THEN /\ Notes(t, op)
          /\ op.role = "controller" => owes = (IF n \in {"Establish", "InstallRule", "RemoveRule"} THEN n ELSE "nothing")
          /\ owes' = CASE n = "Forget" -> "no more" [] n = owes -> "nothing" [] OTHER -> owes
          /\ UNCHANGED <<handoffVars, dirty, waiting, tid, said, got, high, sent, room, acked, clock>>
     ELSE /\ Do(t, does) /\ Agrees(t, op)
          /\ n = "ClientFin" => controller'.eof /\ ~controller.eof
          /\ n = "ReceiveRequest" => phase = "reading"

Progress(t) ==
  /\ at' = at + 1
  /\ at = Len(Ops(t)) => PrintT(<<"MATCHED", tid>>)
  /\ Mode = "farthest" /\ at >= TLCGet(tid) => TLCSet(tid, at + 1) /\ PrintT(<<"AT", tid, at + 1>>)

Visible(t) ==
  LET op == Ops(t)[at]
  IN /\ at <= Len(Ops(t))
     /\ CASE op.op = "act"    -> Told(t, op)
          [] op.op = "meet"   -> Meet(t, op) /\ UNCHANGED dirty
          [] op.op = "leave"  -> Leave(t, op.id) /\ UNCHANGED dirty
          [] op.op = "arrive" -> Arrive(t, op) /\ UNCHANGED dirty
     /\ Progress(t) /\ UNCHANGED asking

\* Taken in at once where waiting could change nothing. What comes to one who does not own the connection waits until he does: had he
\* dropped it, it would come again, and what it brings him is the same (but for a reset, which may pass unheard).
HeadOf(host) == net.down[host][1]
Eager(t) ==
  \/ /\ waiting[Logical] > 0 /\ owes = "nothing" /\ ~H(t)!Silent(controller)
     /\ H(t)!Meaning(HeadOf(Logical)) = "other"
     /\ Do(t, "ControllerReceive")
  \/ \E b \in Traces[t].backends :
       /\ waiting[b] > 0 /\ backend[b].st = "serving" /\ ~HeadOf(b).rst
       /\ Do(t, "BackendReceive") /\ Len(net'.down[b]) < Len(net.down[b])

\* A switch that has no such rule tells of no removal; frames tell of no action at all.
Hidden(t) ==
  \/ \E n \in Traces[t].hidden : Do(t, n)
  \/ ~Traces[t].wire /\ switch.rule.handoff = 0 /\ Do(t, "SwitchRemoveRule")
  \/ /\ Traces[t].wire /\ waiting[Logical] > 0 /\ (H(t)!Silent(controller) => HeadOf(Logical).rst)
     /\ \E n \in TakesSegment : Do(t, n)
  \/ Traces[t].wire /\ \E b \in Traces[t].backends :
       waiting[b] > 0 /\ HeadOf(b).rst /\ Do(t, "BackendReceive") /\ Len(net'.down[b]) < Len(net.down[b])

-----------------------------------------------------------------------------
(* Where a trace stops: the state, and what would have been allowed.        *)

\* Of frames, what is hidden; of events, what could be told, and is not of the environment.
Asked(t) == IF Traces[t].wire THEN Traces[t].hidden
            ELSE {"SwitchAddRule", "SwitchRemoveRule", "HandOff", "TakeBack", "BackendFailed", "ReopenWindow", "ResetClient", "Forget", "RuleRefused",
                  "TakeOver", "Respond", "Complete"}

Candidates(t) ==
  LET h == controller.req
      c == [host |-> Logical, seq |-> controller.rcv, ack |-> controller.nxt, len |-> 0, syn |-> FALSE, fin |-> FALSE, rst |-> FALSE]
      known == h <= Len(Traces[t].requests)
  IN {[c EXCEPT !.syn = TRUE, !.seq = 0], c, [c EXCEPT !.fin = TRUE], [c EXCEPT !.rst = TRUE]}
     \cup (IF known /\ H(t)!HeadEnd[h] > controller.rcv THEN {[c EXCEPT !.len = H(t)!HeadEnd[h] - controller.rcv]} ELSE {})
     \cup UNION {LET k == backend[b]
                     s == [c EXCEPT !.host = b, !.seq = k.rcv, !.ack = k.nxt]
                 IN {s, [s EXCEPT !.rst = TRUE]} \cup (IF H(t)!Start[k.handoff + 1] > k.rcv THEN {[s EXCEPT !.len = H(t)!Start[k.handoff + 1] - k.rcv]} ELSE {})
                 : b \in {x \in Traces[t].backends : backend[x].st = "serving"}}

Frames(t) ==
  [controller |-> IF ~Traces[t].wire THEN {} ELSE said \cup (IF H(t)!ControllerOwns(controller) THEN {H(t)!FromController(controller)} ELSE {}),
   backends   |-> {b \in Traces[t].backends : backend[b].st = "serving"}]

Explain(t) ==
  \/ /\ asking = "no" /\ asking' = "yes"
     /\ PrintT(<<"STATE", tid, [controller |-> controller, switch |-> switch, backend |-> backend, control |-> control, owes |-> owes,
                                waiting |-> waiting, acked |-> acked, got |-> got, high |-> high, frames |-> Frames(t)]>>)
     /\ UNCHANGED <<handoffVars, tid, dirty, seen>>
  \/ /\ asking = "yes"
     /\ \/ \E n \in Asked(t) : Do(t, n) /\ PrintT(<<"ALLOWED", tid, n>>) /\ asking' = "told"
        \/ ~Traces[t].wire /\ \E s \in Candidates(t) : Meet(t, s) /\ asking' = "tried" /\ UNCHANGED dirty
  \/ /\ asking = "tried" /\ asking' = "told"
     /\ \E n \in TakesSegment \cup {"BackendReceive"} :
          /\ Do(t, n) /\ <<controller, backend, control>>' # <<controller, backend, control>>
          /\ PrintT(<<"ALLOWED", tid, IF n = "ControllerReceive" /\ controller.phase = "synReceived" THEN "Establish" ELSE n>>)

Move(t) ==
  \/ Visible(t)
  \/ at <= Len(Ops(t)) /\ Hidden(t) /\ UNCHANGED <<at, asking>>
  \/ Mode = "explain" /\ at = Traces[t].stop /\ Explain(t) /\ UNCHANGED at

\* One thing after the other, so that there is little to choose.
Step(t) ==
  IF dirty THEN Strike(t)
  ELSE IF asking # "no" THEN Explain(t) /\ UNCHANGED at
  ELSE IF (\E h \in DOMAIN net.up : net.up[h] # <<>>) /\ ENABLED Crosses(t) THEN Crosses(t)
  ELSE IF Traces[t].wire /\ (\E h \in DOMAIN waiting : waiting[h] > 0) /\ ENABLED Eager(t) THEN Eager(t) /\ UNCHANGED <<at, asking>>
  ELSE Move(t)

TraceInit ==
  /\ tid \in DOMAIN Traces
  /\ \E t \in {tid} : H(t)!Init
  /\ at = 1 /\ dirty = FALSE /\ said = {} /\ owes = "nothing" /\ asking = "no"
  /\ waiting = [h \in {Logical} \cup Traces[tid].backends |-> 0]
  /\ got = 0 /\ high = 0 /\ sent = 0 /\ room = TRUE /\ acked = 0 /\ clock = 0
  /\ Mode = "farthest" => TLCSet(tid, 1) /\ PrintT(<<"AT", tid, 1>>)

TraceNext == \E t \in {tid} : Step(t)
=============================================================================
