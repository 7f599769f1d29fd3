"""Steps that bring a container's settings to its files, and to it while it runs."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from containers.node import alias, ids, observed, settings, veconf
from containers.node.access import identity
from containers.node.access.accounts import account_of, add_key, set_password
from containers.node.bundle import MIB
from containers.node.ct import Ct
from containers.node.descriptors import closing
from containers.node.draft import written_beside
from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.lines import text_of
from containers.node.network import live, names, resolver
from containers.node.network.addresses import parse
from containers.node.plan import Step
from containers.node.processes import uts
from containers.node.states import State
from containers.node.steps.limiting import apply_limits, check_limits
from containers.node.trees.area import tree_of
from containers.node.trees.safe_tree import SafeTree

HEADING = """The panel writes its settings at every operation: change them there, or with pctl set.
Other lines are yours, and stay."""
BEFORE = "# Written by the panel at every operation: change settings there, or with pctl set.\n"
FULL = "Disk quota exceeded"  # btrfs, of a limit by the path of what has outgrown it


def write_conf(ct: Ct) -> None:
    """ve.conf, and the links to it: VE_CONFFILE, and where OpenVZ has it.

    What others have written there stays. Raises BadValue for what can't be in it.
    """
    path, link = ct.paths.ve_conf, ct.paths.conf_link
    before = there(path)
    text = veconf.merge(before.replace(BEFORE, ""), lines(ct), own=own_keys(), heading=HEADING)
    if text != before:  # else a full disk is no matter
        with (
            written_beside(path, path.with_name(".ve.conf.new")) as draft,
            open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        ):
            file.write(text.encode("utf-8", "surrogateescape"))
    if not (link.is_symlink() and os.readlink(link) == f"{path}"):
        if link.exists() and not link.is_symlink():
            raise OperationError(Problem.FILE_IN_THE_WAY, path=link)
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(path)
        fresh.replace(link)
    alias.make(ct.paths)


def own_keys() -> set[str]:
    """Those without a value have no line."""
    return {setting.conf.name for setting in settings.of_node() if setting.conf}


def there(path: Path) -> str:
    try:
        return text_of(path)
    except OSError:
        return ""


def lines(ct: Ct) -> dict[str, str]:
    """vzctl's names where it has one."""
    values = ((s.conf, getattr(ct.spec, s.name)) for s in settings.of_node() if s.conf)
    return {
        "VE_ROOT": f"{ct.paths.root}",
        "VE_PRIVATE": f"{ct.paths.private}",
        "HOST_IFNAME": names.veth(ct.paths.node, ct.paths.ctid),
        "OSTEMPLATE": ct.spec.template,
        **{key.name: text for key, value in values if (text := key.line(value)) is not None},
        **of_ids(ct),
    }


def of_ids(ct: Ct) -> dict[str, str]:
    """UID_BASE: whose files below VE_ROOT are its root's. HOST_UID_BASE: who its root is here."""
    there = ids.on_disk(ct.paths.node, ct.paths.fs)
    return {
        "UID_BASE": f"{there.base}",
        "UID_SIZE": f"{there.size}",
        "HOST_UID_BASE": f"{ct.ids.base}",
    }


def configure(ct: Ct) -> None:
    """Host name and resolver, into its files."""
    with tree(ct) as files:
        configure_in(ct, files)


def configure_in(ct: Ct, files: SafeTree) -> None:
    if ct.spec.hostname:
        identity.set_hostname(files, ct.spec.hostname, ct.spec.ips)
    text = resolver.text(ct.spec.nameservers, ct.spec.searchdomains, resolver.node_texts())
    files.write(identity.RESOLVER, text.encode())


def tree(ct: Ct) -> SafeTree:
    return tree_of(ct.paths.node, ct.paths.fs)


def check_fit(ct: Ct) -> None:
    """Refuse, before anything is changed, what can't be.

    That is what no file can hold, a password for nobody, and a limit that is outgrown already.
    """
    veconf.render(lines(ct))
    if password := ct.params.get("userpasswd"):
        with tree(ct) as files:
            account_of(files, password["user"])
    check_limits(ct)


