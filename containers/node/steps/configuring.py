"""Steps that bring a container's settings to its files, and to it while it runs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from containers.node import ids, observed, veconf
from containers.node.access import identity
from containers.node.access.accounts import add_key, set_password
from containers.node.bundle import MIB, resources
from containers.node.ct import Ct
from containers.node.errors import Code, CommandFailed, OperationError
from containers.node.network import live, resolver
from containers.node.network.addresses import parse
from containers.node.plan import Step
from containers.node.scripts import run_inside
from containers.node.states import State
from containers.node.trees.area import tree_of
from containers.node.trees.safe_tree import BadTree, SafeTree

HEADING = "Written by the panel at every operation: change settings there, or with pctl set."
YES = {True: "yes", False: "no"}
IN_USE = "unable to set memory limit"  # runc, of a limit that is below what is in use


def write_conf(ct: Ct) -> None:
    """ve.conf, and the link to it at VE_CONFFILE. Raises BadValue for what can't be in it."""
    path, link = ct.paths.ve_conf, ct.paths.conf_link
    draft = path.with_name(".ve.conf.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(veconf.render(settings(ct), HEADING))
    draft.replace(path)
    if not (link.is_symlink() and os.readlink(link) == f"{path}"):
        if link.exists() and not link.is_symlink():
            raise OperationError(f"the file {link} is in the way: the panel's link belongs there")
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(path)
        fresh.replace(link)


def settings(ct: Ct) -> dict[str, str]:
    """vzctl's names where it has one; limits it knows by other units are ours."""
    spec = ct.spec
    limits = {
        "PHYSPAGES": f"0:{spec.ram * MIB // 4096}" if spec.ram else "",
        "CPULIMIT": f"{int(spec.cpus * 100)}" if spec.cpus else "",
        "NUMPROC": f"{spec.pids}:{spec.pids}" if spec.pids else "",
        "DISKSPACE": f"{spec.diskspace * 1024}:{spec.diskspace * 1024}" if spec.diskspace else "",
    }
    return {
        "VE_ROOT": f"{ct.paths.root}",
        "VE_PRIVATE": f"{ct.paths.private}",
        "OSTEMPLATE": spec.template,
        "NAME": spec.name,
        "DESCRIPTION": spec.description,
        "HOSTNAME": spec.hostname,
        "IP_ADDRESS": " ".join(spec.ips),
        "NAMESERVER": " ".join(spec.nameservers),
        "SEARCHDOMAIN": " ".join(spec.searchdomains),
        "ONBOOT": YES[spec.onboot],
        "DISABLED": YES[spec.disabled],
        **{key: value for key, value in limits.items() if value},
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


def apply(ct: Ct) -> None:
    """Bring what its row says to the container as it is; what may be refused comes first."""
    if ct.state is State.RUNNING:
        apply_limits(ct)
        apply_addresses(ct)
    limit_disk(ct)
    let_in(ct)
    configure(ct)
    if ct.state is State.RUNNING:
        apply_hostname(ct)


def limit_disk(ct: Ct) -> None:
    limit_disk_of(ct, ct.paths.fs)


def limit_disk_of(ct: Ct, area: Path) -> None:
    wanted = ct.spec.diskspace * MIB if ct.spec.diskspace else None
    if ct.storage.has_limits:
        ct.run(ct.storage.limit(area, wanted))
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


def apply_limits(ct: Ct) -> None:
    unlimited = {
        "memory": {"limit": -1, "swap": -1},
        "cpu": {"quota": -1, "period": 100_000},
        "pids": {"limit": -1},
    }
    path = ct.paths.bundle / "resources.json"
    path.write_text(json.dumps({**unlimited, **resources(ct)}))
    try:
        ct.ask(ct.runtime.update(ct.paths, path))
    except CommandFailed as e:
        why = "it uses more memory now" if IN_USE in e.said else e.said
        raise OperationError(f"its limits could not be changed: {why}", Code.RESOURCE) from e


def apply_addresses(ct: Ct) -> None:
    init = observed.init_of(ct.paths)
    if not init:
        return
    wanted = plain(ct.spec.ips)
    applied = plain(veconf.read(ct.paths.ve_conf).get("IP_ADDRESS", "").split())
    # A change that failed half way has left routes that the file doesn't know.
    for address in {*applied, *live.routed(ct.paths.node, ct.ctid)} - {*wanted}:
        live.delete(ct.paths.node, ct.ctid, init.pid, address)
    kept = [a for a in applied if a in wanted]
    for address in (a for a in wanted if a not in applied):
        live.add(ct.paths.node, ct.ctid, init.pid, address, kept)
        kept.append(address)


def plain(addresses: Sequence[str]) -> list[str]:
    return [f"{parse(text)}" for text in addresses]


def apply_hostname(ct: Ct) -> None:
    """Best effort: a container without a hostname command gets it at its next start."""
    try:
        failed = run_inside(ct, ["hostname", ct.spec.hostname], "hostname", timeout=10)
    except (CommandFailed, BadTree) as e:
        ct.say(f"{e}.")
        failed = 1
    if failed:
        ct.say("The running container keeps its host name until it is restarted.")


WRITE_CONF = Step("write-conf", "write its configuration file", do=write_conf)
CONFIGURE = Step(
    "configure", "write host name and resolver into it", do=configure, ignore_failure=True
)
APPLY = Step("apply", "apply the settings", do=apply)
