--------------------------------- MODULE MC ---------------------------------
(* How small the world of Handoff.tla is made. *)
EXTENDS Witnesses

Read(head, response, b)           == [kind |-> "read",  head |-> head, payload |-> 0, response |-> response, backend |-> b]
Write(head, payload, response, b) == [kind |-> "write", head |-> head, payload |-> payload, response |-> response, backend |-> b]
Bad(head)                         == [kind |-> "bad",   head |-> head, payload |-> 0, response |-> 1, backend |-> "none"]

\* A read of one backend and a write of another, whose header comes in parts; then what nobody can parse.
ReadWriteBad == <<Read(1, 3, "b1"), Write(2, 1, 1, "b2"), Bad(1)>>

ReadThenWrite == <<Read(1, 1, "b1"), Write(1, 1, 1, "b2")>>

AllKinds == {"lose", "delay", "duplicate", "loseControl", "repeat", "crash", "fail", "silence", "refuse", "abort", "close"}

\* With two to spend: any single misfortune, or two losses, or a backend's failure and a loss.
CheapLosses(kinds) == [k \in kinds |-> IF k \in {"fail", "lose"} THEN 1 ELSE 2]
OneOrLosses        == CheapLosses(AllKinds)
OneOrLossesInOrder == CheapLosses(AllKinds \ {"delay", "duplicate", "repeat", "abort"})
OneFailure         == [k \in {"fail"} |-> 1]
AnyTwo             == [k \in AllKinds |-> 1]
=============================================================================
