"""TCP connections of a container, for whose sake its network stands still during a dump."""

import contextlib
import os

from containers.node.checkpoint.obstacles import members
from containers.node.lines import lines_of

IDLE = {"0A", "06"}  # listening, and nothing but waiting for the last packet (TCP_TIME_WAIT)


def connected(init: int) -> bool:
    """Whether it has any. While its processes are paused none is added: nobody can accept one."""
    networks: dict[str, int] = {}
    for pid in members(init):
        with contextlib.suppress(OSError):
            networks.setdefault(os.readlink(f"/proc/{pid}/ns/net"), pid)
    return any(states(pid) - IDLE for pid in networks.values())


def states(pid: int) -> set[str]:
    """Of the TCP sockets in its network, as /proc/PID/net/tcp has them (include/net/tcp_states.h).

    Raises nothing: a network without IPv6 has no such file.
    """
    found: set[str] = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            lines = lines_of(f"/proc/{pid}/net/{name}")[1:]
            found |= {line.split()[3] for line in lines}
    return found
