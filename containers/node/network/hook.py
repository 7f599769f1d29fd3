"""The OCI hook that gives a container its network, for its config.json.

Its text goes into config.json itself: /run may be mounted noexec, a checkout may be writable
by others, and there is no file that an older panel could have left.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from containers.node.conf import NodeConf
from containers.node.errors import BadValue, BadValues, OperationError, Problem
from containers.node.layout import Layout
from containers.node.network import names, record
from containers.node.network.addresses import Address, parse
from containers.node.network.link import LOOPBACK, Lines, Link
from containers.node.network.uplinks import uplinks

SCRIPT = (Path(__file__).parent / "nethook.sh").read_text()
ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
NETWORK = "vps.network"  # beside the global scripts; root's own, not one of the panel's
HOOK_TIMEOUT = 30  # seconds a runtime gives one of its hooks
FAULT = re.compile(r"nethook: (?P<what>[^\"\\\n]*)")
TWICE = re.compile(r"ip route add (?P<address>\S+)/\d+ .*File exists")


def hook(conf: NodeConf, ctid: int, addresses: Iterable[str]) -> dict[str, Any]:
    """One entry for hooks.createRuntime of config.json.

    Where the machine allows no network the container gets its loopback interface up and no
    more; record.load(conf).without says why. Raises BadValue for an address it can't have.
    """
    own = [parse(text) for text in addresses]
    found = record.load(conf)
    if found.without:
        return entry("", "", Lines([], [LOOPBACK]))
    check(own, ipv6=found.ipv6)
    link = Link(conf, ctid, found.network, uplinks)
    return entry(link.name, link.create(), link.setup(own), environment(conf, ctid))


def environment(conf: NodeConf, ctid: int) -> list[str]:
    """Of root's own script, which may set up more at the node's end: that of action scripts."""
    return [
        "HOME=/",
        "TERM=linux",
        f"VEID={ctid}",
        f"VE_CONFFILE={Layout(conf, ctid).conf_link}",
        f"HOST_IFNAME={names.veth(conf, ctid)}",
        f"NETWORK_SCRIPT={conf.scripts / NETWORK}",
    ]


def entry(veth: str, create: str, lines: Lines, env: Sequence[str] = ()) -> dict[str, Any]:
    arguments = [veth, create, "\n".join(lines.node), "\n".join(lines.inside)]
    return {
        "path": "/bin/sh",
        "args": ["sh", "-c", SCRIPT, "nethook", *arguments],
        "env": [*ENV, *env],
        "timeout": HOOK_TIMEOUT,
    }


def check(addresses: Iterable[Address], *, ipv6: bool) -> None:
    for address in addresses:
        if isinstance(address, IPv6Address) and not ipv6:
            raise BadValue(BadValues.IPV6_OFF, address=address)


def fault(said: str) -> OperationError | None:
    """What the operator should read when the runtime's complaint comes from the hook."""
    match = FAULT.search(said)
    if not match:
        return None
    what = match["what"].strip()
    if twice := TWICE.search(what):
        return OperationError(Problem.ADDRESS_ON_NODE, address=twice["address"])
    return OperationError(Problem.NETWORK_FAILED, why=what)
