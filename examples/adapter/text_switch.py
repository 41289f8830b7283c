#!/usr/bin/env python3
"""A switch with a control protocol of its own, for the adapter beside it to translate: the data path of ../python-switch, told by lines of text.

    PUT client:port logical:port backend ip mac zero|keep clear|keep    DONE, or NO conflict|full|unroutable
    DEL client:port logical:port                                        DONE
    SHOW                                                                a line `ROW ...` for each rule, then DONE
"""

import argparse
import json
import os
import selectors
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-switch"))
sys.dont_write_bytecode = True
from switch import Fabric, Rule, RuleTable, open_port  # noqa: E402


def endpoint(text):
    address, port = text.rsplit(":", 1)
    return {"ip": address, "port": int(port)}


def row(rule):
    conn, backend = rule["conn"], rule["backend"]
    ends = [f"{end['ip']}:{end['port']}" for end in (conn["client"], conn["logical"])]
    zero = "zero" if rule["zeroWindow"] else "keep"
    clear = "clear" if rule["clearFin"] else "keep"
    return " ".join([*ends, backend["name"], backend["ip"], backend["mac"], zero, clear])


def answer(line, fabric, table):
    word, *values = line.split() or [""]
    if word == "SHOW":
        return [*(f"ROW {row(rule.message)}" for rule in table.by_client.values()), "DONE"]
    if word == "DEL" and len(values) == 2:
        table.remove({"client": endpoint(values[0]), "logical": endpoint(values[1])})
        return ["DONE"]
    if word == "PUT" and len(values) == 7:
        client, logical, name, ip, mac, zero, clear = values
        rule = Rule(
            {
                "conn": {"client": endpoint(client), "logical": endpoint(logical)},
                "backend": {"name": name, "ip": ip, "mac": mac},
                "zeroWindow": zero == "zero",
                "clearFin": clear == "clear",
            }
        )
        if rule.backend not in fabric.hosts:
            return ["NO unroutable"]
        refusal = table.add(rule)
        return ["DONE" if refusal is None else f"NO {refusal[0]}"]
    return ["NO what?"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("topology")
    arguments.add_argument("ports")
    arguments.add_argument("control")
    options = arguments.parse_args()
    with open(options.topology, encoding="utf-8") as file:
        topology = json.load(file)
    ports = {name: open_port(name) for name in options.ports.split(",")}
    table = RuleTable(1024)
    fabric = Fabric(topology, ports, table)
    address, port = options.control.rsplit(":", 1)
    listener = socket.create_server((address, int(port)))
    waiting = selectors.DefaultSelector()
    for name, sock in ports.items():
        waiting.register(sock, selectors.EVENT_READ, name)
    waiting.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in waiting.select():
            if isinstance(key.data, str):
                for _ in range(64):
                    try:
                        frame = key.fileobj.recv(65536)
                    except BlockingIOError:
                        break
                    left = fabric.handle(key.data, frame)
                    if left is not None:
                        try:
                            ports[left[0]].send(left[1])
                        except OSError:
                            pass
            elif key.data is None:
                connection, _ = listener.accept()
                waiting.register(connection, selectors.EVENT_READ, connection.makefile("rw", encoding="ascii"))
            else:
                line = key.data.readline()
                if line == "":
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
                    continue
                key.data.write("".join(f"{text}\n" for text in answer(line, fabric, table)))
                key.data.flush()


if __name__ == "__main__":
    main()
