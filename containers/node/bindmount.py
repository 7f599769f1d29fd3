"""Binds and dismounts by system calls: to start a program for it takes longer than it takes."""

import ctypes
import os
from pathlib import Path

# linux/mount.h, sys/mount.h
MS_NOSUID, MS_NODEV, MS_REMOUNT = 0x2, 0x4, 0x20
MS_BIND, MS_PRIVATE = 0x1000, 0x40000
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8


def bind(source: Path, target: Path) -> None:
    """Show source at target as well, privately: what is mounted below is seen nowhere else.

    Neither devices nor set-user-id programs count there: on the disk a container's root is the
    node's. Raises OSError.
    """
    mount(source, target, MS_BIND)
    mount(None, target, MS_PRIVATE)
    mount(None, target, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV)


def mount(source: Path | None, target: Path, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    what = os.fsencode(source) if source else None
    if libc.mount(what, os.fsencode(target), None, ctypes.c_ulong(flags), None):
        raise failed(target)


def unmount(target: str, *, lazy: bool = False) -> None:
    """Take away what is mounted there. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(target), UMOUNT_NOFOLLOW | (MNT_DETACH if lazy else 0)):
        raise failed(target)


def failed(target: str | Path) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), f"{target}")
