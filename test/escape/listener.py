#!/usr/bin/python3
"""Prints one line for each IP packet, or frame with a text of the test, that arrives on any interface but lo.

    <interface> <ethertype> <source> <destination> <protocol> <kind> <texts …>

`kind` is the type of ICMP, the destination port of TCP and UDP, else 0; a field that does not exist is `-`.
"""
import re
import socket
import struct

TEXT = re.compile(rb"egt-[0-9a-f]{10}")


def fields_of(frame):
    (ethertype,) = struct.unpack("!H", frame[12:14])
    ip = frame[14:]
    if ethertype == 0x800 and len(ip) >= 20:
        offset = struct.unpack("!H", ip[6:8])[0] & 0x1FFF
        rest = b"" if offset else ip[(ip[0] & 15) * 4 :]
        return ethertype, socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20]), ip[9], kind(ip[9], rest)
    if ethertype == 0x86DD and len(ip) >= 40:
        addresses = [socket.inet_ntop(socket.AF_INET6, ip[at : at + 16]) for at in (8, 24)]
        protocol, rest = ip[6], ip[40:]
        # The hop-by-hop option of multicast reports.
        if protocol == 0 and len(rest) > 8:
            protocol, rest = rest[0], rest[8 * (rest[1] + 1) :]
        return ethertype, *addresses, protocol, kind(protocol, rest)
    return ethertype, "-", "-", "-", "-"


def kind(protocol, rest):
    if protocol in (1, 58) and rest:
        return rest[0]
    return struct.unpack("!H", rest[2:4])[0] if protocol in (6, 17) and len(rest) >= 4 else 0


def main():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    print("listening", flush=True)
    while True:
        frame, (interface, _, direction, *_) = sock.recvfrom(65535)
        # Skip packets that leave (4), and packets for another host (3).
        if interface == "lo" or direction in (3, 4):
            continue
        texts = [text.decode() for text in TEXT.findall(frame)]
        ethertype, *fields = fields_of(frame)
        if fields[0] != "-" or texts:
            print(interface, hex(ethertype), *fields, *texts, flush=True)


main()
