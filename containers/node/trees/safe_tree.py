"""The way into a container's tree: nothing done through it can reach beside the tree.

The container's root may shape the tree and change it while we look: each path is resolved by the
kernel below the tree's root (openat2), what was found is held by a descriptor, and only that
descriptor is looked at, read or written. User and group ids are the container's own.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from containers.node.descriptors import closing
from containers.node.errors import BadTrees, BadValue, BadValues, NoSpace, OperationError, Problem
from containers.node.trees.openat2 import Links, Locate, by_kernel

MIB = 1024 * 1024
MANY = 10_000  # names in one directory that listdir is willing to hold
NOBODY = 65534  # how the container sees an id outside its range


class Kind(StrEnum):
    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"


class BadTree(OperationError):
    """The container's tree isn't as it should be; its root can repair it."""


class Missing(BadTree):
    """There is no such file in the tree."""


@dataclass(frozen=True)
class Entry:
    """mode: permission bits only. uid, gid: the container's; NOBODY outside its range."""

    kind: Kind
    size: int
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True)
class SafeTree:
    """A container's root file system, seen from the node. Use it in a with statement.

    base, size: the range of the node's ids that stand for the container's 0, 1, 2, …
    cross: go into what is mounted in the tree, too (a mount script may bind the node's files).
    Every path is one of the container's, like /etc/passwd. What is done raises BadTree, Missing
    where there's nothing, NoSpace when the disk or the container's limit is full.
    """

    path: Path
    base: int = 0
    size: int = 65536
    cross: bool = False
    locate: Locate = by_kernel
    within: str = ""
    root: int = -1

    def __post_init__(self) -> None:
        if self.root < 0:
            flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                object.__setattr__(self, "root", os.open(self.path, flags))
            except OSError as e:
                raise Missing(BadTrees.NOT_OPENED, path=self.path, why=e.strerror) from e

    def __enter__(self) -> "SafeTree":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.root)

    def at(self, path: str) -> "SafeTree":
        """The tree below one of its directories: links in it can't lead further up than there."""
        with self.found(path, Links.INSIDE, Kind.DIRECTORY) as fd:
            return replace(self, within=self.named(path).rstrip("/"), root=os.dup(fd))

    def look(self, path: str, links: Links = Links.ON_THE_WAY) -> Entry | None:
        """What is there, None for nothing."""
        try:
            with self.found(path, links) as fd:
                seen = os.fstat(fd)
        except Missing:
            return None
        mode = stat.S_IMODE(seen.st_mode)
        uid, gid = self.unshifted(seen.st_uid), self.unshifted(seen.st_gid)
        return Entry(kind_of(seen), seen.st_size, mode, uid, gid)

    def kind(self, path: str, links: Links = Links.ON_THE_WAY) -> Kind | None:
        entry = self.look(path, links)
        return entry.kind if entry else None

    def read(self, path: str, limit: int = MIB, links: Links = Links.ON_THE_WAY) -> bytes:
        """The content of a file. Neither a fifo nor a device is ever opened. limit: bytes."""
        with self.found(path, links, Kind.FILE) as fd, self.telling(path):
            content = None
            if os.fstat(fd).st_size <= limit:
                file = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                with open(file, "rb") as opened:
                    content = opened.read(limit + 1)  # it may grow while we read
        if content is None or len(content) > limit:
            raise BadTree(BadTrees.TOO_LARGE, path=self.named(path), most=limit)
        return content

    def listdir(self, path: str, links: Links = Links.INSIDE) -> list[str]:
        """The names in a directory, sorted."""
        names: list[str] = []
        with self.opened(path, links) as folder, self.telling(path), os.scandir(folder) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > MANY:
                    raise BadTree(BadTrees.MANY_FILES, path=self.named(path))
        return sorted(names)

    def write(
        self,
        path: str,
        content: bytes,
        mode: int = 0o644,
        uid: int = 0,
        gid: int = 0,
        links: Links = Links.ON_THE_WAY,
    ) -> None:
        """Put a file there, whole or not at all. A link of that name is replaced, not followed."""
        owner, group = self.shifted(uid), self.shifted(gid)
        with self.folder(path, links) as (folder, name), self.telling(path):
            if holds(folder, name, content, mode, (owner, group)):
                return  # two waits for the disk less
            temporary = f".panel-{secrets.token_hex(8)}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(temporary, flags, 0o600, dir_fd=folder)
            try:
                with open(fd, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fchown(fd, owner, group)
                    os.fchmod(fd, mode)
                    os.fsync(fd)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)

    def mkdir(
        self,
        path: str,
        mode: int = 0o755,
        uid: int = 0,
        gid: int = 0,
        links: Links = Links.INSIDE,
    ) -> None:
        """Make a directory and those above it. What exists keeps its owner and mode."""
        owner, group = self.shifted(uid), self.shifted(gid)
        names = self.inner(path).split("/")
        for depth in range(1, len(names) + 1):
            part = "/".join(names[:depth])
            if self.look(part, links):
                continue
            with self.folder(part, links) as (folder, name), self.telling(part):
                os.mkdir(name, 0o700, dir_fd=folder)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                with closing(os.open(name, flags, dir_fd=folder)) as made:
                    if os.fstat(made).st_uid != os.geteuid():  # exchanged for another meanwhile
                        raise BadTree(BadTrees.CHANGED, path=self.named(part))
                    os.fchown(made, owner, group)
                    os.fchmod(made, mode)
        with self.found(path, links, Kind.DIRECTORY):
            pass

    def chmod(self, path: str, mode: int, links: Links = Links.INSIDE) -> None:
        """Change the mode of a directory. (A file gets its mode when it is written.)"""
        with self.opened(path, links) as folder:
            os.fchmod(folder, mode)

    def remove(self, path: str, links: Links = Links.ON_THE_WAY) -> bool:
        """Take a file or link away, never a directory; False when there was none."""
        try:
            with self.folder(path, links) as (folder, name), self.telling(path):
                os.unlink(name, dir_fd=folder)
        except Missing:
            return False
        return True

    def rmdir(self, path: str) -> None:
        """Take an empty directory away; nothing there is fine."""
        with (
            contextlib.suppress(Missing),
            self.folder(path, Links.ON_THE_WAY) as (folder, name),
            self.telling(path),
        ):
            os.rmdir(name, dir_fd=folder)

    @contextlib.contextmanager
    def found(self, path: str, links: Links, kind: Kind | None = None) -> Iterator[int]:
        """An O_PATH descriptor of what is there, which must be of that kind."""
        with self.telling(path):
            fd = self.locate(self.root, self.inner(path) or ".", links, self.cross)
        with closing(fd):
            if kind and (other := kind_of(os.fstat(fd))) is not kind:
                raise BadTree(BadTrees.OTHER_KIND, path=self.named(path), found=other, wanted=kind)
            yield fd

    @contextlib.contextmanager
    def folder(self, path: str, links: Links) -> Iterator[tuple[int, str]]:
        """The directory a path ends in, and the last name."""
        above, _, name = self.inner(path).rpartition("/")
        if not name:
            raise BadValue(BadValues.NOT_A_FILE)
        how = Links.NONE if links is Links.NONE else Links.INSIDE
        with self.opened(above, how) as folder:
            yield folder, name

    @contextlib.contextmanager
    def opened(self, path: str, links: Links) -> Iterator[int]:
        """A directory, open for looking through and changing."""
        with self.found(path, links, Kind.DIRECTORY) as fd:
            with self.telling(path):
                folder = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            with closing(folder):
                yield folder

    @contextlib.contextmanager
    def telling(self, path: str) -> Iterator[None]:
        """Say in a sentence what the system calls by a number."""
        try:
            yield
        except OSError as e:
            path = self.named(path)
            if e.errno in (errno.ENOSPC, errno.EDQUOT):
                word = Problem.DISK_LIMIT if e.errno == errno.EDQUOT else Problem.DISK_FULL
                raise NoSpace(word, path=path) from e
            error = Missing if e.errno == errno.ENOENT else BadTree
            fault = FAULTS.get(e.errno or 0, BadTrees.FAILS)
            raise error(fault, path=path, why=e.strerror) from e

    def named(self, path: str) -> str:
        return f"{self.within}/{path.strip('/')}"

    def inner(self, path: str) -> str:
        names = [name for name in path.split("/") if name not in ("", ".")]
        if ".." in names or "\0" in path:
            raise BadValue(BadValues.NOT_A_PATH, path=path)
        return "/".join(names)

    def shifted(self, number: int) -> int:
        if not 0 <= number < self.size:
            raise BadValue(BadValues.NOT_AN_ID, number=number)
        return self.base + number

    def unshifted(self, number: int) -> int:
        return number - self.base if 0 <= number - self.base < self.size else NOBODY


