"""The contents of a container's own tmpfs: kept beside its processes, and brought back.

While they are read and while they are written, none of the container's processes runs.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from containers.node.checkpoint import mounts, scripted
from containers.node.checkpoint.saved import Saved
from containers.node.checkpoint.scripted import Scripted
from containers.node.errors import OperationError, Problem
from containers.node.ids import Range
from containers.node.processes.run import call

TIMEOUT = 3600.0  # seconds
ATTRIBUTES = ("--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls")


def keep(root: Path, saved: Saved, told: Sequence[Scripted]) -> None:
    """Write down what is mounted and save what is carried; root: VE_ROOT."""
    saved.mounts.mkdir(mode=0o700, exist_ok=True)
    kept = []
    for each in scripted.measured(root, told):
        if each.carried:
            with held(root, each) as place:
                pack(saved.mounts / each.archive, place, without(each, told))
                each = replace(each, taken=taken(place))
        kept.append(each)
    scripted.write(saved, kept)


def pack(archive: Path, place: str, exclude: Sequence[str]) -> None:
    if not archive.exists():  # it is mounted in several places
        call(["tar", "--create", f"--file={archive}", "--one-file-system", "--sparse", *ATTRIBUTES,
              *exclude, f"--directory={place}", "."], timeout=TIMEOUT)  # fmt: skip


def taken(place: str) -> int:
    """Bytes of its file system that are in use."""
    seen = os.statvfs(place)
    return (seen.f_blocks - seen.f_bfree) * seen.f_frsize


def fill(root: Path, saved: Saved, was: Range, own: Range) -> None:
    """Make each carried tmpfs hold what it held then; was, own: the ids of then and of now."""
    told = scripted.read(saved) or []
    for each in {each.archive: each for each in told if each.carried}.values():
        with held(root, each) as place:
            if not inner(each, told):
                call(["find", place, "-xdev", "-mindepth", "1", "-delete"], timeout=TIMEOUT)
            call(["tar", "--extract", f"--file={saved.mounts / each.archive}", "--same-owner",
                  "--same-permissions", *ATTRIBUTES, *without(each, told),
                  f"--directory={place}"], timeout=TIMEOUT)  # fmt: skip
            if was != own:
                move(place, was, own)


def mount(root: Path, told: Sequence[Scripted]) -> None:
    """Mount what is carried as it was, in a copy for whose container no script runs.

    root: where its disk is mounted, in which these places are no links.
    """
    first: dict[str, str] = {}
    for each in told:
        if not each.carried:
            continue
        at = f"{root}{each.path}"
        if each.archive in first:
            call(["mount", "--bind", first[each.archive], at])
            continue
        supers = [word for word in each.supers.split(",") if word not in ("ro", "rw")]
        options = ",".join([*supers, *each.options])
        call(["mount", "-t", "tmpfs", "-o", options, "--make-private", "none", at])
        first[each.archive] = at


@contextlib.contextmanager
def held(root: Path, mount: Scripted) -> Iterator[str]:
    """A path of the tmpfs itself: one that goes through the container's folders its root can lead
    elsewhere meanwhile.
    """
    where = f"{root}{mount.path}"
    try:
        fd = os.open(where, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as e:
        raise OperationError(Problem.MOUNT_MISSING, path=mount.path) from e
    try:
        dev = os.fstat(fd).st_dev
        there = [m.dev for m in mounts.mounts_of("self") if m.where == where]
        if there[-1:] != [f"{os.major(dev)}:{os.minor(dev)}"]:
            raise OperationError(Problem.MOUNT_MISSING, path=mount.path)
        yield f"/proc/{os.getpid()}/fd/{fd}/."
    finally:
        os.close(fd)


def without(mount: Scripted, told: Sequence[Scripted]) -> list[str]:
    """What is mounted in it is another's, and so are that one's owner and permissions."""
    return ["--anchored", "--no-wildcards", *(f"--exclude=./{path}" for path in inner(mount, told))]


def inner(mount: Scripted, told: Sequence[Scripted]) -> list[str]:
    at = f"{mount.path}/"
    return [each.path.removeprefix(at) for each in told if each.path.startswith(at)]


def move(place: str, was: Range, own: Range) -> None:
    """Give the container's files to the ids that it has now; nobody else can reach them yet."""
    for _, folders, files, fd in os.fwalk(place):
        for name in (*folders, *files, "."):
            seen = os.stat(name, dir_fd=fd, follow_symlinks=False)
            uid, gid = (number - was.base + own.base if number in was else number
                        for number in (seen.st_uid, seen.st_gid))  # fmt: skip
            os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)
            if seen.st_mode & 0o6000 and not os.path.islink(f"/proc/self/fd/{fd}/{name}"):
                os.chmod(name, seen.st_mode & 0o7777, dir_fd=fd)
