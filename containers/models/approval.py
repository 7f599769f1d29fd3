"""What waits for root's approval on a node, as the node said it last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from containers.node import actions
from containers.node.actions import Action, Scope
from containers.node.errors import OperationError, Problem
from containers.node.plan import scripts_of
from containers.node.states import State

if TYPE_CHECKING:
    from containers.kind import Kind
    from containers.models.node import Node


@dataclass(frozen=True)
class Waiting:
    """ctid None: a global script; version None: a file that the panel did not write.

    blocks: operations that would run it are refused.
    """

    ctid: int | None
    action: Action
    version: int | None
    sha256: str
    blocks: bool

    @classmethod
    def of(cls, said: dict[str, Any]) -> Waiting:
        return cls(**{**said, "action": actions.BY_NAME[said["action"]]})

    @property
    def scope(self) -> Scope:
        return Scope.GLOBAL if self.ctid is None else Scope.OWN

    @property
    def command(self) -> str:
        return f"pctl script approve {self.ctid or '--global'} {self.action}"

    @property
    def refusal(self) -> OperationError:
        return OperationError(
            Problem.NOT_APPROVED, scope=self.scope, action=self.action, command=self.command
        )


def required(node: Node) -> bool:
    """Whether it runs only what root has approved there."""
    return "approval" in node.facts


def waiting(node: Node) -> list[Waiting]:
    return [Waiting.of(said) for said in node.facts.get("approval", ())]


def waiting_for(node: Node, ctid: int) -> list[Waiting]:
    """A container's own, and those global ones that hold it up."""
    return [w for w in waiting(node) if w.ctid == ctid or (w.ctid is None and w.blocks)]


def find(node: Node, ctid: int | None, action: Action) -> Waiting | None:
    return next((w for w in waiting(node) if (w.ctid, w.action) == (ctid, action)), None)


def blocking(node: Node, ctid: int, state: State, kind: Kind) -> Waiting | None:
    """What keeps a container's node from doing this with it."""
    found = {(w.scope, w.action): w for w in waiting_for(node, ctid) if w.blocks}
    if not found:
        return None
    wanted = scripts_of(kind.plan.steps(state), node.undo_profile)
    held = (found[place] for place in wanted if place in found)
    return next((each for each in held if not replaced(node, ctid, each)), None)


def replaced(node: Node, ctid: int, waiting: Waiting) -> bool:
    """Whether it is a global hook, and the container has one of its own that runs instead."""
    if waiting.ctid or not waiting.action.hook:
        return False
    own = {"scripts__name": waiting.action.name, "scripts__enabled": True}
    return node.containers.filter(ctid=ctid, **own).exists()
