"""How much memory a container's processes have, which is about what their images take."""

from pathlib import Path

from containers.node import observed
from containers.node.layout import Layout
from containers.node.lines import lines_of

MIB = 1 << 20
SPARE = 16 * MIB  # for what else is written
V1 = ("total_rss", "total_shmem", "total_swap")
V2 = ("anon", "shmem", "swap")


def memory(paths: Layout) -> int:
    """Bytes that are its own: what is only cached of files is not dumped."""
    groups = observed.cgroup_paths(paths)
    group = groups.get("memory") or groups.get("", Path("/nowhere"))
    stat = pairs(group / "memory.stat")
    keys = V1 if V1[0] in stat else V2
    return sum(stat.get(key, 0) for key in keys) or number(group / "memory.usage_in_bytes")


def available() -> int:
    """Bytes of the node's memory that processes could have now."""
    return pairs(Path("/proc/meminfo")).get("MemAvailable:", 0) * 1024


def pairs(path: Path) -> dict[str, int]:
    try:
        lines = [line.split() for line in lines_of(path)]
    except OSError:
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdecimal()}


def number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
