"""The addresses that the node answers for on its uplinks, in the place of containers.

The kernel keeps these entries when a container's link has gone with its network namespace, and
for IPv6 goes on answering. Ours are marked, so that what was left can be told and dropped.
"""

import json
import re
from typing import Any

from containers.node.errors import CommandFailed
from containers.node.processes.run import call

MARK = 86  # as their protocol, on all panels' entries
ANY_LINK = re.compile(r"v[0-9a-f]{8}[0-9a-z]{1,6}\Z")  # of any panel's container


def add(address: object, uplink: str) -> str:
    return f"neigh replace proxy {address} dev {uplink} protocol {MARK}"


def delete(address: object, uplink: str) -> str:
    return f"neigh del proxy {address} dev {uplink}"


def stale() -> list[tuple[str, str]]:
    """Address and uplink of those whose address no container has any more."""
    marked = listed("neigh", "show", "proxy", "protocol", f"{MARK}")
    if not marked:
        return []
    routed = {
        route["dst"]
        for family in ("-4", "-6")
        for route in listed(family, "route", "show")
        if ANY_LINK.match(route.get("dev", ""))
    }
    return [(entry["dst"], entry["dev"]) for entry in marked if entry["dst"] not in routed]


def listed(*words: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(call(["ip", "-json", *words]) or b"[]"))
    except CommandFailed:
        return []


def drop(address: str, uplink: str) -> None:
    """It may be gone already."""
    call(["ip", *delete(address, uplink).split()], ok=(0, 2))
