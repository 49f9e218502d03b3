#!/usr/bin/python3
"""Sends packets from inside a container to bypass the rules.

    attack.py <method> name=value …

Methods, by the socket that is used:

    udp, tcp      ordinary sockets; tcp sends its text once it is connected
    hold          tcp: connects, then sends each line of stdin
    raw           whole IP packets (IPPROTO_RAW)
    protocol      a raw socket of one protocol, for which the kernel writes the header
    frame         whole frames (AF_PACKET)
    cooked        packets to which the kernel adds the frame's header (AF_PACKET, SOCK_DGRAM)
    show          no socket: prints the frame, for sockets.pl
    many          reads such words from each line of stdin, and does what they say

For methods that send whole packets, `form=` is one of FORMS; the packet is IPv4 or IPv6, as `dst` is. The receiver
looks for `text`. Prints "sent", or the system's reason.
"""
import socket
import struct
import sys
import time

SO_MARK, IP_TRANSPARENT, IP_NODEFRAG, IPV6_TRANSPARENT, PACKET_QDISC_BYPASS = 36, 19, 22, 75, 20
SOL_PACKET, SO_BINDTODEVICE, IPV6_RTHDR, MSG_FASTOPEN = 263, 25, 57, 0x20000000


# --- packets -----------------------------------------------------------------------------------------


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def is6(address):
    return ":" in address


def fresh(o):
    """A number for each text, so that no attempt meets connections or fragments of another."""
    return checksum(o["text"].encode())


def binary(address):
    return socket.inet_pton(socket.AF_INET6 if is6(address) else socket.AF_INET, address)


def transport(o, protocol, segment, at):
    """The segment with its checksum, which also covers the addresses, put in at `at`."""
    length = struct.pack("!IxxxB" if is6(o["dst"]) else "!xBH", *pseudo(o, protocol, len(segment)))
    total = checksum(binary(o["src"]) + binary(o.get("final", o["dst"])) + length + segment)
    return segment[:at] + struct.pack("!H", total) + segment[at + 2 :]


def pseudo(o, protocol, length):
    return (length, protocol) if is6(o["dst"]) else (protocol, length)


def udp(o, text=None):
    text = o["text"].encode() if text is None else text
    head = struct.pack("!HHHH", int(o.get("sport", 9)), int(o.get("port", 80)), 8 + len(text), 0)
    return 17, transport(o, 17, head + text, 6)


def tcp(o, flags):
    ports = int(o.get("sport", 1024 + fresh(o) % 30000)), int(o.get("port", 80))
    head = struct.pack("!HHIIBBHHH", *ports, 1, 1, 0x50, flags, 1024, 0, 0)
    return 6, transport(o, 6, head + o["text"].encode(), 16)


def icmp(o, kind, code, rest, text):
    body = struct.pack("!BBH", kind, code, 0) + rest + text
    if is6(o["dst"]):
        return 58, transport(o, 58, body, 2)
    return 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def echo(o):
    kind = 128 if is6(o["dst"]) else 8
    return icmp(o, int(o.get("type", kind)), 0, struct.pack("!HH", 9, 1), o["text"].encode())


def error(o):
    """An error about a packet of a flow that exists: `peer:pport` to our own `sport`."""
    about = dict(o, src=o["peer"], dst=o["src"], sport=o["pport"], port=o["sport"])
    inner = packet(about, *udp(about, o["text"].encode()))
    return icmp(o, 1 if is6(o["dst"]) else 3, 4 if is6(o["dst"]) else 3, b"\0" * 4, inner)


def solicit(o, kind=135):
    rest = b"\0" * 4 + (b"" if kind == 133 else binary(o["dst"]))
    return icmp(o, kind, 0, rest, option(o["text"].encode()))


def report(o):
    """A report for a multicast group, of an unknown kind."""
    body = struct.pack("!BBH", 0x99, 0, 0) + o["text"].encode()
    return 2, body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def option(text):
    """An option of an unknown type, padded to a multiple of eight bytes."""
    units = (2 + len(text) + 7) // 8
    return struct.pack("BB", 250, units) + text.ljust(units * 8 - 2, b"\0")


