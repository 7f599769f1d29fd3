"""What a running container uses of what it may use: read from control groups, disk and links."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from containers.node import kept, observed
from containers.node.errors import OperationError
from containers.node.layout import Layout
from containers.node.lines import lines_of
from containers.node.processes.run import call
from containers.node.storage import Storage

NONE = 1 << 60  # v1 writes a number like this where there is no limit
Figure = dict[str, int | None]


def measure(paths: Layout, storage: Storage, diskspace: int | None = None) -> dict[str, Any]:
    """memory, disk, kept (bytes), pids: each {used, limit}; oom_kills.

    What can't be read is left out. diskspace: its disk limit in MiB.
    """
    groups = observed.cgroup_paths(paths)
    found: dict[str, Any] = {
        "memory": memory(groups),
        "pids": pids(groups),
        "oom_kills": oom_kills(groups),
        "disk": disk(paths, storage),
        "kept": beside(paths, storage, diskspace),
    }
    return {name: figure for name, figure in found.items() if figure is not None}


def memory(groups: Mapping[str, Path]) -> Figure | None:
    if (group := groups.get("memory")) and (used := number(group / "memory.usage_in_bytes")):
        return {"used": used - cache(group), "limit": number(group / "memory.limit_in_bytes")}
    group = groups.get("", Path())
    if (used := number(group / "memory.current")) is not None:
        return {"used": used - cache(group), "limit": number(group / "memory.max")}
    return None


def held(groups: Mapping[str, Path]) -> Figure | None:
    """The memory that nothing can take back, as long as its processes live: there is no swap."""
    if (found := memory(groups)) is None:
        return None
    group = groups.get("memory") or groups.get("", Path())
    stat = pairs(group / "memory.stat")
    active = stat.get("total_active_file", stat.get("active_file", 0))
    used = (found["used"] or 0) - active - stat.get("slab_reclaimable", 0)
    return {**found, "used": max(0, used)}


def cache(group: Path) -> int:
    """Bytes of files that are only kept because nobody else needs the memory."""
    stat = pairs(group / "memory.stat")
    return stat.get("total_inactive_file", stat.get("inactive_file", 0))


def pids(groups: Mapping[str, Path]) -> Figure | None:
    group = groups.get("pids") or groups.get("", Path())
    used = number(group / "pids.current")
    return None if used is None else {"used": used, "limit": number(group / "pids.max")}


def oom_kills(groups: Mapping[str, Path]) -> int | None:
    """Since it started."""
    if group := groups.get("memory"):
        return pairs(group / "memory.oom_control").get("oom_kill")
    return pairs(groups.get("", Path()) / "memory.events").get("oom_kill")


def disk(paths: Layout, storage: Storage, *, fresh: bool = False) -> Figure | None:
    """fresh: not as it was up to 30 s ago, and dearer."""
    if not storage.knows_usage:
        return None  # a walk through the whole tree would be needed to know
    argv = storage.usage(paths.fs, fresh=fresh)
    try:
        usage = storage.parse_usage(call(argv))
    except OperationError:
        return None
    return {"used": usage.bytes, "limit": usage.limit}


def beside(paths: Layout, storage: Storage, diskspace: int | None) -> Figure | None:
    try:
        found = kept.look(paths, storage, diskspace, replaced=kept.REPLACED_MANY)
    except (OSError, OperationError):
        return None
    return {"used": found.bytes, "limit": found.allowed} if found else None


def number(path: Path) -> int | None:
    """None where there is no such file, or no limit."""
    with contextlib.suppress(OSError, ValueError):
        value = int(path.read_text())
        return value if value < NONE else None
    return None


def pairs(path: Path) -> dict[str, int]:
    with contextlib.suppress(OSError):
        lines = (line.split() for line in lines_of(path))
        return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdecimal()}
    return {}
