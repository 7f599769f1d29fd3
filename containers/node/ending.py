"""How a process has ended: its exit code or its signal, also of one that is nobody's child here."""

import contextlib
import fcntl
import os
import struct
from pathlib import Path

# struct pidfd_info (linux/pidfd.h) in its first size; the exit is told from Linux 6.15 on.
INFO = struct.Struct("QQ11Ii")
GET_INFO, EXIT = 0xC040FF0B, 1 << 3

Ending = tuple[int | None, int | None]  # exit code, signal; neither when nobody knows


def ending(pid: int, pidfd: int) -> Ending:
    """Of a process that has ended; a child of ours is buried by that."""
    try:
        status = os.waitpid(pid, 0)[1]
    except ChildProcessError:
        found = told(pid, pidfd)
        if found is None:
            return None, None
        status = found
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)


def told(pid: int, pidfd: int) -> int | None:
    """Its wait status: of a zombie from /proc/PID/stat (field 52), of one buried by the kernel."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] == "Z":
            return int(fields[49])
    info = bytearray(INFO.pack(EXIT, *[0] * 13))
    with contextlib.suppress(OSError):
        fcntl.ioctl(pidfd, GET_INFO, info)
        mask, *_, status = INFO.unpack(info)
        return int(status) if mask & EXIT else None
    return None
