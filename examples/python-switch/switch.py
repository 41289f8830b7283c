#!/usr/bin/env python3
"""A Prism switch in plain Python, written from docs/control-protocol.md alone: AF_PACKET sockets, the standard library, nothing else.

It is an example to read, and slow. Run it by its manifest beside it:

    prism test --world linux --target examples/python-switch/prism-target.json SWT-1
"""

import argparse
import json
import selectors
import socket
import struct
import time
from collections import OrderedDict

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
PACKET_OUTGOING = 4
LONGEST_LINE = 256 * 1024
REMEMBERED_REQUESTS = 512
DRAIN_S = 1.0

FIN = 0x01
REFUSED_CODES = ("conflict", "full", "unknown-connection", "stale", "unsupported", "busy")


def ip_bytes(text):
    return socket.inet_aton(text)


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def ones_complement_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def adjusted(checksum, old, new):
    """RFC 1624, equation 3: the checksum after `old` (bytes, a whole number of words) has become `new`."""
    total = ~checksum & 0xFFFF
    for (was,), (now,) in zip(struct.iter_unpack("!H", old), struct.iter_unpack("!H", new)):
        total += (~was & 0xFFFF) + now
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Rule:
    """One handed-off connection, both directions, as bytes that can be compared with those of a frame."""

    def __init__(self, message):
        conn, backend = message["conn"], message["backend"]
        self.message = message
        self.conn = conn
        self.client = ip_bytes(conn["client"]["ip"])
        self.client_port = conn["client"]["port"]
        self.logical = ip_bytes(conn["logical"]["ip"])
        self.logical_port = conn["logical"]["port"]
        self.backend = ip_bytes(backend["ip"])
        self.backend_mac = mac_bytes(backend["mac"])

    @property
    def forward_key(self):
        return (self.client, self.client_port, self.logical, self.logical_port)

    @property
    def return_key(self):
        return (self.backend, self.logical_port, self.client, self.client_port)


