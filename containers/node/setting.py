"""A container's setting: its type, its check, and all the places where its value is put."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from containers.node import checks
from containers.node.checks import Facts, Range
from containers.node.errors import BadValue

HUNDREDTH = Decimal("0.01")


class Type(StrEnum):
    LINE = "line"
    NUMBER = "number"  # a whole one; none: no limit
    FRACTION = "fraction"  # hundredths count; none: no limit
    WORDS = "words"
    SWITCH = "switch"
    CHOICE = "choice"  # one of a few words; empty: the node decides
    PERSON = "person"  # somebody who can sign in
    ADDRESSES = "addresses"  # rows of their own


EMPTY: dict[Type, Any] = {
    Type.LINE: "", Type.WORDS: (), Type.ADDRESSES: (), Type.SWITCH: False, Type.CHOICE: "",
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
    """A line of vz.conf or ve.conf. none: what is written of None; None: no line.

    A limit that a container has not is a line too: scripts read vz.conf first, with its default.
    """

    name: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str
    none: str | None = None

    def line(self, value: Any) -> str | None:
        return self.none if value is None else self.write(value)


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
    """longest: characters of a line. choices: words, and what a page says for each.
    wide: its field has a row of the page for itself.

    default: of a new container on a node whose vz.conf does not say, and what set-up writes there;
    None: no limit. endless: whether it may have none. created: asked for when one is made.
    running: a running container takes it at once, else at its next start.
    cloned: a clone has its source's. kept: by a reinstallation. restored: a snapshot that is
    restored may bring back the value of then, if whoever asks for it wants that.
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
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    wide: bool = False
    default: Callable[[Facts], Any] = lambda facts: None
    endless: bool = True
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

    def given(self, vz_conf: Mapping[str, str], facts: Facts) -> Any:
        """What a new container of a node has unless somebody says otherwise; None: no limit.

        Of what the node has, all at most. A line that says nothing sensible is as none.
        """
        found = self.default(facts)
        if self.conf and self.conf.name in vz_conf:
            with contextlib.suppress(BadValue):
                found = self.clean(self.conf.read(vz_conf[self.conf.name]))
        return self.there(found, facts)

    def there(self, value: Any, facts: Facts) -> Any:
        """What there is of it on a node, where the value is more."""
        most = self.range.most(facts) if self.range else None
        return value if value is None or most is None else min(value, most)

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
    def has_default(self) -> bool:
        """Whether a node's vz.conf has one, for new containers."""
        return self.limits and self.conf is not None

    @property
    def may_be_endless(self) -> bool:
        """Whether no limit is a choice, which has to be made."""
        return self.has_default and self.endless

    @property
    def limits(self) -> bool:
        return self.effect in (Effect.GROUP, Effect.DISK)
