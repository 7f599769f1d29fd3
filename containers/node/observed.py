"""What state a container really is in: read from the machine, without starting a process."""

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.node.layout import Layout
from containers.node.lines import lines_of
from containers.node.states import State


@dataclass(frozen=True)
class Init:
    """A container's first process, told from a later one with its pid by when it started."""

    pid: int
    started: int  # clock ticks after boot, /proc/PID/stat field 22

    @property
    def alive(self) -> bool:
        return started(self.pid) == self.started


def state_of(paths: Layout) -> State:
    """Suspended is whatever has a dump and does not run, be it mounted or not."""
    init = init_of(paths)
    if init and init.alive:
        if booting(paths):
            return State.MOUNTED  # made, but its init was never let go
        return State.PAUSED if paused(paths) else State.RUNNING
    suspended = (paths.private / "dump").is_dir() and paths.fs.is_dir()
    if suspended:
        return State.SUSPENDED
    if mounted(paths.root):
        return State.MOUNTED
    return State.STOPPED if paths.fs.is_dir() else State.BROKEN


def init_of(paths: Layout) -> Init | None:
    """Its init as the runtime knows it, whether it lives or not."""
    record = runtime_record(paths)
    pid = record.get("init_process_pid")
    return Init(pid, record.get("init_process_start", 0)) if pid else None


def left_behind(paths: Layout) -> bool:
    """Whether the runtime still has a record of it."""
    return (paths.runc_root / f"{paths.ctid}").exists()


def booting(paths: Layout) -> bool:
    return fifo(paths).exists()


def fifo(paths: Layout) -> Path:
    """At which a made container's init waits; runc takes it away once that was let go."""
    return paths.runc_root / f"{paths.ctid}" / "exec.fifo"


def paused(paths: Layout) -> bool:
    """Beside v1's freezer, v2's own group of it says nothing."""
    groups = cgroup_paths(paths)
    with contextlib.suppress(KeyError, OSError):
        return (groups["freezer"] / "freezer.state").read_text().strip() != "THAWED"
    with contextlib.suppress(KeyError, OSError):
        return (groups[""] / "cgroup.freeze").read_text().strip() == "1"
    return False


def cgroup_paths(paths: Layout) -> dict[str, Path]:
    """Where its processes are in each control group hierarchy; v2's own has the key ''."""
    found = runtime_record(paths).get("cgroup_paths") or {}
    return {key: Path(path) for key, path in found.items()}


def runtime_record(paths: Layout) -> dict[str, Any]:
    try:
        record = (paths.runc_root / f"{paths.ctid}" / "state.json").read_text()
        return dict(json.loads(record))
    except (OSError, ValueError):
        return {}


def started(pid: int) -> int | None:
    """When a process started, in clock ticks after boot; None when it's gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def sleeps(pid: int) -> bool:
    """Whether it waits for something, and is not busy; so does one that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat[stat.rindex(")") + 2] not in "RD"


def children(parent: int) -> list[int]:
    return [pid for pid in processes() if parent_of(pid) == parent]


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def parent_of(pid: int) -> int | None:
    """None when it's gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return int(stat[stat.rindex(")") + 2 :].split()[1])


def mounted(path: Path) -> bool:
    return any(where == f"{path}" for where, _ in mounts())


def submounts(root: Path) -> list[tuple[str, list[str]]]:
    """What is mounted below a path, with its options; the first mounted first."""
    return [(where, options) for where, options in mounts() if where.startswith(f"{root}/")]


def mounts() -> list[tuple[str, list[str]]]:
    found = []
    for line in lines_of("/proc/self/mountinfo"):
        fields = line.split(" ")
        found.append((unescape(fields[4]), fields[5].split(",")))
    return found


def unescape(field: str) -> str:
    """mountinfo writes blanks and backslashes as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def pidfd(init: Init) -> int | None:
    """A descriptor that is readable once it has ended; None when it has."""
    try:
        fd = os.pidfd_open(init.pid)
    except OSError:
        return None
    if init.alive:
        return fd
    os.close(fd)
    return None
