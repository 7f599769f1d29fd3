"""Storage: how the areas that hold root file systems are made, copied, limited and deleted.

Like a runtime, a driver only says which command to run; what a look at a path tells, it answers.
To add one, add a module here whose Driver speaks this protocol; pool.driver, the only place that
names drivers, names the one that a node uses.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from containers.node.errors import BadValue, BadValues

Argv = list[str]
Ask = Callable[[Argv], bytes]  # runs a quiet command for what it prints


@dataclass(frozen=True)
class Usage:
    """What an area takes and may take, in bytes; no limit: None.

    own: what would be free without it, the rest being shared; None where nobody can tell.
    """

    bytes: int
    limit: int | None = None
    own: int | None = None


@dataclass(frozen=True)
class Space:
    """What is left of the pool, in bytes and inodes; inodes: None where they can't run out."""

    size: int
    free: int
    inodes: int | None
    inodes_free: int | None


class Storage(Protocol):
    name: str
    has_limits: bool  # whether an area can be given a limit
    shares_blocks: bool  # whether a copy takes no room until one of the two is written to
    knows_usage: bool  # whether usage is quick: else it is a walk through all files

    def create(self, path: Path) -> Argv:
        """Make an empty area."""

    def snapshot(self, source: Path, target: Path, *, readonly: bool = False) -> Argv:
        """Copy an area, without the areas nested in it; target must not exist yet.

        The copy has the source's limit until it is given one of its own.
        """

    def seal(self, path: Path) -> Argv:
        """Let nobody write to an area any more, as far as the driver can."""

    def is_area(self, path: Path) -> bool:
        """Whether a directory is an area that only delete removes, as rm does any other."""

    def delete(self, path: Path) -> Argv:
        """Delete an area that is one; whatever else may lie there is for removal.remove."""

    def delete_nested(self, path: Path, ask: Ask) -> list[Argv]:
        """Delete the areas nested in one, the innermost first; without them it can be deleted.

        No path is followed that may be of a container's making.
        """

    def mark(self, path: Path) -> str:
        """What tells an area from any other, whatever it is called and after a reboot too."""

    def limit(self, path: Path, bytes: int | None, *, number: str = "") -> Argv:
        """Let an area take so many bytes, or any number.

        number: of the area, path being any other in the same pool: for one that is full.
        """

    def number(self, path: Path) -> Argv:
        """Ask for an area's number."""

    def usage(self, path: Path, *, fresh: bool = True) -> Argv:
        """Ask for an area's usage, for parse_usage. Not fresh: cheaper, up to 30 s old."""

    def parse_usage(self, said: bytes) -> Usage: ...

    def key(self, path: Path) -> str:
        """What usages calls an area."""

    def usages(self, path: Path) -> Argv:
        """Ask for the usage of every area in the pool at path, up to 30 s old; for parse_usages."""

    def parse_usages(self, said: bytes) -> dict[str, int]:
        """Bytes, shared ones too, by key."""

    def identity(self, path: Path) -> Argv:
        """Ask for what tells a sealed area from any other, for parse_identity."""

    def parse_identity(self, said: bytes) -> str:
        """Empty where nothing does, or the area is not sealed."""


def load(name: str) -> Storage:
    try:
        module = import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as e:
        raise BadValue(BadValues.NO_DRIVER, name=name) from e
    return cast(Storage, module.Driver())


def space(path: Path) -> Space:
    found = os.statvfs(path)
    return Space(
        size=found.f_blocks * found.f_frsize,
        free=found.f_bavail * found.f_frsize,
        inodes=found.f_files or None,  # btrfs has no such number
        inodes_free=found.f_favail if found.f_files else None,
    )
