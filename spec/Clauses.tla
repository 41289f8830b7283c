------------------------------- MODULE Clauses -------------------------------
(***************************************************************************)
(* What must hold of the hand-off: an operator for each clause of the      *)
(* catalogue (requirements.json) that is about protocol state, under the   *)
(* clause's id.  Invariants first, then what must happen in the end.       *)
(***************************************************************************)
EXTENDS Handoff

Crossed == {s \in InFlight : s.at = "host"}               \* between the switch and their receivers
FromBackends    == {s \in InFlight : s.by \in Backends}
FromControllers == {s \in InFlight : s.by = Logical}
Said(types) == {m \in control : m.type \in types}
Lent    == {b \in Backends : backend[b].st = "serving"}   \* who has the connection
LentFor(b) == backend[b].handoff
Handing == controller.phase \in {"installing", "handedOff"}            \* request `req` is on its way out, or out
ReplyAt == [p \in 1..(Reply[N + 1] - ISS - 1) |-> CHOOSE i \in 1..N : Reply[i] - ISS <= p /\ p < Reply[i + 1] - ISS]

-----------------------------------------------------------------------------
(* EST: establishment *)

EST_2 == \A s \in Crossed : s.dst = "client" => s.src = Logical

\* Of what was negotiated the model knows the segment size and the client's window.
EST_3 == \A s \in InFlight : s.by # "client" =>
           /\ Len(s.data) <= MaxSegment
           /\ client.st # "synSent" => s.seq + Len(s.data) <= client.rcv + ClientWindow

EST_4 == \A s \in InFlight : s.syn /\ s.by # "client" => s.by = Logical /\ s.seq = ISS /\ s.ack = 1

(* REQ: request parsing *)

REQ_1 == Handing => controller.rcv >= HeadEnd[controller.req]

REQ_2 == controller.phase \in {"reading", "installing", "handedOff"} /\ controller.req <= N
           => \A s \in FromControllers : s.ack <= HeadEnd[controller.req]

\* The acknowledgement of the whole header is the one at hand-off.
OfHead == {s \in FromControllers : s.ack = HeadEnd[controller.req]}
REQ_3 == Handing /\  IsRead(controller.req) => \A s \in OfHead : s.wnd = 0
REQ_4 == Handing /\ ~IsRead(controller.req) => \A s \in OfHead : s.wnd > 0

\* The backend begins right behind the header, and answers when it has all of the payload.
REQ_5 == /\ \A m \in Said({"handoff"}) : m.ack <= HeadEnd[m.handoff]
         /\ \A b \in Lent : backend[b].nxt > Reply[LentFor(b)] => backend[b].rcv >= Start[LentFor(b) + 1]

REQ_6 == /\ switch.rule # NoRule => switch.rule.backend = Requests[switch.rule.handoff].backend
         /\ \A b \in Lent : b = Requests[LentFor(b)].backend

REQ_7 == Handing => Requests[controller.req].kind # "bad"

(* HOF: hand-off *)

HOF_1 == \A m \in Said({"handoff"}) : InForce(m) => switch.rule.handoff = m.handoff

HOF_2 == \A m \in Said({"handoff", "complete"}) : m.una = m.seq

HOF_3 == \A m \in Said({"handoff"}) : m.seq = Reply[m.handoff] /\ m.ack = HeadEnd[m.handoff]

HOF_4 == /\ Cardinality(Lent \cup {h \in {Logical} : ControllerOwns(controller)}) <= 1
         /\ \A s \in FromControllers : s.owned

\* A backend says nothing on a connection that it does not own, and no client is reset that the controller did not reset.
HOF_5 == /\ \A s \in FromBackends : s.owned
         /\ client.st = "reset" => controller.decided

(* SWT: switch *)

SWT_1 == \A s \in Crossed : s.by = "client" /\ s.via # 0 => s.dst = Requests[s.via].backend
SWT_2 == \A s \in Crossed : s.by \in Backends /\ s.via # 0 => s.src = Logical
SWT_3 == \A s \in Crossed : s.via = 0 => s.src = s.by /\ s.dst = IF s.by = "client" THEN Logical ELSE "client"

\* A payload is what it was: the units of the stream that its number says.
SWT_5 == \A s \in Crossed : \A i \in DOMAIN s.data :
           s.data[i] = IF s.by = "client" THEN RequestAt[s.seq + i - 1] ELSE ReplyAt[s.seq + i - 1 - ISS]

SWT_6 == \A s \in Crossed : s.by \in Backends /\ s.via # 0 /\ IsRead(s.via) => s.wnd = 0
SWT_7 == \A s \in Crossed : s.dst \in Backends => ~s.fin

SWT_9 == /\ \A m \in Said({"added"})   : Expected(m) => switch.rule.handoff = m.handoff
         /\ \A m \in Said({"removed"}) : Expected(m) => switch.rule = NoRule

(* BKD: backend *)

BKD_1 == \A i \in DOMAIN client.got : client.got[i] = ReplyAt[i]

\* The request's end; the number of a FIN right behind it is BKD_4's.
EndOf(h) == Start[h + 1] + (IF client.fin = Start[h + 1] THEN 1 ELSE 0)
BKD_2 == \A b \in Lent : ~IsRead(LentFor(b)) => backend[b].rcv <= EndOf(LentFor(b))
BKD_3 == \A b \in Lent :  IsRead(LentFor(b)) => backend[b].rcv <= EndOf(LentFor(b))
BKD_4 == \A b \in Lent : client.fin # 0 => backend[b].rcv <= client.fin

BKD_6 == \A m \in Said({"complete"}) :
           client.rcv >= m.seq /\ m.seq = Reply[m.handoff + 1] /\ m.ack = Start[m.handoff + 1] /\ m.ts >= client.ts

\* A backend that stopped has said why.
BKD_7 == \A b \in Backends : backend[b].st = "idle" /\ backend[b].last # 0 => backend[b].report # "none"

BKD_8 == \A s \in InFlight : s.by # "client" => s.ts >= client.ts

BKD_9 == \A s \in FromBackends : ~s.owned => ~s.rst /\ ~s.fin /\ s.data = <<>>

(* RET: return and teardown *)

RET_1 == /\ controller.phase \in {"reading", "closing", "lastAck", "closed"} => switch.rule = NoRule
         /\ controller.phase = "handedOff" /\ controller.req \in {LentFor(b) : b \in Lent} => switch.rule.handoff = controller.req

RET_6 == controller.phase \in {"closed", "gone"} => switch.rule = NoRule /\ Lent = {}

RET_7 == \A i \in DOMAIN served : served[i] = i

(* ERR: failures *)

\* A late or repeated message brings nothing back that is over.
ERR_4 == /\ switch.rule # NoRule => switch.rule.handoff > switch.done
         /\ \A b \in Lent : LentFor(b) = controller.req

(* SEC: hostile traffic *)

SEC_1 == \A s \in Crossed : s.dst \in Backends => s.via # 0

-----------------------------------------------------------------------------
(* What must happen, given Fairness.  Each premise, once true, stays true   *)
(* until its conclusion holds: []<>(P => Q) then says P ~> Q, and all are  *)
(* checked in one pass.                                                    *)

EST_1 == []<>(client.st # "synSent" /\ controller.phase # "synReceived")

BKD_5 == []<>(\A b \in Lent : backend[b].una = backend[b].nxt)

\* A closed window reopens for a client that has something to send.
RET_2 == []<>(client.st = "established" /\ Pending => client.wnd > 0)

\* A FIN is honoured, whoever suppressed it.
RET_3 == []<>(client.fin # 0 => ClientEnded)
RET_4 == []<>(controller.phase \notin {"closing", "lastAck"})
RET_5 == []<>(client.st = "aborted" => controller.phase \in {"closed", "gone"} /\ switch.rule = NoRule /\ Lent = {})

\* Every request is answered, or the connection ends.
RET_7_Answered ==
  []<>(\A i \in 1..N : client.nxt >= Start[i + 1] => ClientEnded \/ client.eof \/ client.rcv >= Reply[i + 1])

ERR_1 == []<>(controller.decided => ClientEnded)

\* A hand-off is a backend's, or its message or report is on the way; else its loss is noticed.
ERR_2 == []<>(controller.phase = "handedOff" => controller.req \in {LentFor(b) : b \in Lent}
                                                  \/ OnItsWay({"handoff", "complete", "failed"}, controller.req))

\* The switch's silence keeps no connection waiting.
ERR_3 == []<>(controller.phase \notin {"installing", "removing"})
=============================================================================
