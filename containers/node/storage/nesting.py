"""What a container may not ask of btrfs: subvolumes of its own, which no disk limit would count.

Any user may make them, and a new one has a quota of its own without a limit. So the ioctls that
do are refused in containers, by a seccomp filter (CRIU dumps and restores it).
"""

import platform
from typing import Any

# linux/btrfs.h: SNAP_CREATE, SUBVOL_CREATE, SNAP_CREATE_V2, SUBVOL_CREATE_V2
IOCTLS = (0x50009401, 0x5000940E, 0x50009417, 0x50009418)
COMMAND, HALF = 1, 0xFFFFFFFF  # the kernel looks at the lower half of an ioctl's number only
NO_SUCH_IOCTL = 25  # ENOTTY, as on any other file system
ARCHITECTURES = {  # what isn't listed could not run at all
    "x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
}


def seccomp() -> dict[str, Any] | None:
    """linux.seccomp of an OCI bundle; None on a machine whose kinds of programs aren't known."""
    architectures = ARCHITECTURES.get(platform.machine())
    if architectures is None:
        return None
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": architectures,
        "syscalls": [
            {
                "names": ["ioctl"],
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": NO_SUCH_IOCTL,
                "args": [{"index": COMMAND, "value": HALF, "valueTwo": number,
                          "op": "SCMP_CMP_MASKED_EQ"}],
            }
            for number in IOCTLS
        ],
    }  # fmt: skip
