from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils.timezone import localtime, now

from containers.models.container import Container
from containers.models.inquiry import Inquiry, InquiryKind
from containers.models.operation import Operation, Via
from containers.node import problems
from containers.node.checkpoint import verdict as verdicts
from containers.node.errors import BadValue, BadValues, Problem
from containers.node.plan import Refusal
from containers.node.settings import SNAPSHOTS_MAY, TABLE
from containers.node.states import Progress

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SAFETY_KEPT = timedelta(days=7)  # the snapshot a restore makes of what was there before
SAFETY_MANY = 2  # of a container's; no limit counts them, so their number is bounded too
OWN_COLUMNS = ("uuid", "kind", "manifest", "processes", "size", "created")
AGAIN = timedelta(minutes=15)  # after a deletion that failed
# Of a trial restore: its processes can't be brought back, whatever its files say
BROKEN_PROCESSES = (
    Problem.SNAPSHOTS_OFF, Problem.CRIU_FAILED, Problem.NOT_DUMPABLE, Problem.DUMP_FAILED,
    Problem.DUMP_COMMAND_FAILED, Problem.DUMP_TIME_LIMIT, Problem.NOT_RESTORABLE,
    Problem.RESTORE_FAILED, Problem.RESTORE_COMMAND_FAILED, Problem.RESTORE_TIME_LIMIT,
    Problem.INIT_ENDED, Problem.MOUNT_MISSING, Problem.RECORD_UNREADABLE,
)  # fmt: skip


class Verdict(models.TextChoices):
    """Whether it can be relied on: the words of containers/node/checkpoint/verdict.py."""

    OK = "ok", "ok"
    CANT_TELL = "can't tell", "can't tell"
    BROKEN = "broken", "broken"


VERDICT_WORDS: dict[str, str] = {
    Verdict.OK: "OK",
    Verdict.CANT_TELL: "Not certain",
    Verdict.BROKEN: "Broken",
}


class TooMany(BadValue):
    """A customer has as many snapshots of a container as staff allow."""


