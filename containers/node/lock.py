"""One at a time: the lock file that keeps the panel and shells apart on a container.

<vz>/lock/CTID.lck, flocked while an operation runs; in it vzctl's two lines: pid, and what it does.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from containers.node.errors import Locked


@contextlib.contextmanager
def locked(path: Path, status: str) -> Iterator[None]:
    """Hold the lock. Raises Locked, naming the holder, at once when somebody else does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise Locked(f"the container is locked by {holder(file)}") from e
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n{status}\n".encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)


def holder(file: int) -> str:
    lines = os.pread(file, 200, 0).decode(errors="replace").splitlines()
    pid = lines[0] if lines and lines[0].isdecimal() else ""
    status = lines[1] if len(lines) > 1 else ""
    who = f"pid {pid}" if pid else "somebody"
    return f"{who} ({status})" if status else f"{who}{command_of(pid)}"


def command_of(pid: str) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return f": {b' '.join(words).decode(errors='replace').strip()}"
    return ""
