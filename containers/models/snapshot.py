from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils.timezone import localtime, now

from containers.models.audit import AuditEvent
from containers.models.container import Container
from containers.models.held import Held, held_by
from containers.models.inquiry import Inquiry, InquiryKind
from containers.models.judged import TURNED, TrialRestore, Verdict
from containers.models.operation import Operation, Via
from containers.models.snapshot_limit import TooMany, limit_of
from containers.models.snapshot_name import LONGEST, check_line, free_name, require_free
from containers.node.errors import Problem
from containers.node.plan import Refusal
from containers.node.settings import TABLE
from containers.node.states import Progress

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SAFETY_KEPT = timedelta(days=7)  # the snapshot a restore makes of what was there before
SAFETY_MANY = 2  # of a container's; no limit counts them, so their number is bounded too
OWN_COLUMNS = ("uuid", "kind", "manifest", "processes", "size", "created")
AGAIN = timedelta(minutes=15)  # after a deletion that failed


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
                "name": "" if safety else free_name(container, operation.params.get("name") or ""),
                "note": self.note_of(operation) if safety else operation.params.get("note") or "",
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
                "facts": {
                    **{key: value for key, value in said.items() if key not in OWN_COLUMNS},
                    "settings": held_by(container),
                },
                "expires": now() + SAFETY_KEPT if safety and not said.get("only") else None,
                "protected": bool(said.get("only")),
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
            fate = said.get("of", 0), said.get("ended", []), said.get("gone", [])
            snapshot.was_tried(TrialRestore(now(), operation.pk, said["processes"], *fate))

    def turned_broken(self) -> SnapshotQuerySet:
        """Those that could be relied on, and can't any more."""
        return self.filter(verdict=Verdict.BROKEN, facts__has_key=TURNED)

    def note_of(self, operation: Operation) -> str:
        """Of a safety snapshot."""
        target = self.asked_of(operation).first()
        return f"before the restore of {target or operation.params.get('snapshot', '')[:8]}"


class Snapshot(Held):
    """What a container was at one instant: its disk, and its processes if it ran.

    Its row is made of what the node says when it has kept it; the files are the node's.
    """

    container = models.ForeignKey(Container, models.CASCADE, related_name="snapshots")
    uuid = models.CharField(max_length=36, unique=True)
    name = models.CharField(max_length=LONGEST, blank=True)
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
    protected = models.BooleanField(default=False)  # no schedule and no date deletes it
    expires = models.DateTimeField(null=True, blank=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["container", "name"],
                condition=~models.Q(name=""),
                name="one_snapshot_per_name",
            )
        ]

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
        return f"{kind} of {localtime(self.created):%-d %b, %H:%M:%S}"

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
        uuid: str = "",
        by: User | None = None,
        via: str = Via.BROWSER,
        **params: Any,
    ) -> Operation:
        """Queue the making of one. params: stop, disk_only, schedule; as the plan has them.

        Raises Busy, BadValue; TooMany, when a customer has as many as staff allow."""
        check_line("name", name, LONGEST)
        check_line("note", note, 255)
        asked = {key: value for key, value in params.items() if value}
        with transaction.atomic():
            operation = container.request(
                "snapshot",
                by=by,
                via=via,
                params={"snapshot": uuid or f"{uuid4()}", "name": name, "note": note, **asked},
            )
            # The container is held from here on, so nobody else can add one meanwhile.
            require_free(container, name)
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
        take: bool = False,
        by: User | None = None,
        via: str = Via.BROWSER,
        **params: Any,
    ) -> Operation:
        """Queue the container's return to it. params: disk_only, tcp_close. Raises Busy, BadValue.

        take: with the settings of then, as far as whoever asks may change them.
        """
        params["take"] = take and self.takeable(by)
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
            template=self.template_row() or source.template,
            by=by,
            via=via,
            params=params,
            hostname=hostname or f"ct{ctid}",
            owner=owner,
            copied=copied,
        )

    def publish(
        self,
        name: str,
        *,
        clean: Sequence[str],
        by: User | None = None,
        via: str = Via.BROWSER,
    ) -> Operation:
        """Queue the making of a template out of its disk. Raises Busy.

        clean: what is removed from it, words of node/templates/remains.py.
        """
        params = {**self.named, "source": self.container.ctid, "name": name, "clean": [*clean]}
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

    def ask_what_stays(self, by: User) -> Inquiry:
        """Have its node look what of people a template made of it would have in it."""
        node, ctid = self.container.node, self.container.ctid
        return Inquiry.ask(node, InquiryKind.REMAINS, ctid=ctid, by=by, snapshot=self.uuid)

    def turned_broken(self) -> None:
        """Whoever reads the audit is to see it, too: nobody has asked for it."""
        AuditEvent.record(
            f"snapshot {self} of {self.container} was OK and is broken",
            by=None,
            via=Via.SCHEDULE,
            ctid=self.container.ctid,
            called="the panel",
            snapshot=self.uuid,
            why=self.doubts_for_staff[:1],
        )

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
