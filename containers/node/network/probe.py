"""What this machine allows: links, a firewall, NAT.

Everything is tried for real, but in a network namespace of its own that vanishes with the
attempt, so that asking changes nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from containers.node.errors import OperationError
from containers.node.network import iptables, nft
from containers.node.network.rules import Command, Rules
from containers.node.processes.run import call
from containers.node.wording import clause

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
FORWARD6 = Path("/proc/sys/net/ipv6/conf/all/forwarding")
APART = ["unshare", "--net"]


class Firewall(Protocol):
    PROGRAM: str

    def install(self, rules: Rules, /) -> list[Command]: ...
    def remove(self, rules: Rules, /) -> list[Command]: ...
    def look(self, rules: Rules, /) -> list[Command]: ...
    def stands(self, rules: Rules, said: bytes, /) -> bool: ...


FIREWALLS: dict[str, Firewall] = {nft.PROGRAM: nft, iptables.PROGRAM: iptables}


@dataclass(frozen=True)
class Found:
    """firewall: which works, or empty; without, no_nat, uncounted: why there's no network, no NAT,
    or no limit of connections."""

    firewall: str = ""
    without: str = ""
    no_nat: str = ""
    uncounted: str = ""


def probe(rules: Rules) -> Found:
    if why := without_links():
        return Found(without=why)
    refusals: list[str] = []
    for nat, counted in ((True, True), (True, False), (False, True), (False, False)):
        for name, attempt in attempts(variant(rules, nat=nat, counted=counted)):
            if not attempt:
                return Found(
                    name,
                    no_nat="" if nat else no_nat(refusals),
                    uncounted="" if counted else uncounted(refusals),
                )
            refusals.append(f"{name}: {attempt}")
    return Found(
        without="containers have loopback only: nothing here can keep them from reaching the node"
        f" itself ({refusals[0]})"
    )


def without_links() -> str:
    """Why containers can't be linked to the node; empty when they can."""
    if os.geteuid() != 0:
        return "containers have loopback only: only root can link them to the node"
    pair = ["ip", "link", "add", "name", "try0", "type", "veth", "peer", "name", "try1"]
    if refusal := refused(Command(pair)):
        return f"containers have loopback only: this machine makes no veth pairs ({refusal})"
    if FORWARD.read_text().strip() == "0" and not os.access(FORWARD, os.W_OK):
        return f"containers have loopback only: {FORWARD} is 0 and can't be written here"
    return ""


def no_nat(refusals: list[str]) -> str:
    return (
        "addresses of the pool reach this node and its containers only:"
        f" NAT is not possible here ({refusals[0]})"
    )


def uncounted(refusals: list[str]) -> str:
    return (
        "one container can take all of the connections that this node can keep track of:"
        f" they can't be counted here ({refusals[0]})"
    )


def variant(rules: Rules, *, nat: bool, counted: bool) -> Rules:
    return replace(rules, nat=nat, connections=rules.connections if counted else None)


def attempts(rules: Rules) -> Iterator[tuple[str, str]]:
    """Each firewall's name, and why it refuses the rules or empty."""
    for name, firewall in FIREWALLS.items():
        yield name, next(filter(None, map(refused, firewall.install(rules))), "")


def refused(command: Command) -> str:
    """Why it fails in a network namespace of its own; empty when it works."""
    try:
        call([*APART, *command.argv], stdin=command.stdin.encode(), ok=command.ok)
    except OperationError as e:
        return clause(f"{e}")
    return ""