class RuleTable:
    """Rules by the four values that a segment of either direction shows, and what is draining of removed ones."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.by_client = {}
        self.by_backend = {}
        self.drains = {}

    def add(self, rule):
        """None when the rule is in force; else the code and the reason of the refusal."""
        present = self.by_client.get(rule.forward_key) or self.by_backend.get(rule.return_key)
        if present is not None:
            if present.message == rule.message:
                return None
            return "conflict", f"there is a rule to {present.message['backend']['name']}"
        if len(self.by_client) >= self.capacity:
            return "full", f"all {self.capacity} rules are in use"
        self.by_client[rule.forward_key] = rule
        self.by_backend[rule.return_key] = rule
        self.drains.pop(rule.return_key, None)
        return None

    def remove(self, conn):
        key = (
            ip_bytes(conn["client"]["ip"]),
            conn["client"]["port"],
            ip_bytes(conn["logical"]["ip"]),
            conn["logical"]["port"],
        )
        rule = self.by_client.pop(key, None)
        if rule is None:
            return
        del self.by_backend[rule.return_key]
        now = time.monotonic()
        self.drains = {k: end for k, end in self.drains.items() if end > now}
        self.drains[rule.return_key] = now + DRAIN_S

    def is_draining(self, key):
        return self.drains.get(key, 0) > time.monotonic()


class Fabric:
    """The data path: what becomes of a frame."""

    def __init__(self, topology, ports, table):
        self.mac = mac_bytes(topology["logical"]["mac"])
        self.logical = ip_bytes(topology["logical"]["ip"])
        self.table = table
        hosts = [("controller", topology["controller"])]
        hosts += [(backend["name"], backend) for backend in topology["backends"]]
        hosts += [("client", client) for client in topology.get("clients", [])]
        hosts = [(port, host) for port, host in hosts if port in ports]
        self.hosts = {ip_bytes(host["ip"]): (port, mac_bytes(host["mac"])) for port, host in hosts}
        # The logical address is the controller's.
        self.hosts[self.logical] = self.hosts[ip_bytes(topology["controller"]["ip"])]
        self.gateways = {port: ip_bytes(host["ip"])[:3] + b"\x01" for port, host in hosts}
        self.learned = set()
        self.stats = {"frames": 0, "rewritten": 0, "routed": 0, "dropped": 0}

    def handle(self, port, frame):
        """The port by which a frame leaves and its bytes, or None when it is dropped."""
        self.stats["frames"] += 1
        left = self.forward(port, frame)
        if left is None:
            self.stats["dropped"] += 1
        return left

    def forward(self, port, frame):
        if len(frame) < 14:
            return None
        kind = frame[12:14]
        if kind == b"\x08\x06" and frame[0:6] in (self.mac, b"\xff" * 6):
            return self.answer_arp(port, frame)
        if frame[0:6] != self.mac or kind != b"\x08\x00":
            return None
        ip = frame[14:]
        if len(ip) < 20 or ip[0] >> 4 != 4:
            return None
        header = (ip[0] & 15) * 4
        length = struct.unpack("!H", ip[2:4])[0]
        if header < 20 or length < header or len(ip) < length:
            return None
        if ones_complement_sum(ip[:header]) != 0xFFFF or ip[8] <= 1:
            return None
        src, dst = ip[12:16], ip[16:20]
        fragment = struct.unpack("!H", ip[6:8])[0] & 0x3FFF
        if ip[9] == 6 and fragment == 0 and length - header >= 20:
            tcp_header = (ip[header + 12] >> 4) * 4
            if 20 <= tcp_header <= length - header:
                src_port, dst_port = struct.unpack("!HH", ip[header : header + 4])
                rule = self.table.by_client.get((src, src_port, dst, dst_port))
                if rule is not None:
                    return self.to_backend(frame, header, rule)
                key = (src, src_port, dst, dst_port)
                rule = self.table.by_backend.get(key)
                # Whoever takes the backend's address on another link is not that backend.
                if rule is not None and self.hosts[rule.backend][0] == port:
                    return self.to_client(frame, header, rule)
                if self.table.is_draining(key):
                    return None
        if dst not in self.hosts:
            return None
        out, mac = self.hosts[dst]
        self.stats["routed"] += 1
        return out, self.lower_ttl(self.readdress(frame, mac))

    def answer_arp(self, port, frame):
        arp = frame[14:42]
        if len(arp) < 28 or arp[0:8] != b"\0\x01\x08\0\x06\x04\0\x01":
            return None
        sender_mac, sender_ip, target = arp[8:14], arp[14:18], arp[24:28]
        self.learn(port, sender_ip, sender_mac)
        ours = target == self.gateways[port] or (target == self.logical and port != "controller")
        if not ours or sender_ip == target:
            return None
        answer = sender_mac + self.mac + b"\x08\x06" + b"\0\x01\x08\0\x06\x04\0\x02"
        return port, answer + self.mac + target + sender_mac + sender_ip

    def learn(self, port, ip, mac):
        """A client that the topology does not name, believed about itself on the clients' link only, and never against the topology."""
        gateway = self.gateways[port]
        known = self.hosts.get(ip)
        if port != "client" or ip[:3] != gateway[:3] or ip == gateway or (known and ip not in self.learned):
            return
        self.learned.add(ip)
        self.hosts[ip] = (port, mac)

    def readdress(self, frame, destination):
        return bytearray(destination + self.mac + frame[12:])

    def lower_ttl(self, frame):
        old = bytes(frame[22:24])
        frame[22] -= 1
        self.patch(frame, 24, old, bytes(frame[22:24]))
        return frame

    @staticmethod
    def patch(frame, at, old, new):
        checksum = struct.unpack("!H", frame[at : at + 2])[0]
        frame[at : at + 2] = struct.pack("!H", adjusted(checksum, old, new))

    def set_address(self, frame, at, header, address):
        """The source (26) or destination (30) address; it counts in the IPv4 checksum and, through the pseudo-header, in TCP's."""
        old = bytes(frame[at : at + 4])
        frame[at : at + 4] = address
        self.patch(frame, 24, old, address)
        self.patch(frame, 14 + header + 16, old, address)

    def set_word(self, frame, at, header, value):
        """A word of the TCP header."""
        old = bytes(frame[at : at + 2])
        new = struct.pack("!H", value)
        frame[at : at + 2] = new
        self.patch(frame, 14 + header + 16, old, new)

    def to_backend(self, frame, header, rule):
        out = self.readdress(frame, rule.backend_mac)
        self.set_address(out, 30, header, rule.backend)
        flags = 14 + header + 12
        word = struct.unpack("!H", out[flags : flags + 2])[0]
        if rule.message["clearFin"] and word & FIN:
            self.set_word(out, flags, header, word & ~FIN)
        port = self.hosts[rule.backend][0]
        self.stats["rewritten"] += 1
        return port, self.lower_ttl(out)

    def to_client(self, frame, header, rule):
        if rule.client not in self.hosts:
            return None
        port, mac = self.hosts[rule.client]
        out = self.readdress(frame, mac)
        self.set_address(out, 26, header, rule.logical)
        if rule.message["zeroWindow"]:
            self.set_word(out, 14 + header + 14, header, 0)
        self.stats["rewritten"] += 1
        return port, self.lower_ttl(out)


