"""Control groups that hold a script and all that it starts, so that it can be ended whole.

One hierarchy is enough for that: cgroup v2 where it is mounted (also beside v1), else v1's
freezer or pids. Limits of containers are the runtime's business, not this module's.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SWEEPS = 200  # a group without cgroup.kill is swept this often, 10 ms apart, before we give up


@dataclass(frozen=True)
class Group:
    """name: the path below the hierarchy's root, as in /panel/1a2b3c4d/operation-7."""

    name: str

    @property
    def path(self) -> Path:
        return hierarchy() / self.name.lstrip("/")

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    def add(self, pid: int = 0) -> None:
        """Move a process in; 0 is the caller."""
        (self.path / "cgroup.procs").write_text(f"{pid}")

    def processes(self) -> list[int]:
        try:
            return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]
        except (FileNotFoundError, OSError):
            return []

    def kill(self) -> None:
        """SIGKILL to every process in it; returns once none is left, or after two seconds."""
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
        for _ in range(SWEEPS):
            left = self.processes()
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def remove(self, *, heir: "Group | None" = None) -> None:
        """Take the group away; what still runs in it moves to the heir."""
        if heir and (left := self.processes()):
            heir.make()
            for pid in left:
                with contextlib.suppress(OSError):
                    heir.add(pid)
        with contextlib.suppress(OSError):
            self.path.rmdir()


@cache
def hierarchy() -> Path:
    """The mounted hierarchy that is used to hold and to end processes."""
    mounts = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    found: dict[str, Path] = {}
    for place, kind in mounts:
        what, _, options = kind.split(" ", 2)
        where = Path(place.split(" ")[4])
        if what == "cgroup2":
            return where
        if what == "cgroup":
            for name in ("freezer", "pids"):
                if name in options.rsplit(" ", 1)[-1].split(","):
                    found.setdefault(name, where)
    for name in ("freezer", "pids"):
        if name in found:
            return found[name]
    raise RuntimeError("no cgroup hierarchy is mounted on this machine")
