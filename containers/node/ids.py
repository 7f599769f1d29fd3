"""The node's user and group ids that stand for those of containers: nobody else's."""

from collections.abc import Iterator
from pathlib import Path

from containers.node import veconf
from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem

BASE, SIZE = 200000, 65536  # where nobody has reserved them, and vz.conf says nothing
FILES = (Path("/etc/subuid"), Path("/etc/subgid"))
OWNER = "root"  # whoever sets user namespaces up
HIGHEST = 2**32 - 2


def chosen(conf: NodeConf) -> tuple[int, int]:
    """Base and size, as vz.conf has them, or as they will be written there."""
    values = veconf.read(conf.vz_conf)
    size = int(values.get("UID_SIZE") or SIZE)
    return int(values.get("UID_BASE") or free(size)), size


def free(size: int) -> int:
    """The first range that nobody has reserved. Raises OperationError when there is none."""
    taken = sorted(ranges())
    base = BASE
    for begin, count in taken:
        if begin < base + size and base < begin + count:
            base = -(-(begin + count) // SIZE) * SIZE
    if base + size > HIGHEST:
        raise OperationError(Problem.NO_IDS)
    return base


def reserved(base: int, size: int) -> bool:
    return all(f"{OWNER}:{base}:{size}" in lines(file) for file in FILES)


def reserve(base: int, size: int) -> None:
    for file in FILES:
        line = f"{OWNER}:{base}:{size}"
        if line not in lines(file):
            with file.open("a") as end:
                end.write(f"{line}\n")


def ranges() -> Iterator[tuple[int, int]]:
    """What others have: (first, count)."""
    for file in FILES:
        for line in lines(file):
            words = line.split(":")
            if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
                yield int(words[1]), int(words[2])


def lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text().splitlines()]
    except FileNotFoundError:
        return []
