"""What is mounted in a running container beside its disk, and which of its processes use it.

What its mount scripts have mounted is the node's: CRIU leaves it alone, and a restore has to find
it again. What its root has mounted CRIU keeps itself, where it can. Imports next to nothing, for
vzcptcheck is run from scripts.
"""

import contextlib
import os
import re

from containers.node.lines import lines_in, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MANY = 200_000  # descriptors and mappings that are looked at
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "ceph", "9p")
# CRIU dumps an overlay and can't mount it again: its directories are another's paths then.
UNSUPPORTED = (*REMOTE, "hugetlbfs", "bpf", "debugfs", "tracefs", "configfs", "securityfs",
               "overlay", "ramfs")  # fmt: skip
DELETED = " (deleted)"
ACCESS, APPENDS = 0o3, 0o2000  # fcntl.h: O_ACCMODE, O_APPEND
ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount:
    """A line of mountinfo. root: which part of its file system; dev: MAJOR:MINOR."""

    def __init__(self, line: str) -> None:
        left, _, right = line.partition(" - ")
        fields, (kind, source, supers) = left.split(" "), right.split(" ")[:3]
        self.dev, self.root, self.where = fields[2], unescape(fields[3]), unescape(fields[4])
        self.options = fields[5].split(",")
        self.kind, self.source = kind, unescape(source)
        self.supers = supers.split(",")

    def holds(self, path: str) -> bool:
        return path == self.where or path.startswith(f"{self.where.rstrip('/')}/")


class Use:
    """A process has something open there, is in it, or runs it.

    path: as the container has it; writes: it may change it; at: where in /proc that is seen.
    """

    def __init__(
        self, pid: int, path: str, at: str, *, writes: bool = False, appends: bool = False
    ) -> None:
        self.deleted = path.endswith(DELETED)
        self.pid, self.path, self.at = pid, path.removesuffix(DELETED), at
        self.writes, self.appends = writes, appends


def mounts_of(pid: "int | str") -> "list[Mount]":
    """Of its mount namespace, the oldest first; none when it is gone."""
    return [Mount(line) for line in lines_in(read(f"/proc/{pid}/mountinfo")) if " - " in line]


def scripted(init: int) -> "list[Mount]":
    """What its mount scripts have mounted: the same is mounted below its VE_ROOT on the node."""
    inside, outside = mounts_of(init), mounts_of("self")
    disk = next((each for each in inside if each.where == "/"), None)
    if disk is None:
        return []
    places = [m.where for m in outside if (m.dev, m.root) == (disk.dev, disk.root)]
    there = {(m.where, m.dev, m.root) for m in outside}
    return [
        m for m in inside
        if m.where != "/" and any((f"{at}{m.where}", m.dev, m.root) in there for at in places)
    ]  # fmt: skip


def undumpable(init: int, inside: "Sequence[int]") -> "Iterator[Mount]":
    """Those of its root's mounts that CRIU can't keep, in all its mount namespaces."""
    scripts = {(m.where, m.dev, m.root) for m in scripted(init)}
    seen: set[str] = set()
    for pid in (init, *inside):
        with contextlib.suppress(OSError):
            namespace = os.readlink(f"/proc/{pid}/ns/mnt")
            if namespace in seen:
                continue
            seen.add(namespace)
        for m in mounts_of(pid):
            if (m.where, m.dev, m.root) not in scripts and (
                m.kind in UNSUPPORTED or (m.kind.startswith("fuse") and not of_node(m))
            ):
                yield m


def of_node(mount: Mount) -> bool:
    """The node's lxcfs, of which single files are bound over a container's own."""
    return mount.kind == "fuse.lxcfs" and mount.where.startswith(("/proc/", "/sys/"))


def unrestorable(init: int, inside: "Sequence[int]") -> "Iterator[tuple[Mount, Use]]":
    """What a process uses of a mount script's mount and could not be given again."""
    mounts = scripted(init)
    for mount, use in uses(mounts, inside) if mounts else ():
        if mount.kind in REMOTE or (use.deleted and not creatable(init, mount, use)):
            yield mount, use


def creatable(init: int, mount: Mount, use: Use) -> bool:
    """Whether a restore, as the container's root, can make that deleted file again.

    Not one that has other names still: for that CRIU makes a link, on the container's disk only.
    """
    try:
        owner = os.stat(use.at)
    except OSError:
        return False
    return not owner.st_nlink and "rw" in mount.options and "rw" in mount.supers and all(
        within(read(f"/proc/{init}/{kind}_map"), number)
        for kind, number in (("uid", owner.st_uid), ("gid", owner.st_gid))
    )  # fmt: skip


def within(mapping: str, number: int) -> bool:
    ranges = [line.split() for line in lines_in(mapping)]
    return any(int(first) <= number < int(first) + int(size) for _, first, size in ranges)


def uses(mounts: "Sequence[Mount]", pids: "Iterable[int]") -> "Iterator[tuple[Mount, Use]]":
    """What these processes use of what is mounted at these places."""
    seen = 0
    for pid in pids:
        for use in (*places(pid), *descriptors(pid), *mappings(pid)):
            seen += 1
            if seen > MANY:
                return
            holding = [m for m in mounts if m.holds(use.path)]
            if holding:
                yield max(holding, key=lambda m: len(m.where)), use


def places(pid: int) -> "Iterator[Use]":
    """Where it is, and which program it runs."""
    for name in ("cwd", "root", "exe"):
        with contextlib.suppress(OSError):
            at = f"/proc/{pid}/{name}"
            yield Use(pid, os.readlink(at), at)


def descriptors(pid: int) -> "Iterator[Use]":
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                at = f"/proc/{pid}/fd/{fd}"
                path = os.readlink(at)
                if path.startswith("/"):
                    flags = flags_of(pid, fd)
                    writes, appends = bool(flags & ACCESS), bool(flags & APPENDS)
                    appends = appends and flags & ACCESS == os.O_WRONLY
                    yield Use(pid, path, at, writes=writes, appends=appends)


def flags_of(pid: int, fd: str) -> int:
    said = read(f"/proc/{pid}/fdinfo/{fd}").partition("flags:")[2].split()
    return int(said[0], 8) if said else 0


def mappings(pid: int) -> "Iterator[Use]":
    """Of files, each once: a line of maps is `FROM-TO PERMISSIONS OFFSET DEVICE INODE PATH`."""
    seen = set()
    for line in lines_in(read(f"/proc/{pid}/maps")):
        fields = line.split(None, 5)
        if len(fields) == 6 and fields[5].startswith("/") and fields[5] not in seen:
            seen.add(fields[5])
            writes = fields[1][1] == "w" and fields[1][3] == "s"
            at = f"/proc/{pid}/map_files/{'-'.join(map(plain_hex, fields[0].split('-')))}"
            yield Use(pid, fields[5], at, writes=writes)


def plain_hex(address: str) -> str:
    return address.lstrip("0") or "0"


def unescape(field: str) -> str:
    """mountinfo writes blanks and backslashes as octal numbers."""
    return ESCAPED.sub(lambda match: chr(int(match[1], 8)), field)


def read(path: str) -> str:
    """Empty when it's gone."""
    try:
        return text_of(path)
    except OSError:
        return ""
