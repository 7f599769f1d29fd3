"""Areas that are btrfs subvolumes: copied in a few milliseconds, each with a disk limit."""

from pathlib import Path

from containers.node.errors import OperationError
from containers.node.storage import Argv, Usage


class Driver:
    name = "btrfs"
    limits = True

    def create(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "create", f"{path}"]

    def snapshot(self, source: Path, target: Path, *, readonly: bool = False) -> Argv:
        return ["btrfs", "subvolume", "snapshot", *(["-r"] if readonly else []),
                f"{source}", f"{target}"]  # fmt: skip

    def seal(self, path: Path) -> Argv:
        return ["btrfs", "property", "set", "-ts", f"{path}", "ro", "true"]

    def delete(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "delete", f"{path}"]

    def limit(self, path: Path, bytes: int | None, *, number: str = "") -> Argv:
        """By the path of a full subvolume it fails: even that is a change of what is in it."""
        most = "none" if bytes is None else f"{bytes}"
        return ["btrfs", "qgroup", "limit", most, *([f"0/{number}"] if number else []), f"{path}"]

    def usage(self, path: Path, *, fresh: bool = True) -> Argv:
        return ["btrfs", "qgroup", "show", "--raw", "-r", "-f", *(["--sync"] if fresh else []),
                f"{path}"]  # fmt: skip

    def parse_usage(self, said: bytes) -> Usage:
        """Read the line `0/257  157270016  52445184  157286400  path`."""
        for line in said.decode(errors="replace").splitlines():
            words = line.split()
            if words and words[0].startswith("0/"):
                limit = words[3]
                return Usage(int(words[1]), None if limit == "none" else int(limit), int(words[2]))
        raise OperationError("btrfs does not say how much is used; its quotas may be off")

    def identity(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "show", f"{path}"]

    def parse_identity(self, said: bytes) -> str:
        """Its UUID, once it is read-only. (Its generation changes when it is copied.)"""
        lines = (line.partition(":") for line in said.decode(errors="replace").splitlines())
        values = {key.strip(): value.strip() for key, _, value in lines}
        return values.get("UUID", "") if "readonly" in values.get("Flags", "") else ""

    # What is nested in a subvolume has to be deleted first, the innermost before the others. A
    # container's root can nest them and make them read-only; they are named by number, so that
    # no path of the container's making is followed.

    def number(self, path: Path) -> Argv:
        return ["btrfs", "inspect-internal", "rootid", f"{path}"]

    def listing(self, path: Path) -> Argv:
        return ["btrfs", "subvolume", "list", "-p", f"{path}"]

    def nested(self, number: int, listing: bytes) -> list[int]:
        """The numbers of what is nested in a subvolume, innermost first.

        Lines of a listing: `ID 263 gen 24 parent 262 top level 262 path n/nested/deep`.
        """
        children: dict[int, list[int]] = {}
        for line in listing.decode(errors="replace").splitlines():
            words = line.split()
            if words[:1] == ["ID"]:
                children.setdefault(int(words[5]), []).append(int(words[1]))
        found, look = [], [number]
        while look:
            inner = children.get(look.pop(), [])
            found += inner
            look += inner
        return found[::-1]

    def delete_nested(self, number: int, path: Path) -> Argv:
        """path: any path in the same file system."""
        return ["btrfs", "subvolume", "delete", "--subvolid", f"{number}", f"{path}"]
