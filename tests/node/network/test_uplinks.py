"""Which interfaces look to an address's neighbours."""

import sys

import pytest

from containers.node.network.addresses import parse
from containers.node.network.uplinks import facing, parse4, parse6

ROUTES4 = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wan0\t00000000\t017100CB\t0003\t0\t0\t0\t00000000\t0\t0\t0
wan0\t007100CB\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
lan0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
lan0\t0009000A\t01 00A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
*\t0004140A\t00000000\t0200\t0\t0\t0\t00FCFFFF\t0\t0\t0
vdeadbeef2t\t6504140A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
""".replace("01 00A8C0", "0100A8C0")

ROUTES6 = """\
20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     lan0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     wan0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000004 00000000 00000001     lan0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
"""  # noqa: E501


@pytest.mark.skipif(sys.byteorder == "big", reason="the kernel's text above is little-endian")
@pytest.mark.parametrize(
    ("address", "interfaces"),
    [
        ("203.0.113.5", ["wan0"]),
        ("192.168.7.7", ["lan0", "wan0"]),
        ("10.0.9.7", ["wan0"]),  # beyond a gateway
        ("10.20.4.101", ["wan0"]),  # a container's
        ("198.51.100.7", ["wan0"]),
    ],
)
def test_the_segment_of_an_address_and_the_default_route_face_it(
    address: str, interfaces: list[str]
) -> None:
    assert facing(parse(address), list(parse4(ROUTES4))) == interfaces


@pytest.mark.parametrize(
    ("address", "interfaces"),
    [("2001:db8::5", ["lan0", "wan0"]), ("2001:db8:0:1::5", ["wan0"])],
)
def test_the_same_of_ipv6(address: str, interfaces: list[str]) -> None:
    assert facing(parse(address), list(parse6(ROUTES6))) == interfaces
