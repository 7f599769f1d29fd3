"""A container, a journal and a node to try the engine on: all of it real, none of it much."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.node import runtimes, storage
from containers.node.conf import NodeConf
from containers.node.ct import Ct, Spec
from containers.node.errors import OperationError
from containers.node.layout import Layout
from containers.node.plan import Act, Step, Undo
from containers.node.processes.executor import Executor
from containers.node.states import Omission, State

CTID = 101


@dataclass
class Recorder:
    """A journal that is a list of lines, one for each thing that happened."""

    lines: list[str] = field(default_factory=list)
    omissions: dict[str, Omission] = field(default_factory=dict)

    def planned(self, steps: Sequence[Step]) -> None:
        self.lines.append(f"plan: {' '.join(step.key for step in steps)}")

    def skipped(self, step: Step, why: Omission) -> None:
        self.lines.append(f"skip {step.key}")
        self.omissions[step.key] = why

    def began(self, step: Step, *, undoing: bool = False) -> None:
        self.lines.append(f"{'undo' if undoing else 'do'} {step.key}")

    def ended(self, step: Step, error: OperationError | None = None) -> None:
        if error:
            self.lines.append(f"{step.key} failed: {error}")

    def state(self, state: State) -> None:
        self.lines.append(f"now {state}")

    @property
    def done(self) -> list[str]:
        return self.keys("do")

    @property
    def undone(self) -> list[str]:
        return self.keys("undo")

    @property
    def left_out(self) -> list[str]:
        return self.keys("skip")

    def keys(self, word: str) -> list[str]:
        return [line.removeprefix(f"{word} ") for line in self.lines if line.startswith(f"{word} ")]


def alpha(folder: Path) -> NodeConf:
    """The node alpha, all of whose things are in one folder."""
    return NodeConf(
        name="alpha",
        state=folder / "state",
        vz=folder / "vz",
        etc=folder / "etc",
        runs=folder / "run",
    )


def container(conf: NodeConf, **fields: Any) -> Ct:
    """CT 101 of a node; what it says is lost unless it is given a say."""
    given: dict[str, Any] = {
        "paths": Layout(conf, CTID),
        "spec": Spec.of({"hostname": "one.example.com", "template": "busybox@1"}),
        "runtime": runtimes.load("runc"),
        "storage": storage.load("directory"),
        "executor": Executor(lambda data: None),
        "say": lambda line: None,
    }
    return Ct(**given | fields)


def nothing(ct: Ct) -> None:
    """What a step does that always succeeds."""


def failing(error: Exception) -> Act:
    def fail(ct: Ct) -> None:
        raise error

    return fail


def step(key: str, do: Act = nothing, undo: Undo = (), **fields: Any) -> Step:
    return Step(key, f"take the step {key}", do, undo, **fields)


def undone_by(*keys: str) -> tuple[Step, ...]:
    return tuple(step(key) for key in keys)
