"""Which addresses a container can have."""

import pytest

from containers.node.errors import BadValue, Code
from containers.node.network.addresses import host, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.5", "203.0.113.5/32"),
        (" 203.0.113.5/32 ", "203.0.113.5/32"),
        ("2001:DB8:0::5", "2001:db8::5/128"),
        ("2001:db8::5/128", "2001:db8::5/128"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("fd00::5", "fd00::5/128"),
    ],
)
def test_an_address_is_read_in_any_spelling(text: str, address: str) -> None:
    assert host(parse(text)) == address


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "This is not an IP address: ''."),
        ("web.example", "This is not an IP address: 'web.example'."),
        ("1.2.3.4; reboot", "This is not an IP address: '1.2.3.4; reboot'."),
        ("1.2.3.4\n5.6.7.8", "This is not an IP address: '1.2.3.4\\n5.6.7.8'."),
        ("203.0.113.5/24",
         "This is a network: 203.0.113.5/24. Give the address alone, such as 203.0.113.5."),
        ("0.0.0.0", "A container can't have the address 0.0.0.0: it means this network."),
        ("127.0.0.1", "A container can't have the address 127.0.0.1: it is a loopback address."),
        ("224.0.0.1", "A container can't have the address 224.0.0.1: it is a multicast address."),
        ("255.255.255.255",
         "A container can't have the address 255.255.255.255: it is a reserved address."),
        ("169.254.169.254",
         "A container can't have the address 169.254.169.254: it is a link-local address."),
        ("::", "A container can't have the address ::: it means no address."),
        ("::1", "A container can't have the address ::1: it is a loopback address."),
        ("fe80::1", "A container can't have the address fe80::1: it is a link-local address."),
        ("2001:db8::5%eth0", "A container can't have the address 2001:db8::5%eth0: it has a zone."),
        ("::ffff:203.0.113.5", "A container can't have the address ::ffff:203.0.113.5:"
         " it stands for the IPv4 address 203.0.113.5."),
    ],
)  # fmt: skip
def test_an_address_no_container_can_have_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadValue) as refusal:
        parse(text)
    assert (f"{refusal.value}", refusal.value.code) == (sentence, Code.BAD_VALUE)
