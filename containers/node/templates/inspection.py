"""What a root file system is found to be, before it becomes a template."""

import platform
from pathlib import Path

from containers.node.errors import OperationError, Unfits
from containers.node.lines import lines_in
from containers.node.templates import init
from containers.node.templates.catalogue import Facts
from containers.node.templates.shift import Shift
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, Kind, SafeTree

RELEASES = ("/etc/os-release", "/usr/lib/os-release")
OLD_RELEASES = ("/etc/redhat-release", "/etc/SuSE-release", "/etc/gentoo-release")
LONGEST = 200


class NoSystem(OperationError):
    """It is some tree, but nothing that could run as a container."""


def facts(fs: Path, shifted: Shift, *, recipe: str = "") -> Facts:
    """Raises NoSystem, or init.NoInit."""
    check(fs)
    return Facts(
        distribution=distribution(fs),
        init=init.detect(fs).kind,
        arch=platform.machine(),
        base=shifted.base,
        size=shifted.taken,
        files=shifted.files,
        recipe=recipe,
    )


def check(fs: Path) -> None:
    with SafeTree(fs) as tree:
        if tree.kind("/etc", Links.INSIDE) is not Kind.DIRECTORY:
            raise NoSystem(Unfits.NO_DIRECTORY, path="/etc")
        if tree.kind("/bin/sh", Links.INSIDE) is not Kind.FILE:
            raise NoSystem(Unfits.NO_SHELL, path="/bin/sh")
    init.detect(fs)


def distribution(fs: Path) -> str:
    """As it calls itself, such as Debian GNU/Linux 12 (bookworm)."""
    with SafeTree(fs) as tree:
        for path in RELEASES:
            for line in lines_in(text(tree, path)):
                if line.startswith("PRETTY_NAME="):
                    return clean(line.partition("=")[2].strip().strip("\"'"))
        for path in OLD_RELEASES:
            if found := text(tree, path).strip():
                return clean(lines_in(found)[0])
        if version := text(tree, "/etc/debian_version").strip():
            return clean(f"Debian {version}")
    return "unknown"


def text(tree: SafeTree, path: str) -> str:
    try:
        return tree.read(path, links=Links.INSIDE).decode(errors="replace")
    except BadTree:
        return ""


def clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:LONGEST]
