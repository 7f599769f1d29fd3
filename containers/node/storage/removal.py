"""How an area is removed, whatever became of it: files, nested subvolumes, a link in its place."""

import stat
from pathlib import Path

from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.processes.run import call
from containers.node.storage import Storage
from containers.node.storage.btrfs import Driver as Btrfs
from containers.node.storage.mounts import mounts_in

LONG = 4 * 3600.0
SUBVOLUME = 256  # the inode number of every btrfs subvolume's root


def remove(storage: Storage, path: Path) -> None:
    """Remove what is at path; nothing there is fine. Raises when something is mounted in it.

    A reinstall hook may have left a plain directory or a link where an area is looked for.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        path.unlink()
        return
    if mounts := mounts_in(path):
        raise OperationError(Problem.MOUNTED_BELOW, path=path, point=mounts[0].point)
    if isinstance(storage, Btrfs) and found.st_ino == SUBVOLUME:
        remove_subvolume(storage, path)
    else:
        # Nested subvolumes count as other file systems, so rm may cross here: nothing is mounted.
        call(["rm", "--recursive", "--force", f"{path}"], timeout=LONG)


def remove_subvolume(storage: Btrfs, path: Path) -> None:
    try:
        call(storage.delete(path))
    except CommandFailed:
        number = int(call(storage.number(path)))
        inner = storage.nested(number, call(storage.listing(path)))
        if not inner:
            raise
        for each in inner:
            call(storage.delete_nested(each, path))
        call(storage.delete(path))
