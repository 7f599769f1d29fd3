"""What mount scripts had mounted when processes were kept, and how what is mounted now differs.

A tmpfs of its own is part of a container's memory: its contents are kept with its processes. Of
what else is mounted, the node's own files, it is written down which of them the processes use.
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import starmap
from pathlib import Path
from typing import Any

from containers.node.checkpoint import mounts
from containers.node.checkpoint.mounts import Mount, Use
from containers.node.checkpoint.obstacles import name_of, plain
from containers.node.checkpoint.reason import Reason
from containers.node.checkpoint.saved import Saved
from containers.node.errors import Doubts, OperationError, Problem
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, SafeTree

FEW = 2000  # files of one mount that are written down
UNCERTAIN = frozenset({Doubts.FILE_NEWER, Doubts.FILES_UNSEEN})  # the others are certain
COUNTING = ("ro", "nosuid", "nodev", "noexec", "noatime")  # what a process would notice
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Used:
    """A file of the node's that processes use. size: bytes; changed: nanoseconds since 1970.

    path: as the container has it. names: the processes'. writes: one of them may change it, in
    other ways than by adding at its end.
    """

    path: str
    names: tuple[str, ...]
    directory: bool = False
    writes: bool = False
    appends: bool = False
    size: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Scripted:
    """path: where, in the container. source: of what; limit: bytes that a tmpfs may hold, 0 for
    no limit. archive: the name of the file with its contents, which take so many bytes; none when
    it is the node's. used: of that, unseen: how many files more.
    """

    path: str
    kind: str
    source: str
    options: tuple[str, ...]
    limit: int = 0
    supers: str = ""
    archive: str = ""
    taken: int = 0
    used: tuple[Used, ...] = ()
    unseen: int = 0

    @property
    def carried(self) -> bool:
        return bool(self.archive)


def found(root: Path) -> list[Scripted]:
    """What is mounted below a VE_ROOT now, the first mounted first; the topmost at each place."""
    everything = mounts.mounts_of("self")
    below = {m.where: m for m in everything if m.where.startswith(f"{root}/")}
    outside = {m.dev for m in everything if not m.where.startswith(f"{root}/")}
    parts = {m.dev for m in below.values() if m.root != "/"}
    archives: dict[str, str] = {}  # of each tmpfs one, in how many places it may be mounted
    for mount in below.values():
        if mount.kind == "tmpfs" and mount.dev not in outside | parts:
            archives.setdefault(mount.dev, f"{len(archives)}.tar")
    return [describe(m, root, archives.get(m.dev, "")) for m in below.values()]


def describe(mount: Mount, root: Path, archive: str) -> Scripted:
    counting = [word for word in COUNTING if word in mount.options or word in mount.supers]
    return Scripted(
        path=mount.where.removeprefix(f"{root}"),
        kind=mount.kind,
        source="" if archive else f"{backing(mount.source)}:{mount.root}",
        options=tuple(counting),
        limit=limit_of(mount) if mount.kind == "tmpfs" else 0,
        supers=",".join(mount.supers),
        archive=archive,
    )


def backing(source: str) -> str:
    """A loop device is numbered anew each time: it is told by its file."""
    name = Path(source).name
    if not source.startswith("/dev/loop"):
        return source
    return mounts.read(f"/sys/block/{name}/loop/backing_file").strip() or source


def limit_of(mount: Mount) -> int:
    said = next((word for word in mount.supers if word.startswith("size=")), "size=0")
    number, unit = said.removeprefix("size=").rstrip("kmg"), said[-1]
    return int(number or 0) * UNITS.get(unit, 1)


def in_use(root: Path, init: int, pids: Iterable[int]) -> list[Scripted] | None:
    """What is mounted below VE_ROOT and in the container, and which of its files are used.

    None where nothing is mounted below VE_ROOT.
    """
    below = found(root)
    if not below:
        return None
    inside = mounts.scripted(init)
    uses: dict[str, list[Use]] = {}
    for mount, use in mounts.uses(inside, pids):
        uses.setdefault(mount.where, []).append(use)
    there = {mount.where for mount in inside}
    return [
        each if each.carried else with_used(each, uses.get(each.path, []))
        for each in below
        if each.path in there
    ]


def with_used(mount: Scripted, uses: Sequence[Use]) -> Scripted:
    by_path: dict[str, list[Use]] = {}
    for use in uses:
        if not use.deleted:
            by_path.setdefault(use.path, []).append(use)
    told = sorted(by_path.items())
    used = tuple(starmap(used_of, told[:FEW]))
    return replace(mount, used=used, unseen=len(told[FEW:]))


def used_of(path: str, uses: Sequence[Use]) -> Used:
    return Used(
        path,
        names=tuple(sorted({name_of(use.pid) for use in uses})),
        writes=any(use.writes and not use.appends for use in uses),
        appends=any(use.appends for use in uses),
    )


def measured(root: Path, told: Iterable[Scripted]) -> list[Scripted]:
    """The same, with what the used files are like now."""
    return [
        replace(each, used=tuple(measure(root, each, used) for used in each.used)) for each in told
    ]


def measure(root: Path, mount: Scripted, used: Used) -> Used:
    seen = look(root, mount, used)
    if seen is None:
        return used
    folder = stat.S_ISDIR(seen.st_mode)
    plain = stat.S_ISREG(seen.st_mode)
    return replace(
        used,
        directory=folder,
        size=seen.st_size if plain else 0,
        changed=seen.st_mtime_ns if plain else 0,
    )


def look(root: Path, mount: Scripted, used: Used) -> os.stat_result | None:
    """A used file below a VE_ROOT, links on the way never followed; None when it is not there."""
    inner = used.path.removeprefix(mount.path).strip("/")
    place = Path(f"{root}{mount.path}")
    try:
        if not inner:
            return place.lstat()
        with SafeTree(place) as tree, tree.found(f"/{inner}", Links.NONE) as fd:
            return os.fstat(fd)
    except (BadTree, OSError):
        return None


def write(saved: Saved, told: Sequence[Scripted]) -> None:
    saved.mounts.mkdir(mode=0o700, exist_ok=True)
    text = json.dumps([asdict(each) for each in told], indent=1)
    (saved.mounts / "index.json").write_text(f"{text}\n")


def read(saved: Saved) -> list[Scripted] | None:
    """None for a dump that has no such list: nothing was mounted, or it is of an older version.

    Raises OperationError when it isn't one.
    """
    try:
        values = json.loads((saved.mounts / "index.json").read_text())
        return [scripted_of(each) for each in values]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as e:
        raise OperationError(Problem.RECORD_UNREADABLE) from e


def scripted_of(said: dict[str, Any]) -> Scripted:
    used = [Used(**{**each, "names": tuple(each["names"])}) for each in said["used"]]
    return Scripted(**{**said, "options": tuple(said["options"]), "used": tuple(used)})


def unfit(root: Path, told: Iterable[Scripted]) -> Iterator[Reason]:
    """Why what is mounted below VE_ROOT now will not do; what is missing is not told of."""
    now = {each.path: each for each in found(root)}
    for then in told:
        if then.path in now:
            yield from unlike(then, now[then.path])


def other_files(root: Path, told: Iterable[Scripted]) -> Iterator[Reason]:
    """Why the files that processes used will not do, of what is mounted below VE_ROOT now."""
    now = {each.path for each in found(root)}
    for then in told:
        if then.path not in now:
            continue
        for used in then.used:
            yield from changed(root, then, used)
        if then.unseen:
            yield Reason.doubt(Doubts.FILES_UNSEEN, path=plain(then.path), number=then.unseen)


def unlike(then: Scripted, now: Scripted) -> Iterator[Reason]:
    pairs = {
        "kind": (then.kind, now.kind),
        "source": (then.source or "its own", now.source or "its own"),
        "options": (said(then.options), said(now.options)),
    }
    for what, (was, is_now) in pairs.items():
        if was != is_now:
            yield Reason.doubt(
                Doubts.OTHER_MOUNT, path=plain(then.path), what=what, was=was, now=is_now
            )
            return
    if then.carried and now.limit and now.limit < then.taken:
        yield Reason.doubt(
            Doubts.MOUNT_SMALL, path=plain(then.path), needed=then.taken, limit=now.limit
        )


def said(options: Sequence[str]) -> str:
    return ",".join(options) or "none"


def changed(root: Path, mount: Scripted, used: Used) -> Iterator[Reason]:
    seen = look(root, mount, used)
    details = {"path": plain(used.path), "mount": plain(mount.path), "names": list(used.names)}
    if seen is None or stat.S_ISDIR(seen.st_mode) != used.directory:
        yield Reason.doubt(Doubts.FILE_GONE, **details)
    elif not stat.S_ISREG(seen.st_mode) or used.directory:
        return
    elif used.appends and not used.writes and seen.st_size >= used.size:
        return  # a log has more lines than then
    elif seen.st_size != used.size or (used.writes and seen.st_mtime_ns != used.changed):
        yield Reason.doubt(Doubts.FILE_CHANGED, **details)
    elif seen.st_mtime_ns != used.changed:
        yield Reason.doubt(Doubts.FILE_NEWER, **details)
