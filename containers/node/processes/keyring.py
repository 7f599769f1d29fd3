"""Session keyrings for what is about to be a container's: not the node's, nor counted on its root.

A process that joins none of its own goes on with that of whoever started it, and its keys.
"""

import ctypes
import errno
import os
import platform
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

KEYCTL = {"x86_64": 250, "aarch64": 219}  # numbers of system calls
SETRESUID = {"x86_64": 117, "aarch64": 147}
JOIN_SESSION_KEYRING = 1
SAME = -1

T = TypeVar("T")


def join(owner: int) -> None:
    """Give the calling thread an empty one, which belongs to a user and counts as theirs.

    Raises OSError; where the kernel has no keyrings there's nothing to be done.
    """
    machine = platform.machine()
    if machine not in KEYCTL:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.getuid()
    # By the real user, and for this thread only: libc's own calls are for all threads.
    libc.syscall(SETRESUID[machine], owner, SAME, SAME)
    failed = libc.syscall(KEYCTL[machine], JOIN_SESSION_KEYRING, None) < 0
    code = ctypes.get_errno()
    libc.syscall(SETRESUID[machine], before, SAME, SAME)
    if failed and code != errno.ENOSYS:
        raise OSError(code, f"no session keyring for user {owner}: {os.strerror(code)}")


def with_own(owner: int, start: Callable[[], T]) -> T:
    """Start something that has one of its own; ours stays ours."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            join(owner)
            results.append(start())
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
