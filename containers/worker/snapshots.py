"""The rows of snapshots, made of what the node says of them; schedules, and what has run out."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils.timezone import now

from containers.models import (
    Busy,
    Container,
    Inquiry,
    InquiryKind,
    Node,
    Operation,
    Schedule,
    Snapshot,
    Verdict,
    Via,
)
from containers.models.snapshot import BROKEN_PROCESSES, SAFETY_KEPT, SAFETY_MANY, TrialRestore
from containers.node.checkpoint import verdict
from containers.node.errors import Problem
from containers.node.states import Progress

logger = logging.getLogger(__name__)
OWN_COLUMNS = ("uuid", "kind", "manifest", "processes", "size", "created")
AGAIN = timedelta(minutes=15)  # after a deletion that failed


def made(operation: Operation, container: Container, said: dict[str, Any]) -> None:
    safety = said["kind"] == "safety"
    snapshot, new = Snapshot.objects.get_or_create(
        uuid=said["uuid"],
        defaults={
            "container": container,
            "name": "" if safety else operation.params.get("name") or "",
            "note": note_of(operation) if safety else operation.params.get("note") or "",
            "by": operation.by,
            "via": operation.via,
            "number": operation.pk,
            "created": datetime.fromisoformat(said["created"]),
            "parent": container.here,
            "safety": safety,
            "scheduled": bool(operation.params.get("schedule")) and not safety,
            "with_processes": said["processes"],
            "size": said["size"],
            "manifest": said["manifest"],
            "facts": {key: value for key, value in said.items() if key not in OWN_COLUMNS},
            "expires": now() + SAFETY_KEPT if safety else None,
        },
    )
    if new and not safety:
        Container.objects.filter(pk=container.pk).update(here=snapshot)


def note_of(operation: Operation) -> str:
    uuid = operation.params.get("snapshot", "")
    target = Snapshot.objects.filter(uuid=uuid).first()
    return f"before the restore of {target or uuid[:8]}"


def gone(operation: Operation, container: Container, uuid: str) -> None:
    """Those that came after it now come after the one before it."""
    snapshot = container.snapshots.filter(uuid=uuid).first()
    if snapshot is None:
        return
    snapshot.children.update(parent=snapshot.parent)
    Container.objects.filter(here=snapshot).update(here=snapshot.parent)
    snapshot.delete()


def tried(operation: Operation, container: Container, said: dict[str, Any]) -> None:
    for snapshot in container.snapshots.filter(uuid=said["uuid"]):
        snapshot.was_tried(TrialRestore(now(), operation.pk, said["processes"]))


def leave_the_line(operation: Operation, container: Container) -> None:
    """It has another system now, which comes from no snapshot."""
    if operation.state == Progress.SUCCEEDED:
        Container.objects.filter(pk=container.pk).update(here=None)


def after_restore(operation: Operation, container: Container) -> None:
    snapshot = container.snapshots.filter(uuid=operation.params.get("snapshot", "")).first()
    if snapshot is None:
        return
    if operation.state == Progress.SUCCEEDED:
        Container.objects.filter(pk=container.pk).update(here=snapshot)
    elif operation.problem == Problem.NOT_RESTORABLE:
        snapshot.judge(Verdict.BROKEN, operation.details["reasons"])


def after_trial(operation: Operation, container: Container) -> None:
    """One that failed on its processes says that it is broken, whatever its files say."""
    snapshot = container.snapshots.filter(uuid=operation.params.get("snapshot", "")).first()
    if snapshot is None:
        return
    if operation.state == Progress.SUCCEEDED and snapshot.verdict:
        said = verdict.Verdict(verdict.Answer(snapshot.verdict), tuple(snapshot.reasons))
        snapshot.judge(said.tried().answer, list(said.tried().reasons))
    if operation.state == Progress.FAILED:
        failure = operation.error, operation.problem, operation.details
        snapshot.was_tried(TrialRestore(now(), operation.pk, 0, *failure))
        if operation.problem in BROKEN_PROCESSES:
            snapshot.judge(Verdict.BROKEN, operation.details.get("reasons") or [operation.error])


def after_snapshot(operation: Operation, container: Container) -> None:
    """A new one is verified at once: nobody should have to ask before relying on it."""
    if operation.state == Progress.SUCCEEDED:
        uuid = operation.params["snapshot"]
        Inquiry.ask(operation.node, InquiryKind.VERDICT, ctid=container.ctid, snapshot=uuid)
    schedule = Schedule.objects.filter(pk=operation.params.get("schedule") or 0).first()
    if schedule is None:
        return
    schedule.ended(operation)


def go(node: Node) -> None:
    """Request what is due: snapshots of schedules, and the end of those nobody keeps."""
    for schedule in Schedule.objects.filter(container__node=node, next__lte=now()):
        make(schedule)
    for snapshot in run_out(node):
        delete(snapshot)


def make(schedule: Schedule) -> None:
    """A busy container's is made once it is free; those missed meanwhile are not."""
    container = schedule.container
    if container.operation:
        return
    if why := container.refusal("snapshot"):
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
    container = snapshot.container
    if container.operation or container.refusal("delete_snapshot") or failed_lately(snapshot):
        return
    try:
        snapshot.delete_from_node(via=Via.SCHEDULE)
    except Busy as busy:
        logger.info("%s is deleted later: %s", snapshot, busy)


def failed_lately(snapshot: Snapshot) -> bool:
    tried = snapshot.container.operations.filter(
        kind="delete_snapshot", requested__gt=now() - AGAIN, params__snapshot=snapshot.uuid
    )
    return tried.exclude(state=Progress.SUCCEEDED).exists()
