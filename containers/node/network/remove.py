"""Take the node's part of the network away again."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from containers.node import veconf
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.network import names, pool, reach, record
from containers.node.network.live import links
from containers.node.network.prepare import SYSCTLS, Change, dropped, read, route_of, rules, setter
from containers.node.network.probe import FIREWALLS
from containers.node.network.record import Record
from containers.node.network.rules import Command
from containers.node.processes.run import call


def remove(conf: NodeConf) -> list[str]:
    """Returns what was done. Running containers lose their network: ask before."""
    said = []
    for change in changes(conf, record.load(conf)):
        change.do()
        said.append(change.said)
    record.path(conf).unlink(missing_ok=True)
    return said


def changes(conf: NodeConf, old: Record) -> Iterator[Change]:
    for ctid, name in links(conf).items():
        # It may go by itself just now.
        yield Change(
            f"the link {name} of container {ctid} is deleted",
            partial(call, ["ip", "link", "del", name], ok=(0, 1)),
        )
    yield from dropped()
    text = old.pool or veconf.read(conf.vz_conf).get(pool.KEY, "")
    if not text:
        return
    own = pool.parse(text)
    wanted = rules(conf, own)
    for firewall in FIREWALLS.values():
        with contextlib.suppress(OperationError):  # no such program here
            said = b"".join(call(look.argv, ok=look.ok) for look in firewall.look(wanted))
            if wanted.table.encode() in said:
                yield Change(
                    f"the {firewall.PROGRAM} rules of {wanted.table} are deleted",
                    partial(run, firewall.remove(wanted)),
                )
    if old.firewall and not reach.stands(conf, None):
        yield Change(
            f"the {old.firewall} rules of {reach.table(conf)} are deleted",
            partial(run, reach.remove(conf)),
        )
    if route_of(own):
        yield Change(
            f"the unreachable route for {own} is deleted",
            lambda: call(["ip", "route", "del", "unreachable", f"{own}"], ok=(0, 2)),
        )
    yield from restored(conf, old)


def run(commands: list[Command]) -> None:
    for command in commands:
        call(command.argv, stdin=command.stdin.encode(), ok=command.ok)


def restored(conf: NodeConf, old: Record) -> Iterator[Change]:
    """Kernel settings as they were, unless somebody else may count on them now."""
    changed = {key: value for key, value in old.before.items() if read(SYSCTLS / key) != value}
    if not changed:
        return
    if others := panels(conf):
        yield Change(
            f"sysctl {' '.join(changed)}: left to the panel {others[0].parent.name}",
            lambda: inherit(others[0], changed),
        )
    elif tables := others_tables(conf):
        yield Change(
            f"sysctl {' '.join(changed)} stays as it is: another panel has the firewall table"
            f" {tables[0]}, and may need it",
            lambda: None,
        )
    elif bridges := sorted(NET.glob("*/bridge")):
        yield Change(
            f"sysctl {' '.join(changed)} stays as it is:"
            f" the bridge {bridges[0].parent.name} may need it",
            lambda: None,
        )
    else:
        for key, value in reversed(list(changed.items())):
            yield Change(f"sysctl {key} = {value}, as it was", setter(key, value))


def panels(conf: NodeConf) -> list[Path]:
    """The records of other panels on this machine."""
    own = record.path(conf)
    return [path for path in sorted(conf.run.parent.glob(f"*/{own.name}")) if path != own]


def others_tables(conf: NodeConf) -> list[str]:
    """The firewall tables, or chains, of panels that have no record to be found here."""
    said = b""
    for argv in (["nft", "list", "tables"], ["iptables-save", "-t", "filter"]):
        with contextlib.suppress(OperationError):  # no such program here
            said += call(argv, ok=(0, 1))
    found = {match.decode() for match in TABLE.findall(said)}
    return sorted(found - {names.table(conf), reach.table(conf)})


def inherit(other: Path, before: Mapping[str, str]) -> None:
    """Let the other panel put the settings back when it goes."""
    theirs = record.read(other)
    record.write(other, replace(theirs, before={**before, **theirs.before}))


TABLE = re.compile(rb"\bpanel_[0-9a-f]{8}\b")
NET = Path("/sys/class/net")