def packet(o, protocol, payload, fragment=0, options=b""):
    if is6(o["dst"]):
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, int(o.get("hops", 64)))
        return head + binary(o["src"]) + binary(o["dst"]) + payload
    size = 20 + len(options)
    fields = 0x40 | size // 4, 0, size + len(payload), int(o.get("id", fresh(o))), fragment
    head = struct.pack("!BBHHHBBH", *fields, int(o.get("hops", 64)), protocol, 0)
    head += binary(o["src"]) + binary(o["dst"]) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def pieces(o, protocol, payload, cut, more=0x2000):
    """Two fragments, the first of `cut` bytes."""
    if is6(o["dst"]):
        first = struct.pack("!BxHI", protocol, 1, fresh(o)) + payload[:cut]
        second = struct.pack("!BxHI", protocol, cut, fresh(o)) + payload[cut:]
        return [packet(o, 44, first), packet(o, 44, second)]
    return [packet(o, protocol, payload[:cut], more), packet(o, protocol, payload[cut:], cut // 8)]


def overlapping(o):
    """The header first with a granted port, then again with a denied one, then the text."""
    decoy, true = (udp(dict(o, port=port))[1] for port in (o["decoy"], o["port"]))
    heads = [packet(o, 17, head[:8], 0x2000) for head in (decoy, true)]
    return [*heads, packet(o, 17, true[8:], 1)]


def optioned(o, kind):
    """IPv4's source route: to `dst` first, and from there to `final`."""
    route = struct.pack("BBB", kind, 7, 4) + binary(o["final"]) + b"\0"
    return packet(o, *udp(o), options=route)


def consumed(o):
    """The same with the pointer at the second address, as if the first were past. Linux never sends this."""
    route = struct.pack("BBB", 131, 11, 8) + binary(o["dst"]) + binary(o["final"]) + b"\0"
    return packet(o, *udp(o), options=route)


def travelled(o):
    """A source route at its end: the answer takes it backwards, by way of `by`."""
    route = struct.pack("BBB", 131, 7, 8) + binary(o["by"]) + b"\0"
    return packet(o, *udp(o), options=route)


def routed(o, inner):
    """IPv6's segment routing: to `dst` first, and from there to `final`."""
    protocol, payload = inner(o)
    # Next header, length, type 4, segments left 1, last entry 1, flags, tag; the list goes backwards.
    head = struct.pack("!BBBBBBH", protocol, 4, 4, 1, 1, 0, 0)
    return packet(o, 43, head + binary(o["final"]) + binary(o["dst"]) + payload)


def hidden(o):
    """The transport header in the second fragment: the first holds only destination options."""
    protocol, payload = udp(o)
    return pieces(o, 60, struct.pack("BB", protocol, 0) + b"\1\4\0\0\0\0" + payload, 8)


FORMS = {
    "udp": lambda o: [packet(o, *udp(o))],
    "syn": lambda o: [packet(o, *tcp(o, 2))],
    "syn-ack": lambda o: [packet(o, *tcp(o, 18))],
    "ack": lambda o: [packet(o, *tcp(o, 16))],
    "rst": lambda o: [packet(o, *tcp(o, 4))],
    "flags": lambda o: [packet(o, *tcp(o, int(o["flags"])))],
    "echo": lambda o: [packet(o, *echo(o))],
    "error": lambda o: [packet(o, *error(o))],
    "solicit": lambda o: [packet(o, *solicit(o))],
    "advert": lambda o: [packet(o, *solicit(o, 136))],
    "router-solicit": lambda o: [packet(o, *solicit(o, 133))],
    "report": lambda o: [packet(o, *report(o))],
    "pieces": lambda o: pieces(o, *udp(o), 8),
    "tiny": lambda o: pieces(o, *tcp(o, 2), 8),
    "tail": lambda o: pieces(o, *udp(o), 8)[1:],
    "hidden": hidden,
    "overlapping": overlapping,
    "loose-route": lambda o: [optioned(o, 131)],
    "consumed-route": lambda o: [consumed(o)],
    "past-route": lambda o: [travelled(o)],
    "strict-route": lambda o: [optioned(o, 137)],
    "segments": lambda o: [routed(o, udp)],
    "solicit-segments": lambda o: [routed(o, lambda o: solicit(dict(o, dst=o["final"])))],
    "arp": lambda o: [struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + o["text"].encode().ljust(20, b"\0")],
}


# --- methods -----------------------------------------------------------------------------------------


def opened(o, *kind):
    sock = socket.socket(*kind)
    if "mark" in o:
        sock.setsockopt(socket.SOL_SOCKET, SO_MARK, struct.pack("I", int(o["mark"])))
    if "device" in o:
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, o["device"].encode())
    return sock


def family(o):
    return socket.AF_INET6 if is6(o["dst"]) else socket.AF_INET


def where(o, port):
    """The address for sendto; the packet is routed to `via`, whatever its header says."""
    address = o.get("via", o["dst"])
    return socket.getaddrinfo(address, port, proto=socket.IPPROTO_UDP)[0][4]


def bound(o, sock):
    six = is6(o["dst"])
    if "route" in o:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes.fromhex(o["route"]))
    if "source" in o:
        level, name = (41, IPV6_TRANSPARENT) if six else (0, IP_TRANSPARENT)
        sock.setsockopt(level, name, 1)
    if "source" in o or "sport" in o:
        sock.bind((o.get("source", "::" if six else "0.0.0.0"), int(o.get("sport", 0))))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return sock