FAULTS = {
    errno.ENOENT: BadTrees.MISSING,
    errno.ENOTDIR: BadTrees.BELOW_FILE,
    errno.EISDIR: BadTrees.IS_DIRECTORY,
    errno.EEXIST: BadTrees.LEADS_NOWHERE,
    errno.ELOOP: BadTrees.THROUGH_LINK,
    errno.EXDEV: BadTrees.OTHER_SYSTEM,
    errno.EAGAIN: BadTrees.CHANGING,
    errno.EROFS: BadTrees.READ_ONLY,
}


def holds(folder: int, name: str, content: bytes, mode: int, owner: tuple[int, int]) -> bool:
    """Whether there is exactly this file already, and under no other name."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except OSError:
        return False
    with open(fd, "rb") as file:
        seen = os.fstat(fd)
        found = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_nlink, seen.st_size)
        wanted = (stat.S_IFREG | mode, *owner, 1, len(content))
        return found == wanted and file.read(len(content) + 1) == content


def kind_of(seen: os.stat_result) -> Kind:
    kinds = {
        stat.S_IFREG: Kind.FILE,
        stat.S_IFDIR: Kind.DIRECTORY,
        stat.S_IFLNK: Kind.LINK,
        stat.S_IFIFO: Kind.FIFO,
        stat.S_IFSOCK: Kind.SOCKET,
    }
    return kinds.get(stat.S_IFMT(seen.st_mode), Kind.DEVICE)
