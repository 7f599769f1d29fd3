"""Which init a root file system boots with, and how that one is asked to halt."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from containers.node.errors import OperationError, Unfits
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, SafeTree

SIGUSR2, SIGPWR, SIGRTMIN_3 = 12, 30, 37  # the numbers the container's libc knows, too
LARGEST = 8 << 20
CANDIDATES = ("/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/bin/init",
              "/etc/init", "/init")  # fmt: skip


class Kind(StrEnum):
    SYSTEMD = "systemd"
    SYSVINIT = "sysvinit"
    BUSYBOX = "busybox"
    OPENRC = "openrc"
    RUNIT = "runit"
    UPSTART = "upstart"
    OTHER = "other"


@dataclass(frozen=True)
class Halt:
    """A signal to the init, or a command to run in the container."""

    signal: int | None = None
    command: tuple[str, ...] | None = None


HALT = {
    Kind.SYSTEMD: Halt(signal=SIGRTMIN_3),
    Kind.SYSVINIT: Halt(command=("/sbin/init", "0")),
    Kind.BUSYBOX: Halt(signal=SIGUSR2),
    Kind.OPENRC: Halt(command=("/sbin/openrc-shutdown", "--poweroff", "now")),
    Kind.RUNIT: Halt(command=("/sbin/runit-init", "0")),
    Kind.UPSTART: Halt(command=("/sbin/telinit", "0")),
    Kind.OTHER: Halt(signal=SIGPWR),
}

# The file that /sbin/init leads to says which it is by its name, else by what is in it.
NAMES = {
    "systemd": Kind.SYSTEMD, "busybox": Kind.BUSYBOX, "busybox-static": Kind.BUSYBOX,
    "openrc-init": Kind.OPENRC, "runit-init": Kind.RUNIT, "upstart": Kind.UPSTART,
}  # fmt: skip
SIGNS = {
    b"panel-init": Kind.BUSYBOX, b"BusyBox v": Kind.BUSYBOX, b"upstart": Kind.UPSTART,
    b"systemd": Kind.SYSTEMD, b"/dev/initctl": Kind.SYSVINIT, b"/run/initctl": Kind.SYSVINIT,
    b"/etc/inittab": Kind.SYSVINIT,
}  # fmt: skip


@dataclass(frozen=True)
class Init:
    """path: where the container finds it."""

    kind: Kind
    path: str

    @property
    def halt(self) -> Halt:
        return HALT[self.kind]


class NoInit(OperationError):
    """There is nothing to boot."""

    def __init__(self) -> None:
        super().__init__(Unfits.NO_INIT)


def detect(fs: Path) -> Init:
    """The init of a root file system; links are followed as the container would. Raises NoInit."""
    with SafeTree(fs) as tree:
        for path in CANDIDATES:
            try:
                return Init(kind(tree, path), path)
            except BadTree:
                continue
    raise NoInit


def kind(tree: SafeTree, path: str) -> Kind:
    """Raises BadTree when there's no such file."""
    with tree.found(path, Links.INSIDE) as fd:
        name = Path(os.readlink(f"/proc/self/fd/{fd}")).name
    if name in NAMES:
        return NAMES[name]
    content = tree.read(path, LARGEST, Links.INSIDE)
    return next((kind for sign, kind in SIGNS.items() if sign in content), Kind.OTHER)
