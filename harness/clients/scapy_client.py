"""A TCP client made of scapy packets, on an address of its own: no options, one acknowledgement a segment, go-back-N, 16 KiB of window.

Arguments: interface, own address, own MAC, gateway, server, port, file for what is received, then `head:FILE` or `body:FILE` for each
request (the bytes to send). Prints `ready`, then one line of JSON: {"ok", "error"?, "closedBy"?}. What bounds its time is its caller.
"""
import json
import logging
import random
import re
import select
import socket
import sys
import time

logging.disable(logging.CRITICAL)

from scapy.config import conf  # noqa: E402

conf.ipv6_enabled = False
from scapy.arch.linux import L2Socket  # noqa: E402
from scapy.layers.inet import IP, TCP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402

WINDOW = 16384
FIRST_RTO = 0.4
LAST_RTO = 6.4
RECEIVE_BUFFER = 4 << 20
MODULUS = 1 << 32


class Refused(Exception):
    """The other side, or the network, did not do its part."""


def ahead(a, b):
    """How far sequence number a is ahead of b; negative behind it (RFC 9293, 3.4)."""
    return (a - b + (MODULUS >> 1)) % MODULUS - (MODULUS >> 1)


class Connection:
    def __init__(self, interface, ip, mac, gateway, server, port):
        self.link = L2Socket(iface=interface, promisc=True)
        self.link.ins.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.ip, self.mac, self.server, self.port = ip, mac, server, port
        self.source_port = random.randrange(32768, 61000)
        self.next_hop = None
        # RFC 9293, 3.3.1: SND.UNA, SND.NXT, SND.WND, RCV.NXT.
        self.una = self.nxt = random.randrange(MODULUS)
        self.peer_window = 0
        self.expected = None
        self.peer_mss = 536
        # What is not acknowledged yet, from una on.
        self.unacknowledged = b""
        self.received = bytearray()
        self.peer_closed = False
        self.reset = False
        self.rto = FIRST_RTO
        self.resend_at = None
        self._resolve(gateway)
        self._connect()

    def _resolve(self, gateway):
        ask = Ether(src=self.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op=1, hwsrc=self.mac, psrc=self.ip, hwdst="00:00:00:00:00:00", pdst=gateway
        )
        while self.next_hop is None:
            self.link.send(ask)
            self._wait(time.monotonic() + 1, lambda: self.next_hop is not None)

    def _connect(self):
        first = self.nxt
        while self.expected is None:
            self._segment("S", seq=first)
            self.nxt = (first + 1) % MODULUS
            self._wait(time.monotonic() + self.rto, lambda: self.expected is not None)
            if self.reset:
                raise Refused("connection refused")
            self.rto = min(self.rto * 2, LAST_RTO)
        self.una = self.nxt
        self.rto = FIRST_RTO
        self._segment("A")

    def _segment(self, flags, payload=b"", seq=None):
        header = TCP(
            sport=self.source_port,
            dport=self.port,
            seq=self.nxt if seq is None else seq,
            ack=self.expected or 0,
            flags=flags,
            window=WINDOW,
        )
        frame = Ether(src=self.mac, dst=self.next_hop) / IP(src=self.ip, dst=self.server, flags="DF") / header
        self.link.send(frame / payload if payload else frame)

    def _wait(self, until, done):
        """Takes frames until `done()` holds or the moment has come."""
        while not done() and not self.reset:
            left = until - time.monotonic()
            if left <= 0:
                return
            if select.select([self.link.ins], [], [], left)[0]:
                frame = self.link.recv()
                if frame is not None:
                    self._take(frame)

    def _take(self, frame):
        if ARP in frame:
            arp = frame[ARP]
            if arp.op == 2 and arp.pdst == self.ip:
                self.next_hop = arp.hwsrc
            elif arp.op == 1 and arp.pdst == self.ip:
                answer = ARP(op=2, hwsrc=self.mac, psrc=self.ip, hwdst=arp.hwsrc, pdst=arp.psrc)
                self.link.send(Ether(src=self.mac, dst=arp.hwsrc) / answer)
            return
        if TCP not in frame or frame[IP].dst != self.ip or frame[IP].src != self.server:
            return
        tcp = frame[TCP]
        if tcp.dport != self.source_port or tcp.sport != self.port:
            return
        if self.expected is None:
            self._take_answer(tcp)
            return
        # The length is IP's: Ethernet pads short frames.
        size = frame[IP].len - 4 * frame[IP].ihl - 4 * tcp.dataofs
        payload = bytes(tcp.payload)[:size] if size > 0 else b""
        if tcp.flags.R:
            # RFC 5961, 3.2: the exact number resets.
            if tcp.seq == self.expected:
                self.reset = True
            return
        if tcp.flags.S:
            self._segment("A")
            return
        if tcp.flags.A:
            self._acknowledged(tcp)
        if payload or tcp.flags.F:
            self._data(tcp.seq, payload, bool(tcp.flags.F))

    def _take_answer(self, tcp):
        if tcp.flags.R and tcp.flags.A and tcp.ack == self.nxt:
            self.reset = True
        elif tcp.flags.S and tcp.flags.A and tcp.ack == self.nxt:
            self.expected = (tcp.seq + 1) % MODULUS
            self.peer_window = tcp.window
            for name, value in tcp.options:
                if name == "MSS":
                    self.peer_mss = value

    def _acknowledged(self, tcp):
        progress = ahead(tcp.ack, self.una)
        if progress < 0 or ahead(tcp.ack, self.nxt) > 0:
            return
        if progress > 0:
            self.unacknowledged = self.unacknowledged[progress:]
            self.una = tcp.ack
            self.rto = FIRST_RTO
            self.resend_at = None
        self.peer_window = tcp.window

    def _data(self, seq, payload, fin):
        known = ahead(self.expected, seq)
        if 0 <= known <= len(payload) and not self.peer_closed:
            self.received += payload[known:]
            self.expected = (self.expected + len(payload) - known) % MODULUS
            if fin:
                self.expected = (self.expected + 1) % MODULUS
                self.peer_closed = True
        self._segment("A")

    def _transmit(self):
        """Sends what the window allows; after a time-out from una on again, one byte into a closed window (RFC 9293, 3.8.6.1)."""
        now = time.monotonic()
        if self.resend_at is not None and now >= self.resend_at:
            self.nxt = self.una
            self.rto = min(self.rto * 2, LAST_RTO)
            self.resend_at = None
            if self.unacknowledged and self.peer_window == 0:
                self._send_piece(1)
        # RFC 9293, 3.7.1: our own link carries 1500 bytes.
        mss = min(self.peer_mss, 1460)
        while True:
            sent = ahead(self.nxt, self.una)
            size = min(mss, len(self.unacknowledged) - sent, self.peer_window - sent)
            if size <= 0:
                break
            self._send_piece(size)
        if self.unacknowledged and self.resend_at is None:
            self.resend_at = now + self.rto

    def _send_piece(self, size):
        sent = ahead(self.nxt, self.una)
        self._segment("PA", self.unacknowledged[sent:sent + size])
        self.nxt = (self.nxt + size) % MODULUS

    def run(self, done):
        """Sends and receives until `done()` holds; Refused when the other side ends it first."""
        while not done():
            if self.reset:
                raise Refused("the connection ended (server-rst) within a response")
            if self.peer_closed:
                raise Refused("the connection ended (server-fin) within a response")
            self._transmit()
            una, window, size = self.una, self.peer_window, len(self.received)
            until = self.resend_at if self.resend_at is not None else time.monotonic() + 1
            self._wait(
                until,
                lambda: self.peer_closed
                or una != self.una
                or window != self.peer_window
                or size != len(self.received),
            )

    def write(self, data):
        self.unacknowledged += data

    def close(self):
        """FIN, and then the other side's; a FIN that stays unanswered is repeated."""
        fin = self.nxt
        self.nxt = (fin + 1) % MODULUS
        for _ in range(8):
            self._segment("FA", seq=fin)
            self._wait(
                time.monotonic() + self.rto,
                lambda: self.peer_closed and ahead(self.una, fin) > 0,
            )
            if self.reset or (self.peer_closed and ahead(self.una, fin) > 0):
                return
            self.rto = min(self.rto * 2, LAST_RTO)


