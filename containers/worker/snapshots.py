"""Snapshots that come and go by themselves: those of schedules, and those nobody keeps."""

import logging
from collections import Counter
from collections.abc import Iterator

from django.db.models import F, QuerySet
from django.utils.timezone import now

from containers.models import Busy, Container, Node, Schedule, Snapshot, Via
from containers.models.snapshot import SAFETY_MANY

logger = logging.getLogger(__name__)


def go(node: Node, *, brief: bool = False) -> None:
    """Request what is due: snapshots of schedules, and the end of those nobody keeps.

    brief: only the latter, for a worker that leaves soon.
    """
    due = Schedule.objects.filter(container__node=node, next__lte=now())
    for schedule in () if brief else due:
        make(schedule)
    for snapshot in run_out(node):
        delete(snapshot)


def make(schedule: Schedule) -> None:
    """A busy container's is made once it is free; those missed meanwhile are not."""
    container = schedule.container
    if container.operation:
        return
    if why := Snapshot.refusal(container):
        schedule.cannot(why.error.record)
        return
    try:
        Snapshot.take(
            container,
            name="",
            note=f"scheduled {schedule.words}",
            via=Via.SCHEDULE,
            schedule=schedule.pk,
            disk_only=schedule.disk_only or no_processes(container),
        )
    except Busy as busy:
        logger.info("a scheduled snapshot waits: %s", busy)
        return
    schedule.requested()


def no_processes(container: Container) -> bool:
    """Where processes can't be kept at all, its disk is better than nothing."""
    return bool(container.node.facts.get("snapshots_off"))


def run_out(node: Node) -> Iterator[Snapshot]:
    """Safety snapshots whose date has come or that are too many, and what a schedule keeps no
    more."""
    mine = Snapshot.objects.filter(container__node=node, protected=False)
    yield from mine.filter(expires__lte=now())
    yield from too_many(mine.filter(safety=True, expires__gt=now()))
    for schedule in Schedule.objects.filter(container__node=node):
        scheduled = schedule.container.snapshots.filter(scheduled=True, protected=False)
        yield from scheduled.order_by(F("created").desc(), "-pk")[schedule.keep :]


def too_many(safety: QuerySet[Snapshot]) -> Iterator[Snapshot]:
    """All but the newest of each container: else restores would be a way round its limit."""
    seen: Counter[int] = Counter()
    for snapshot in safety.order_by("-created", "-pk"):
        seen[snapshot.container_id] += 1
        if seen[snapshot.container_id] > SAFETY_MANY:
            yield snapshot


def delete(snapshot: Snapshot) -> None:
    if not snapshot.may_be_deleted():
        return
    try:
        snapshot.delete_from_node(via=Via.SCHEDULE)
    except Busy as busy:
        logger.info("%s is deleted later: %s", snapshot, busy)
