"""What is mounted where, as this process sees it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from containers.node.lines import lines_of

ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    point: Path
    kind: str  # ext4, btrfs, …
    source: str  # the device


def mounts() -> list[Mount]:
    """All mounts, the oldest first.

    Lines: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`, white space as \\040.
    """
    return [parse(line) for line in lines_of("/proc/self/mountinfo")]


def parse(line: str) -> Mount:
    where, _, what = line.partition(" - ")
    kind, source = what.split(" ")[:2]  # a path may have other white space in it
    return Mount(Path(unescape(where.split(" ")[4])), kind, unescape(source))


def mount_of(path: Path) -> Mount:
    """The mount that a path is in, there or not."""
    real = Path(os.path.realpath(path))
    above = [m for m in mounts() if real.is_relative_to(m.point)]
    deepest = max(len(m.point.parts) for m in above)
    return [m for m in above if len(m.point.parts) == deepest][-1]


def mounts_in(path: Path) -> list[Mount]:
    """The mounts at or below a path, the last mounted first: the order to unmount them in."""
    real = Path(os.path.realpath(path))
    return [m for m in mounts() if m.point.is_relative_to(real)][::-1]


def unescape(text: str) -> str:
    return ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
