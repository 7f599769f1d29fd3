"""Which addresses a container can have."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

from containers.node.errors import BadValue, BadValues

Address = IPv4Address | IPv6Address

UNUSABLE = (
    ("is_unspecified", "it means no address"),
    ("is_loopback", "it is a loopback address"),
    ("is_multicast", "it is a multicast address"),
    ("is_link_local", "it is a link-local address"),
)
FIRST_BYTE = (("0.0.0.0/8", "it means this network"), ("240.0.0.0/4", "it is a reserved address"))


def parse(text: str) -> Address:
    """Read an address as --ipadd takes it; a prefix length for the whole address is left off.

    Raises BadValue.
    """
    word = text.strip()
    bare, slash, length = word.partition("/")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        raise BadValue(BadValues.NOT_AN_ADDRESS, word=word) from None
    if slash and length != f"{address.max_prefixlen}":
        raise BadValue(BadValues.IS_A_NETWORK, word=word, address=address)
    if why := unusable(address):
        raise BadValue(BadValues.ADDRESS_UNUSABLE, address=bare, reason=why)
    return address


def unusable(address: Address) -> str:
    """Why no container can have it; empty when one can."""
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return "it has a zone"
        if address.ipv4_mapped:
            return f"it stands for the IPv4 address {address.ipv4_mapped}"
    else:
        for network, why in FIRST_BYTE:
            if address in ipaddress.IPv4Network(network):
                return why
    return next((why for test, why in UNUSABLE if getattr(address, test)), "")


def host(address: Address) -> str:
    """The address as a network of its own: 192.0.2.7/32."""
    return f"{address}/{address.max_prefixlen}"
