"""An adapter for a controller that connects to its peers by TCP: listens for it, and speaks enveloped lines on standard input and output."""

import json
import selectors
import socket
import sys

peers = dict(part.split("=") for part in sys.argv[1].split(","))
waiting = selectors.DefaultSelector()
for name, address in peers.items():
    host, port = address.rsplit(":", 1)
    waiting.register(socket.create_server((host, int(port))), selectors.EVENT_READ, ("listen", name))
waiting.register(sys.stdin.buffer.raw, selectors.EVENT_READ, ("stdin", ""))
streams, partial = {}, {}


def lines(key, data):
    *whole, partial[key] = (partial.get(key, b"") + data).split(b"\n")
    return whole


while True:
    for key, _ in waiting.select():
        kind, name = key.data
        if kind == "listen":
            streams[name] = key.fileobj.accept()[0]
            waiting.register(streams[name], selectors.EVENT_READ, ("peer", name))
        elif kind == "stdin":
            data = sys.stdin.buffer.raw.read(65536)
            if not data:
                sys.exit()
            for line in lines("", data):
                envelope = json.loads(line)
                streams[envelope["peer"]].sendall(json.dumps(envelope["message"]).encode() + b"\n")
        else:
            data = key.fileobj.recv(65536)
            if not data:
                waiting.unregister(key.fileobj)
            for line in lines(name, data):
                print(json.dumps({"peer": name, "message": json.loads(line)}), flush=True)
