"""What a node keeps of a container beside its disk: snapshots, and systems that were replaced.

They share most with the disk as it is, until the container has rewritten it; so each is counted in
full, and what is kept can never take more than it counts.
"""

from dataclasses import dataclass
from pathlib import Path

from containers.node import values, veconf
from containers.node.checkpoint import saved
from containers.node.checkpoint.saved import Saved
from containers.node.errors import BadValue
from containers.node.layout import Layout
from containers.node.processes.run import call
from containers.node.storage import Storage

KEY = "DISKSPACE_KEPT"  # of vz.conf: in percent of a container's disk limit
USUAL = 400
REPLACED_MANY = 2  # systems of one container: the oldest goes when there is one more
MIB = 1 << 20
WHOLE = 100  # percent


@dataclass(frozen=True)
class Kept:
    """Bytes. disk: what the container has now, and one more that is kept would add; 0 where that
    fits in any case."""

    snapshots: int
    replaced: int
    disk: int
    allowed: int

    @property
    def bytes(self) -> int:
        return self.snapshots + self.replaced


def look(paths: Layout, storage: Storage, diskspace: int | None, *, replaced: int) -> Kept | None:
    """diskspace: its limit in MiB. replaced: how many of the newest systems count.

    None where nothing is counted: without a disk limit, or where the driver can't tell.
    """
    share = percent(paths)
    if not (storage.has_limits and diskspace) or share is None:
        return None
    limit, snapshots = diskspace * MIB, [Saved(paths.snapshots / u) for u in saved.listed(paths)]
    systems = replaced_areas(paths)[:replaced]
    if not snapshots and not systems and share >= WHOLE:
        return Kept(0, 0, 0, limit * share // WHOLE)  # one copy fits, whatever is in it
    found = storage.parse_usages(call(storage.usages(paths.node.vz)))

    def size(area: Path) -> int:
        return found.get(storage.key(area), 0) if area.is_dir() else 0

    return Kept(
        snapshots=sum(size(each.fs) + each.size for each in snapshots),
        replaced=sum(size(each) for each in systems),
        disk=size(paths.fs),
        allowed=limit * share // WHOLE,
    )


def replaced_areas(paths: Layout) -> list[Path]:
    """The one that was replaced last comes first."""
    notes = paths.old.glob("[0-9]*/kept.json")
    return [note.parent / "fs" for note in sorted(notes, key=age, reverse=True)]


def age(note: Path) -> tuple[int, int]:
    return note.stat().st_mtime_ns, int(note.parent.name)


def percent(paths: Layout) -> int | None:
    """None: as much as it likes. A line of vz.conf that can't be read counts as the usual one."""
    try:
        return values.count(veconf.read(paths.node.vz_conf)[KEY])
    except (KeyError, BadValue):
        return USUAL