class Invalid(Exception):
    pass


def exactly(value, keys):
    if not isinstance(value, dict) or set(value) != set(keys):
        raise Invalid(f"expected the keys {', '.join(keys)}")


def check_address(value):
    try:
        if not isinstance(value, str) or value.count(".") != 3:
            raise OSError
        ip_bytes(value)
    except OSError:
        raise Invalid("not an IPv4 address") from None


def check_conn(conn):
    exactly(conn, ("client", "logical"))
    for end in conn.values():
        exactly(end, ("ip", "port"))
        check_address(end["ip"])
        if type(end["port"]) is not int or not 1 <= end["port"] <= 65535:
            raise Invalid("not a port")


def check_rule(rule):
    exactly(rule, ("conn", "backend", "zeroWindow", "clearFin"))
    check_conn(rule["conn"])
    backend = rule["backend"]
    exactly(backend, ("name", "ip", "mac"))
    check_address(backend["ip"])
    if not isinstance(backend["name"], str) or not 1 <= len(backend["name"]) <= 64:
        raise Invalid("not a name")
    octets = backend["mac"].split(":") if isinstance(backend["mac"], str) else []
    if len(octets) != 6 or any(len(o) != 2 or o.strip("0123456789abcdef") for o in octets):
        raise Invalid("not a MAC address")
    if type(rule["zeroWindow"]) is not bool or type(rule["clearFin"]) is not bool:
        raise Invalid("not a boolean")


KEYS = {"add": ("verb", "id", "rule"), "remove": ("verb", "id", "conn"), "list": ("verb", "id"), "stats": ("verb", "id")}


def read_request(line):
    """A valid request, or Invalid."""
    try:
        message = json.loads(line)
    except ValueError:
        raise Invalid("not JSON") from None
    verb = message.get("verb") if isinstance(message, dict) else None
    if verb not in KEYS:
        raise Invalid("no verb of a switch")
    exactly(message, KEYS[verb])
    if not isinstance(message["id"], str) or not 1 <= len(message["id"]) <= 128:
        raise Invalid("not an id")
    if verb == "add":
        check_rule(message["rule"])
    if verb == "remove":
        check_conn(message["conn"])
    return message


