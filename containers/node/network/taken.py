"""Is an address in use already, as far as the node can see?

The panel's rows know the containers'; this is what only the node can know.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from containers.node.conf import NodeConf
from containers.node.errors import CommandFailed, Problem, Refused
from containers.node.network import names, record
from containers.node.network.addresses import Address, host, parse
from containers.node.network.neighbours import answers
from containers.node.network.pool import gives
from containers.node.network.uplinks import uplinks
from containers.node.processes.run import call

FIB = Path("/proc/net/fib_trie")


def require_free(conf: NodeConf, ctid: int, addresses: Iterable[str]) -> None:
    """Raises Refused with 78 for the first that is in use by anything but this container."""
    for text in addresses:
        if why := holder(conf, ctid, parse(text)):
            raise Refused(Problem.ADDRESS_IN_USE, address=parse(text), holder=why)


def holder(conf: NodeConf, ctid: int, address: Address) -> str:
    """Who has the address, as a clause; empty when nobody does."""
    found = record.load(conf)
    if why := routed(conf, ctid, routes_of(address)):
        return why
    if found.pool and address in found.network:
        return "" if gives(found.network, address) else "the pool needs it for itself"
    own = names.prefix(conf)
    for uplink in uplinks(address):
        if not uplink.startswith(own) and answers(address, uplink):
            return f"a machine on {uplink} answers for it"
    return ""


def routes_of(address: Address) -> list[dict[str, Any]]:
    """The node's routes to exactly this address, its own addresses included."""
    if address.version == 4 and not known(address):
        return []
    family = f"-{address.version}"
    argv = ["ip", "-json", family, "route", "show", "table", "all", "exact", host(address)]
    try:
        return list(json.loads(call(argv) or b"[]"))
    except CommandFailed:
        return []  # IPv6 may be off


def known(address: Address) -> bool:
    """Whether there is any such route: `ip`, which knows where to, takes ten times as long."""
    try:
        tables = FIB.read_text()
    except OSError:
        return True
    return bool(re.search(rf"\|-- {re.escape(f'{address}')}\n(?:\s+/\d+ .*\n)*?\s+/32 ", tables))


def routed(conf: NodeConf, ctid: int, routes: Sequence[dict[str, Any]]) -> str:
    for route in routes:
        interface = route.get("dev", "")
        if route.get("type") == "local":
            return "it is the node's own"
        other = names.ctid_of(conf, interface)
        if other == ctid:
            continue
        if other is not None:
            return f"container {other} has it"
        return f"the node routes it to {interface or 'nowhere'}"
    return ""
