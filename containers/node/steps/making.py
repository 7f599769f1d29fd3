"""Steps that make a container out of a template, and unmake it."""

import contextlib
import os
from functools import partial

from containers.node import alias, approvals, ids
from containers.node.access import hostkeys, identity
from containers.node.bundle import MIB
from containers.node.checkpoint import saved
from containers.node.ct import Ct
from containers.node.errors import CommandFailed, NoSpace, OperationError, Problem
from containers.node.plan import Step
from containers.node.states import State
from containers.node.steps.configuring import let_in, limit_disk, tree
from containers.node.steps.owners import claim, settle
from containers.node.storage import space
from containers.node.storage.removal import remove
from containers.node.templates import catalogue


def check_new(ct: Ct) -> None:
    """A step of its own: to undo the next one is to delete what it made."""
    for path in (ct.paths.private, ct.paths.conf_link):
        if os.path.lexists(path):
            raise OperationError(Problem.PATH_EXISTS, path=path)


def make_private(ct: Ct) -> None:
    """Its own folder, that scripts and configuration lie in beside fs: the node's root's alone."""
    ct.paths.private.mkdir(0o700, parents=True)
    claim(ct)
    ct.paths.scripts.mkdir(mode=0o700)


def delete_private(ct: Ct) -> None:
    """All of it: the root file system, what a reinstallation kept, snapshots, scripts."""
    for path in (ct.paths.fs, ct.paths.fs_tmp, ct.paths.private / "fs.restore"):
        remove(ct.storage, path)
    for folder in (ct.paths.old, ct.paths.snapshots):
        if folder.is_dir():
            for each in sorted(folder.iterdir()):
                saved.remove(saved.Saved(each), ct.storage)
            remove(ct.storage, folder)
    remove(ct.storage, ct.paths.private)
    if ct.paths.root.is_dir():
        ct.paths.root.rmdir()


def delete_conf(ct: Ct) -> None:
    alias.remove(ct.paths)
    ct.paths.conf_link.unlink(missing_ok=True)
    (ct.paths.node.state / "written" / f"{ct.ctid}.json").unlink(missing_ok=True)
    for folder in (ct.paths.monitor, ct.paths.bundle):
        remove(ct.storage, folder)
    with contextlib.suppress(FileNotFoundError):
        ct.paths.rootfs.rmdir()
        ct.paths.rootfs.parent.rmdir()
    ids.take_back(ct.paths.node, ct.ctid)
    approvals.forget(ct.paths.node, ct.ctid, who=f"operation {ct.operation}")


def copy_template(ct: Ct) -> None:
    template = catalogue.find(ct.paths.node, ct.spec.template)
    try:
        ct.run(ct.storage.snapshot(template.fs, ct.paths.fs))
    except CommandFailed as e:
        if space(ct.paths.node.vz).free < MIB:
            raise NoSpace() from e
        raise
    settle(ct, ct.paths.fs)
    ct.fact("template", f"{template}")


def identify(ct: Ct) -> None:
    """A host name, machine id and SSH host keys of its own."""
    with tree(ct) as files:
        identity.set_machine_id(files)
        take = partial(hostkeys.take, ct.paths.node)
        keys = identity.make_host_keys(files, f"root@{ct.spec.hostname}", take)
        if ct.spec.hostname:
            identity.set_hostname(files, ct.spec.hostname, ct.spec.ips)
    ct.fact("host_keys", keys)


DELETE_CONF = Step("delete-conf", "delete its configuration", do=delete_conf)
DELETE_PRIVATE = Step(
    "delete-private",
    "delete its files",
    do=delete_private,
    leaves=State.BROKEN,
    commits=True,
)
CHECK_NEW = Step("check-new", "check that the CT ID is free", do=check_new)
MAKE_PRIVATE = Step(
    "make-private",
    "make room for its files",
    do=make_private,
    undo=(DELETE_PRIVATE, DELETE_CONF),
)
COPY_TEMPLATE = Step("copy-template", "copy the template", do=copy_template)
LIMIT_DISK = Step("limit-disk", "limit its disk", do=limit_disk)
IDENTIFY = Step("identify", "write its host name, host keys and machine ID", do=identify)
LET_IN = Step("let-in", "set password and keys", do=let_in)
SETTLE = Step(
    "hand-over", "keep the new container", do=lambda ct: None, leaves=State.STOPPED, commits=True
)
