"""Mounts that show the ids on a disk as others, and the private place where a runtime sees one.

On the disk a container's files have its own ids, 0 to 65535. Its runtime is started in a mount
namespace of its own, where they are shown as the ids of the node that stand for the container's:
the node itself sees no such mount, and none can be left behind.
"""

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from containers.node.bindmount import MS_PRIVATE, mount
from containers.node.processes.userns import mapping

CLONE_NEWNS, MS_REC, MS_SLAVE = 0x20000, 0x4000, 0x80000
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442  # on all machines but alpha
AT_FDCWD, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW = -100, 0x1000, 0x100
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH = 1, 4, 0x40
RDONLY, NOSUID, NODEV, IDMAP = 0x1, 0x2, 0x4, 0x100000  # MOUNT_ATTR_…
NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSPC)


class Attributes(ctypes.Structure):
    """struct mount_attr (linux/mount.h)."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


@dataclass(frozen=True)
class Ids:
    """The ids from disk on are shown as those from shown on; so many."""

    disk: int
    shown: int
    size: int


@dataclass(frozen=True)
class Rootfs:
    """A tree, and where a runtime is to find it."""

    source: Path
    target: Path
    ids: Ids

    def words(self) -> dict[str, Any]:
        """As it travels to whoever starts the runtime."""
        return {"source": f"{self.source}", "target": f"{self.target}", "ids": astuple(self.ids)}

    @classmethod
    def of(cls, words: dict[str, Any]) -> "Rootfs":
        return cls(Path(words["source"]), Path(words["target"]), Ids(*words["ids"]))


@contextlib.contextmanager
def shown(rootfs: Rootfs) -> Iterator[None]:
    """Be where the tree is at its target: what is started there finds it, and nobody else.

    That is a mount namespace which hears of the node's mounts and tells of none. For a process
    without threads; it comes back to the folder it was in. Raises OSError.
    """
    with folder("/proc/self/ns/mnt") as node, folder(".") as here:
        done(libc().unshare(CLONE_NEWNS), "a mount namespace")
        try:
            mount(None, Path("/"), MS_REC | MS_SLAVE)
            attach(rootfs.source, rootfs.target, rootfs.ids)
            yield
        finally:
            done(libc().setns(node, CLONE_NEWNS), "the node's mount namespace")
            os.fchdir(here)  # setns went to /


@contextlib.contextmanager
def folder(place: str) -> Iterator[int]:
    fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def attach(source: Path, target: Path, ids: Ids, *, readonly: bool = False) -> None:
    """Show a tree, without what is mounted in it, at target as well; privately. Raises OSError."""
    with cloned(source) as tree:
        show(tree, source, ids, RDONLY if readonly else 0)
        put(tree, target)


def attach_at(source: Path, target: int, ids: Ids) -> None:
    """The same at an open folder, without devices and set-user-id programs. Raises OSError."""
    with cloned(source) as tree:
        show(tree, source, ids, NOSUID | NODEV)
        flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
        done(call(MOVE_MOUNT, tree, b"", target, b"", flags), "the place in the container")


@contextlib.contextmanager
def cloned(source: Path) -> Iterator[int]:
    """A mount of it that is nowhere yet."""
    flags = OPEN_TREE_CLONE | os.O_CLOEXEC | AT_SYMLINK_NOFOLLOW
    tree = done(call(OPEN_TREE, AT_FDCWD, path(source), flags), f"{source}")
    try:
        yield tree
    finally:
        os.close(tree)


def put(tree: int, target: Path) -> None:
    """Have a mount that is nowhere yet at target."""
    done(call(MOVE_MOUNT, tree, b"", AT_FDCWD, path(target), MOVE_MOUNT_F_EMPTY_PATH), f"{target}")


def show(tree: int, source: Path, ids: Ids, attributes: int) -> None:
    if ids.disk == ids.shown:
        set_attributes(tree, source, Attributes(attributes, 0, MS_PRIVATE, 0))
        return
    with mapping(ids.disk, ids.shown, ids.size) as userns:
        set_attributes(tree, source, Attributes(attributes | IDMAP, 0, MS_PRIVATE, userns))


def make_private(tree: int, source: Path) -> None:
    """Out of the peer group of what it was cloned from; CRIU could not put it back there."""
    set_attributes(tree, source, Attributes(0, 0, MS_PRIVATE, 0))


def set_attributes(tree: int, source: Path, attributes: Attributes) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    done(call(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, ctypes.byref(attributes), size),
         f"the owners in {source}")  # fmt: skip


def missing(place: Path) -> str:
    """Why nothing in a folder can be shown with other ids; empty when it can."""
    try:
        with cloned(place) as tree:
            show(tree, place, Ids(0, 1 << 30, 1), 0)
    except OSError as error:
        if error.errno not in NOT_HERE:
            raise
        return f"this kernel can't show {place} with other ids: {error.strerror}"
    return ""


def path(where: Path) -> bytes:
    return os.fsencode(where)


def call(number: int, *arguments: Any) -> int:
    """A system call that libc may not know yet."""
    return int(libc().syscall(ctypes.c_long(number), *arguments))


def libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def done(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
    return result
