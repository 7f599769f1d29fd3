"""What a snapshot is called: no two of one container's have the same name."""

from itertools import count, islice

from containers.models.container import Container
from containers.node.errors import BadValue, BadValues

LONGEST = 80  # characters


def check_line(what: str, text: str, most: int) -> None:
    """Raises BadValue: it would not fit its column, or not a line of a list."""
    if len(text) > most:
        raise BadValue(BadValues.LINE_LONG, what=what, most=most)
    if not text.isprintable():
        raise BadValue(BadValues.LINE_BROKEN, what=what)


def require_free(container: Container, name: str) -> None:
    """Raises BadValue; for whoever holds the container."""
    if name and container.snapshots.filter(name=name).exists():
        raise BadValue(BadValues.SNAPSHOT_NAME_TAKEN, name=name, container=container)


def free_name(container: Container, name: str) -> str:
    """A name that no other snapshot of it has: one is taken only if it was asked for long ago."""
    taken = set(container.snapshots.exclude(name="").values_list("name", flat=True))
    numbered = (f"{name[: LONGEST - 6]} ({number})" for number in count(2))
    return next((each for each in (name, *islice(numbered, len(taken))) if each not in taken), "")
