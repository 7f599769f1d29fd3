"""Does a machine on the node's own network answer for an address?

Asked as a machine asks before it takes an address itself (RFC 5227: an ARP request from
0.0.0.0; RFC 4861: a neighbour solicitation), so that nobody's tables change.
"""

import select
import socket
import struct
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from containers.node.network.addresses import Address

WAIT = 0.6  # seconds for an answer, in all
TRIES = 2
ARP, IPV4, ETHERNET = 0x0806, 0x0800, 1
REQUEST, REPLY = 1, 2
HEADER = struct.Struct("!6s6sHHHBBH6s4s6s4s")
BROADCAST = b"\xff" * 6
SOLICITATION, ADVERTISEMENT = 135, 136


def answers(address: Address, interface: str) -> bool:
    """False too where it can't be asked: the interface is down or no Ethernet."""
    try:
        if isinstance(address, IPv4Address):
            return arp(address, interface)
        return discover(address, interface)
    except OSError:
        return False


def arp(address: IPv4Address, interface: str) -> bool:
    mac = bytes.fromhex(
        Path(f"/sys/class/net/{interface}/address").read_text().strip().replace(":", "")
    )
    if len(mac) != len(BROADCAST):
        return False
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP)) as sock:
        sock.bind((interface, ARP))
        request = arp_request(mac, address)
        return ask(sock, lambda: sock.send(request) > 0, lambda got: is_arp_of(got, address, mac))


def arp_request(mac: bytes, address: IPv4Address) -> bytes:
    return HEADER.pack(
        BROADCAST, mac, ARP,
        ETHERNET, IPV4, 6, 4, REQUEST, mac, bytes(4), bytes(6), address.packed,
    )  # fmt: skip


def is_arp_of(frame: bytes, address: IPv4Address, own: bytes) -> bool:
    """Is it an ARP packet whose sender has the address? Our own request isn't: it has none."""
    if len(frame) < HEADER.size:
        return False
    fields = HEADER.unpack_from(frame)
    sender_mac, sender = fields[8], fields[9]
    return bool(sender == address.packed and sender_mac != own)


def discover(address: IPv6Address, interface: str) -> bool:
    index = socket.if_nametoindex(interface)
    group = f"{IPv6Address(int(IPv6Address('ff02::1:ff00:0')) | int(address) & 0xFFFFFF)}"
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        mac = bytes.fromhex(
            Path(f"/sys/class/net/{interface}/address").read_text().strip().replace(":", "")
        )
        request = struct.pack("!BBHI16sBB6s", SOLICITATION, 0, 0, 0, address.packed, 1, 1, mac)
        return ask(
            sock,
            lambda: sock.sendto(request, (group, 0, 0, index)) > 0,
            lambda got: is_advertisement_of(got, address),
        )


def is_advertisement_of(message: bytes, address: IPv6Address) -> bool:
    return message[:1] == bytes([ADVERTISEMENT]) and message[8:24] == address.packed


def ask(sock: socket.socket, send: Callable[[], bool], is_answer: Callable[[bytes], bool]) -> bool:
    for _ in range(TRIES):
        send()
        until = time.monotonic() + WAIT / TRIES
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([sock], [], [], left)
            if readable and is_answer(sock.recv(2048)):
                return True
    return False
