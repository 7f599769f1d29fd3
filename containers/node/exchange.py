"""Two paths of one file system trade places in one moment: renameat2 with RENAME_EXCHANGE."""

import ctypes
import os
from pathlib import Path

from containers.node.errors import OperationError

AT_FDCWD = -100
RENAME_EXCHANGE = 2


def exchange(one: Path, other: Path) -> None:
    """Both must exist. After a power cut either neither or both have their new names."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        why = os.strerror(ctypes.get_errno())
        raise OperationError(f"{one.name} and {other.name} could not trade places: {why}")
    for folder in {one.parent, other.parent}:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