def response_end(stream, start, head):
    """Where the response that starts there ends, interim ones skipped; None while it is not whole."""
    while True:
        empty = stream.find(b"\r\n\r\n", start)
        if empty < 0:
            return None
        header = bytes(stream[start:empty])
        end = empty + 4
        status = re.match(rb"HTTP/1\.[01] (\d{3})", header)
        if not status:
            raise Refused("not a status line: %r" % header[:60])
        code = int(status.group(1))
        if code >= 200:
            break
        start = end
    length = re.search(rb"(?im)^content-length: *(\d+)", header)
    if head or code in (204, 304):
        return end
    if not length:
        raise Refused("a response without a length")
    end += int(length.group(1))
    return end if end <= len(stream) else None


def play(connection, requests):
    start = 0
    for kind, data in requests:
        connection.write(data)
        connection.run(lambda: response_end(connection.received, start, kind == "head") is not None)
        start = response_end(connection.received, start, kind == "head")
    # What was answered was received, but its acknowledgement may still be on its way.
    connection.run(lambda: not connection.unacknowledged)


def main():
    interface, ip, mac, gateway, server, port, output = sys.argv[1:8]
    requests = []
    for word in sys.argv[8:]:
        kind, _, name = word.partition(":")
        with open(name, "rb") as file:
            requests.append((kind, file.read()))
    print("ready", flush=True)
    connection = None
    result = {"ok": True, "closedBy": "client"}
    try:
        connection = Connection(interface, ip, mac, gateway, server, int(port))
        play(connection, requests)
        connection.close()
    except Refused as error:
        result = {"ok": False, "error": str(error)}
    if connection is not None:
        with open(output, "wb") as file:
            file.write(connection.received)
    print(json.dumps(result), flush=True)


main()
