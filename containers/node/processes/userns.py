"""A user namespace that nothing lives in: how the ids on a disk become those of a mount."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

CLONE_VM, CLONE_NEWUSER = 0x100, 0x10000000
STACK = 64 * 1024  # bytes


@contextlib.contextmanager
def mapping(disk: int, shown: int, size: int) -> Iterator[int]:
    """A descriptor of one in which the ids from disk on are those from shown on.

    Raises OSError where the kernel or the machine allows none.
    """
    with inhabited() as pid:
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text(f"{disk} {shown} {size}")
        fd = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def inhabited() -> Iterator[int]:
    """The pid of somebody in a fresh one.

    A process that does nothing but wait, in libc's pause: it runs nothing of Python's, so it may
    share our memory, and takes a tenth of a millisecond where a fork takes several. (Were a thread
    of ours ever cancelled, that could be at once from then on: nobody does that here.)
    """
    libc = ctypes.CDLL(None, use_errno=True)
    stack = ctypes.create_string_buffer(STACK)
    top = (ctypes.addressof(stack) + STACK) & ~0xF
    pause = ctypes.cast(libc.pause, ctypes.c_void_p)
    pid = libc.clone(pause, ctypes.c_void_p(top), CLONE_NEWUSER | CLONE_VM | signal.SIGCHLD, None)
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "a user namespace")
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)  # it stands on our stack