def apply(ct: Ct) -> None:
    """Bring what it shall be to the container as it is; what may be refused comes first."""
    if ct.state is State.RUNNING:
        apply_limits(ct)
        apply_addresses(ct)
    limit_disk(ct)
    configure(ct)
    if ct.state is State.RUNNING:
        apply_hostname(ct)
    ct.executor.obey()


def put_back(ct: Ct) -> None:
    """What is in force, whatever was changed of it: each part for itself, then what failed."""
    if ct.former is None:
        return
    before = replace(ct, spec=ct.former)
    parts: list[Callable[[Ct], None]] = [limit_disk, write_conf, configure]
    if ct.state is State.RUNNING:
        parts = [apply_limits, apply_addresses, *parts, apply_hostname]
    failed: list[Exception] = []
    for part in parts:
        try:
            part(before)
        except (OperationError, OSError) as error:
            failed.append(error)
    if failed:
        raise failed[0]


def limit_disk(ct: Ct) -> None:
    limit_disk_of(ct, ct.paths.fs)


def limit_disk_of(ct: Ct, area: Path) -> None:
    wanted = ct.spec.diskspace * MIB if ct.spec.diskspace else None
    if ct.storage.has_limits:
        try:
            ct.ask(ct.storage.limit(area, wanted))
        except CommandFailed as error:
            if FULL not in error.said:
                raise
            number = ct.ask(ct.storage.number(area)).decode().strip()
            ct.ask(ct.storage.limit(ct.paths.node.vz, wanted, number=number))
    elif wanted:
        ct.say(f"Warning: {ct.storage.name} storage can't limit disk space; the limit is not kept.")


def let_in(ct: Ct) -> None:
    """Password and SSH keys, if any were given."""
    password, keys = ct.params.get("userpasswd"), ct.params.get("sshkeys") or []
    if not password and not keys:
        return
    with tree(ct) as files:
        if password:
            set_password(files, password["user"], password["hash"])
        for key in keys:
            add_key(files, "root", key)


def apply_addresses(ct: Ct) -> None:
    init = observed.init_of(ct.paths)
    if not init:
        return
    wanted = plain(ct.spec.ips)
    noted = plain(veconf.read(ct.paths.ve_conf).get("IP_ADDRESS", "").split())
    # A change that was cut short has left routes that the file doesn't know, or taken some away.
    routed = live.routed(ct.paths.node, ct.ctid)
    for address in {*noted, *routed} - {*wanted}:
        live.delete(ct.paths.node, ct.ctid, init.pid, address)
    kept = [a for a in noted if a in wanted and a in routed]
    for address in (a for a in wanted if a not in kept):
        live.add(ct.paths.node, ct.ctid, init.pid, address, kept)
        kept.append(address)


def plain(addresses: Sequence[str]) -> list[str]:
    return [f"{parse(text)}" for text in addresses]


def apply_hostname(ct: Ct) -> None:
    """Best effort, and from outside: its own programs may be anything."""
    try:
        name_running(ct)
    except OSError as e:
        ct.say(f"The running container keeps its host name until it is restarted ({e}).")


def name_running(ct: Ct) -> None:
    """Raises OSError."""
    init = observed.init_of(ct.paths)
    fd = observed.pidfd(init) if init else None
    if fd is not None:
        with closing(fd):
            uts.set_hostname(fd, ct.spec.hostname)


WRITE_CONF = Step("write-conf", "write its configuration file", do=write_conf)
CONFIGURE = Step(
    "configure", "write its host name and name servers", do=configure, ignore_failure=True
)
CHECK_FIT = Step("check-fit", "check that the settings fit it", do=check_fit)
PUT_BACK = Step("put-back-settings", "put the former settings back", do=put_back)
APPLY = Step("apply", "apply the settings", do=apply, undo=(PUT_BACK,))
