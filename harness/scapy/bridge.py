"""Scapy as the independent oracle for the wire codecs: answers batches of frames and packet descriptions, one JSON object a line.

Request {"id", "op": "dissect", "items": [frame in hex, ...]} or {"id", "op": "build", "items": [description, ...]};
or {"id", "op": "craft", "items": [description, ...]}, which gives a list of frames for each; reply {"id", "items": [...]} or {"id", "error"}. A description is what `dissect` gives (see bridge.ts for its fields).
"""
import json
import logging
import struct
import sys

logging.disable(logging.CRITICAL)

from scapy.layers.inet import IP, TCP, UDP, TCPOptions  # noqa: E402
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.packet import Padding, Raw  # noqa: E402
from scapy.utils import checksum  # noqa: E402

SCAPY_NAMES = {"mss": "MSS", "window-scale": "WScale", "sack-permitted": "SAckOK", "sack": "SAck", "timestamps": "Timestamp"}
CODES = {"MSS": 2, "WScale": 3, "SAckOK": 4, "SAck": 5, "Timestamp": 8}


def option_from_scapy(name, value):
    """A known option that scapy could not decode has bytes for a value."""
    if name == "NOP":
        return {"kind": "nop"}
    if name == "EOL":
        return {"kind": "end"}
    undecoded = isinstance(value, bytes)
    if name == "MSS" and not undecoded:
        return {"kind": "mss", "value": value}
    if name == "WScale" and not undecoded:
        return {"kind": "window-scale", "shift": value}
    if name == "SAckOK" and value == b"":
        return {"kind": "sack-permitted"}
    if name == "Timestamp" and not undecoded:
        return {"kind": "timestamps", "value": value[0], "echo": value[1]}
    if name == "SAck" and not undecoded:
        edges = value if isinstance(value, tuple) else (value,)
        if edges and len(edges) % 2 == 0:
            return {"kind": "sack", "blocks": [{"left": l, "right": r} for l, r in zip(edges[::2], edges[1::2])]}
        value = struct.pack("!%dI" % len(edges), *edges)
    if name in CODES:
        return {"kind": "malformed", "bytes": bytes([CODES[name], 2 + len(value)]).hex() + value.hex()}
    if isinstance(name, int):
        return {"kind": "unknown", "code": name, "data": value.hex()}
    # Options that scapy knows and the codecs do not: back to the bytes they came from.
    if undecoded:
        return {"kind": "unknown", "code": TCPOptions[1][name], "data": value.hex()}
    encoded = TCP(options=[(name, value)]).get_field("options").i2m(None, [(name, value)])
    return {"kind": "unknown", "code": encoded[0], "data": encoded[2:encoded[1]].hex()}


def option_to_scapy(option):
    kind = option["kind"]
    if kind == "nop":
        return ("NOP", None)
    if kind == "end":
        return ("EOL", None)
    if kind == "mss":
        return ("MSS", option["value"])
    if kind == "window-scale":
        return ("WScale", option["shift"])
    if kind == "sack-permitted":
        return ("SAckOK", b"")
    if kind == "sack":
        return ("SAck", tuple(edge for block in option["blocks"] for edge in (block["left"], block["right"])))
    if kind == "timestamps":
        return ("Timestamp", (option["value"], option["echo"]))
    if kind == "unknown":
        return (option["code"], bytes.fromhex(option["data"]))
    # A known option of the wrong length; scapy encodes bytes as they are.
    encoded = bytes.fromhex(option["bytes"])
    return ({code: name for name, code in CODES.items()}[encoded[0]], encoded[2:])


def valid(ip, protocol, segment):
    pseudo_header = struct.pack("!4s4sHH", bytes(map(int, ip.src.split("."))), bytes(map(int, ip.dst.split("."))), protocol, len(segment))
    return checksum(pseudo_header + segment) == 0


def has(layer, kind, header_length):
    """Scapy fills the fields of a header that was cut off with its defaults."""
    return isinstance(layer, kind) and len(layer.original) >= header_length


