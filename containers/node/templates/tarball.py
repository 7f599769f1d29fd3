"""Unpacks the tarball of a root file system, whoever made it: nothing lands beside the tree.

Each entry's directory is resolved below the tree without following any link, and held by a
descriptor, so the node's own files can't be reached whatever the names say. Refused, with the
entry's name: `..`, absolute names and hard links, entries below links, devices. Links that the
container will follow for itself are kept as they are. Left out: fifos, and the usual
device nodes, which every container gets from its runtime.
"""

import errno
import os
import stat
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from containers.node.descriptors import closing
from containers.node.errors import NoSpace, Unfits
from containers.node.templates.archive import DAMAGE, Entry, opened
from containers.node.templates.shift import CAPABILITY, SIZE, Unfit
from containers.node.trees.openat2 import Links, by_kernel

MIB = 1 << 20
MOST_BYTES = 200 << 30
MOST_FILES = 5_000_000
DEEPEST = 200
XATTR = "SCHILY.xattr."
PLAIN = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE}
USUAL_DEVICES = {  # majors of what MAKEDEV makes: memory, terminals, ram disks, loops, tun, ppp …
    tarfile.CHRTYPE: {1, 2, 3, 4, 5, 7, 10, 108, *range(136, 144)},
    tarfile.BLKTYPE: {1, 7},
}

Tick = Callable[[int, int], None]


def unpack(archive: Path, fs: Path, tick: Tick = lambda files, taken: None) -> "Unpacking":
    """Fill the empty directory fs, with the owners that the archive names (0 to 65535).

    tick: called at each entry with the files and bytes so far; may raise to end it. What was
    unpacked until an error stays there, to be removed. Raises BadValue, Unfit, NoSpace.
    """
    unzipped = fs.parent / "unzipped.tar"
    try:
        with opened(archive, unzipped) as stream, Unpacking.into(fs, tick) as unpacking:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=Entry) as tar:
                for entry in tar:
                    unpacking.put(tar, entry)
            while stream.read(MIB):  # only the end of what is compressed shows that it is whole
                tick(unpacking.files, unpacking.taken)
            unpacking.date()
            unpacking.hoist()
    except DAMAGE as e:
        raise Unfit(Unfits.NOT_AN_ARCHIVE, archive=archive.name, why=e) from e
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(archive=archive.name) from e
        raise Unfit(Unfits.NOT_UNPACKED, archive=archive.name, why=e.strerror or e) from e
    finally:
        unzipped.unlink(missing_ok=True)
    return unpacking


