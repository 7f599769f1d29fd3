"""Find what a path means below a directory, whoever changes the directories meanwhile.

By the kernel's openat2, and name by name where there is none (before Linux 5.6). Links lead to
places below the directory, or nowhere.
"""

import contextlib
import ctypes
import errno
import os
import stat
from collections.abc import Callable
from enum import Enum

HOPS = 40  # links on one path, as in the kernel
TRIES = 1000  # resolutions that a rename elsewhere may spoil (EAGAIN)
SYS_OPENAT2 = 437  # the same on every architecture but alpha
NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT = 0x01, 0x02, 0x04, 0x08, 0x10


class Links(Enum):
    """Which links on a path count. All of them lead to places in the tree, or nowhere."""

    NONE = "a link anywhere on the path is refused"
    ON_THE_WAY = "directories may be links; the last name stands for itself"
    INSIDE = "all are followed, as the container itself would"


class Openat2How(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("flags", "mode", "resolve")]


Locate = Callable[[int, str, Links, bool], int]
syscall = ctypes.CDLL(None, use_errno=True).syscall
syscall.restype = ctypes.c_long


def by_kernel(root: int, path: str, links: Links, cross: bool) -> int:
    """An O_PATH descriptor of what is at path below root. Raises OSError."""
    flags = os.O_PATH | os.O_CLOEXEC | (0 if links is Links.INSIDE else os.O_NOFOLLOW)
    how = Openat2How(flags, 0, NO_MAGICLINKS | (0 if cross else NO_XDEV))
    how.resolve |= BENEATH | NO_SYMLINKS if links is Links.NONE else IN_ROOT
    for _ in range(TRIES):
        name = ctypes.c_char_p(os.fsencode(path))
        size = ctypes.c_size_t(ctypes.sizeof(how))
        fd = syscall(ctypes.c_long(SYS_OPENAT2), root, name, ctypes.byref(how), size)
        if fd >= 0:
            return int(fd)
        code = ctypes.get_errno()
        if code in (errno.ENOSYS, errno.EPERM):  # before Linux 5.6, or filtered away
            return by_walking(root, path, links, cross)
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(code, os.strerror(code))


def by_walking(root: int, path: str, links: Links, cross: bool) -> int:
    """The same where the kernel has no openat2: name by name, following links ourselves."""
    hops, names = 0, path.split("/")[::-1]
    with contextlib.ExitStack() as held:
        trail = [root]  # ".." goes back along it: what the container renames meanwhile is no matter
        while names:
            name = names.pop()
            if name in ("", "."):
                continue
            if name == "..":
                trail = trail[: max(1, len(trail) - 1)]
                continue
            fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=trail[-1])
            held.callback(os.close, fd)
            if not cross and mount_of(fd) != mount_of(root):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            if not stat.S_ISLNK(os.fstat(fd).st_mode) or not (names or links is Links.INSIDE):
                trail.append(fd)
                continue
            hops += 1
            if links is Links.NONE or hops > HOPS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = os.readlink("", dir_fd=fd)
            trail = [root] if target.startswith("/") else trail
            names += target.split("/")[::-1]
        return os.dup(trail[-1])


def mount_of(fd: int) -> str:
    with open(f"/proc/self/fdinfo/{fd}") as info:
        return next(line for line in info if line.startswith("mnt_id:"))