def payload_of(layer):
    """Scapy hangs Ethernet padding behind a header without payload in the payload's place."""
    return "" if isinstance(layer.payload, Padding) else layer.payload.original.hex()


def dissect(frame):
    """Only the layers that scapy recognises; the transport's `checksumValid` is null where not all of it is there."""
    if len(frame) < 14:
        return {}
    packet = Ether(frame)
    if not isinstance(packet, Ether):
        return {}
    result = {"ethernet": {"dst": packet.dst, "src": packet.src}}
    tags = []
    layer = packet
    while isinstance(layer.payload, (Dot1Q, Dot1AD)):
        layer = layer.payload
        tags.append(layer.prio << 13 | layer.id << 12 | layer.vlan)
    result["ethernet"]["etherType"] = layer.type
    result["ethernet"]["vlanTags"] = tags
    layer = layer.payload
    if has(layer, ARP, 28) and layer.hwtype == 1 and layer.ptype == 0x800 and layer.hwlen == 6 and layer.plen == 4:
        result["arp"] = {
            "operation": layer.op, "senderMac": layer.hwsrc, "senderIp": layer.psrc, "targetMac": layer.hwdst, "targetIp": layer.pdst,
        }
    if has(layer, IP, 20):
        dissect_ip(layer, result)
    return result


def dissect_ip(ip, result):
    header_length = ip.ihl * 4
    captured = ip.original[:ip.len]
    header = captured[:header_length]
    flags = int(ip.flags)
    result["ipv4"] = {
        "version": ip.version, "headerLength": header_length, "tos": ip.tos, "totalLength": ip.len, "id": ip.id,
        "dontFragment": bool(flags & 2), "moreFragments": bool(flags & 1), "fragmentOffset": ip.frag * 8, "ttl": ip.ttl,
        "protocol": ip.proto, "checksum": ip.chksum, "src": ip.src, "dst": ip.dst, "options": header[20:].hex(),
        "checksumValid": checksum(header) == 0,
    }
    segment = captured[header_length:]
    fragment = flags & 1
    whole = len(captured) == ip.len and not fragment
    layer = ip.payload
    if has(layer, TCP, 20):
        result["tcp"] = {
            "srcPort": layer.sport, "dstPort": layer.dport, "seq": layer.seq, "ack": layer.ack, "headerLength": layer.dataofs * 4,
            "flags": int(layer.flags) & 0xff, "window": layer.window, "checksum": layer.chksum, "urgentPointer": layer.urgptr,
            "options": [option_from_scapy(name, value) for name, value in layer.options],
            "payload": payload_of(layer),
            "checksumValid": valid(ip, 6, segment) if whole else None,
        }
    if has(layer, UDP, 8):
        datagram = segment[:layer.len]
        result["udp"] = {
            "srcPort": layer.sport, "dstPort": layer.dport, "length": layer.len, "checksum": layer.chksum,
            "payload": payload_of(layer),
            "checksumValid": layer.chksum == 0 or valid(ip, 17, datagram) if not fragment and len(datagram) == layer.len else None,
        }


def build(item):
    """Lengths and checksums are scapy's own."""
    ethernet = item["ethernet"]
    layers = [Ether(dst=ethernet["dst"], src=ethernet["src"])]
    for tag in ethernet.get("vlanTags", []):
        layers.append(Dot1Q(prio=tag >> 13, id=tag >> 12 & 1, vlan=tag & 0xfff))
    if "arp" in item:
        arp = item["arp"]
        layers.append(
            ARP(op=arp["operation"], hwsrc=arp["senderMac"], psrc=arp["senderIp"], hwdst=arp["targetMac"], pdst=arp["targetIp"])
        )
    else:
        layers += build_ip(item)
    for below, above in zip(layers, layers[1:]):
        below.add_payload(above)  # `/` would copy everything below at each step
    layers[0].explicit = 1  # no field is a range that scapy would have to expand, copying everything
    return bytes(layers[0]).hex()


