"""Areas that are plain directories, for where there is no btrfs: no disk limit, slower copies."""

from pathlib import Path

from containers.node.errors import BadValue, BadValues, OperationError, Problem
from containers.node.storage import Argv, Ask, Usage


class Driver:
    name = "directory"
    has_limits = False
    shares_blocks = False
    knows_usage = False

    def create(self, path: Path) -> Argv:
        return ["mkdir", f"{path}"]

    def snapshot(self, source: Path, target: Path, *, readonly: bool = False) -> Argv:
        return ["cp", "--archive", "--reflink=auto", "--one-file-system", "--no-target-directory",
                f"{source}", f"{target}"]  # fmt: skip

    def seal(self, path: Path) -> Argv:
        return ["true"]  # a mode would be copied along with the tree

    def delete(self, path: Path) -> Argv:
        return ["rm", "--recursive", "--force", "--one-file-system", f"{path}"]

    def is_area(self, path: Path) -> bool:
        return False

    def delete_nested(self, path: Path, ask: Ask) -> list[Argv]:
        return []

    def mark(self, path: Path) -> str:
        return f"{path.lstat().st_ino}"

    def limit(self, path: Path, bytes: int | None, *, number: str = "") -> Argv:
        if bytes is None:
            return ["true"]
        raise BadValue(BadValues.NO_DISK_LIMITS)

    def number(self, path: Path) -> Argv:
        return ["true"]

    def usage(self, path: Path, *, fresh: bool = True) -> Argv:
        return ["du", "--summarize", "--one-file-system", "--block-size=1", f"{path}"]

    def parse_usage(self, said: bytes) -> Usage:
        words = said.split()
        if not words or not words[0].isdigit():
            raise OperationError(Problem.USAGE_UNKNOWN, command="du")
        return Usage(int(words[0]))

    def key(self, path: Path) -> str:
        return f"{path}"

    def usages(self, path: Path) -> Argv:
        return ["true"]  # a walk through all trees would be needed to know

    def parse_usages(self, said: bytes) -> dict[str, int]:
        return {}

    def identity(self, path: Path) -> Argv:
        return ["true"]

    def parse_identity(self, said: bytes) -> str:
        return ""
