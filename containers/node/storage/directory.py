"""Areas that are plain directories, for where there is no btrfs: no disk limit, slower copies."""

from pathlib import Path

from containers.node.errors import BadValue, OperationError
from containers.node.storage import Argv, Usage


class Driver:
    name = "directory"
    limits = False

    def create(self, path: Path) -> Argv:
        return ["mkdir", f"{path}"]

    def snapshot(self, source: Path, target: Path, *, readonly: bool = False) -> Argv:
        return ["cp", "--archive", "--reflink=auto", "--one-file-system", "--no-target-directory",
                f"{source}", f"{target}"]  # fmt: skip

    def seal(self, path: Path) -> Argv:
        return ["true"]  # a mode would be copied along with the tree

    def delete(self, path: Path) -> Argv:
        return ["rm", "--recursive", "--force", "--one-file-system", f"{path}"]

    def limit(self, path: Path, bytes: int | None, *, number: str = "") -> Argv:
        if bytes is None:
            return ["true"]
        raise BadValue("disk space can't be limited here: this node's containers are not on btrfs")

    def number(self, path: Path) -> Argv:
        return ["true"]

    def usage(self, path: Path, *, fresh: bool = True) -> Argv:
        return ["du", "--summarize", "--one-file-system", "--block-size=1", f"{path}"]

    def parse_usage(self, said: bytes) -> Usage:
        words = said.split()
        if not words or not words[0].isdigit():
            raise OperationError("du does not say how much is used")
        return Usage(int(words[0]))

    def identity(self, path: Path) -> Argv:
        return ["true"]

    def parse_identity(self, said: bytes) -> str:
        return ""
