"""The node's part of its containers' network: what has to be so, and made so.

prepare does what plan says, so both come from one list; nothing is on it that is so already.
It is run at set-up, after a boot, and now and then, for others may flush the firewall.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from containers.node import veconf
from containers.node.conf import NodeConf
from containers.node.errors import CommandFailed, OperationError
from containers.node.network import connections, names, pool, proxies, record, resolver
from containers.node.network.probe import FIREWALLS, FORWARD, FORWARD6, Found, probe, variant
from containers.node.network.record import Record
from containers.node.network.rules import Rules
from containers.node.processes.run import call

SYSCTLS = Path("/proc/sys")


@dataclass(frozen=True)
class Change:
    """said: what is done, as a sentence without full stop."""

    said: str
    do: Callable[[], object]


def plan(conf: NodeConf) -> list[str]:
    """What prepare would change; changes nothing."""
    own = wanted_pool(conf)
    found = examine(conf, own)
    if found.without:
        return [found.without]
    return [change.said for change in changes(conf, own, found)]


def prepare(conf: NodeConf) -> list[str]:
    """Make it so; returns what was done. Safe at any time and any number of times.

    Raises OperationError. Where the machine allows no network, nothing is changed but the
    record, and record.load(conf).without says why.
    """
    own = wanted_pool(conf)
    found = examine(conf, own)
    old = record.load(conf)
    if found.without:
        if found.without != old.without:
            with contextlib.suppress(PermissionError):  # not root
                record.save(conf, replace(old, without=found.without))
        return []
    new = Record(
        pool=f"{own}",
        without="",
        no_nat=found.no_nat,
        uncounted=found.uncounted,
        ipv6=ipv6(conf),
        firewall=found.firewall,
        before={**{key: value for key, value, _ in settings(conf)}, **old.before},
    )
    said = []
    for change in changes(conf, own, found):
        change.do()
        said.append(change.said)
    if new != old:
        record.save(conf, new)
    return said


def warnings(conf: NodeConf) -> list[str]:
    """What an operator should know about this node's network: shown, not logged each time."""
    found = record.load(conf)
    if found.without:
        return missing(conf)
    return [*missing(conf), *strangers(conf), *overlaps(conf, found.network)]


def missing(conf: NodeConf) -> list[str]:
    """What containers here go without, in a sentence each: a network, NAT, a count."""
    found = record.load(conf)
    return [said for said in (found.without, found.no_nat, found.uncounted) if said]


def wanted_pool(conf: NodeConf) -> IPv4Network:
    """The pool in vz.conf, or the one that prepare will write there."""
    text = veconf.read(conf.vz_conf).get(pool.KEY, "")
    return pool.parse(text) if text else pool.choose(conf.instance, busy())


def busy() -> Iterator[IPv4Network]:
    """Networks the machine knows, and its resolvers."""
    yield from (network for network, _ in routes())
    for server in resolver.inherited(resolver.node_texts()):
        with contextlib.suppress(ValueError):
            yield IPv4Network(server)


def examine(conf: NodeConf, own: IPv4Network) -> Found:
    """As probe, but what stands already needs no trying: this is run now and then."""
    old = record.load(conf)
    if old.firewall and not old.without:
        found = Found(old.firewall, no_nat=old.no_nat, uncounted=old.uncounted)
        if stands(conf, own, found):
            return found
    return probe(rules(conf, own))


def changes(conf: NodeConf, own: IPv4Network, found: Found) -> Iterator[Change]:
    if veconf.read(conf.vz_conf).get(pool.KEY) is None:
        yield Change(
            f"the pool {own} for containers' addresses, in {conf.vz_conf}",
            lambda: write_pool(conf, own),
        )
    for key, before, after in settings(conf):
        yield Change(f"sysctl {key} = {after} (it is {before})", setter(key, after))
    if not route_of(own):
        yield Change(
            f"an unreachable route for {own}, so that packets to an address of the pool that"
            " nobody has stay here",
            lambda: call(["ip", "route", "add", "unreachable", f"{own}"]),
        )
    if not stands(conf, own, found):
        nat = "" if found.no_nat else f", with NAT for {own}"
        table = names.table(conf)
        where = (
            f"the nftables table inet {table}"
            if found.firewall == "nft"
            else f"the {found.firewall} chains {table}_*"
        )
        yield Change(
            f"{where}: containers can't send for others' addresses nor reach the node's own"
            f" ports{limited(conf, found)}{nat}",
            lambda: install(conf, own, found),
        )
    yield from dropped()


def limited(conf: NodeConf, found: Found) -> str:
    most = None if found.uncounted else connections.each(conf)
    return "" if most is None else f", and have at most {most} connections each"


def dropped() -> Iterator[Change]:
    for address, uplink in proxies.stale():
        yield Change(
            f"the node answers no longer for {address} on {uplink}: no container has it",
            partial(proxies.drop, address, uplink),
        )


