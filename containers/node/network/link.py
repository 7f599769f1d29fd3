"""The commands that make a container's link and give it addresses: lines for `ip -batch`.

The node's end has the pool's gateway as its own address and, per address of the container, a
route. On the way to a real (not a pool's) address the node also answers its neighbours' ARP
or neighbour discovery in the container's place, on the interfaces that look to them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from containers.node.conf import NodeConf
from containers.node.network import names, pool, proxies
from containers.node.network.addresses import Address, host

INSIDE = "eth0"
GATEWAY6 = "fe80::1"
LOOPBACK = "link set lo up"

Uplinks = Callable[[Address], Sequence[str]]


@dataclass(frozen=True)
class Lines:
    """node: to be run on the node; inside: in the container's network namespace."""

    node: list[str]
    inside: list[str]


@dataclass(frozen=True)
class Link:
    conf: NodeConf
    ctid: int
    pool: IPv4Network
    uplinks: Uplinks  # which interfaces have the neighbours of an address

    @property
    def name(self) -> str:
        return names.veth(self.conf, self.ctid)

    @property
    def gateway(self) -> IPv4Address:
        return pool.gateway(self.pool)

    def create(self) -> str:
        """The pair; the pid whose network namespace gets the other end is to be appended."""
        near, far = names.node_mac(self.conf, self.ctid), names.mac(self.conf, self.ctid)
        return (
            f"link add name {self.name} address {near} up"
            f" type veth peer name {INSIDE} address {far} netns"
        )

    def setup(self, addresses: Iterable[Address]) -> Lines:
        """What follows create."""
        lines = Lines(
            node=[f"addr add {host(self.gateway)} dev {self.name}"],
            inside=[LOOPBACK, f"link set {INSIDE} up"],
        )
        given: list[Address] = []
        for address in addresses:
            more = self.add(address, beside=given)
            lines.node.extend(more.node)
            lines.inside.extend(more.inside)
            given.append(address)
        return lines

    def add(self, address: Address, beside: Iterable[Address]) -> Lines:
        """Give it one more address; beside: those it has already."""
        first = all(other.version != address.version for other in beside)
        if isinstance(address, IPv4Address):
            node = [f"route add {host(address)} dev {self.name} src {self.gateway}"]
            inside = [f"addr replace {host(address)} dev {INSIDE}"]
            default = f"route replace default via {self.gateway} dev {INSIDE} onlink"
        else:
            # nodad: the link has two ends, and a tentative address would not answer at once.
            node = [f"route add {host(address)} dev {self.name}"]
            inside = [f"addr replace {host(address)} dev {INSIDE} nodad"]
            default = f"route replace ::/0 via {GATEWAY6} dev {INSIDE}"
            if first:
                node.insert(0, f"addr replace {GATEWAY6}/64 dev {self.name} nodad")
        node += [proxies.add(address, uplink) for uplink in self.faces(address)]
        return Lines(node, [*inside, default] if first else inside)

    def delete(self, address: Address) -> Lines:
        """Take one address away; the node's part first, for the container can't undo that."""
        return Lines(
            node=[f"route del {host(address)} dev {self.name}", *self.unproxy(address)],
            inside=[f"addr del {host(address)} dev {INSIDE}"],
        )

    def unproxy(self, address: Address) -> list[str]:
        return [proxies.delete(address, uplink) for uplink in self.faces(address)]

    def faces(self, address: Address) -> Sequence[str]:
        return () if address in self.pool else self.uplinks(address)
