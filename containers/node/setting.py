"""A container's setting: its type, its check, and all the places where its value is put."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from containers.node import checks
from containers.node.checks import Facts, Range

HUNDREDTH = Decimal("0.01")


class Type(StrEnum):
    LINE = "line"
    NUMBER = "number"  # a whole one; none: no limit
    FRACTION = "fraction"  # hundredths count; none: no limit
    WORDS = "words"
    SWITCH = "switch"
    PERSON = "person"  # somebody who can sign in
    ADDRESSES = "addresses"  # rows of their own


EMPTY: dict[Type, Any] = {
    Type.LINE: "", Type.WORDS: (), Type.ADDRESSES: (), Type.SWITCH: False,
}  # fmt: skip


class Section(StrEnum):
    """Of the pages, in their order."""

    IDENTITY = "Identity"
    LIMITS = "Limits"
    NETWORK = "Network"
    STARTING = "Starting"


class Effect(StrEnum):
    """What it changes on the node."""

    PANEL = "the panel alone"
    CONF = "the configuration file"
    FILES = "its files, and its processes while it runs"
    GROUP = "its control group"
    DISK = "its disk quota"
    NETWORK = "its network"


@dataclass(frozen=True)
class Word:
    """An option of vzctl's that gives it. key: where the value is put, else under its name."""

    option: str
    value: str
    read: Callable[[str], Any] = str
    note: str = ""
    many: bool = False
    key: str = ""


@dataclass(frozen=True)
class Key:
    """A line of ve.conf; nothing is written of what is None."""

    name: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


@dataclass(frozen=True)
class Resource:
    """A part of what `runc update` and config.json take."""

    name: str
    limit: Callable[[Any], dict[str, int]]
    unlimited: dict[str, int]


@dataclass(frozen=True)
class Column:
    """Of `pctl list`. width: negative when the text stands on the left."""

    name: str
    header: str
    width: int
    show: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True)
class Setting:
    """longest: characters of a line. wide: its field has a row of the page for itself.

    suggested: for a new container. created: it is asked for when one is made.
    running: a running container takes it at once, else at its next start.
    cloned: a clone has its source's. kept: by a reinstallation. restored: a restored snapshot
    brings it back (none does yet: a snapshot is disk and processes).
    owners: the container's owner may change it, not only staff.
    """

    name: str
    type: Type
    section: Section
    effect: Effect
    label: str
    help: str = ""
    check: Callable[[Any], Any] = checks.anything
    range: Range | None = None
    options: tuple[Word, ...] = ()
    conf: Key | None = None
    resource: Resource | None = None
    columns: tuple[Column, ...] = ()
    longest: int = 0
    required: bool = False
    wide: bool = False
    suggested: Any = None
    created: bool = True
    running: bool = True
    cloned: bool = False
    kept: bool = True
    restored: bool = False
    owners: bool = False

    def clean(self, value: Any, facts: Facts | None = None) -> Any:
        """The value as the row keeps it; facts: its node's, for what that has. Raises BadValue."""
        if not self.range:
            return self.check(value)
        number = self.range.clean(value, facts)
        return number if number is None or self.type is Type.FRACTION else int(number)

    def suggestion(self, facts: Facts) -> Any:
        """What a new container may well have on a node with these facts, all of it at most."""
        most = self.range.most(facts) if self.range else None
        return self.suggested if most is None else min(self.suggested, most)

    def plain(self, value: Any) -> Any:
        """The value as it travels to a node, in JSON."""
        return float(value) if isinstance(value, Decimal) else value

    def stored(self, value: Any) -> Any:
        """What plain made of a value, as the row keeps it: nothing is checked once more."""
        if self.type is Type.FRACTION and value is not None:
            return Decimal(f"{value}").quantize(HUNDREDTH)
        return value

    @property
    def at_once(self) -> bool:
        """Whether the panel alone need know of it: it holds without an operation."""
        return self.effect is Effect.PANEL

    @property
    def in_row(self) -> bool:
        return self.type is not Type.ADDRESSES

    @property
    def empty(self) -> Any:
        return EMPTY.get(self.type)

    @property
    def limits(self) -> bool:
        return self.effect in (Effect.GROUP, Effect.DISK)
