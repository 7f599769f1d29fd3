"""Addresses of running containers: added, taken away, and cleared up after the container."""

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.network import names, record
from containers.node.network.addresses import parse
from containers.node.network.hook import check
from containers.node.network.link import Link
from containers.node.network.uplinks import uplinks
from containers.node.processes.run import call, meanwhile

FAILED = (0, 1, 2, 255)  # `ip -force -batch` where some of it was done already


def add(conf: NodeConf, ctid: int, pid: int, address: str, beside: Sequence[str] = ()) -> None:
    """Give the running container whose init is pid one more address; beside: those it has.

    One that it has already is no error. Raises OperationError: 78 when the address is another
    container's, 71 for anything else.
    """
    new, own = parse(address), [parse(text) for text in beside]
    check([new], ipv6=record.load(conf).ipv6)
    lines = link(conf, ctid).add(new, own)
    try:
        on_node(lines.node, force=f"{new}" in routed(conf, ctid))
    except CommandFailed as e:
        if "File exists" in e.said:
            raise OperationError(Problem.ADDRESS_ON_NODE, address=new) from e
        raise OperationError(Problem.ADDRESS_NOT_ADDED, address=new, cause=e.cause) from e
    try:
        inside(pid, lines.inside)
    except CommandFailed as e:
        on_node(link(conf, ctid).delete(new).node, force=True)
        raise OperationError(Problem.ADDRESS_NOT_ADDED, address=new, cause=e.cause) from e


def delete(conf: NodeConf, ctid: int, pid: int, address: str) -> None:
    """Take an address from a running container; one that it doesn't have is no error."""
    lines = link(conf, ctid).delete(parse(address))
    on_node(lines.node, force=True)
    # Its root may have removed eth0; what stays there is of no use without the route.
    inside(pid, lines.inside, force=True)


def detaching(conf: NodeConf, ctid: int, addresses: Iterable[str]) -> AbstractContextManager[None]:
    """Free a stopped container's addresses meanwhile, whatever is left of its link.

    The kernel deletes the link with the network namespace, but a little later, and never if a
    process has stayed behind. Deleting it here would cost 30 ms; without routes it is dead.
    """
    found = record.load(conf)
    if not found.pool:
        return nullcontext()
    own = link(conf, ctid)
    stands = Path(f"/sys/class/net/{own.name}").exists()
    lines = []
    for address in map(parse, addresses):
        lines += own.delete(address).node if stands else own.unproxy(address)
    if not lines:
        return nullcontext()
    argv, stdin = batch([], lines, force=True)
    return meanwhile(argv, stdin=stdin, ok=FAILED)


def routed(conf: NodeConf, ctid: int) -> list[str]:
    """The addresses that the node routes to a container's link."""
    found = []
    for family in ("-4", "-6"):
        try:
            said = call(["ip", "-json", family, "route", "show", "dev", names.veth(conf, ctid)])
        except CommandFailed:  # there is no such link, or no IPv6
            continue
        found += [route["dst"] for route in json.loads(said or b"[]")]
    return [address for address in found if "/" not in address]


def links(conf: NodeConf) -> dict[int, str]:
    """The node's ends of the links there are, by CT ID."""
    return {
        ctid: path.name
        for path in Path("/sys/class/net").iterdir()
        if (ctid := names.ctid_of(conf, path.name)) is not None
    }


def link(conf: NodeConf, ctid: int) -> Link:
    return Link(conf, ctid, record.load(conf).network, uplinks)


def on_node(lines: Sequence[str], *, force: bool = False) -> None:
    run([], lines, force=force)


def inside(pid: int, lines: Sequence[str], *, force: bool = False) -> None:
    run(["nsenter", f"--net=/proc/{pid}/ns/net"], lines, force=force)


def run(way: Sequence[str], lines: Sequence[str], *, force: bool) -> None:
    argv, stdin = batch(way, lines, force=force)
    call(argv, stdin=stdin, ok=FAILED if force else (0,))


def batch(way: Sequence[str], lines: Sequence[str], *, force: bool) -> tuple[list[str], bytes]:
    """The command, and what it reads."""
    argv = [*way, "ip", *(["-force"] if force else []), "-batch", "-"]
    return argv, "\n".join([*lines, ""]).encode()
