"""Which limits of the kernel hundreds of containers need, as /proc/sys has them.

What the kernel charges to the memory of a control group may be had as often as the node's memory
holds it: a container comes to the end of its own memory first, and then stands alone. A limit
would be one for all of them, for what they have is counted on the node's root, who has made their
user namespaces. What is not charged gets what hundreds of containers need.
"""

import os
from collections.abc import Mapping

PTYS = 512  # that a container has by its mount option
# Bytes that one is charged for, at the least (docs/decisions/0018)
CHARGED = {
    "fs/inotify/max_user_instances": 768,
    "fs/inotify/max_user_watches": 96,
    "fs/fanotify/max_user_groups": 768,
    "fs/fanotify/max_user_marks": 96,
    "fs/aio-max-nr": 64,
    "fs/file-max": 256,
    "kernel/pty/max": 3072,
    **{
        f"user/max_{name}_namespaces": 512
        for name in ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
    },
}
MOST = 2**31 - 1  # an int of C's
FIXED = {
    "kernel/keys/maxkeys": 1000,  # of a user, so of a user of a container's
    "kernel/keys/maxbytes": 100_000,
    "kernel/pid_max": 4_194_304,
    "kernel/dmesg_restrict": 1,
    "vm/max_map_count": 262_144,  # of a process
    **{
        f"net/{family}/neigh/default/gc_thresh{number}": value
        for family in ("ipv4", "ipv6")
        for number, value in ((3, 8192), (2, 4096), (1, 2048))
    },
}


def wanted(memory: int | None = None) -> Mapping[str, int]:
    """memory: of the node, in bytes. In an order in which they can be raised."""
    memory = memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    charged = {key: min(memory // size, MOST) for key, size in CHARGED.items()}
    return {**FIXED, **charged}
