"""Where a request comes from: the address that limits are counted for."""

from ipaddress import IPv6Address, ip_address

IPV6_HOST = 64  # bits of an IPv6 address that whoever has a network chooses freely


def network(address: str) -> str:
    """An IPv4 address itself; of an IPv6 address its /64; what is no address as it stands."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return f"{found.ipv4_mapped}"
        return f"{IPv6Address(int(found) >> IPV6_HOST << IPV6_HOST)}/64"
    return f"{found}"
