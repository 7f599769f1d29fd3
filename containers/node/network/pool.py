"""The addresses a node gives its containers when nobody chose one.

A pool is a network of this node only; packets from it leave through NAT. Its first address is
the gateway, and container 101 gets the 101st where it is free, so that addresses are easy to
remember and stay the same.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from containers.node.errors import BadValue, BadValues, OperationError, Problem
from containers.node.network.addresses import Address

KEY = "POOL"  # of vz.conf
LENGTH = 22  # 1021 containers
SMALLEST = 30
# Where VPNs, container engines and cluster networks have theirs by default.
POPULAR = frozenset((0, 1, 2, 8, 10, 42, 43, 88, 89, 96, 100, 128, 233, 244, 255))


def choose(instance: str, avoid: Iterable[IPv4Network]) -> IPv4Network:
    """The pool of a new node: found from its instance, clear of the networks to avoid."""
    busy = list(avoid)
    for network in candidates(instance):
        if not any(network.overlaps(other) for other in busy):
            return network
    raise OperationError(Problem.NO_POOL, key=KEY)


def candidates(instance: str, tries: int = 500) -> Iterator[IPv4Network]:
    for n in range(tries):
        a, b, *_ = hashlib.sha256(f"{instance}/{n}".encode()).digest()
        if a not in POPULAR:
            yield IPv4Network((f"10.{a}.{b & ~3}.0", LENGTH))


def parse(text: str) -> IPv4Network:
    """A pool as vz.conf has it. Raises BadValue."""
    try:
        network = IPv4Network(text)
    except ValueError as e:
        raise BadValue(BadValues.NOT_A_NETWORK, key=KEY, why=e) from e
    if network.prefixlen > SMALLEST:
        raise BadValue(BadValues.POOL_TINY, key=KEY, network=network)
    return network


def gateway(pool: IPv4Network) -> IPv4Address:
    return pool.network_address + 1


def allocate(pool: IPv4Network, taken: Collection[Address], ctid: int = 0) -> IPv4Address:
    """A free address: the ctid-th where that is free, else the lowest.

    Raises OperationError when there is none.
    """
    own = int(pool.network_address) + ctid
    if gives(pool, wanted := IPv4Address(own if own < 2**32 else 0)) and wanted not in taken:
        return wanted
    for address in pool.hosts():
        if address not in taken and gives(pool, address):
            return address
    raise OperationError(Problem.POOL_EMPTY, pool=pool)


def gives(pool: IPv4Network, address: Address) -> bool:
    """Can a container have this address of the pool?"""
    reserved = (pool.network_address, gateway(pool), pool.broadcast_address)
    return address in pool and address not in reserved
