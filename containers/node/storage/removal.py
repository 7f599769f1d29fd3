"""How an area is removed, whatever became of it: files, nested subvolumes, a link in its place."""

import stat
from pathlib import Path

from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.processes.run import call
from containers.node.storage import Storage
from containers.node.storage.mounts import mounts_in

REMOVAL_TIMEOUT = 4 * 3600.0  # seconds


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
    if storage.is_area(path):
        remove_area(storage, path)
    else:
        # Nested areas count as other file systems, so rm may cross here: nothing is mounted.
        call(["rm", "--recursive", "--force", f"{path}"], timeout=REMOVAL_TIMEOUT)


def remove_area(storage: Storage, path: Path) -> None:
    try:
        call(storage.delete(path))
    except CommandFailed:
        nested = storage.delete_nested(path, call)
        if not nested:
            raise
        for argv in nested:
            call(argv)
        call(storage.delete(path))