class Control:
    """The control channel: lines in, answers out."""

    def __init__(self, fabric, table):
        self.fabric = fabric
        self.table = table
        self.answered = OrderedDict()

    def take(self, line):
        """The answer to a line, or None."""
        try:
            request = read_request(line)
        except Invalid as error:
            print(f"control message rejected: {error}", flush=True)
            return None
        if request["verb"] in ("list", "stats"):
            return self.answer(request)
        earlier = self.answered.get(request["id"])
        if earlier is not None:
            same = earlier[0] == request
            return earlier[1] if same else self.refuse(request, "conflict", "this id was used for another request")
        answer = self.answer(request)
        self.answered[request["id"]] = (request, answer)
        if len(self.answered) > REMEMBERED_REQUESTS:
            self.answered.popitem(last=False)
        return answer

    @staticmethod
    def refuse(request, code, reason):
        assert code in REFUSED_CODES
        return {"verb": "refused", "re": request["id"], "code": code, "reason": reason}

    def answer(self, request):
        ok = {"verb": "ok", "re": request["id"]}
        if request["verb"] == "list":
            return {**ok, "rules": [rule.message for rule in self.table.by_client.values()]}
        if request["verb"] == "stats":
            counts = {"rules": len(self.table.by_client), "capacity": self.table.capacity}
            return {**ok, "stats": {**counts, **self.fabric.stats}}
        if request["verb"] == "remove":
            self.table.remove(request["conn"])
            return ok
        rule = Rule(request["rule"])
        if rule.backend not in self.fabric.hosts:
            return self.refuse(request, "unsupported", f"no route to {request['rule']['backend']['ip']}")
        refusal = self.table.add(rule)
        return ok if refusal is None else self.refuse(request, *refusal)


class Channel:
    """One connection of the controller."""

    def __init__(self, connection):
        self.connection = connection
        self.partial = b""
        self.skipping = False

    def lines(self):
        """Whole lines that have come; None when the connection is over."""
        try:
            data = self.connection.recv(65536)
        except ConnectionError:
            return None
        if not data:
            return None
        *lines, self.partial = (self.partial + data).split(b"\n")
        if self.skipping and lines:
            lines.pop(0)
            self.skipping = False
        if len(self.partial) > LONGEST_LINE:
            self.skipping = True
        if self.skipping:
            self.partial = b""
        return lines

    def send(self, message):
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except ConnectionError:
            pass


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    port.bind((name, ETH_P_ALL))
    port.setblocking(False)
    return port


def main():
    arguments = argparse.ArgumentParser(description="A Prism switch.")
    arguments.add_argument("--topology", required=True)
    arguments.add_argument("--ports", required=True, help="interfaces, joined by commas")
    arguments.add_argument("--control", required=True, help="ADDRESS:PORT to wait at")
    arguments.add_argument("--control-peer", required=True, help="address of the controller")
    arguments.add_argument("--rule-capacity", type=int, default=1024)
    options = arguments.parse_args()

    with open(options.topology, encoding="utf-8") as file:
        topology = json.load(file)
    ports = {name: open_port(name) for name in options.ports.split(",")}
    table = RuleTable(options.rule_capacity)
    fabric = Fabric(topology, ports, table)
    control = Control(fabric, table)
    address, port = options.control.rsplit(":", 1)
    listener = socket.create_server((address, int(port)))

    waiting = selectors.DefaultSelector()
    for name, sock in ports.items():
        waiting.register(sock, selectors.EVENT_READ, name)
    waiting.register(listener, selectors.EVENT_READ, listener)
    channel = None

    def hang_up():
        waiting.unregister(channel.connection)
        channel.connection.close()

    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            if key.data is listener:
                connection, (peer, *_) = listener.accept()
                if peer != options.control_peer:
                    connection.close()
                    continue
                if channel is not None:
                    hang_up()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                channel = Channel(connection)
                waiting.register(connection, selectors.EVENT_READ, channel)
            elif key.data is channel:
                lines = channel.lines()
                if lines is None:
                    hang_up()
                    channel = None
                    continue
                for line in lines:
                    answer = control.take(line)
                    if answer is not None:
                        channel.send(answer)
            elif isinstance(key.data, str):
                # A few at a time, so that no port waits for another.
                for _ in range(64):
                    try:
                        frame, (_, _, kind, *_) = key.fileobj.recvfrom(65536)
                    except BlockingIOError:
                        break
                    if kind == PACKET_OUTGOING:
                        continue
                    left = fabric.handle(key.data, frame)
                    if left is not None:
                        try:
                            ports[left[0]].send(left[1])
                        except (BlockingIOError, OSError):
                            pass


if __name__ == "__main__":
    main()
