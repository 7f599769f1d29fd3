"""Two paths of one file system trade places in one moment: renameat2 with RENAME_EXCHANGE."""

import contextlib
import ctypes
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from containers.node.errors import OperationError, Problem

AT_FDCWD = -100
RENAME_EXCHANGE = 2
BTRFS_IOC_START_SYNC = 0x80089418


def exchange(one: Path, other: Path) -> None:
    """Both must exist. After a power cut either neither or both have their new names."""
    trade(one, other)
    settle({one.parent, other.parent})


def trade(one: Path, other: Path) -> None:
    """The same, but settled some time later, or once settle is called."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        why = os.strerror(ctypes.get_errno())
        raise OperationError(Problem.NOT_EXCHANGED, one=one.name, other=other.name, why=why)


def settle(folders: Iterable[Path]) -> None:
    """Wait until the names in them are on the disk."""
    for folder in folders:
        with folder_of(folder) as fd:
            os.fsync(fd)


def begin_to_settle(folder: Path) -> None:
    """Have btrfs write what it holds back, without waiting for it."""
    with folder_of(folder) as fd, contextlib.suppress(OSError):  # another file system
        fcntl.ioctl(fd, BTRFS_IOC_START_SYNC, bytes(8))


@contextlib.contextmanager
def folder_of(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)
