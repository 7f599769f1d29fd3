"""One at a time: the lock file that keeps the panel and shells apart on a container.

<vz>/lock/CTID.lck, flocked while an operation runs; in it vzctl's two lines: pid, and what it does.
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from containers.node.errors import Locked, NoSpace, Problem
from containers.node.lines import lines_in, lines_of

LOCKS = Path("/proc/locks")
INSTANT = 0.05  # seconds


@contextlib.contextmanager
def locked(path: Path, status: str) -> Iterator[None]:
    """Hold the lock. Raises Locked, naming the holder, when somebody else does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace() from e
        raise
    try:
        if not taken(file):
            raise Locked(Problem.LOCKED, holder=holder(file))
        os.ftruncate(file, 0)
        with contextlib.suppress(OSError):  # on a full disk, too, a container can be stopped
            os.pwrite(file, f"{os.getpid()}\n{status}\n".encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)


def taken(file: int) -> bool:
    """Whether it could be locked. Who only looks whether it is locked has it for an instant."""
    deadline = time.monotonic() + INSTANT
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(INSTANT / 10)


def holder(file: int) -> str:
    """Who holds it: the panel says what it does there, of others their command tells."""
    pid, status = written(file)
    found = flocked_by(file)
    if found and found != pid:  # a shell's flock writes nothing; what stands there is old
        pid, status = found, ""
    if not pid:
        return "somebody"
    return f"pid {pid} ({status})" if status else f"pid {pid}{command_of(pid)}"


def written(file: int) -> tuple[str, str]:
    lines = lines_in(os.pread(file, 200, 0).decode(errors="replace"))
    pid, status = [*lines, "", ""][:2]
    return (pid, status) if pid.isdecimal() else ("", "")


def flocked_by(file: int) -> str:
    """The pid that took the lock, from lines `1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF`."""
    wanted = f"{os.fstat(file).st_ino}"
    with contextlib.suppress(OSError):
        for line in lines_of(LOCKS):
            words = line.split()
            if words[1:2] == ["FLOCK"] and words[5].rpartition(":")[2] == wanted:
                return words[4] if int(words[4]) > 0 else ""
    return ""


def command_of(pid: str) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return f": {b' '.join(words).decode(errors='replace').strip()}"
    return ""
