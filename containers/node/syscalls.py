"""What a container may not ask of the kernel: linux.seccomp of an OCI bundle.

A table of what is closed, and everything else is open, unlike the lists that are made for single
programs: a system container's root mounts, makes namespaces, sets up networks. What of that is
for the node's root alone, the kernel refuses by itself, for the container's root is another user.
So closed is what the kernel would let anybody have who is root in a user namespace, or anybody at
all, and what has no bounds there or no use in a container (docs/decisions/0020).
"""

import errno
import platform
from dataclasses import dataclass
from typing import Any

from containers.node.storage import nesting

ARCHITECTURES = {  # what isn't listed could not run at all
    "x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
}
HALF = 0xFFFFFFFF  # the kernel looks at the lower half of such an argument only


@dataclass(frozen=True)
class Closed:
    """error: what the caller gets. values: of the argument with that number; none: whatever it is.

    ENOSYS where programs ask whether the kernel has something at all, and go another way.
    """

    names: tuple[str, ...]
    error: int = errno.EPERM
    argument: int = 0
    values: tuple[int, ...] = ()


AF_ALG, AF_VSOCK = 38, 40
SYS_SOCKET = 1  # of socketcall(2), whose other arguments no filter can read
# In vz.conf: yes gives 32-bit x86 programs their sockets, and all programs those of any family, for
# libseccomp takes a rule about socket(2) for one about socketcall(2), too.
KEY, SOCKETS = "SOCKETCALL", {"socket", "socketcall"}
TIOCSTI, TIOCLINUX = 0x5412, 0x541C

CLOSED = (
    # Kernel code, other kernels, and what watches or steers the one there is.
    Closed(("init_module", "finit_module", "delete_module", "create_module", "query_module",
            "get_kernel_syms", "kexec_load", "kexec_file_load")),
    Closed(("bpf", "perf_event_open", "userfaultfd", "lookup_dcookie", "syslog")),
    # A ring does what other rules here forbid, without a system call.
    Closed(("io_uring_setup", "io_uring_enter", "io_uring_register"), errno.ENOSYS),
    # Keys outlive whoever made them, and no limit of a container counts them.
    Closed(("add_key", "request_key", "keyctl"), errno.ENOSYS),
    # Files by number, past every directory that would be in the way.
    Closed(("open_by_handle_at",)),
    # The node's own: clock, swap, accounts, quotas, ports.
    Closed(("clock_settime", "clock_settime64", "settimeofday", "stime")),
    Closed(("swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "iopl", "ioperm")),
    Closed(("nfsservctl", "sysfs", "_sysctl", "uselib", "ustat", "vm86", "vm86old"), errno.ENOSYS),
    # To the machine that the node runs on, or to the node's own services: no firewall sees that.
    Closed(("socket",), errno.EAFNOSUPPORT, 0, (AF_VSOCK, AF_ALG)),
    Closed(("socketcall",), errno.EAFNOSUPPORT, 0, (SYS_SOCKET,)),
    # Types on somebody else's terminal, as that of who entered the container.
    Closed(("ioctl",), errno.EPERM, 1, (TIOCSTI, TIOCLINUX)),
    Closed(("ioctl",), errno.ENOTTY, 1, nesting.IOCTLS),
)  # fmt: skip


def seccomp(*, socketcall: bool = False) -> dict[str, Any] | None:
    """None on a machine whose kinds of programs aren't known. socketcall: leave sockets alone."""
    architectures = ARCHITECTURES.get(platform.machine())
    if architectures is None:
        return None
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": architectures,
        "syscalls": [
            rule
            for closed in CLOSED
            if not (socketcall and SOCKETS.intersection(closed.names))
            for rule in rules(closed)
        ],
    }


def rules(closed: Closed) -> list[dict[str, Any]]:
    """One for each value: those of one rule would all have to be met."""
    refusal = {
        "names": [*closed.names], "action": "SCMP_ACT_ERRNO", "errnoRet": closed.error,
    }  # fmt: skip
    if not closed.values:
        return [refusal]
    return [
        {**refusal, "args": [{"index": closed.argument, "value": HALF, "valueTwo": value,
                              "op": "SCMP_CMP_MASKED_EQ"}]}
        for value in closed.values
    ]  # fmt: skip
