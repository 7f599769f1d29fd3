"""The files of the old system in the new one: copied under /old, or shown there for a while."""

import ctypes
import errno
import json
import os
from pathlib import Path

from containers.node import idmap, ids, observed
from containers.node.bundle import MIB
from containers.node.ct import Ct
from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.idmap import Ids
from containers.node.processes.run import call
from containers.node.storage.owners import unmappable
from containers.node.storage.removal import remove
from containers.node.templates.shift import Shift
from containers.node.trees.area import tree_of

OLD = "old"
COPY_TIMEOUT = 4 * 3600.0  # seconds
MNT_DETACH, CLONE_NEWNS = 2, 0x20000
NOT_THERE = (0, errno.EINVAL, errno.ENOENT)  # nothing is mounted there


def keep_old(ct: Ct) -> None:
    """The whole old tree under /old of the new one: shared, not doubled, where the disk can."""
    target = ct.paths.fs_tmp / OLD
    remove(ct.storage, target)
    target.mkdir()
    try:
        copy(ct, ct.paths.fs, target)
    except CommandFailed as e:
        raise NoRoom(Problem.OLD_NOT_COPIED) from e
    there, here = (ids.on_disk(ct.paths.node, each) for each in (ct.paths.fs, ct.paths.fs_tmp))
    if there != here:
        Shift(here.base, here.size, source=there.base).tree(target)


def require_room(ct: Ct) -> None:
    """Before the old system is stopped: btrfs counts shared data only after it was copied, and
    then nothing can be written any more.
    """
    if not (ct.storage.has_limits and ct.spec.diskspace):
        return
    old, new = (
        ct.storage.parse_usage(call(ct.storage.usage(area))).bytes
        for area in (ct.paths.fs, ct.paths.fs_tmp)
    )
    if old + new > ct.spec.diskspace * MIB:
        raise NoRoom(Problem.NO_ROOM, old=old, new=new, limit=ct.spec.diskspace * MIB)


class NoRoom(OperationError):
    """Beside the new system, under /old."""


def copy(ct: Ct, source: Path, target: Path) -> None:
    ct.run(["cp", "--archive", "--reflink=auto", "--one-file-system", "--no-target-directory",
            f"{source}", f"{target}"], timeout=COPY_TIMEOUT)  # fmt: skip


def wants_old(ct: Ct) -> bool:
    return not ct.params.get("skipbackup")


def show_old(ct: Ct) -> None:
    """The old system, read-only, at /old of the new one for as long as vps.configure runs."""
    place, old = ct.paths.root / OLD, ct.paths.fs_tmp
    with tree_of(ct.paths.node, ct.paths.fs) as tree:
        tree.mkdir(f"/{OLD}")
    there, own = ids.on_disk(ct.paths.node, old), ct.ids
    shown = there if unmappable(ct.paths.node) else own
    try:
        idmap.attach(old, place, Ids(there.base, shown.base, own.size), readonly=True)
    except OSError as e:
        raise OperationError(Problem.OLD_NOT_SHOWN, why=e) from e


def hide_old(ct: Ct) -> None:
    """Take /old from the running container, and from the mounts it is described by."""
    init = observed.init_of(ct.paths)
    if init and init.alive:
        umount_inside(init.pid, f"/{OLD}")
    place = f"{ct.paths.root / OLD}"
    if any(where == place for where, _ in observed.submounts(ct.paths.root)):
        ct.run(["umount", "--lazy", place])
    forget_bind(ct.paths.bundle / "config.json", f"/{OLD}")
    with tree_of(ct.paths.node, ct.paths.fs) as tree:
        tree.rmdir(f"/{OLD}")


def umount_inside(pid: int, path: str) -> None:
    """In the mount namespace of a container; nsenter would need the container's own /proc."""
    child = os.fork()
    if child:
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise OperationError(Problem.NOT_TAKEN_AWAY, path=path)
        return
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
        failed = libc.setns(namespace, CLONE_NEWNS) or libc.umount2(path.encode(), MNT_DETACH)
        os._exit(1 if failed and ctypes.get_errno() not in NOT_THERE else 0)
    except BaseException:
        os._exit(1)


def forget_bind(config: Path, destination: str) -> None:
    try:
        described = json.loads(config.read_text())
    except FileNotFoundError:
        return
    mounts = [m for m in described["mounts"] if m["destination"] != destination]
    config.write_text(json.dumps({**described, "mounts": mounts}, indent=1))
