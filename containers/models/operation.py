from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils.timezone import localtime, now

from containers import doorbell
from containers.kind import Kind, known
from containers.models.failure import Failure
from containers.models.node import Node
from containers.node import problems
from containers.node.actions import Where
from containers.node.bound import Cut
from containers.node.errors import Cancelled, OperationError, Problem
from containers.node.operations import PLANS
from containers.node.states import FINISHED, UNFINISHED, Progress, State, StepState

if TYPE_CHECKING:
    from django.contrib.auth.models import User


SECRETS = frozenset({"userpasswd"})  # params that are forgotten once it has ended
NOT_THERE = (None, State.CREATING, State.BROKEN, State.UNKNOWN)  # what a failed create may leave


class Busy(Exception):
    """Another operation has not finished yet."""

    def __init__(self, what: str, holder: Operation | None) -> None:
        self.holder, self.problem = holder, Problem.BUSY if holder else Problem.BUSY_A_MOMENT
        self.details: dict[str, Any] = {"what": what}
        if holder:
            stands = {"holder": holder.named, "stands": holder.standing}
            self.details |= {"operation": holder.pk, **stands}
        super().__init__(problems.for_staff(self.problem, self.details))

    def told(self, *, staff: bool) -> str:
        return f"{self}" if staff else problems.for_customers(self.problem, self.details)


class Via(models.TextChoices):
    BROWSER = "browser", "in the browser"
    PCTL = "pctl", "with pctl"
    CONTAINER = "container", "by the container itself"
    SCHEDULE = "schedule", "by a schedule"
    BOOT = "boot", "at the start of the node"
    SHUTDOWN = "shutdown", "at the shutdown of the node"


def clock(at: datetime) -> str:
    """When, in words: of another day with its date."""
    local = localtime(at)
    today = local.date() == localtime().date()
    return f"{local:{'%H:%M:%S' if today else '%-d %B, %H:%M'}}"


class OperationQuerySet(models.QuerySet["Operation"]):
    def unfinished(self) -> OperationQuerySet:
        return self.filter(state__in=UNFINISHED)

    def claim(self, node: Node) -> Operation | None:
        """Take the oldest queued operation of a node, unless another worker is faster."""
        queued = self.filter(node=node, state=Progress.QUEUED).order_by("pk")
        while operation := queued.select_related("node", "container__template").first():
            taken = {"state": Progress.RUNNING, "started": now(), "fence": operation.fence + 1}
            still = self.filter(pk=operation.pk, state=Progress.QUEUED, fence=operation.fence)
            if still.update(**taken):
                for name, value in taken.items():
                    setattr(operation, name, value)
                return operation
        return None

    def visible_to(self, user: User) -> OperationQuerySet:
        return self if user.is_staff else self.filter(container__owner=user)


