"""What containers may reach, whichever firewall enforces it.

from a container                              | is
----------------------------------------------|------------------------------------------
a source that isn't routed to its link        | dropped, before anything else sees it
to the node: answers, echo requests, DNS      | accepted (DNS to the node's own resolver)
to the node: anything else                    | dropped, on each of the node's addresses
to a cloud's metadata (its credentials)       | dropped, but for DNS to a resolver there
to other containers                           | routed or dropped: reach.py
to the world                                  | routed; from pool addresses by NAT
more than its connections, begun by it        | dropped; those it has go on
more than its connections, from outside       | dropped; those it has go on

Accepted means: not dropped here. The machine's other rules still have their say.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from containers.node.network.addresses import Address

METADATA, METADATA6 = "169.254.0.0/16", "fd00:ec2::/32"
ECHO6, SOLICIT, ADVERTISE = 128, 135, 136  # ICMPv6 types
REDIRECT = 5  # an ICMP type


@dataclass(frozen=True)
class Rules:
    """links: what the names of the containers' links begin with; resolvers: what they may ask.

    connections: that the kernel may keep track of for each container, of those that it begins,
    and again of those that begin outside; None: any number.
    """

    table: str
    links: str
    pool: IPv4Network
    resolvers: tuple[Address, ...] = ()
    nat: bool = True
    ipv6: bool = True
    connections: int | None = None

    @property
    def resolvers4(self) -> list[str]:
        return [f"{address}" for address in self.resolvers if isinstance(address, IPv4Address)]

    @property
    def resolvers6(self) -> list[str]:
        return [f"{address}" for address in self.resolvers if isinstance(address, IPv6Address)]


@dataclass(frozen=True)
class Command:
    argv: list[str]
    stdin: str = ""
    ok: Collection[int] = (0,)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