def build_ip(item):
    ip = item["ipv4"]
    yield IP(
        tos=ip["tos"], id=ip["id"], flags=(2 if ip["dontFragment"] else 0) | (1 if ip["moreFragments"] else 0),
        frag=ip["fragmentOffset"] // 8, ttl=ip["ttl"], proto=ip["protocol"], src=ip["src"], dst=ip["dst"],
        options=[Raw(bytes.fromhex(ip["options"]))] if ip["options"] else [],
    )
    if "tcp" in item:
        tcp = item["tcp"]
        yield TCP(
            sport=tcp["srcPort"], dport=tcp["dstPort"], seq=tcp["seq"], ack=tcp["ack"], flags=tcp["flags"], window=tcp["window"],
            urgptr=tcp["urgentPointer"], options=[option_to_scapy(option) for option in tcp["options"]],
        )
        yield Raw(bytes.fromhex(tcp["payload"]))
    elif "udp" in item:
        udp = item["udp"]
        yield UDP(sport=udp["srcPort"], dport=udp["dstPort"])
        yield Raw(bytes.fromhex(udp["payload"]))
    else:
        yield Raw(bytes.fromhex(item["payload"]))


WRONG = 0x5555
GARBLE = 0x20


def on_link(frame, item):
    """As the link layer has it: tagged, under another type, filled up."""
    kind = item["etherType"].to_bytes(2, "big") if "etherType" in item else frame[12:14]
    tag = b"\x81\x00" + item["vlan"].to_bytes(2, "big") if "vlan" in item else b""
    return frame[:12] + tag + kind + frame[14:] + b"\xa5" * item.get("padding", 0)


def craft(item):
    """Frames that no well-behaved stack sends (see harness/segments/craft.ts): one, or one for each fragment."""
    ethernet, ip = item["ethernet"], item["ipv4"]
    network = IP(bytes.fromhex(build(item))[14:])
    if "dataOffset" in item:
        network[TCP].dataofs = item["dataOffset"]
        del network[TCP].chksum
    behind = bytearray(bytes(network)[network.ihl * 4:])
    if item.get("wrong") == "tcp-checksum":
        struct.pack_into("!H", behind, 16, struct.unpack_from("!H", behind, 16)[0] ^ WRONG)
    pieces = item.get("fragments", [{"at": 0, "length": len(behind)}])
    frames = []
    for piece in pieces:
        payload = bytes(behind[piece["at"]:piece["at"] + piece["length"]])
        if piece.get("garble"):
            payload = bytes(octet ^ GARBLE for octet in payload)
        more = piece["at"] + len(payload) < len(behind)
        header = IP(
            tos=ip["tos"], id=ip["id"], ttl=ip["ttl"], proto=network.proto, src=ip["src"], dst=ip["dst"],
            flags=1 if more else 2 if ip["dontFragment"] else 0, frag=piece["at"] // 8,
            options=[Raw(bytes.fromhex(ip["options"]))] if ip["options"] else [],
        )
        if item.get("wrong") == "ip-checksum":
            header.chksum = IP(bytes(header / Raw(payload))).chksum ^ WRONG
        frame = bytes(Ether(dst=ethernet["dst"], src=ethernet["src"]) / header / Raw(payload))
        frame = on_link(frame, item)
        frames.append(frame[:item.get("cutTo", len(frame))].hex())
    return frames


def answer(request):
    if request["op"] == "craft":
        return [craft(item) for item in request["items"]]
    if request["op"] == "dissect":
        return [dissect(bytes.fromhex(frame)) for frame in request["items"]]
    if request["op"] == "build":
        return [build(item) for item in request["items"]]
    raise ValueError("unknown op %r" % request["op"])


for line in sys.stdin:
    request = json.loads(line)
    try:
        reply = {"id": request["id"], "items": answer(request)}
    except Exception as error:  # whatever goes wrong with one batch is told, and the next one is answered
        reply = {"id": request["id"], "error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(reply), flush=True)
