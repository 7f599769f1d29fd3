from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils.timezone import now

from containers.kind import Kind, lacking
from containers.models import offer, wish
from containers.models.address import Address
from containers.models.audit import AuditEvent
from containers.models.node import Node
from containers.models.offer import Offer
from containers.models.operation import Busy, Operation, Via
from containers.models.template import Template
from containers.node.actions import START, STOP
from containers.node.errors import BadValue, Code
from containers.node.operations import PLANS
from containers.node.plan import Refusal
from containers.node.states import UNFINISHED, Progress, State

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from containers.models.snapshot import Snapshot

RECENT = timedelta(days=1)  # for which a failure is shown on its page
SWITCHED_OFF = "switch off its own start and stop scripts, without which it was reinstalled"
LOWEST, HIGHEST = 100, 2147483644  # vzctl takes 1..100 too, but keeps them for itself


class ContainerQuerySet(models.QuerySet["Container"]):
    def visible_to(self, user: User) -> ContainerQuerySet:
        return self if user.is_staff else self.filter(owner=user)


class Container(models.Model):
    """The panel's record of a container: what it shall be, and what its node last said of it."""

    ctid = models.PositiveIntegerField(
        "CT ID",
        unique=True,
        db_column="ct_id",  # PostgreSQL has a ctid of its own in each table
        validators=[MinValueValidator(LOWEST), MaxValueValidator(HIGHEST)],
    )
    node = models.ForeignKey(Node, models.PROTECT, related_name="containers")
    template = models.ForeignKey(Template, models.PROTECT, null=True, related_name="containers")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="containers",
    )

    # What it shall be: written to ve.conf
    name = models.CharField(max_length=64, blank=True)
    hostname = models.CharField(max_length=253)
    description = models.CharField(max_length=255, blank=True)
    ram = models.PositiveIntegerField("memory", null=True, blank=True, help_text="MiB")
    cpus = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    pids = models.PositiveIntegerField("processes", null=True, blank=True)
    diskspace = models.PositiveIntegerField("disk", null=True, blank=True, help_text="MiB")
    nameservers = models.JSONField(default=list, blank=True)
    searchdomains = models.JSONField(default=list, blank=True)
    onboot = models.BooleanField("start at boot", default=False)
    disabled = models.BooleanField(default=False, help_text="May not be started")
    snapshot_limit = models.PositiveIntegerField(
        "snapshots", null=True, blank=True, help_text="That its owner may make"
    )

    # What its node said
    uid_base = models.PositiveBigIntegerField("first user id", null=True, editable=False)
    state = models.CharField(
        max_length=16, default=State.UNKNOWN.value, choices=[(s.value, s.value) for s in State]
    )
    state_since = models.DateTimeField(default=now)
    facts = models.JSONField(default=dict, blank=True)  # init, init_pid, host_keys, warnings …
    usage = models.JSONField(default=dict, blank=True)  # memory, disk, inodes, pids, oom_kills …
    usage_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(default=now)
    here = models.ForeignKey(  # the snapshot that it goes on from
        "Snapshot", models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = ContainerQuerySet.as_manager()

    class Meta:
        ordering = ["ctid"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=~models.Q(name=""), name="one_container_per_name"
            )
        ]

    def __str__(self) -> str:
        return f"CT {self.ctid}"

    def get_absolute_url(self) -> str:
        return reverse("container", args=[self.ctid])

    @property
    def addresses(self) -> list[str]:
        return [each.address for each in self.address_set.all()]

    @property
    def operation(self) -> Operation | None:
        """The unfinished exclusive operation that holds it, if any."""
        return self.operations.filter(state__in=UNFINISHED, exclusive=True).first()

    def refusal(self, kind: str) -> Refusal | None:
        """Why its state, as last heard, does not allow this operation."""
        return PLANS[kind].refusal(State(self.state))

    def offers(self, user: User) -> list[Offer]:
        """What this user may ever do with it, in the order of the buttons, and why not now."""
        return offer.offers(user, self)

    def quick_offer(self, user: User) -> Offer | None:
        """The one button of its line in the list."""
        return offer.quick_offer(user, self)

    def unanswered_failure(self) -> Operation | None:
        """The last operation that counts, when it failed lately."""
        last = self.operations.exclude(kind__in=lacking("alarms")).first()
        ended_badly = last and last.state in (Progress.FAILED, Progress.INTERRUPTED)
        if not last or not ended_badly or now() - (last.finished or last.requested) > RECENT:
            return None
        return last

    def not_now(self, kind: Kind) -> str:
        """Why an operation can't be asked for now, as a sentence; empty when it can."""
        return offer.refusal(self, kind, self.operation)

    @classmethod
    def make(
        cls,
        ctid: int,
        *,
        node: Node,
        template: Template | None,
        kind: str = "create",
        addresses: Iterable[str] | None = None,
        by: User | None = None,
        via: str = Via.BROWSER,
        reason: str = "",
        params: Mapping[str, Any] | None = None,
        **shall: Any,
    ) -> Operation:
        """Record a new container and queue its creation, out of a template or as kind says.

        addresses: None gives it one of the node's pool, if the node has one.
        shall: columns, as models/wish.py names them. params: userpasswd {user, hash}, sshkeys [].
        Raises BadValue with vzctl's exit code: 21, 44 there is one, 78 address in use, 131 name.
        """
        columns = {"hostname": f"ct{ctid}"} | wish.cleaned(shall)
        if not LOWEST <= ctid <= HIGHEST:
            raise BadValue(f"{ctid} can't be a CT ID: they go from {LOWEST} to {HIGHEST}")
        with transaction.atomic():
            if cls.objects.filter(ctid=ctid).exists():
                raise BadValue(f"CT {ctid} exists already", Code.EXISTS)
            check_name(columns.get("name", ""))
            try:
                with transaction.atomic():
                    container = cls.objects.create(
                        ctid=ctid, node=node, template=template, state=State.CREATING, **columns
                    )
            except IntegrityError as error:  # somebody was faster
                raise BadValue(f"CT {ctid} or its name exists already", Code.EXISTS) from error
            if addresses is None:
                Address.give_any(node, container.pk, ctid)
            for address in addresses or ():
                Address.give(node, container.pk, address)
            return container.request(kind, by=by, via=via, reason=reason, params=params)

    def change(
        self,
        *,
        add: Iterable[str] = (),
        drop: Iterable[str] = (),
        by: User | None = None,
        via: str = Via.BROWSER,
        reason: str = "",
        params: Mapping[str, Any] | None = None,
        **shall: Any,
    ) -> Operation:
        """Record what it shall be from now on and queue the operation that makes it so.

        add, drop: addresses; "all" in drop is all of them, and they go before the others come.
        shall, params: as for make. Raises Busy, or BadValue with vzctl's exit code; then nothing
        has changed.
        """
        columns = wish.cleaned(shall)
        add, drop = list(add), list(drop)
        changed = [*columns, *(["addresses"] if add or drop else []), *(params or {})]
        with transaction.atomic():
            check_name(columns.get("name", ""), but=self)
            Address.take(self.pk, drop)
            for address in add:
                Address.give(self.node, self.pk, address)
            if columns:
                Container.objects.filter(pk=self.pk).update(**columns)
            operation = self.request(
                "set", by=by, via=via, reason=reason, params={**(params or {}), "changed": changed}
            )
        self.refresh_from_db()
        return operation

    def request(
        self,
        kind: str,
        *,
        by: User | None = None,
        via: str = Via.BROWSER,
        reason: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> Operation:
        """Queue an operation. Raises Busy, which names the operation that holds the container."""
        try:
            with transaction.atomic():
                return Operation.objects.create(
                    container=self,
                    ctid=self.ctid,
                    node=self.node,
                    kind=kind,
                    exclusive=PLANS[kind].exclusive,
                    by=by,
                    via=via,
                    reason=reason,
                    params=dict(params or {}),
                )
        except IntegrityError as error:
            raise Busy(f"{self}", self.operation) from error

    def reinstall(
        self,
        *,
        by: User | None = None,
        via: str = Via.BROWSER,
        reason: str = "",
        params: Mapping[str, Any],
    ) -> Operation:
        """Queue a reinstallation; params as its plan names them. Raises Busy."""
        return self.request("reinstall", by=by, via=via, reason=reason, params=params)

    # What becomes of it on its node

    def init_ended(self, *, rebooting: bool) -> Operation:
        """Its init has ended by itself: queue what is due then. Raises Busy."""
        return self.request("rebooted" if rebooting else "halted", via=Via.CONTAINER)

    def start_after_boot(self) -> Operation:
        """Queue its start, or that of its saved processes. Raises Busy."""
        suspended = self.state == State.SUSPENDED
        return self.request("resume" if suspended else "start", via=Via.BOOT)

    def take_template(self, said: str) -> None:
        """said: NAME@N. One that is gone from the node meanwhile has a row still."""
        name, _, version = said.partition("@")
        found = Template.objects.filter(node=self.node_id, name=name, version=int(version or 0))
        if template := found.first():
            self.template = template
            self.save(update_fields=["template"])

    def take_ids(self, base: int) -> None:
        """The first of the user ids that its node has given it."""
        Container.objects.filter(pk=self.pk).update(uid_base=base)

    def leave_snapshots(self) -> None:
        """It has another system now, which comes from no snapshot."""
        Container.objects.filter(pk=self.pk).update(here=None)

    def go_on_from(self, snapshot: Snapshot | None) -> None:
        Container.objects.filter(pk=self.pk).update(here=snapshot)

    def switch_off_scripts(self, operation: Operation) -> None:
        """Those that a reinstallation went without stay off until somebody turns them on."""
        for script in self.scripts.filter(name__in=(START.name, STOP.name), enabled=True):
            script.disable()
        AuditEvent.record(
            SWITCHED_OFF,
            by=operation.by,
            via=operation.via or Via.BROWSER,
            ctid=self.ctid,
            reason=f"operation {operation.pk}",
        )

    def tell_schedule(self, operation: Operation) -> None:
        """The schedule that asked for this snapshot, if one did, learns how it ended."""
        schedule = getattr(self, "schedule", None)
        if schedule and schedule.pk == operation.params.get("schedule"):
            schedule.ended(
                operation, "" if operation.succeeded else operation.error or operation.state
            )


def check_name(name: str, but: Container | None = None) -> None:
    """No two containers have the same name; an empty one is none."""
    holder = Container.objects.filter(name=name).first() if name else None
    if holder and holder != but:
        raise BadValue(f"the name {name} is {holder}'s already", Code.NAME)