class Operation(Failure):
    """One thing to be done on a node: the request, how far it is, how it ended."""

    node = models.ForeignKey(Node, models.PROTECT, related_name="operations")
    container = models.ForeignKey(
        "Container", models.SET_NULL, null=True, related_name="operations"
    )
    # Stays when the container is gone
    ctid = models.PositiveIntegerField(null=True, db_column="ct_id")
    resource = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 (NULLs don't collide)
    kind = models.CharField(max_length=32)
    exclusive = models.BooleanField(default=True)
    params = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    via = models.CharField(max_length=16, choices=Via.choices, default=Via.BROWSER)
    reason = models.CharField(max_length=255, blank=True)

    state = models.CharField(
        max_length=16, default=Progress.QUEUED.value, choices=[(p.value, p.value) for p in Progress]
    )
    code = models.IntegerField(null=True)  # vzctl's exit code
    fence = models.PositiveIntegerField(default=0)  # whoever ships for it holds this number
    log_len = models.BigIntegerField(default=0)  # bytes of the spool's log that are chunks
    cut_begin = models.BigIntegerField(default=0)  # of the log, what is not kept: see Cut
    cut_end = models.BigIntegerField(default=0)
    events_len = models.PositiveIntegerField(default=0)  # events of its journal that are rows
    requested = models.DateTimeField(default=now)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    answered = models.DateTimeField(null=True)  # when somebody was done with its failure

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["node", "state"])]
        constraints = [
            models.UniqueConstraint(
                fields=["container"],
                condition=models.Q(state__in=UNFINISHED, exclusive=True),
                name="one_unfinished_operation_per_container",
            ),
            models.UniqueConstraint(
                fields=["node", "resource"],
                condition=models.Q(state__in=UNFINISHED),
                name="one_unfinished_operation_per_resource",
            ),
        ]

    def __str__(self) -> str:
        what = f"CT {self.ctid}" if self.ctid else self.params.get("name", "")
        return f"operation {self.pk} ({self.label}{f' of {what}' if what else ''})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        requested = self._state.adding
        super().save(*args, **kwargs)
        if requested:
            transaction.on_commit(lambda: doorbell.ring_node(self.node.name))

    def get_absolute_url(self) -> str:
        return reverse("operation", args=[self.pk])

    @property
    def label(self) -> str:
        return self.of_kind.named(self) or self.kind

    @property
    def named(self) -> str:
        """Where it is clear what it is done to."""
        return f"operation {self.pk} ({self.label})"

    @property
    def title(self) -> str:
        return self.of_kind.called(self)

    @property
    def noun(self) -> str:
        return self.of_kind.noun or self.label.lower()

    @property
    def alarm(self) -> str:
        """What is said of one that has failed, in a few words."""
        how = "was interrupted" if self.state == Progress.INTERRUPTED else "failed"
        return self.of_kind.alarm or f"{self.label} {how}"

    @property
    def command_line(self) -> str:
        """What somebody had it run in the container; empty where it runs nothing of theirs."""
        return self.of_kind.command_line(self)

    @property
    def standing(self) -> str:
        """How far an unfinished one is, as the end of a sentence."""
        if self.state == Progress.CANCELLING:
            return "is being cancelled"
        if self.state == Progress.QUEUED:
            return f"has been queued since {clock(self.requested)}"
        return f"has been running since {clock(self.started)}" if self.started else "is running"

    @property
    def of_kind(self) -> Kind:
        """What the panel knows of its kind."""
        return known(self.kind)

    @property
    def succeeded(self) -> bool:
        return self.state == Progress.SUCCEEDED

    @property
    def gives_way(self) -> bool:
        """Whether it goes once somebody asks for something else: it is asked for anew later."""
        waits = self.state == Progress.QUEUED and self.via == Via.SCHEDULE
        return waits and self.of_kind.errand

    def give_way(self) -> bool:
        """False when it does not, or has begun meanwhile."""
        mine = Operation.objects.filter(pk=self.pk, state=Progress.QUEUED)
        return self.gives_way and bool(mine.delete()[0])

    @property
    def script(self) -> tuple[str, str] | None:
        """Scope and action of the script that failed, or was running when something else did."""
        unrun = (Problem.FOREIGN_FILE, Problem.NOT_APPROVED)
        if self.problem in unrun or "action" not in self.details:
            return None
        return self.details["scope"], self.details["action"]

    @property
    def done(self) -> bool:
        return self.state in FINISHED

    @property
    def cut(self) -> Cut:
        """What its log has too much of, and doesn't keep."""
        return Cut(self.cut_begin, self.cut_end)

    @property
    def asked(self) -> list[str]:
        """The settings that it was to change, by name."""
        names = list(self.params.get("settings") or ())
        return [*names, *(["ips"] if self.params.get("addresses") else [])]

    def answer(self) -> None:
        """Somebody has seen its failure, and needs no reminder."""
        Operation.objects.filter(pk=self.pk).update(answered=now())

    def cancel(self) -> bool:
        """Ask for its end: at once when it's still queued, else its running step is ended."""
        mine = Operation.objects.filter(pk=self.pk)
        with transaction.atomic():
            if mine.filter(state=Progress.QUEUED).update(state=Progress.CANCELLING):
                self.end(Progress.CANCELLED, **Cancelled(Problem.CANCELLED_EARLY).record)
                asked = True
            else:
                asked = bool(mine.filter(state=Progress.RUNNING).update(state=Progress.CANCELLING))
            transaction.on_commit(self.ring)
        self.refresh_from_db()
        transaction.on_commit(lambda: doorbell.ring_node(self.node.name))
        return asked

    def end(
        self,
        progress: Progress,
        *,
        code: int | None = None,
        error: str = "",
        problem: str = "",
        details: Mapping[str, Any] | None = None,
        state: State | None = None,
        at: datetime | None = None,
    ) -> None:
        """Record how it ended, in which state that left its container, and what follows from it.

        What follows is the kind's to say (containers/kinds).
        """
        self.set(
            state=progress,
            code=code,
            error=error,
            problem=problem,
            details=dict(details or {}),
            finished=at or now(),
            params={k: v for k, v in self.params.items() if k not in SECRETS},
        )
        if progress is not Progress.SUCCEEDED:
            self.steps.filter(state=StepState.RUNNING).update(
                state=StepState.FAILED, note="it was interrupted"
            )
            self.reserved.all().delete()
        if not (container := self.container):
            return
        kind, plan = self.of_kind, PLANS.get(self.kind)
        unmade = plan and plan.makes and not self.succeeded and state in NOT_THERE
        if unmade or (plan and plan.removes and self.succeeded):
            container.delete()
            return
        if state:
            row = type(container).objects.filter(pk=container.pk).exclude(state=state)
            row.update(state=state, state_since=at or now())
        if self.succeeded:
            kind.succeeded(self, container)
        else:
            kind.ended_badly(self, container)

    def set(self, **values: Any) -> None:
        """Write these fields, and no others, to its row."""
        Operation.objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)

    def correct(self, error: OperationError) -> None:
        """It was told as done, and has turned out to have failed."""
        mine = Operation.objects.filter(pk=self.pk, state=Progress.SUCCEEDED)
        if mine.update(state=Progress.FAILED, code=error.code, **error.record):
            transaction.on_commit(self.ring)

    def ring(self) -> None:
        """Tell viewers and pages that it has changed."""
        owner = self.container.owner_id if self.container else self.by_id
        doorbell.ring_viewers(self.pk)
        doorbell.ring_pages(owner=owner, operation=self.pk, ctid=self.ctid)

    @classmethod
    def request_on(
        cls,
        node: Node,
        kind: str,
        resource: str,
        *,
        by: User | None = None,
        via: str = Via.BROWSER,
        params: dict[str, Any] | None = None,
    ) -> Operation:
        """Queue an operation that is on no container, as building a template. Raises Busy."""
        try:
            with transaction.atomic():
                return cls.objects.create(
                    node=node, kind=kind, resource=resource, by=by, via=via, params=params or {}
                )
        except IntegrityError as error:
            holder = cls.objects.unfinished().filter(node=node, resource=resource).first()
            raise Busy(resource, holder) from error


