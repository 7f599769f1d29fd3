"""What a kind of operation is to the panel: its word, who may ask, what is asked, what follows.

The plan of the same name (containers/node/operations/NAME.py) is what its node does; this is the
other half. Kinds are in containers/kinds/NAME.py and become known when that package is loaded.
Nothing here or there needs Django until a row is at hand: pctl's help is to be quick.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from containers.grammar import Command, Option
from containers.node.states import State
from containers.permissions import MANAGE, Permission

if TYPE_CHECKING:
    from containers.node.plan import Plan

# Rows: models.Operation and models.Container, which stand above this module and ask it.
Operation = Any
Container = Any
Fact = Callable[[Operation, Container, Any], None]

CT = ("CTID",)


@dataclass(frozen=True)
class Param:
    """Something that an operation may be told, under this name in its params.

    option: of pctl; none where the command line has no word for it.
    label, help: of the field on the page that asks; without a label the browser does not ask for
    it, but for a hidden one, which a button of ours sends.
    length: of a text, in characters; 0 for a switch. raw: blanks around it count.
    wanted: whether this container is asked for it at all. required, and the sentence when missing.
    check: what is wrong with a text, as a sentence; empty for nothing.
    permission: what it takes beyond that for the kind.
    needs: another field that has to be filled then, and the sentence for when it isn't.
    kept: among the operation's params; else it only has to be right.
    """

    name: str
    option: Option | None = None
    label: str = ""
    help: str = ""
    hidden: bool = False
    length: int = 0
    raw: bool = False
    focus: bool = False
    wanted: Callable[[Container], bool] = lambda container: True
    required: str = ""
    check: Callable[[str, Container], str] = lambda text, container: ""
    permission: Permission | None = None
    needs: tuple[str, str] = ("", "")
    kept: bool = True

    @property
    def asked(self) -> bool:
        return bool(self.label) or self.hidden


REPLACE_SCRIPTS = Param("replace_scripts", hidden=True)
WHY = Param(
    "reason",
    Option("--reason", "TEXT", note="kept with the operation"),
    label="Reason",
    help="It is kept with the operation",
    length=255,
    kept=False,  # it has a column of its own
)


@dataclass(frozen=True)
class Replacement:
    """What a succeeded operation put in the place of a container's system.

    title: of the page that says so. old: whether the former files are in /old. erased: whether
    they are gone. number: of the replaced system that is kept.
    """

    title: str
    old: bool
    erased: bool
    number: int


OF_ALL: Mapping[str, Fact] = {  # that any operation may tell
    "uid_base": lambda operation, container, said: container.take_ids(said)
}


class Kind:
    """The panel's half of an operation. A module of containers/kinds makes one, KIND.

    word: of its button, a verb; without one it has no button on a container's page.
    place: among buttons and commands.
    consequence: what it does, said where it is asked for; caution: what can't be taken back, and
    what else becomes of it. asks: a page asks before it is done. back: the button that leaves it.
    otherwise: a question of staff's, and the words that lead to the page that asks all the same.
    tries_scripts: offered beside saving a script that it would run.
    page: name of the URL of a page of its own; again: that of the page, given only a CT ID, where
    it is asked for once more, if that is another one; form: the class in containers/forms, as
    module.Class, where that page has one a kind. heading: of the page that asks, with {name}.
    hidden_in: states in which its button is not shown at all; quick_in: those in which it is the
    one button of a container's line in the list.
    drawn_from: its steps are drawn on the container's page, from this state on.
    starts: it lets the container run, so not while that is disabled. needs_criu: not where
    processes can't be dumped and restored.
    titled: the heading of an operation of it, with {name} of its container, the {params} it was
    given and {node}; noun: what its Cancel button calls it.
    errand: it tidies up. In the queue, asked for by the panel itself, it gives way to what people
    ask for.
    alarms: a failure of it is shown until it is answered; alarm: what is said then, where it is not
    the operation that has failed. settles: a success of it is a new beginning, after which no
    earlier failure needs an answer. changes: it counts as something that
    has happened to the container.
    """

    name: ClassVar[str] = ""  # that of its module; set when it becomes known
    word: str = ""
    icon: str = ""
    place: int = 1000
    consequence: str = ""
    caution: tuple[str, str] = ("", "")
    heading: str = ""
    titled: str = ""
    noun: str = ""
    back: str = "Back"
    otherwise: tuple[str, str] = ("", "")
    drawn_from: State | None = None
    asks: bool = False
    danger: bool = False
    primary: bool = False
    page: str = ""
    again: str = ""
    form: str = ""
    permission: Permission = MANAGE
    params: tuple[Param, ...] = ()
    commands: tuple[Command, ...] = ()
    hidden_in: frozenset[State] = frozenset()
    quick_in: frozenset[State] = frozenset()
    starts: bool = False
    tries_scripts: bool = False
    needs_criu: bool = False
    errand: bool = False
    alarms: bool = True
    alarm: str = ""
    settles: bool = True
    changes: bool = True
    replaces: bool = False  # the container's system by another
    drafted: bool = False  # its page keeps what was chosen, and can ask the same again
    reassurance: str = ""  # said while it is under way
    facts: Mapping[str, Fact] = {}

    def __init_subclass__(cls) -> None:
        cls.name = cls.__module__.rpartition(".")[2]

    def __repr__(self) -> str:
        return f"<kind {self.name}>"

    @property
    def plan(self) -> Plan:
        from containers.node.operations import PLANS  # not for help, which is to be quick

        return PLANS[self.name]

    @property
    def label(self) -> str:
        return self.plan.label

    def all_commands(self) -> tuple[Command, ...]:
        """Its commands with the options of its params; without a function of its own each asks
        for the operation and follows it."""
        options = tuple(param.option for param in self.params if param.option)
        return tuple(
            replace(
                command,
                kind=self.name,
                run=command.run or "container.act",
                options=(*options, *command.options),
            )
            for command in self.commands
        )

    @property
    def requested_by_form(self) -> bool:
        """Whether the general form asks for it; else a page of its own or nobody does."""
        return bool(self.word) and not self.page

    # What may differ from container to container

    def asking(self, container: Container) -> Asking:
        """How it is asked for in the state that the container is in."""
        return Asking(self, asks=self.asks, danger=self.danger, consequence=self.consequence)

    def unfit(self, container: Container) -> str:
        """Why not with a container like this, as a sentence; empty for nothing. The plan says
        already which states it can begin in."""
        return ""

    def title(self, container: Container) -> str:
        """The question that its page asks."""
        return (self.heading or f"{self.word} {{name}}?").format(name=container.hostname)

    def deed(self, container: Container) -> str:
        """What somebody did to it, as a line of the audit log."""
        said = (self.heading or f"{self.word} {{name}}").format(name=container)
        return f"{said[:1].lower()}{said[1:]}"

    def named(self, operation: Operation) -> str:
        """What an operation of this kind is called in a list."""
        return self.label

    def called(self, operation: Operation) -> str:
        """The heading of an operation of this kind."""
        container = operation.container
        name = container.hostname if container else f"CT {operation.ctid}"
        if not self.titled:
            where = name if operation.ctid else f"on {operation.node}"
            return f"{operation.label} {where}"
        params = defaultdict(str, operation.params)
        return self.titled.format(name=name, node=operation.node, params=params)

    def erases(self, asked: Mapping[str, Any]) -> bool:
        """Whether something is gone for good when it is asked for with these params. Whoever asks
        in a browser then has to show again who they are, unless they just did."""
        return False

    def told(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The params that what was asked for comes to."""
        return asked

    # What follows; called in the transaction that records it

    def took(
        self, operation: Operation, container: Container, told: Sequence[tuple[str, Any]]
    ) -> None:
        """Facts that the node told on the way; most are only kept to be shown."""
        known = {**OF_ALL, **self.facts}
        for key, value in told:
            if fact := known.get(key):
                fact(operation, container, value)
        if shown := {key: value for key, value in told if key not in known}:
            container.facts |= shown
            container.save(update_fields=["facts"])

    def succeeded(self, operation: Operation, container: Container) -> None:
        """It has ended well; the container's row has its new state already."""

    def ended_badly(self, operation: Operation, container: Container) -> None:
        """It failed, was cancelled or interrupted."""

    # What its page shows

    def command_line(self, operation: Operation) -> str:
        """What somebody had it run in the container; empty where it runs nothing of theirs."""
        return ""

    # Once it has ended

    def follow_up(self, operation: Operation) -> Operation | None:
        """An operation that was asked for together with it."""
        return None

    def replacement(self, operation: Operation) -> Replacement | None:
        """What it has put in the place of the container's system."""
        return None


