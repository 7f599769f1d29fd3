"""What may be done with a container now, and why not for what can't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from django.db.models import Model

from containers.kind import KINDS, Asking, Kind, order
from containers.models import approval
from containers.node import problems
from containers.node.errors import OperationError, Problem
from containers.node.states import State

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from containers.models.node import Node
    from containers.models.operation import Operation
    from containers.node.plan import Refusal


class Offering(Protocol):
    """What is asked of a container."""

    ctid: int
    state: str
    disabled: bool

    @property
    def node(self) -> Node: ...
    @property
    def operation(self) -> Operation | None: ...
    def refusal(self, kind: str) -> Refusal | None: ...


@dataclass(frozen=True)
class Offer:
    """A button. refusal: why not now, as a sentence; empty when it may be done."""

    kind: Kind
    asking: Asking
    refusal: str = ""

    @property
    def possible(self) -> bool:
        return not self.refusal

    @property
    def instead(self) -> Kind | None:
        """What is offered before it."""
        return KINDS.get(self.asking.instead[0])


def offers(user: User, container: Offering) -> list[Offer]:
    """What this user may ever do with it, in the order of the buttons."""
    thing, holder = cast(Model, container), container.operation
    return [
        Offer(kind, kind.asking(container), refusal(container, kind, holder, staff=user.is_staff))
        for kind in order()
        if kind.word
        and kind.plan.on_container
        and container.state not in kind.hidden_in
        and user.has_perm(f"containers.{kind.permission}", thing)
    ]


def quick_offer(user: User, container: Offering) -> Offer | None:
    """The one button of a line in the list. unfinished: its operations, as they were fetched."""
    unfinished = getattr(container, "unfinished", [])
    holder = next((each for each in unfinished if not each.gives_way), None)
    kind = next((kind for kind in order() if State(container.state) in kind.quick_in), None)
    if kind is None or not user.has_perm(f"containers.{kind.permission}", cast(Model, container)):
        return None
    return Offer(
        kind, kind.asking(container), refusal(container, kind, holder, staff=user.is_staff)
    )


def refusal(
    container: Offering, kind: Kind, holder: Operation | None, *, staff: bool = False
) -> str:
    """Why not now, as a sentence; empty when it may be done. holder: what holds the container."""
    if holder and kind.plan.exclusive:
        return under_way(holder)
    if kind.starts and container.disabled:
        return OperationError(Problem.DISABLED).told(staff=staff)
    if kind.needs_criu and (off := container.node.facts.get("snapshots_off")):
        return f"{off}" if staff else problems.for_customers(Problem.SNAPSHOTS_OFF, {})
    if unfit := kind.unfit(container):
        return unfit
    if why := container.refusal(kind.name):
        return why.told(staff=staff)
    found = approval.blocking(container.node, container.ctid, State(container.state), kind)
    return found.refusal.told(staff=staff) if found else ""


def under_way(holder: Operation) -> str:
    return f"Operation {holder.pk} ({holder.label}) {holder.standing}."