@dataclass(frozen=True)
class TrialRestore:
    """The last one. processes: how many lived; error: why it failed."""

    at: datetime
    operation: int = 0
    processes: int = 0
    error: str = ""
    problem: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def why(self) -> str:
        return self.told(problems.for_staff)

    @property
    def why_for_customers(self) -> str:
        return self.told(problems.for_customers)

    def told(self, tell: Callable[[str, Mapping[str, Any]], str]) -> str:
        return tell(self.problem, self.details) or self.error


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    """What is asked of a container's snapshots: container.snapshots.made(…)."""

    def asked_of(self, operation: Operation) -> SnapshotQuerySet:
        """The one that an operation is about."""
        return self.filter(uuid=operation.params.get("snapshot", ""))

    def made(self, operation: Operation, said: Mapping[str, Any]) -> None:
        """The row of one that its node says it has made."""
        container, safety = operation.container, said["kind"] == "safety"
        if container is None:
            return
        snapshot, new = self.get_or_create(
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
            container.go_on_from(snapshot.pk)

    def gone(self, uuid: str) -> None:
        """Those that came after it now come after the one before it."""
        snapshot = self.filter(uuid=uuid).first()
        if snapshot is None:
            return
        snapshot.children.update(parent=snapshot.parent)
        Container.objects.filter(here=snapshot).update(here=snapshot.parent)
        snapshot.delete()

    def tried(self, operation: Operation, said: Mapping[str, Any]) -> None:
        for snapshot in self.filter(uuid=said["uuid"]):
            snapshot.was_tried(TrialRestore(now(), operation.pk, said["processes"]))


class Snapshot(models.Model):
    """What a container was at one instant: its disk, and its processes if it ran.

    Its row is made of what the node says when it has kept it; the files are the node's.
    """

    container = models.ForeignKey(Container, models.CASCADE, related_name="snapshots")
    uuid = models.CharField(max_length=36, unique=True)
    name = models.CharField(max_length=80, blank=True)
    note = models.CharField(max_length=255, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    via = models.CharField(max_length=16, choices=Via.choices, default=Via.BROWSER)
    number = models.PositiveBigIntegerField(null=True)  # of the operation that made it
    created = models.DateTimeField(default=now)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="children"
    )  # what the container went on from when it was made
    safety = models.BooleanField(default=False)  # made by a restore, of what was there before
    scheduled = models.BooleanField(default=False)
    with_processes = models.BooleanField(default=False)
    size = models.BigIntegerField(default=0)  # bytes of the images of its processes
    manifest = models.CharField(max_length=64)  # SHA-256 of the manifest over its files
    facts = models.JSONField(default=dict, blank=True)  # CRIU, kernel, addresses, mounts, init …
    protected = models.BooleanField(default=False)  # no schedule and no date deletes it
    expires = models.DateTimeField(null=True, blank=True)

    verdict = models.CharField(max_length=16, blank=True, choices=Verdict.choices)
    reasons = models.JSONField(default=list, blank=True)
    verified = models.DateTimeField(null=True, blank=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-pk"]

    def __str__(self) -> str:
        return self.name or self.uuid[:8]

    def get_absolute_url(self) -> str:
        return reverse("snapshot", args=[self.container.ctid, self.uuid])

    @property
    def title(self) -> str:
        """Its name; one that has none is told by how it came to be, and when."""
        if self.name:
            return self.name
        kind = "Safety snapshot" if self.safety else "Snapshot"
        return f"{kind} of {localtime(self.created):%-d %b, %H:%M}"

    @property
    def verdict_word(self) -> str:
        return VERDICT_WORDS.get(self.verdict, self.verdict)

    @property
    def here(self) -> bool:
        """Whether it is the one that the container as it is goes on from."""
        return self.container.here_id == self.pk

    @classmethod
    def take(
        cls,
        container: Container,
        *,
        name: str = "",
        note: str = "",
        by: User | None = None,
        via: str = Via.BROWSER,
        **params: Any,
    ) -> Operation:
        """Queue the making of one. params: stop, disk_only, schedule; as the plan has them.

        Raises Busy; BadValue; TooMany, when a customer has as many as staff allow.
        """
        check_line("name", name, 80)
        check_line("note", note, 255)
        asked = {key: value for key, value in params.items() if value}
        with transaction.atomic():
            operation = container.request(
                "snapshot",
                by=by,
                via=via,
                params={"snapshot": f"{uuid4()}", "name": name, "note": note, **asked},
            )
            # The container is held from here on, so nobody else can add one meanwhile.
            if by and not by.is_staff and cls.left(container) <= 0:
                raise TooMany(Problem.TOO_MANY_SNAPSHOTS, most=limit_of(container))
        return operation

    @staticmethod
    def refusal(container: Container) -> Refusal | None:
        """Why its container's state allows none to be taken."""
        return container.refusal("snapshot")

    @classmethod
    def left(cls, container: Container) -> int:
        """How many more its owner may make; those of restores and schedules don't count."""
        counted = container.snapshots.filter(safety=False, scheduled=False).count()
        return limit_of(container) - counted

    def restore(
        self,
        *,
        safety: bool = True,
        by: User | None = None,
        via: str = Via.BROWSER,
        **params: Any,
    ) -> Operation:
        """Queue the container's return to it. params: disk_only, tcp_close. Raises Busy."""
        asked = {key: value for key, value in params.items() if value}
        if safety:
            asked["safety"] = f"{uuid4()}"
        return self.container.request("restore", by=by, via=via, params={**self.named, **asked})

    def delete_from_node(self, *, by: User | None = None, via: str = Via.BROWSER) -> Operation:
        """Queue its end. Raises Busy."""
        return self.container.request(
            "delete_snapshot", by=by, via=via, params={"snapshot": self.uuid}
        )

    def try_restore(self, *, by: User | None = None, via: str = Via.BROWSER) -> Operation:
        return self.container.request("trial_restore", by=by, via=via, params=self.named)

    def clone(
        self,
        ctid: int,
        *,
        processes: bool = False,
        by: User | None = None,
        via: str = Via.BROWSER,
        hostname: str = "",
        owner: User | None = None,
    ) -> Operation:
        """Record a new container and queue its making out of this snapshot.

        It has the source's limits, and an address of the node's pool. Raises BadValue, Busy.
        """
        source = self.container
        copied = {each.name: getattr(source, each.name) for each in TABLE if each.cloned}
        params = {**self.named, "source": source.ctid, "processes": processes}
        return Container.make(
            ctid,
            kind="clone",
            node=source.node,
            template=source.template,
            by=by,
            via=via,
            params=params,
            hostname=hostname or f"ct{ctid}",
            owner=owner,
            copied=copied,
        )

    def publish(self, name: str, *, by: User | None = None, via: str = Via.BROWSER) -> Operation:
        """Queue the making of a template out of its disk. Raises Busy."""
        params = {**self.named, "source": self.container.ctid, "name": name}
        return Operation.request_on(
            self.container.node,
            "publish_snapshot",
            f"template {name}",
            by=by,
            via=via,
            params=params,
        )

    @property
    def named(self) -> dict[str, str]:
        """How an operation is told which one is meant, and what it must be."""
        return {"snapshot": self.uuid, "manifest": self.manifest}

    @property
    def trial(self) -> TrialRestore | None:
        said = self.facts.get("tried")
        return TrialRestore(**{**said, "at": datetime.fromisoformat(said["at"])}) if said else None

    def was_tried(self, trial: TrialRestore) -> None:
        self.facts["tried"] = {**asdict(trial), "at": trial.at.isoformat()}
        self.save(update_fields=["facts"])

    def ask_for_verdict(self, by: User | None = None) -> Inquiry:
        """Have its node look whether it can be relied on."""
        container = self.container
        return Inquiry.ask(
            container.node,
            InquiryKind.VERDICT,
            ctid=container.ctid,
            by=by,
            snapshot=self.uuid,
        )

    def restore_failed(self, operation: Operation) -> None:
        """A restore that was refused for what is wrong with it says that it is broken."""
        if operation.problem == Problem.NOT_RESTORABLE:
            self.judge(Verdict.BROKEN, operation.details["reasons"])

    def trial_succeeded(self) -> None:
        """It takes away the doubts that only a trial could."""
        if self.verdict:
            said = verdicts.Verdict(verdicts.Answer(self.verdict), tuple(self.reasons)).tried()
            self.judge(said.answer, list(said.reasons))

    def trial_failed(self, operation: Operation) -> None:
        """One that failed on its processes says that it is broken, whatever its files say."""
        if operation.state != Progress.FAILED:
            return
        failure = operation.error, operation.problem, operation.details
        self.was_tried(TrialRestore(now(), operation.pk, 0, *failure))
        if operation.problem in BROKEN_PROCESSES:
            self.judge(Verdict.BROKEN, operation.details.get("reasons") or [operation.error])

    def may_be_deleted(self) -> bool:
        """Whether its container's state allows it now, and it has not failed just before."""
        container = self.container
        return not (
            container.operation or container.refusal("delete_snapshot") or self.failed_to_go()
        )

    def failed_to_go(self) -> bool:
        tried = self.container.operations.filter(
            kind="delete_snapshot", requested__gt=now() - AGAIN, params__snapshot=self.uuid
        )
        return tried.exclude(state=Progress.SUCCEEDED).exists()

    def judge(self, verdict: str, reasons: list[str], at: datetime | None = None) -> None:
        """Keep a verdict of the node."""
        self.verdict, self.reasons, self.verified = verdict, reasons, at or now()
        self.save(update_fields=["verdict", "reasons", "verified"])


def note_of(operation: Operation) -> str:
    uuid = operation.params.get("snapshot", "")
    target = Snapshot.objects.filter(uuid=uuid).first()
    return f"before the restore of {target or uuid[:8]}"


def check_line(what: str, text: str, most: int) -> None:
    """Raises BadValue: it would not fit its column, or not a line of a list."""
    if len(text) > most:
        raise BadValue(BadValues.LINE_LONG, what=what, most=most)
    if not text.isprintable():
        raise BadValue(BadValues.LINE_BROKEN, what=what)


def limit_of(container: Container) -> int:
    limit = container.snapshot_limit
    return SNAPSHOTS_MAY if limit is None else int(limit)
