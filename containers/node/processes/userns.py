"""A user namespace that nothing lives in: how the ids on a disk become those of a mount."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from containers.node.processes.cgroup import born_with

CLONE_NEWUSER = 0x10000000


@contextlib.contextmanager
def mapping(disk: int, shown: int, size: int) -> Iterator[int]:
    """A descriptor of one in which the ids from disk on are those from shown on.

    Raises OSError where the kernel or the machine allows none.
    """
    pid = born_with(CLONE_NEWUSER)
    if pid == 0:  # there only until its namespace has been opened
        while True:
            signal.pause()
    try:
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text(f"{disk} {shown} {size}")
        fd = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    try:
        yield fd
    finally:
        os.close(fd)
