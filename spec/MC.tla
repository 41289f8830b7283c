--------------------------------- MODULE MC ---------------------------------
(* How small the world of Handoff.tla is made. *)
EXTENDS Clauses

Read(head, response, b)           == [kind |-> "read",  head |-> head, payload |-> 0, response |-> response, backend |-> b]
Write(head, payload, response, b) == [kind |-> "write", head |-> head, payload |-> payload, response |-> response, backend |-> b]
Bad(head)                         == [kind |-> "bad",   head |-> head, payload |-> 0, response |-> 1, backend |-> "none"]

\* A read of one backend and a write of another, whose header comes in parts; then what nobody can parse.
ReadWriteBad == <<Read(1, 3, "b1"), Write(2, 1, 1, "b2"), Bad(1)>>

AllKinds == {"lose", "delay", "duplicate", "loseControl", "repeat", "crash", "fail", "silence", "refuse", "abort", "close"}

\* With two of them: any single misfortune, or two losses, or a backend's failure and a loss.
OneOrLosses == [k \in AllKinds |-> IF k \in {"fail", "lose"} THEN 1 ELSE 2]
=============================================================================
