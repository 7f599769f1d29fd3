"""A container as its node sees it: steps act on a Ct.

The panel's record of the same container is models.Container.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from containers.node import ids, settings
from containers.node.actions import Action, Scope
from containers.node.errors import OperationError
from containers.node.layout import Layout
from containers.node.processes.cgroup import Group
from containers.node.processes.executor import Executor
from containers.node.runtimes import Runtime
from containers.node.states import State
from containers.node.storage import Storage

Fact = Callable[[str, Any], None]


if TYPE_CHECKING:

    @dataclass(frozen=True)
    class Values:
        def __getattr__(self, name: str) -> Any: ...

else:
    Values = make_dataclass(
        "Values",
        [(each.name, Any, field(default=each.empty)) for each in settings.of_node()],
        frozen=True,
    )


@dataclass(frozen=True)
class Spec(Values):
    """What a container shall be: its settings, as they travel in a request; NAME@N of its template.

    They are those of node/settings.py. uid_base: the first of its user ids on the node, None while
    it has none.
    """

    template: str = ""
    uid_base: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Spec":
        known = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        lists = {k: tuple(v) for k, v in known.items() if isinstance(v, list)}
        return cls(**{**known, **lists})

    def but(self, **values: Any) -> "Spec":
        """The same with other settings."""
        return replace(self, **values)


@dataclass(frozen=True)
class Script:
    """An action script's text, as the panel has it; version None: the panel did not write it."""

    scope: Scope
    action: Action
    body: bytes
    sha256: str
    version: int | None = None


@dataclass
class Ct:
    paths: Layout
    spec: Spec
    runtime: Runtime
    storage: Storage
    executor: Executor
    say: Callable[[str], None]
    fact: Fact = lambda key, value: None  # what the panel shall know of the container
    ran: "Callable[[Script], None]" = lambda script: None  # which script is about to be run
    exited: Callable[[int], None] = lambda code: None  # what it ended with, though not with 0
    former: Spec | None = None  # while settings change: what is in force, and comes back
    state: State = State.STOPPED
    scripts: Mapping[tuple[Scope, Action], Script] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    profile: str = "documented"
    script_timeout: float | None = None
    operation: int = 0
    dry_run: bool = False
    dismounted: bool = False  # whether the last dismount found something to dismount
    left: tuple[Group, ...] = ()  # where what dead runners of this operation ran may run on
    ranges: dict[int, ids.Range] = field(default_factory=dict)  # by CT ID, as they were found
    ignored: set[str] = field(default_factory=set)  # keys of the steps whose failure was ignored
    remains: OperationError | None = None  # what an undo that failed has left, and what to do

    @property
    def ctid(self) -> int:
        return self.paths.ctid

    @property
    def ids(self) -> ids.Range:
        """The node's ids that stand for its own."""
        if self.ctid not in self.ranges:
            self.ranges[self.ctid] = ids.of(self.paths.node, self.ctid)
        return self.ranges[self.ctid]

    def run(self, argv: Sequence[str], **options: Any) -> int:
        """Run a command, its output going to the log."""
        return self.executor.run(argv, **options)

    def ask(self, argv: Sequence[str], **options: Any) -> bytes:
        """Run a quiet command for what it prints."""
        return self.executor.ask(argv, **options)

    @property
    def pid_file(self) -> Path:
        """Where a runtime writes the pid of what it starts for this operation."""
        return self.paths.node.run / f"pid-{self.ctid}-{self.operation}"
