"""Which processes a dump has, so that what came back can be compared with it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from containers.node.checkpoint import obstacles
from containers.node.checkpoint.userids import LENGTH, MAGIC, fields

TASK, NAME = 3, 6  # of CRIU's core_entry: tc, and its comm


def names(images: Path) -> list[str]:
    """What each process calls itself; one that had ended was none. Empty where nothing tells."""
    pids = sorted(path.stem.partition("-")[2] for path in images.glob("mm-*.img"))
    try:
        return [name_in((images / f"core-{pid}.img").read_bytes()) for pid in pids]
    except (OSError, IndexError, ValueError):
        return []


def name_in(image: bytes) -> str:
    task = field(image[MAGIC + LENGTH.size :], TASK)
    return obstacles.plain(field(task, NAME).decode(errors="replace"))


def field(message: bytes, wanted: int) -> bytes:
    for key, value in fields(message):
        if key >> 3 == wanted and isinstance(value, bytes):
            return value
    return b""


def living(pids: Iterable[int]) -> Iterator[str]:
    """What those call themselves that have not ended."""
    for pid in pids:
        if obstacles.state_of(pid) not in ("", "Z", "X"):
            yield obstacles.name_of(pid)


def ended(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Those that are not there any more; another of the same name has taken its place."""
    return sorted((Counter(before) - Counter(after)).elements())
