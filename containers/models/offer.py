"""What may be done with a container now, and why not for what can't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from containers.kind import KINDS, Asking, Kind, order
from containers.node.states import State

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from containers.models.container import Container
    from containers.models.operation import Operation


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


def offers(user: User, container: Container) -> list[Offer]:
    """What this user may ever do with it, in the order of the buttons."""
    holder = container.operation
    return [
        Offer(kind, kind.asking(container), refusal(container, kind, holder))
        for kind in order()
        if kind.word
        and kind.plan.on_container
        and container.state not in kind.hidden_in
        and user.has_perm(f"containers.{kind.permission}", container)
    ]


def quick_offer(user: User, container: Container) -> Offer | None:
    """The one button of a line in the list. unfinished: its operations, as they were fetched."""
    holder = next(iter(getattr(container, "unfinished", [])), None)
    kind = next((kind for kind in order() if State(container.state) in kind.quick_in), None)
    if kind is None or not user.has_perm(f"containers.{kind.permission}", container):
        return None
    return Offer(kind, kind.asking(container), refusal(container, kind, holder))


def refusal(container: Container, kind: Kind, holder: Operation | None) -> str:
    """Why not now, as a sentence; empty when it may be done. holder: what holds the container."""
    if holder and kind.plan.exclusive:
        return under_way(holder)
    if kind.starts and container.disabled:
        return "The container is disabled, so it can't be started."
    if kind.needs_criu and (off := container.node.facts.get("snapshots_off")):
        return f"{off[:1].upper()}{off[1:]}."
    if unfit := kind.unfit(container):
        return unfit
    if why := container.refusal(kind.name):
        return f"{why.sentence[:1].upper()}{why.sentence[1:]}."
    return ""


def under_way(holder: Operation) -> str:
    return f"Operation {holder.pk} ({holder.label}) {holder.standing}."
