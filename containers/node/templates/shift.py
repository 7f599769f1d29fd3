"""How a tree's owners become those of a container: every id raised by the container's first.

What a chown takes away is put back: set-user-id bits, and file capabilities, which are rewritten
so that they count in the container's user namespace (and nowhere else). Ids in access lists are
raised too. Ids that are in the container's range already stay, so a shift can be repeated.
"""

import contextlib
import errno
import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path

from containers.node.errors import BadValue, BadValues, NoSpace, OperationError, Unfits

SIZE = 65536
CAPABILITY = "security.capability"
ACCESS_LISTS = ("system.posix_acl_access", "system.posix_acl_default")
REVISION, REVISION_2, REVISION_3 = 0xFF000000, 0x02000000, 0x03000000  # linux/capability.h
ACL_HEADER, ACL_ENTRY = 4, struct.Struct("<HHI")
ACL_NAMED = (0x02, 0x08)  # a user's, a group's; others have no id
DEEPEST = 256  # directories in one another: each holds a descriptor and a frame


class Unfit(OperationError):
    """The tree can't be a container's."""


@dataclass
class Shift:
    """One pass over a tree nobody else writes to; no link in it is followed.

    base: the container's first id, size: how many it has. source: ids from there on may be raised
    already, and by so much. Where base is 0, or the source, it is the look at a tree that finds
    what no container may have. files, taken: what the tree holds and
    its bytes on disk, hard links counted once.
    """

    base: int
    size: int = SIZE
    source: int = 0
    files: int = 0
    taken: int = 0
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        if 0 < self.base < SIZE:
            raise BadValue(BadValues.IDS_OF_NODE, base=self.base)

    def tree(self, path: Path) -> "Shift":
        """Raises Unfit for a device node or an id that is neither below 65536 nor in the range."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self.folder(os.open(path, flags), "")
            self.entry(f"{path}", os.lstat(path), "/")  # last: by its owner the area is known
        except OSError as e:
            if e.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpace() from e
            raise Unfit(Unfits.OWNER_STAYS, path=e.filename or path, why=e.strerror) from e
        return self

    def folder(self, fd: int, name: str) -> None:
        """fd is closed at the end. name: its path in the tree, for what goes wrong."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        inner = []
        try:
            if name.count("/") > DEEPEST:
                raise Unfit(Unfits.TOO_DEEP, most=DEEPEST)
            with os.scandir(fd) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    # Through the descriptor: a component above can't become a link meanwhile.
                    self.entry(f"/proc/self/fd/{fd}/{entry.name}", found, f"{name}/{entry.name}")
                    if stat.S_ISDIR(found.st_mode):
                        inner.append(entry.name)
            for each in inner:
                self.folder(os.open(each, flags, dir_fd=fd), f"{name}/{each}")
        finally:
            os.close(fd)

    def entry(self, path: str, found: os.stat_result, name: str) -> None:
        mode = found.st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise Unfit(Unfits.DEVICE, path=name)
        uid, gid = self.raised(found.st_uid, name), self.raised(found.st_gid, name)
        if found.st_nlink == 1 or stat.S_ISDIR(mode) or found.st_ino not in self.seen:
            self.files += 1
            self.taken += found.st_blocks * 512
            if found.st_nlink > 1 and not stat.S_ISDIR(mode):
                self.seen.add(found.st_ino)
        if (uid, gid) == (found.st_uid, found.st_gid):
            return
        kept = {} if stat.S_ISLNK(mode) else self.attributes(path, name)
        os.chown(path, uid, gid, follow_symlinks=False)
        if mode & (stat.S_ISUID | stat.S_ISGID) and not stat.S_ISLNK(mode):
            os.chmod(path, stat.S_IMODE(mode))
        for key, value in kept.items():
            os.setxattr(path, key, value, follow_symlinks=False)

    def raised(self, number: int, name: str) -> int:
        if self.base <= number < self.base + self.size:
            return number
        for first in (0, self.source):
            if first <= number < first + self.size:
                return number - first + self.base
        raise Unfit(Unfits.FOREIGN_ID, path=name, number=number)

    def attributes(self, path: str, name: str) -> dict[str, bytes]:
        """The extended attributes to set once the owner is changed."""
        kept: dict[str, bytes] = {}
        with contextlib.suppress(OSError):  # a file system without any
            for key in os.listxattr(path, follow_symlinks=False):
                if key == CAPABILITY:
                    value = self.capability(os.getxattr(path, key, follow_symlinks=False))
                    kept |= {CAPABILITY: value} if value else {}
                elif key in ACCESS_LISTS:
                    acl = os.getxattr(path, key, follow_symlinks=False)
                    kept[key] = self.access_list(acl, name)
        return kept

    def capability(self, value: bytes) -> bytes | None:
        """The same capabilities, for the container's root; None for a form no kernel reads now."""
        (magic,) = struct.unpack_from("<I", value)
        revision, sets = magic & REVISION, value[4:20]
        root = struct.unpack_from("<I", value, 20)[0] if revision == REVISION_3 else 0
        if revision not in (REVISION_2, REVISION_3) or root not in (0, self.source, self.base):
            return None
        return (
            struct.pack("<I", magic & ~REVISION | REVISION_3) + sets + struct.pack("<I", self.base)
        )

    def access_list(self, value: bytes, name: str) -> bytes:
        entries = [
            (tag, permissions, self.raised(number, name) if tag in ACL_NAMED else number)
            for tag, permissions, number in ACL_ENTRY.iter_unpack(value[ACL_HEADER:])
        ]
        return value[:ACL_HEADER] + b"".join(ACL_ENTRY.pack(*entry) for entry in entries)
