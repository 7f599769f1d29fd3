"""Failures that nothing has answered yet: they stand until the container needs no answer any more.

That is so once somebody has dismissed one, once the same has succeeded, once something has that
makes a new beginning (a start, a stop, a restoration), or where nothing is left to be done.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import Max

from containers.kind import having, lacking
from containers.node.errors import Problem
from containers.node.operations import PLANS
from containers.node.states import Progress, State

if TYPE_CHECKING:
    from containers.models.operation import Operation, OperationQuerySet

FAILED = (Progress.FAILED, Progress.INTERRUPTED)
ENDED_BADLY = (*FAILED, Progress.CANCELLED)
MOST = 20  # failures that are looked at
# What a plan says of a state that it would lead to itself
THERE_ALREADY = (Problem.ALREADY_RUNNING, Problem.ALREADY_MOUNTED, Problem.NOT_MOUNTED)


class Container(Protocol):
    """What is asked of one."""

    pk: int
    state: str

    @property
    def operations(self) -> Any: ...


def of(
    container: Container, states: Collection[str] = FAILED, *, dismissed: bool = False
) -> list[Operation]:
    """The last first, and of each kind the last only. dismissed: with those that somebody has."""
    operations = container.operations.exclude(kind__in=lacking("alarms"))
    news = operations.filter(state=Progress.SUCCEEDED, kind__in=having("settles"))
    begun = news.values_list("pk", flat=True).first() or 0
    last: dict[str, Operation] = {}
    bad = operations.filter(pk__gt=begun, state__in=states)
    bad = bad if dismissed else bad.filter(answered=None)
    for operation in bad.select_related("node", "by")[:MOST]:
        last.setdefault(operation.kind, operation)
    if not last:
        return []
    later = operations.filter(pk__gt=begun, state=Progress.SUCCEEDED, kind__in=last)
    good = dict(later.order_by().values_list("kind").annotate(Max("pk")))
    state = State(container.state)
    return [
        operation
        for kind, operation in last.items()
        if good.get(kind, 0) < operation.pk and not nothing_left(kind, state)
    ]


def latest(
    containers: Collection[Container], operations: OperationQuerySet
) -> dict[int, Operation]:
    """Of each container, by its pk, the last one; in few queries where few have any."""
    mine = operations.filter(container__in=[each.pk for each in containers]).order_by()
    bad = mine.filter(state__in=FAILED, answered=None).exclude(kind__in=lacking("alarms"))
    last = dict(bad.values_list("container").annotate(Max("pk")))
    news = mine.filter(state=Progress.SUCCEEDED, kind__in=having("settles"), container__in=last)
    begun = dict(news.values_list("container").annotate(Max("pk")))
    doubtful = [each for each in containers if last.get(each.pk, 0) > begun.get(each.pk, 0)]
    return {each.pk: found[0] for each in doubtful if (found := of(each))}


def nothing_left(kind: str, state: State) -> bool:
    """Whether the container is already what the operation would have made of it."""
    plan = PLANS.get(kind)
    refusal = plan.refusal(state) if plan else None
    return bool(refusal and (not refusal.code or refusal.problem in THERE_ALREADY))