def write_pool(conf: NodeConf, own: IPv4Network) -> None:
    """Add the line, leaving the rest of the file as it is."""
    file = conf.vz_conf
    file.parent.mkdir(parents=True, exist_ok=True)
    text = file.read_text(errors="surrogateescape") if file.exists() else ""
    if text and not text.endswith("\n"):
        text += "\n"
    new = file.with_name(f".{file.name}.new")
    line = veconf.render({pool.KEY: f"{own}"}, "The node's own network of container addresses")
    new.write_text(text + line, errors="surrogateescape")
    new.replace(file)


def settings(conf: NodeConf) -> list[tuple[str, str, str]]:
    """Kernel settings that have to change: key, its value now, its value then.

    Of interfaces that learn their IPv6 default route from a router's advertisements: the
    kernel would drop it as soon as it forwards, unless accept_ra is 2.
    """
    wanted = [(FORWARD, "1")]
    if ipv6(conf):
        if read(FORWARD6) == "0":
            learned = [FORWARD6.parent.parent / name / "accept_ra" for name in advertised()]
            wanted += [(file, "2") for file in learned if read(file) == "1"]
        # Without the second the kernel answers for none of the addresses it was told to.
        wanted += [(FORWARD6, "1"), (FORWARD6.parent / "proxy_ndp", "1")]
    return [(key(file), read(file), value) for file, value in wanted if read(file) != value]


def advertised() -> list[str]:
    try:
        said = call(["ip", "-json", "-6", "route", "show", "default"])
    except CommandFailed:
        return []
    routes = json.loads(said or b"[]")
    return sorted({r["dev"] for r in routes if r.get("protocol") == "ra" and "dev" in r})


def ipv6(conf: NodeConf) -> bool:
    """IPV6="no" in vz.conf leaves the machine's IPv6 alone, as vzctl has it."""
    return FORWARD6.exists() and veconf.read(conf.vz_conf).get("IPV6", "yes") != "no"


def route_of(own: IPv4Network) -> bool:
    """Is there a route to exactly the pool?"""
    return bool(
        json.loads(call(["ip", "-json", "-4", "route", "show", "exact", f"{own}"]) or b"[]")
    )


def rules(conf: NodeConf, own: IPv4Network, found: Found | None = None) -> Rules:
    """found: what is possible here; None: all of it."""
    servers = resolver.inherited(resolver.node_texts())
    wanted = Rules(
        table=names.table(conf),
        links=names.prefix(conf),
        pool=own,
        resolvers=tuple(filter(None, map(resolver.address_of, servers))),
        ipv6=FORWARD6.exists(),
        connections=connections.each(conf),
    )
    if found is None:
        return wanted
    return variant(wanted, nat=not found.no_nat, counted=not found.uncounted)


def stands(conf: NodeConf, own: IPv4Network, found: Found) -> bool:
    firewall, wanted = FIREWALLS[found.firewall], rules(conf, own, found)
    try:
        said = b"".join(call(look.argv, ok=look.ok) for look in firewall.look(wanted))
    except OperationError:
        return False
    return firewall.stands(wanted, said)


def install(conf: NodeConf, own: IPv4Network, found: Found) -> None:
    for command in FIREWALLS[found.firewall].install(rules(conf, own, found)):
        call(command.argv, stdin=command.stdin.encode(), ok=command.ok)


def strangers(conf: NodeConf) -> list[str]:
    """Other firewalls on the node that drop what is forwarded: accepting it here does not help."""
    try:
        said = call(["nft", "-j", "list", "chains"])
    except OperationError:
        return []
    return [
        f"the firewall table {table} drops what it does not know, so packets from and to"
        f" containers may not pass: let it accept the interfaces {names.prefix(conf)}*"
        for table in dropping(json.loads(said), names.table(conf))
    ]


def overlaps(conf: NodeConf, own: IPv4Network) -> Iterator[str]:
    for network, interface in routes():
        ours = names.ctid_of(conf, interface) is not None or (network == own and not interface)
        if network.overlaps(own) and not ours:
            yield (
                f"the pool {own} overlaps {network}, which the node routes to"
                f" {interface or 'nowhere'}: choose another {pool.KEY} in {conf.vz_conf}"
            )


def routes() -> Iterator[tuple[IPv4Network, str]]:
    """The node's own, by network and interface, the default route left out."""
    for route in json.loads(call(["ip", "-json", "-4", "route", "show"]) or b"[]"):
        with contextlib.suppress(ValueError):  # "default"
            yield IPv4Network(route["dst"], strict=False), route.get("dev", "")


def dropping(listing: dict[str, list[dict[str, dict[str, str]]]], own: str) -> list[str]:
    """The tables, as nft lists them, with a chain at forwarding whose policy is to drop."""
    chains = [item["chain"] for item in listing["nftables"] if "chain" in item]
    return sorted(
        {
            f"{chain['family']} {chain['table']}"
            for chain in chains
            if chain.get("hook") == "forward"
            and chain.get("policy") == "drop"
            and chain["table"] != own
        }
    )


def setter(key: str, value: str) -> Callable[[], object]:
    return lambda: (SYSCTLS / key).write_text(f"{value}\n")


def key(file: Path) -> str:
    """As sysctl has it, with slashes: an interface's name may have dots."""
    return f"{file.relative_to(SYSCTLS)}"


def read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
