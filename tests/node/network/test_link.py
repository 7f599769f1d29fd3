"""The whole transcript of what makes a link."""

from ipaddress import IPv4Network
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.network.addresses import parse
from containers.node.network.link import Link

ALPHA = NodeConf("alpha", Path("/var/lib/panel"), Path("/vz"), Path("/etc/vz"))
V = f"v{ALPHA.instance}2t"
BYTE = ALPHA.instance[:2]
LINK = Link(ALPHA, 101, IPv4Network("10.20.4.0/22"), lambda address: ["lan0", "wan0"])
POOLED, REAL, REAL6 = map(parse, ("10.20.4.101", "203.0.113.5", "2001:db8::5"))


def test_a_link_with_an_address_of_the_pool() -> None:
    assert LINK.create() == (
        f"link add name {V} address 06:{BYTE}:00:00:00:65 up"
        f" type veth peer name eth0 address 02:{BYTE}:00:00:00:65 netns"
    )
    lines = LINK.setup([POOLED])
    assert lines.node == [
        f"addr add 10.20.4.1/32 dev {V}",
        f"route add 10.20.4.101/32 dev {V} src 10.20.4.1",
    ]
    assert lines.inside == [
        "link set lo up",
        "link set eth0 up",
        "addr replace 10.20.4.101/32 dev eth0",
        "route replace default via 10.20.4.1 dev eth0 onlink",
    ]


def test_a_link_with_real_addresses_of_both_kinds() -> None:
    lines = LINK.setup([REAL, POOLED, REAL6])
    assert lines.node == [
        f"addr add 10.20.4.1/32 dev {V}",
        f"route add 203.0.113.5/32 dev {V} src 10.20.4.1",
        "neigh replace proxy 203.0.113.5 dev lan0 protocol 86",
        "neigh replace proxy 203.0.113.5 dev wan0 protocol 86",
        f"route add 10.20.4.101/32 dev {V} src 10.20.4.1",
        f"addr replace fe80::1/64 dev {V} nodad",
        f"route add 2001:db8::5/128 dev {V}",
        "neigh replace proxy 2001:db8::5 dev lan0 protocol 86",
        "neigh replace proxy 2001:db8::5 dev wan0 protocol 86",
    ]
    assert lines.inside == [
        "link set lo up",
        "link set eth0 up",
        "addr replace 203.0.113.5/32 dev eth0",
        "route replace default via 10.20.4.1 dev eth0 onlink",
        "addr replace 10.20.4.101/32 dev eth0",
        "addr replace 2001:db8::5/128 dev eth0 nodad",
        "route replace ::/0 via fe80::1 dev eth0",
    ]


def test_a_second_address_leaves_the_containers_default_route_alone() -> None:
    assert LINK.add(REAL, beside=[POOLED]).inside == ["addr replace 203.0.113.5/32 dev eth0"]
    assert LINK.add(REAL, beside=[REAL6]).inside == [
        "addr replace 203.0.113.5/32 dev eth0",
        "route replace default via 10.20.4.1 dev eth0 onlink",
    ]


def test_taking_an_address_away() -> None:
    lines = LINK.delete(REAL)
    assert lines.node == [
        f"route del 203.0.113.5/32 dev {V}",
        "neigh del proxy 203.0.113.5 dev lan0",
        "neigh del proxy 203.0.113.5 dev wan0",
    ]
    assert lines.inside == ["addr del 203.0.113.5/32 dev eth0"]
