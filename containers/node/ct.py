"""A container as its node sees it: steps act on a Ct.

The panel's record of the same container is models.Container.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.node import ids
from containers.node.actions import Action, Scope
from containers.node.layout import Layout
from containers.node.processes.cgroup import Group
from containers.node.processes.executor import Executor
from containers.node.runtimes import Runtime
from containers.node.states import State
from containers.node.storage import Storage

Fact = Callable[[str, Any], None]


@dataclass(frozen=True)
class Spec:
    """What a container shall be: its row, as it travels in a request.

    ram and diskspace in MiB, None for no limit; template as NAME@N; ips with their kind;
    uid_base: the first of its user ids on the node, None while it has none.
    """

    hostname: str = ""
    name: str = ""
    description: str = ""
    template: str = ""
    ips: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()
    searchdomains: tuple[str, ...] = ()
    ram: int | None = None
    cpus: float | None = None
    pids: int | None = None
    diskspace: int | None = None
    onboot: bool = False
    disabled: bool = False
    uid_base: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Spec":
        known = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        lists = {k: tuple(v) for k, v in known.items() if isinstance(v, list)}
        return cls(**{**known, **lists})


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
