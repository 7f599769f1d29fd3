"""By which of the node's interfaces the neighbours of an address are reached.

Read from /proc/net/route and /proc/net/ipv6_route, for that takes no process: a start waits.
"""

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from containers.node.lines import lines_in
from containers.node.network.addresses import Address

GATEWAY = 0x2  # RTF_GATEWAY
REJECT = 0x200  # RTF_REJECT
LOCAL = 0x80000000  # RTF_LOCAL
ANYCAST = 0x40000000  # RTF_ANYCAST, of IPv6 only


@dataclass(frozen=True)
class Route:
    network: IPv4Network | IPv6Network
    interface: str
    via: bool  # by way of a gateway


def uplinks(address: Address) -> list[str]:
    if isinstance(address, IPv4Address):
        routes = parse4(Path("/proc/net/route").read_text())
    else:
        routes = parse6(Path("/proc/net/ipv6_route").read_text())
    return facing(address, list(routes))


def facing(address: Address, routes: Sequence[Route]) -> list[str]:
    """The interfaces on whose segment the address lies, and those of the default route.

    A provider's router may ask for an address that is in no network of the node's.
    """
    return sorted(
        {
            route.interface
            for route in routes
            if route.network.prefixlen == 0
            or (not route.via and not is_host(route) and address in route.network)
        }
    )


def is_host(route: Route) -> bool:
    return route.network.prefixlen == route.network.max_prefixlen


def parse4(text: str) -> Iterator[Route]:
    for line in lines_in(text)[1:]:
        interface, destination, _, flags, _, _, _, mask, *_ = line.split()
        if int(flags, 16) & REJECT or interface in ("*", "lo"):
            continue
        network = IPv4Network((native4(destination), f"{IPv4Address(native4(mask))}"))
        yield Route(network, interface, bool(int(flags, 16) & GATEWAY))


def native4(digits: str) -> int:
    """The kernel prints the four bytes as one number of the machine's own byte order."""
    packed = struct.pack("=I", int(digits, 16))
    return int.from_bytes(packed, "big")


def parse6(text: str) -> Iterator[Route]:
    for line in lines_in(text):
        destination, length, _, _, _, _, _, _, flags, interface = line.split()
        if int(flags, 16) & (REJECT | LOCAL | ANYCAST) or interface == "lo":
            continue
        network = ipaddress.IPv6Network((IPv6Address(int(destination, 16)), int(length, 16)))
        yield Route(network, interface, bool(int(flags, 16) & GATEWAY))