def by_udp(o):
    sock = bound(o, opened(o, family(o), socket.SOCK_DGRAM))
    sock.sendto(o["text"].encode(), where(o, int(o.get("port", 80))))


def by_tcp(o):
    sock = bound(o, opened(o, family(o), socket.SOCK_STREAM))
    # A time limit that leaves the socket blocking, as MSG_FASTOPEN wants it: two seconds.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 2, 0))
    if "fast" in o:
        sock.sendto(o["text"].encode(), MSG_FASTOPEN, where(o, int(o.get("port", 80))))
        time.sleep(0.05)
        return
    sock.connect(where(o, int(o.get("port", 80))))
    sock.sendall(o["text"].encode())
    time.sleep(0.05)


def by_hold(o):
    kind = socket.SOCK_DGRAM if "datagrams" in o else socket.SOCK_STREAM
    sock = bound(o, opened(o, family(o), kind))
    sock.connect(where(o, int(o.get("port", 80))))
    print("connected", flush=True)
    for line in sys.stdin:
        try:
            sock.sendall(line.encode())
            print("written", flush=True)
        except OSError as reason:
            print(reason.strerror, flush=True)


def by_raw(o):
    sock = opened(o, family(o), socket.SOCK_RAW, socket.IPPROTO_RAW)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if "nodefrag" in o:
        sock.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
    last = None
    for data in FORMS[o["form"]](o):
        # All of them are tried: what is refused is the packet, not the attempt.
        try:
            sock.sendto(data, where(o, 0))
        except OSError as reason:
            last = reason
    if last:
        raise last


def by_protocol(o):
    sock = opened(o, family(o), socket.SOCK_RAW, int(o["protocol"]))
    sock.sendto(o["text"].encode(), where(o, 0))


def by_frame(o):
    sock = opened(o, socket.AF_PACKET, socket.SOCK_RAW, 0)
    if "bypass" in o:
        sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    declared = int(o.get("declared", "0x86dd" if is6(o["dst"]) else "0x800"), 16)
    for data in frames(o):
        sock.sendto(data, (o["link"], declared))


def by_cooked(o):
    sock = opened(o, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    for data in FORMS[o["form"]](o):
        sock.sendto(data, (o["link"], ethertype(o), 0, 0, hardware(o)))


def by_show(o):
    """For sockets.pl, which sends the frame."""
    print(frames(o)[0].hex())
    sys.exit()


def hardware(o):
    return bytes.fromhex(o["mac"].replace(":", ""))


def ethertype(o):
    default = "0x806" if o["form"] == "arp" else "0x86dd" if is6(o["dst"]) else "0x800"
    return int(o.get("ethertype", default), 16)


def frames(o):
    source = bytes.fromhex(o.get("hardware", "020000000001").replace(":", ""))
    head = hardware(o) + source + bytes.fromhex(o.get("tag", "")) + struct.pack("!H", ethertype(o))
    return [head + data for data in FORMS[o["form"]](o)]


def attempt(way, *words):
    options = dict(word.split("=", 1) for word in words)
    try:
        globals()["by_" + way](options)
        print("sent", flush=True)
    except OSError as reason:
        print(reason.strerror or reason, flush=True)


def by_many(_):
    for line in sys.stdin:
        attempt(*line.split())


attempt(*sys.argv[1:])
