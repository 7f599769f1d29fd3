"""What is an answer to "who has this address", and what isn't."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from containers.node.network.neighbours import (
    HEADER,
    REPLY,
    REQUEST,
    arp_request,
    is_advertisement_of,
    is_arp_of,
)

OWN, OTHER = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"
ADDRESS = IPv4Address("203.0.113.5")


def frame(opcode: int, mac: bytes, sender: str, target: str) -> bytes:
    ips = [IPv4Address(ip).packed for ip in (sender, target)]
    return HEADER.pack(OWN, mac, 0x806, 1, 0x800, 6, 4, opcode, mac, ips[0], bytes(6), ips[1])


def test_the_question_claims_no_address() -> None:
    assert arp_request(OWN, ADDRESS) == (
        b"\xff\xff\xff\xff\xff\xff" + OWN + bytes.fromhex("0806 0001 0800 06 04 0001") + OWN
        + bytes(4) + bytes(6) + ADDRESS.packed
    )  # fmt: skip


@pytest.mark.parametrize(
    ("got", "is_answer"),
    [
        (frame(REPLY, OTHER, "203.0.113.5", "0.0.0.0"), True),
        (frame(REQUEST, OTHER, "203.0.113.5", "203.0.113.1"), True),
        (frame(REPLY, OTHER, "203.0.113.6", "0.0.0.0"), False),
        (frame(REQUEST, OTHER, "203.0.113.1", "203.0.113.5"), False),
        (frame(REPLY, OWN, "203.0.113.5", "0.0.0.0"), False),
        (arp_request(OWN, ADDRESS), False),
        (b"short", False),
        (b"", False),
    ],
)
def test_whoever_speaks_as_the_address_has_it(got: bytes, is_answer: bool) -> None:
    assert is_arp_of(got, ADDRESS, OWN) is is_answer


@pytest.mark.parametrize(
    ("kind", "target", "is_answer"),
    [(136, "2001:db8::5", True), (136, "2001:db8::6", False), (135, "2001:db8::5", False)],
)
def test_the_same_of_ipv6(kind: int, target: str, is_answer: bool) -> None:
    got = bytes([kind, 0, 0, 0, 0, 0, 0, 0]) + IPv6Address(target).packed
    assert is_advertisement_of(got, IPv6Address("2001:db8::5")) is is_answer