@dataclass(frozen=True)
class Asking:
    """How an operation is asked for on a container's page.

    instead: another kind that is offered first on the page that asks, and the word for that.
    """

    kind: Kind
    asks: bool
    danger: bool
    consequence: str
    instead: tuple[str, str] = ("", "")


KINDS: dict[str, Kind] = {}


def known(name: str) -> Kind:
    """A kind that is not known any more still has its name."""
    return KINDS.get(name) or Unknown()


class Unknown(Kind):
    """Of rows that an older version has left."""

    alarms = False

    @property
    def label(self) -> str:
        return ""


def order() -> list[Kind]:
    """In the order of their buttons and commands."""
    return sorted(KINDS.values(), key=lambda kind: (kind.place, kind.name))


def of_page(page: str) -> list[Kind]:
    """The kinds that the page with this URL's name asks for."""
    return [kind for kind in order() if kind.page == page]


def at_page(page: str) -> Kind:
    """The one kind that this page asks for. Raises ValueError when there is none, or several."""
    [kind] = of_page(page)
    return kind


def having(what: str) -> list[str]:
    """Names of the kinds that have this: having("replaces")."""
    return [kind.name for kind in KINDS.values() if getattr(kind, what)]


def lacking(what: str) -> list[str]:
    """Names of the kinds that don't: lacking("alarms")."""
    return [kind.name for kind in KINDS.values() if not getattr(kind, what)]


def taking(param: str) -> Kind:
    """The first kind whose form asks this."""
    return next(k for k in order() if any(p.name == param and p.asked for p in k.params))
