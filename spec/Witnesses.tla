------------------------------ MODULE Witnesses ------------------------------
(***************************************************************************)
(* Situations that must really occur, so that no clause holds because      *)
(* nothing ever happens: `sometimes` beside the `always` of Clauses.tla.   *)
(* H1 to H10 are the hazards of the design.  TLC prints each when it first *)
(* meets it; `Sometimes` itself is always true.                            *)
(***************************************************************************)
EXTENDS Clauses, TLC

ToBackend == {s \in Crossed : s.dst \in Backends}
ToClient  == {s \in Crossed : s.by \in Backends}
Reading   == controller.phase = "reading"

Situations ==
  << <<"H1 a client's segment meets a backend before take-over",
       \E s \in ToBackend : backend[s.dst].st = "idle" /\ backend[s.dst].last < s.via>>,
     <<"H2 a client's segment meets a backend that gave the connection up",
       \E s \in ToBackend : backend[s.dst].st = "idle" /\ backend[s.dst].last >= s.via>>,
     <<"H3 an old zero window is on its way when the window is open again",
       Reading /\ \E s \in ToClient : s.wnd = 0 /\ s.seq = client.rcv>>,
     <<"H4 the acknowledgement that reopened the window is lost",
       Reading /\ Quiet /\ client.st = "established" /\ Pending /\ client.wnd = 0>>,
     <<"H5 pipelined bytes behind a read meet its backend",
       \E s \in ToBackend : IsRead(s.via) /\ s.data # <<>> /\ s.seq >= HeadEnd[s.via] /\ backend[s.dst].st = "serving">>,
     <<"H6 the end of a payload and the next request share a segment",
       \E s \in ToBackend : ~IsRead(s.via) /\ s.seq < Start[s.via + 1] /\ s.seq + Len(s.data) > Start[s.via + 1]>>,
     <<"H7 a backend crashes when the client has some of its response",
       controller.phase = "handedOff" /\ backend[Requests[controller.req].backend].st = "crashed" /\ client.rcv > controller.nxt>>,
     <<"H8 a FIN is cleared",
       \E s \in ToBackend : client.fin # 0 /\ client.nxt > client.fin /\ s.seq = client.fin /\ s.data = <<>> /\ ~s.rst>>,
     <<"H9 a backend's segment has yet to cross the switch when the rules are gone",
       \E s \in FromBackends \ Crossed : switch.rule = NoRule>>,
     <<"H10 a former backend's data arrives when the connection has moved on",
       \E s \in ToClient : s.data # <<>> /\ s.via < controller.req>>,
     <<"a header arrives in parts",
       Reading /\ controller.req <= N /\ Start[controller.req] < controller.rcv /\ controller.rcv < HeadEnd[controller.req]>>,
     <<"a payload arrives behind its header",
       \E s \in Crossed : s.dst = Logical /\ Reading /\ controller.req <= N /\ ~IsRead(controller.req)
                            /\ s.seq <= controller.rcv /\ s.seq + Len(s.data) > HeadEnd[controller.req]>>,
     <<"a window probe meets a backend",
       \E s \in ToBackend : Extent(s) = 0 /\ ~s.rst /\ backend[s.dst].st = "serving" /\ s.seq < backend[s.dst].rcv>>,
     <<"a client's abort meets a backend",
       \E s \in ToBackend : s.rst /\ backend[s.dst].st = "serving" /\ s.seq = backend[s.dst].rcv>>,
     <<"successive requests are served by different backends (HOF-6)",
       Len(served) >= 2 /\ client.rcv >= Reply[3] /\ Requests[1].backend # Requests[2].backend>>,
     <<"every request is answered and the connection closed",
       Len(served) = N /\ client.st = "finished" /\ controller.phase \in {"closed", "gone"}>>,
     <<"a report comes when the backend has been given up",
       \E m \in Said({"complete"}) : ~InForce(m)>>,
     <<"the switch refuses a rule",
       Said({"refused"}) # {}>>,
     <<"a client that is to be reset tells the number it expects",
       controller.phase = "resetting" /\ \E s \in InFlight : s.by = "client" /\ ~s.rst /\ client.st = "established">>,
     <<"segments of two hosts are on their way to the client at once",
       \E s, r \in InFlight : s.by \in Backends /\ r.by = Logical>> >>

ASSUME \A i \in 1..20 : TLCSet(i, FALSE)

Met(i) == IF TLCGet(i) THEN TRUE
          ELSE Situations[i][2] => TLCSet(i, TRUE) /\ PrintT(<<"sometimes", i, Situations[i][1]>>)

Sometimes == \A i \in DOMAIN Situations : Met(i)
=============================================================================
