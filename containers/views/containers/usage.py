"""What a container uses of what it may use."""

from __future__ import annotations

from dataclasses import dataclass

from containers.models import Container
from containers.node.states import State
from containers.views.sizes import in_units

HIGH = 0.9  # of the limit


@dataclass(frozen=True)
class Meter:
    """used and limit in bytes or pieces; limit None: no limit; used None: not known.

    note: what there is to say in place of a number.
    """

    label: str
    used: int | None
    limit: int | None
    bytes: bool
    note: str = ""

    @property
    def text(self) -> str:
        if self.used is None:
            return self.note or "unknown"
        of = f" of {self.worded(self.limit)}" if self.limit else ", no limit"
        return f"{self.worded(self.used)}{of}"

    @property
    def limit_text(self) -> str:
        return self.worded(self.limit)

    @property
    def share(self) -> int:
        """Percent."""
        return min(100, round(100 * (self.used or 0) / self.limit)) if self.limit else 0

    @property
    def high(self) -> bool:
        return self.share >= 100 * HIGH

    def worded(self, amount: int | None) -> str:
        if amount is None:
            return ""
        return in_units(amount) if self.bytes else f"{amount:,}".replace(",", " ")


MIB = 1 << 20
LABELS = {
    "memory": "Memory",
    "disk": "Disk",
    "kept": "Snapshots and replaced systems",
    "inodes": "Inodes",
    "pids": "Processes",
}
IN_BYTES = ("memory", "disk", "kept")
ALIVE = ("memory", "pids")  # which only processes use
LIVING = (State.RUNNING, State.PAUSED)
# What a storage driver doesn't count: only a walk through the whole tree would tell.
UNCOUNTED = {
    ("btrfs", "inodes"): "not limited on btrfs",
    ("directory", "inodes"): "limited only by the node",
    ("directory", "disk"): "neither measured nor limited on this node",
    ("directory", "kept"): "neither measured nor limited on this node",
}


def meters(container: Container) -> list[Meter]:
    """As its node measured them (node/figures.py); what it did not measure is unknown."""
    limits = {
        "memory": (container.ram or 0) * MIB or None,
        "disk": (container.diskspace or 0) * MIB or None,
        "inodes": None,
        "kept": None,
        "pids": container.pids,
    }
    found = []
    for key, label in LABELS.items():
        figure = container.usage.get(key) or {}
        limit = figure.get("limit") or limits[key]
        used = 0 if key in ALIVE and container.state not in LIVING else figure.get("used")
        note = UNCOUNTED.get((container.node.storage, key), "")
        found.append(Meter(label, used, limit, bytes=key in IN_BYTES, note=note))
    return found
