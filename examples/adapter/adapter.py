#!/usr/bin/env python3
"""An adapter: speaks the control protocol of docs/control-protocol.md on its standard input and output, and the text protocol of text_switch.py
with the switch that is named on its command line. What a switch with a protocol of its own needs to be judged: nothing in the switch itself.

What such a switch lacks, the adapter adds: here the memory of requests that come again, and the counters.
"""

import json
import socket
import sys
import time
from collections import OrderedDict

REMEMBERED_REQUESTS = 512
CODES = {"conflict": "conflict", "full": "full", "unroutable": "unsupported"}
KEYS = {"add": {"verb", "id", "rule"}, "remove": {"verb", "id", "conn"}, "list": {"verb", "id"}, "stats": {"verb", "id"}}


class TextSwitch:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        while True:
            try:
                self.stream = socket.create_connection((host, int(port))).makefile("rw", encoding="ascii")
                return
            except ConnectionRefusedError:
                # It is still starting; the harness ends us both when that takes too long.
                time.sleep(0.02)

    def ask(self, line):
        """The lines of its answer; the last one is DONE, or NO and why."""
        self.stream.write(f"{line}\n")
        self.stream.flush()
        lines = []
        while not lines or lines[-1].split()[0] not in ("DONE", "NO"):
            line = self.stream.readline()
            if line == "":
                sys.exit("the switch has closed its connection")
            lines.append(line.strip())
        return lines


def ends(conn):
    return " ".join(f"{conn[end]['ip']}:{conn[end]['port']}" for end in ("client", "logical"))


def endpoint(text):
    address, port = text.rsplit(":", 1)
    return {"ip": address, "port": int(port)}


def put(rule):
    backend = rule["backend"]
    zero = "zero" if rule["zeroWindow"] else "keep"
    clear = "clear" if rule["clearFin"] else "keep"
    return f"PUT {ends(rule['conn'])} {backend['name']} {backend['ip']} {backend['mac']} {zero} {clear}"


def rule_of(row):
    _, client, logical, name, ip, mac, zero, clear = row.split()
    return {
        "conn": {"client": endpoint(client), "logical": endpoint(logical)},
        "backend": {"name": name, "ip": ip, "mac": mac},
        "zeroWindow": zero == "zero",
        "clearFin": clear == "clear",
    }


def carry_out(request, switch):
    ok = {"verb": "ok", "re": request["id"]}
    if request["verb"] == "remove":
        switch.ask(f"DEL {ends(request['conn'])}")
        return ok
    if request["verb"] == "add":
        said = switch.ask(put(request["rule"]))[-1].split()
        if said[0] == "DONE":
            return ok
        return {"verb": "refused", "re": request["id"], "code": CODES.get(said[1], "busy"), "reason": " ".join(said)}
    rules = [rule_of(row) for row in switch.ask("SHOW")[:-1]]
    if request["verb"] == "list":
        return {**ok, "rules": rules}
    return {**ok, "stats": {"rules": len(rules), "capacity": 1024, "frames": 0, "rewritten": 0, "routed": 0, "dropped": 0}}


def main():
    switch = TextSwitch(sys.argv[1])
    answered = OrderedDict()
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if set(request) != KEYS[request["verb"]] or not isinstance(request["id"], str):
                raise ValueError("keys")
            id_ = request["id"]
            if id_ in answered and answered[id_][0] != request:
                answer = {"verb": "refused", "re": id_, "code": "conflict", "reason": "this id was used for another request"}
            else:
                answer = answered[id_][1] if id_ in answered else carry_out(request, switch)
                if request["verb"] in ("add", "remove"):
                    answered[id_] = (request, answer)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # A line that is no message changes nothing and draws no answer.
            print(f"not a message: {error!r}", file=sys.stderr, flush=True)
            continue
        if len(answered) > REMEMBERED_REQUESTS:
            answered.popitem(last=False)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
