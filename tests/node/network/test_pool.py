"""The addresses a node gives its containers."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from containers.node.errors import BadValue, OperationError
from containers.node.network import pool

POOL = IPv4Network("10.20.4.0/22")


def test_two_panels_on_a_machine_have_different_pools() -> None:
    pools = {pool.choose(f"{n:08x}", []) for n in range(50)}
    assert len(pools) == 50


def test_a_pool_keeps_clear_of_what_the_machine_knows() -> None:
    first = pool.choose("deadbeef", [])
    second = pool.choose("deadbeef", [IPv4Network((first[700], 32))])
    assert not first.overlaps(second)
    assert pool.choose("deadbeef", []) == first
    with pytest.raises(OperationError, match=r"no network below 10\.0\.0\.0/8 is free"):
        pool.choose("deadbeef", [IPv4Network("10.0.0.0/8")])


@pytest.mark.parametrize(
    ("ctid", "taken", "address"),
    [
        (101, [], "10.20.4.101"),
        (101, ["10.20.4.101"], "10.20.4.2"),
        (101, ["10.20.4.101", "10.20.4.2"], "10.20.4.3"),
        (1, [], "10.20.4.2"),
        (1023, [], "10.20.4.2"),
        (256, [], "10.20.5.0"),
        (1024, [], "10.20.4.2"),
        (2147483644, [], "10.20.4.2"),
        (0, [], "10.20.4.2"),
    ],
)
def test_a_container_gets_the_address_of_its_number_or_the_lowest_free(
    ctid: int, taken: list[str], address: str
) -> None:
    assert f"{pool.allocate(POOL, [IPv4Address(a) for a in taken], ctid)}" == address


def test_a_pool_gives_each_address_once_and_then_says_it_is_empty() -> None:
    small = IPv4Network("192.168.9.0/29")
    taken: list[IPv4Address] = []
    for _ in range(5):
        taken.append(pool.allocate(small, taken, 3))
    assert sorted(taken) == [IPv4Address(f"192.168.9.{n}") for n in (2, 3, 4, 5, 6)]
    with pytest.raises(OperationError, match=r"The pool 192\.168\.9\.0/29 has no free address"):
        pool.allocate(small, taken, 3)


@pytest.mark.parametrize("text", ["10.0.0.1/24", "10.0.0.0/31", "fd00::/64", "ten"])
def test_a_pool_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match=r"POOL in vz\.conf"):
        pool.parse(text)
