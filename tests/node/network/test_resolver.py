"""Which resolvers a container asks."""

import pytest

from containers.node.errors import BadValue
from containers.node.network import resolver

STUB = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch node.example\n"
REAL = "# made by hand\nnameserver 203.0.113.53\nnameserver 2001:db8::53\nsearch example.com lan\n"
HEADING = "# Written by the panel at each start, from the container's settings.\n"


@pytest.mark.parametrize(
    ("nameservers", "searchdomains", "of_node", "text"),
    [
        ((), (), [REAL],
         "search example.com lan\nnameserver 203.0.113.53\nnameserver 2001:db8::53\n"),
        (("inherit",), ("inherit",), [REAL],
         "search example.com lan\nnameserver 203.0.113.53\nnameserver 2001:db8::53\n"),
        (("9.9.9.9",), (), [REAL], "search example.com lan\nnameserver 9.9.9.9\n"),
        (("9.9.9.9",), ("a.example", "b.example"), [REAL],
         "search a.example b.example\nnameserver 9.9.9.9\n"),
        ((), (), [STUB, REAL],
         "search node.example\nnameserver 203.0.113.53\nnameserver 2001:db8::53\n"),
        ((), (), [STUB], "search node.example\n"
         "# The node has no resolver that a container can ask: set one for it.\n"),
        ((), (), ["nameserver\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver nonsense\n"],
         "# The node has no resolver that a container can ask: set one for it.\n"),
        (("1.0.0.1", "1.0.0.2", "1.0.0.3", "1.0.0.4"), (), [],
         "nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\n"),
    ],
)  # fmt: skip
def test_a_container_asks_its_own_resolvers_or_the_nodes(
    nameservers: tuple[str, ...], searchdomains: tuple[str, ...], of_node: list[str], text: str
) -> None:
    assert resolver.text(nameservers, searchdomains, of_node) == HEADING + text


@pytest.mark.parametrize("word", ["dns.example", "1.2.3.4\nsearch evil", "1.2.3.4 5.6.7.8"])
def test_a_name_server_that_is_no_address_is_refused(word: str) -> None:
    with pytest.raises(BadValue, match="is not the IP address of a name server"):
        resolver.text((word,), (), [])


@pytest.mark.parametrize("word", ["a b", "a\nnameserver 6.6.6.6", "-x", "ä.example"])
def test_a_search_domain_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(BadValue, match="is not a domain name"):
        resolver.text((), (word,), [])