@dataclass
class Unpacking:
    """left_out: the fifos and usual device nodes that were not made."""

    root: int
    tick: Tick
    files: int = 0
    taken: int = 0
    left_out: list[str] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)

    @classmethod
    def into(cls, fs: Path, tick: Tick) -> "Unpacking":
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        return cls(os.open(fs, flags), tick)

    def __enter__(self) -> "Unpacking":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.root)

    def put(self, tar: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        name = plain(entry.name, entry.name)
        self.files += 1
        self.taken += entry.size if entry.type in PLAIN else 0
        if self.files > MOST_FILES or self.taken > MOST_BYTES:
            raise Unfit(Unfits.TOO_MUCH)
        self.tick(self.files, self.taken)
        if self.is_left_out(entry):
            self.left_out.append(name)
            return
        owner = (self.owner(entry, entry.uid), self.owner(entry, entry.gid))
        if not name:
            finish(self.root, entry, owner)
            return
        above, _, last = name.rpartition("/")
        with closing(self.folder(above, entry.name)) as folder:
            if entry.isdir():
                self.make_folder(folder, last, entry, owner)
                self.times[name] = entry.mtime
            elif entry.type in PLAIN:
                self.make_file(folder, last, tar, entry, owner)
            elif entry.issym():
                self.clear(folder, last, entry.name)
                os.symlink(entry.linkname, last, dir_fd=folder)
                os.chown(last, *owner, dir_fd=folder, follow_symlinks=False)
            elif entry.islnk():
                self.link(folder, last, entry)
            else:
                raise Unfit(Unfits.ODD_KIND, path=entry.name)

    def is_left_out(self, entry: tarfile.TarInfo) -> bool:
        """Raises Unfit for a device node that no container has any use for."""
        if entry.type not in USUAL_DEVICES:
            return entry.isfifo()
        if entry.devmajor in USUAL_DEVICES[entry.type]:
            return True
        raise Unfit(Unfits.DEVICE, path=entry.name, major=entry.devmajor, minor=entry.devminor)

    def owner(self, entry: tarfile.TarInfo, number: int) -> int:
        if not 0 <= number < SIZE:  # -1 would mean: leave it as it is
            raise Unfit(Unfits.FOREIGN_ID, path=entry.name, number=number)
        return number

    def folder(self, path: str, name: str) -> int:
        """A directory of the tree, made where it's missing; never through a link."""
        try:
            fd = by_kernel(self.root, path or ".", Links.NONE, False)
        except FileNotFoundError:
            above, _, last = path.rpartition("/")
            with closing(self.folder(above, name)) as parent, suppress(FileExistsError):
                os.mkdir(last, 0o755, dir_fd=parent)
            fd = by_kernel(self.root, path, Links.NONE, False)
        except OSError as e:
            if e.errno == errno.ELOOP:
                raise Unfit(Unfits.BELOW_LINK, path=name) from e
            if e.errno == errno.ENOTDIR:
                raise Unfit(Unfits.BELOW_FILE, path=name) from e
            raise
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            return fd
        os.close(fd)
        if stat.S_ISLNK(mode):
            raise Unfit(Unfits.BELOW_LINK, path=name)
        raise Unfit(Unfits.BELOW_FILE, path=name)

    def clear(self, folder: int, last: str, name: str) -> None:
        """Make room for an entry that the archive holds once more; a directory stays."""
        try:
            os.unlink(last, dir_fd=folder)
        except FileNotFoundError:
            return
        except IsADirectoryError as e:
            raise Unfit(Unfits.TWICE_DIRECTORY, path=name) from e

    def make_folder(
        self, folder: int, last: str, entry: tarfile.TarInfo, owner: tuple[int, int]
    ) -> None:
        with suppress(FileExistsError):
            os.mkdir(last, 0o700, dir_fd=folder)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(last, flags, dir_fd=folder)
        except OSError as e:
            raise Unfit(Unfits.TWICE_FILE, path=entry.name) from e
        with closing(fd):
            finish(fd, entry, owner)

    def make_file(
        self, folder: int, last: str, tar: tarfile.TarFile, entry: tarfile.TarInfo,
        owner: tuple[int, int],
    ) -> None:  # fmt: skip
        self.clear(folder, last, entry.name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(last, flags, 0o600, dir_fd=folder), "wb") as file:
            source, left = tar.extractfile(entry), entry.size
            while source and left:
                chunk = source.read(min(left, MIB))
                if not chunk:
                    raise Unfit(Unfits.CUT_OFF, path=entry.name)
                left -= len(chunk)
                file.write(chunk)
            file.flush()
            finish(file.fileno(), entry, owner)

    def link(self, folder: int, last: str, entry: tarfile.TarInfo) -> None:
        target = plain(entry.linkname, entry.name)
        above, _, name = target.rpartition("/")
        with closing(self.folder(above, entry.name)) as source:
            self.clear(folder, last, entry.name)
            try:
                os.link(
                    name or ".", last, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False
                )
            except (FileNotFoundError, PermissionError) as e:
                raise Unfit(Unfits.BAD_HARD_LINK, path=entry.name, target=target) from e

    def date(self) -> None:
        """Give the directories their times, now that nothing more is put into them."""
        for name, time in self.times.items():
            fd = by_kernel(self.root, name, Links.NONE, False)
            with closing(fd), suppress(OverflowError, ValueError):
                os.utime(f"/proc/self/fd/{fd}", (time, time))

    def hoist(self) -> None:
        """Where all lies in one directory of the archive, such as rootfs/, make that the tree."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        # btrfs lists what was there when a directory was opened: root was, before it was filled.
        with closing(os.open(".", flags, dir_fd=self.root)) as fresh:
            names = os.listdir(fresh)
        if len(names) != 1 or names[0] in ("etc", "bin", "usr"):
            return
        with suppress(NotADirectoryError):  # nor is a link one, with these flags
            with closing(os.open(names[0], flags, dir_fd=self.root)) as inner:
                os.rename(names[0], ".hoisted", src_dir_fd=self.root, dst_dir_fd=self.root)
                for name in os.listdir(inner):
                    os.rename(name, name, src_dir_fd=inner, dst_dir_fd=self.root)
                os.fchmod(self.root, stat.S_IMODE(os.fstat(inner).st_mode))
            os.rmdir(".hoisted", dir_fd=self.root)


def plain(path: str, name: str) -> str:
    """A path without slashes to spare; raises Unfit where it could lead out of the tree."""
    if path.startswith("/"):
        raise Unfit(Unfits.ABSOLUTE, path=name, other=path)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Unfit(Unfits.DOTS, path=name)
    if "\0" in path or len(parts) > DEEPEST:
        raise Unfit(Unfits.NOT_A_PATH, path=name[:80])
    return "/".join(parts)


def finish(fd: int, entry: tarfile.TarInfo, owner: tuple[int, int]) -> None:
    """Owner first: changing it takes set-user-id bits and capabilities away."""
    os.fchown(fd, *owner)
    os.fchmod(fd, entry.mode & 0o7777)
    value = entry.pax_headers.get(f"{XATTR}{CAPABILITY}")
    if value is not None:
        with suppress(OSError):  # a form that this kernel refuses
            os.setxattr(fd, CAPABILITY, value.encode("utf-8", "surrogateescape"))
    with suppress(OverflowError, ValueError):
        os.utime(fd, (entry.mtime, entry.mtime))