class OperationStep(models.Model):
    """A step of an operation, made from its runner's journal."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()  # in the order they are shown
    key = models.CharField(max_length=64)
    label = models.CharField(max_length=128)
    where = models.CharField(
        max_length=16, choices=[(w.value, w.value) for w in Where], default=Where.NODE.value
    )
    state = models.CharField(
        max_length=16,
        default=StepState.PENDING.value,
        choices=[(s.value, s.value) for s in StepState],
    )
    undo = models.BooleanField(default=False)
    code = models.IntegerField(null=True)
    signal = models.IntegerField(null=True)
    began = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    offset = models.BigIntegerField(null=True)  # in the log, where its output begins
    end_offset = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)  # of the script it ran
    sha256 = models.CharField(max_length=64, blank=True)
    foreign = models.BooleanField(default=False)  # the panel did not write what it ran
    note = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "number"], name="one_step_per_number")
        ]

    def __str__(self) -> str:
        return self.label


class LogChunk(models.Model):
    """Bytes of an operation's log, at an offset that never changes."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="chunks")
    offset = models.BigIntegerField()
    data = models.BinaryField()
    staff_only = models.BooleanField(default=False)  # what was said in the node's context

    class Meta:
        ordering = ["offset"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "offset"], name="one_chunk_per_offset")
        ]

    def __str__(self) -> str:
        return f"{self.operation_id}+{self.offset}"
