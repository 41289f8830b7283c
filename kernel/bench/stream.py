"""One end of a TCP stream as fast as the kernel takes it: `receive PORT` prints bytes and seconds, `send ADDRESS PORT SOURCE-PORT SECONDS` sends."""
import socket
import sys
import time

PIECE = 1 << 20


def receive(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", port))
    listener.listen()
    print("listening", flush=True)
    while True:
        stream, _ = listener.accept()
        buffer = bytearray(PIECE)
        total = stream.recv_into(buffer)
        started = time.monotonic()
        while True:
            count = stream.recv_into(buffer)
            if count == 0:
                break
            total += count
        print(total, time.monotonic() - started, flush=True)
        stream.close()


def send(address, port, source_port, seconds):
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stream.bind(("", source_port))
    stream.settimeout(5)
    stream.connect((address, port))
    piece = bytes(PIECE)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stream.sendall(piece)
    stream.shutdown(socket.SHUT_WR)
    while stream.recv(PIECE):
        pass
    stream.close()


if sys.argv[1] == "receive":
    receive(int(sys.argv[2]))
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
