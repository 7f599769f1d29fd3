"""Which resolvers a container asks, and the text of its resolv.conf."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from containers.node.errors import BadValue, BadValues, Code
from containers.node.lines import lines_in, text_of
from containers.node.network.addresses import Address

INHERIT = "inherit"  # NAMESERVER and SEARCHDOMAIN in vz.conf and ve.conf, as vzctl has it
# systemd-resolved writes the servers it asks itself to the second.
PLACES = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
DOMAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})\Z")
MOST = 3  # servers that the C library reads


def text(
    nameservers: Sequence[str],
    searchdomains: Sequence[str],
    of_node: Iterable[str],
) -> str:
    """The text of resolv.conf; of_node: the texts of the node's own (see node_texts).

    No name server, or "inherit", means those of the node that a container can ask.
    Raises BadValue.
    """
    texts = list(of_node)
    servers = [f"{parse(word)}" for word in chosen(nameservers)] or inherited(texts)
    domains = [domain(word) for word in chosen(searchdomains)] or searches(texts)
    lines = ["# Written by the panel at each start, from the container's settings."]
    if domains:
        lines.append("search " + " ".join(domains))
    if not servers:
        lines.append("# The node has no resolver that a container can ask: set one for it.")
    return "\n".join([*lines, *(f"nameserver {server}" for server in servers[:MOST])]) + "\n"


def node_texts() -> list[str]:
    return [text_of(path) for path in PLACES if path.is_file()]


def parse(word: str) -> Address:
    """A name server as --nameserver takes it. Raises BadValue."""
    try:
        return ipaddress.ip_address(word.strip())
    except ValueError:
        raise BadValue(BadValues.NOT_A_RESOLVER, Code.BAD_VALUE, word=word.strip()) from None


def domain(word: str) -> str:
    """A search domain as --searchdomain takes it. Raises BadValue."""
    if not DOMAIN.match(word):
        raise BadValue(BadValues.NOT_A_DOMAIN, word=word)
    return word


def chosen(words: Iterable[str]) -> list[str]:
    return [word for word in words if word and word != INHERIT]


def inherited(texts: Iterable[str]) -> list[str]:
    """The servers of the first of the node's files that names one others can ask.

    A loopback address is the container's own there: nobody answers.
    """
    for body in texts:
        servers = [
            server
            for server in listed(body, "nameserver")
            if (address := address_of(server)) and reachable(address)
        ]
        if servers:
            return servers
    return []


def searches(texts: Iterable[str]) -> list[str]:
    """The search domains of the node: as the C library, the last line of a file counts."""
    for body in texts:
        lines = [line.split()[1:] for line in lines_in(body) if words_of(line, "search")]
        if lines:
            return lines[-1]
    return []


def listed(body: str, key: str) -> list[str]:
    return [line.split()[1] for line in lines_in(body) if words_of(line, key)]


def words_of(line: str, key: str) -> bool:
    words = line.split()
    return len(words) > 1 and words[0] == key


def address_of(server: str) -> Address | None:
    try:
        return ipaddress.ip_address(server)
    except ValueError:
        return None


def reachable(address: Address) -> bool:
    zoned = isinstance(address, ipaddress.IPv6Address) and address.is_link_local
    return not (address.is_loopback or address.is_unspecified or zoned)
