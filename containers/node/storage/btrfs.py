"""Areas that are btrfs subvolumes: copied in a few milliseconds, each with a disk limit."""

import fcntl
import os
import struct
from pathlib import Path

from containers.node.errors import OperationError, Problem
from containers.node.lines import lines_in
from containers.node.storage import Argv, Ask, Usage, subvolumes

ROOT = 256  # the inode number of every subvolume's root
# linux/btrfs.h: struct btrfs_ioctl_ino_lookup_args begins with treeid and objectid
INO_LOOKUP, LOOKUP, LOOKUP_SIZE = 0xD0009412, struct.Struct("=QQ"), 4096


class Driver:
    name = "btrfs"
    has_limits = True
    shares_blocks = True
    knows_usage = True

    def create(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "create", f"{path}"]

    def snapshot(self, source: Path, target: Path, *, readonly: bool = False) -> Argv:
        return ["btrfs", "subvolume", "snapshot", *(["-r"] if readonly else []),
                f"{source}", f"{target}"]  # fmt: skip

    def seal(self, path: Path) -> Argv:
        return ["btrfs", "property", "set", "-ts", f"{path}", "ro", "true"]

    def is_area(self, path: Path) -> bool:
        return path.lstat().st_ino == ROOT

    def delete(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "delete", f"{path}"]

    # What is nested in a subvolume has to be deleted first, the innermost before the others. A
    # container's root can nest them and make them read-only; they are named by number, so that
    # no path of the container's making is followed.

    def delete_nested(self, path: Path, ask: Ask) -> list[Argv]:
        number = int(ask(self.number(path)))
        return [
            ["btrfs", "subvolume", "delete", "--subvolid", f"{inner}", f"{path}"]
            for inner in reversed(subvolumes.nested(path, number))
        ]

    def number(self, path: Path) -> Argv:
        return ["btrfs", "inspect-internal", "rootid", f"{path}"]

    def mark(self, path: Path) -> str:
        return f"{os.statvfs(path).f_fsid:x}"  # the roots all have the same inode number

    def limit(self, path: Path, bytes: int | None, *, number: str = "") -> Argv:
        """By the path of a full subvolume it fails: even that is a change of what is in it."""
        most = "none" if bytes is None else f"{bytes}"
        return ["btrfs", "qgroup", "limit", most, *([f"0/{number}"] if number else []), f"{path}"]

    def usage(self, path: Path, *, fresh: bool = True) -> Argv:
        return ["btrfs", "qgroup", "show", "--raw", "-r", "-f", *(["--sync"] if fresh else []),
                f"{path}"]  # fmt: skip

    def parse_usage(self, said: bytes) -> Usage:
        """Read the line `0/257  157270016  52445184  157286400  path`."""
        for line in lines_in(said.decode(errors="replace")):
            words = line.split()
            if words and words[0].startswith("0/"):
                limit = words[3]
                return Usage(int(words[1]), None if limit == "none" else int(limit), int(words[2]))
        raise OperationError(Problem.USAGE_UNKNOWN, command="btrfs")

    def key(self, path: Path) -> str:
        """0/ and its number. No command is run for it: of one container there may be many."""
        asked = bytearray(LOOKUP.pack(0, ROOT).ljust(LOOKUP_SIZE, b"\0"))
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, INO_LOOKUP, asked)
        finally:
            os.close(fd)
        return f"0/{LOOKUP.unpack_from(asked)[0]}"

    def usages(self, path: Path) -> Argv:
        return ["btrfs", "qgroup", "show", "--raw", f"{path}"]

    def parse_usages(self, said: bytes) -> dict[str, int]:
        lines = (line.split() for line in lines_in(said.decode(errors="replace")))
        return {line[0]: int(line[1]) for line in lines if line and line[0].startswith("0/")}

    def identity(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "show", f"{path}"]

    def parse_identity(self, said: bytes) -> str:
        """Its UUID, once it is read-only. (Its generation changes when it is copied.)"""
        lines = (line.partition(":") for line in lines_in(said.decode(errors="replace")))
        values = {key.strip(): value.strip() for key, _, value in lines}
        return values.get("UUID", "") if "readonly" in values.get("Flags", "") else ""
