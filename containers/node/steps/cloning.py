"""Steps that make something else of a snapshot: another container, a template, a trial."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

from containers.node import ids, observed
from containers.node.access import identity
from containers.node.bindmount import unmount
from containers.node.bundle import require_real_places
from containers.node.checkpoint import contents, dumped, obstacles, record, scripted
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem
from containers.node.layout import Layout
from containers.node.lock import locked
from containers.node.observed import Init
from containers.node.plan import Step
from containers.node.processes.run import call
from containers.node.steps.configuring import name_running
from containers.node.steps.making import delete_private, make_private
from containers.node.steps.mounting import dismount, mount
from containers.node.steps.owners import settle
from containers.node.steps.remounting import CannotRestore
from containers.node.steps.restoring import (
    RESTORE,
    UNDOING,
    kept_of,
    owner_of,
    restore,
)
from containers.node.steps.running import delete
from containers.node.storage.removal import remove
from containers.node.templates import catalogue
from containers.node.templates.catalogue import Build
from containers.node.trees.area import tree_of
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import Kind
from containers.node.wording import few

TRIALS = 2147483648  # CT IDs from here on are nobody's: the highest is 2147483644
SETTLING = 1.0  # seconds that restored processes have to live
MANY = 100  # names of ended ones that are kept


@contextlib.contextmanager
def source(ct: Ct) -> Iterator[None]:
    """Hold the snapshot's container meanwhile. Raises Locked when somebody else does."""
    owner = owner_of(ct)
    if owner.ctid == ct.ctid:
        yield
        return
    with locked(owner.lock, "cloning"):
        yield


def copy_kept(ct: Ct) -> None:
    """And lines of its configuration file that are not the panel's: the others are written anew."""
    kept = kept_of(ct)
    with source(ct):
        call(ct.storage.snapshot(kept.fs, ct.paths.fs))
        if kept.ve_conf.is_file():
            shutil.copyfile(kept.ve_conf, ct.paths.ve_conf)
    settle(ct, ct.paths.fs)


def restore_clone(ct: Ct) -> None:
    """Connections end: their other ends know the source. Its name comes with the processes."""
    with source(ct):
        restore(ct, kept_of(ct), tcp_close=True)
    init = observed.init_of(ct.paths)
    if init and ct.spec.hostname:
        name_running(ct)
    if init:
        read_host_keys(init)


def read_host_keys(init: Init) -> None:
    """Its sshd came with the source's in its memory, and reads its own when it's told to."""
    for pid in obstacles.members(init.pid):
        if obstacles.name_of(pid) != "sshd" or obstacles.parent_of(pid) != init.pid:
            continue
        if fd := observed.pidfd(Init(pid, observed.started(pid) or 0)):
            signal.pidfd_send_signal(fd, signal.SIGHUP)
            os.close(fd)


def build_of(ct: Ct) -> Build:
    return Build(ct.paths.node, ct.params["name"], f"{ct.operation}")


def begin_template(ct: Ct) -> None:
    build = build_of(ct)
    catalogue.discard(build, ct.storage)
    build.path.mkdir(0o700, parents=True)
    with source(ct):
        call(ct.storage.snapshot(kept_of(ct).fs, build.fs))


def discard_template(ct: Ct) -> None:
    catalogue.discard(build_of(ct), ct.storage)


def leave_out(ct: Ct) -> None:
    """What only one machine may have. Users and their passwords stay."""
    with tree_of(ct.paths.node, build_of(ct).fs) as tree:
        if tree.kind(identity.SSH, Links.INSIDE) is Kind.DIRECTORY:
            for name in filter(identity.HOST_KEY_FILE.match, tree.listdir(identity.SSH)):
                tree.remove(f"{identity.SSH}/{name}")
        tree.write(identity.MACHINE_ID, b"", mode=0o444)
        tree.remove(identity.DBUS_ID)
        tree.write(identity.HOSTNAME, b"localhost\n")
        tree.write(identity.RESOLVER, b"")
        text = identity.read_text(tree, identity.HOSTS) or identity.DEFAULT_HOSTS
        kept = [line for line in text.removesuffix("\n").split("\n") if not identity.own(line)]
        tree.write(identity.HOSTS, identity.encoded("".join(f"{line}\n" for line in kept)))


def tried(ct: Ct) -> Ct:
    """The same container as one that has a number, disk and network of its own, and no address."""
    number = TRIALS + ct.operation % (36**6 - TRIALS)
    spec = ct.spec.but(ips=(), uid_base=None)
    return replace(ct, paths=Layout(ct.paths.node, number), spec=spec, fact=lambda key, value: None)


def prepare(ct: Ct) -> None:
    other = tried(ct)
    make_private(other)
    call(ct.storage.snapshot(kept_of(ct).fs, other.paths.fs))
    mount(other)
    told = scripted.read(kept_of(ct)) or []
    require_real_places(other.paths.fs, [each.path for each in told])
    contents.mount(other.paths.root, told)


def try_restore(ct: Ct) -> None:
    other = tried(ct)
    restore(other, kept_of(ct), tcp_close=True, alone=True)
    time.sleep(SETTLING)
    init = observed.init_of(other.paths)
    if not init or not init.alive:
        raise CannotRestore(Problem.INIT_ENDED)
    before = dumped.names(kept_of(ct).images)
    after = list(dumped.living(obstacles.members(init.pid)))
    ended = dumped.ended(before, after)
    lives, fate = len(before) - len(ended), f"; ended: {few(ended)}" if ended else ""
    ct.say(f"{lives} of {len(before)} processes came back{fate}.")
    gone = sorted({*ended} - {*after})
    found = {"processes": lives, "of": len(before), "ended": ended[:MANY], "gone": gone[:MANY]}
    ct.fact("tried", {"uuid": ct.params["snapshot"], **found})


def throw_away(ct: Ct) -> None:
    other = tried(ct)
    delete(other)
    for where, _ in reversed(observed.submounts(other.paths.root)):
        unmount(where, lazy=True)
    dismount(other)
    delete_private(other)
    for path in (other.paths.monitor, other.paths.bundle, other.paths.rootfs.parent):
        remove(ct.storage, path)
    ids.take_back(ct.paths.node, other.ctid)


def require_own_mounts(ct: Ct) -> None:
    """Most of a mount script's are the node's own files, which a trial restore must not touch."""
    kept = kept_of(ct)
    carried = {each.path for each in scripted.read(kept) or () if each.carried}
    mounts = [path for path in record.read(kept).mounts if path not in carried]
    if mounts:
        raise OperationError(Problem.NO_TRIAL, paths=mounts)


COPY_KEPT = Step("copy-kept-disk", "copy the snapshot's disk", do=copy_kept)
RESTORE_CLONE = RESTORE.but(key="restore-clone", do=restore_clone, undo=UNDOING)
DISCARD_TEMPLATE = Step("discard-template", "remove what was built", do=discard_template)
BEGIN_TEMPLATE = Step(
    "begin-copy", "copy the snapshot's disk", do=begin_template, undo=(DISCARD_TEMPLATE,)
)
LEAVE_OUT = Step("leave-out", "remove host keys, machine ID and host name", do=leave_out)
THROW_AWAY = Step("throw-away", "delete the copy", do=throw_away)
PREPARE = Step("prepare", "make a copy of its disk", do=prepare, undo=(THROW_AWAY,))
TRIAL = Step("trial-restore", "restore its processes in the copy", do=try_restore)
CHECK_MOUNTS = Step(
    "check-mounts", "check that nothing else is mounted in it", do=require_own_mounts
)
