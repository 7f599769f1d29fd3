from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from signal import SIGHUP
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils.timezone import now

from containers.kind import Kind
from containers.models import offer, unanswered
from containers.models.address import Address
from containers.models.audit import AuditEvent
from containers.models.node import Node
from containers.models.offer import Offer
from containers.models.operation import Busy, Operation, Via
from containers.models.settings import Settings, cleaned
from containers.models.template import Template
from containers.node.actions import START, STOP
from containers.node.checks import Range
from containers.node.death import Death
from containers.node.errors import BadValue, BadValues, Problem
from containers.node.operations import PLANS
from containers.node.plan import Refusal
from containers.node.settings import TABLE, named
from containers.node.states import UNFINISHED, Progress, State

if TYPE_CHECKING:
    from django.contrib.auth.models import User

SWITCHED_OFF = "disable its start and stop scripts, because it was reinstalled without them"
LOWEST, HIGHEST = 100, 2147483644  # vzctl takes 1..100 too, but keeps them for itself
CTIDS = Range("the CT ID", Decimal(LOWEST), Decimal(HIGHEST))


class ContainerQuerySet(models.QuerySet["Container"]):
    def visible_to(self, user: User) -> ContainerQuerySet:
        return self if user.is_staff else self.filter(owner=user)


class Container(Settings):
    """The panel's record of a container: what is in force, and what its node last said of it."""

    ctid = models.PositiveIntegerField(
        "CT ID",
        unique=True,
        db_column="ct_id",  # PostgreSQL has a ctid of its own in each table
        validators=[MinValueValidator(LOWEST), MaxValueValidator(HIGHEST)],
    )
    node = models.ForeignKey(Node, models.PROTECT, related_name="containers")
    template = models.ForeignKey(Template, models.PROTECT, null=True, related_name="containers")

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
        return [each.address for each in self.held]

    @property
    def held(self) -> list[Address]:
        """The addresses it has; those that are only asked for are not among them."""
        return [each for each in self.address_set.all() if each.operation_id is None]

    @property
    def operation(self) -> Operation | None:
        """The unfinished exclusive operation that holds it, if any; not one that gives way."""
        found = self.unfinished_one()
        return None if found and found.gives_way else found

    def unfinished_one(self) -> Operation | None:
        return self.operations.filter(state__in=UNFINISHED, exclusive=True).first()

    @property
    def left_mounted(self) -> bool:
        """Suspended, but its file system is mounted still: an umount script has failed."""
        return self.state == State.SUSPENDED and bool(self.facts.get("mounted"))

    def refusal(self, kind: str) -> Refusal | None:
        """Why its state, as last heard, does not allow this operation."""
        return PLANS[kind].refusal(State(self.state))

    def offers(self, user: User) -> list[Offer]:
        """What this user may ever do with it, in the order of the buttons, and why not now."""
        return offer.offers(user, self)

    def quick_offer(self, user: User) -> Offer | None:
        """The one button of its line in the list."""
        return offer.quick_offer(user, self)

    def unanswered_failures(self) -> list[Operation]:
        """What failed and has not been answered, the last first; of each kind the last only."""
        return unanswered.of(self)

    def not_now(self, kind: Kind, user: User) -> str:
        """Why this user can't ask for it now, as a sentence; empty when they can."""
        return offer.refusal(self, kind, self.operation, staff=user.is_staff)

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
        copied: Mapping[str, Any] | None = None,
        **shall: Any,
    ) -> Operation:
        """Record a new container and queue its creation, out of a template or as kind says.

        addresses: None gives it one of the node's pool, if the node has one.
        shall: settings, as node/settings.py names them; a limit that isn't there is the node's
        default, and None is no limit. copied: those that another container of the node has: whether
        the node has as much is not asked of them.
        params: userpasswd {user, hash}, sshkeys [].
        Raises BadValue with vzctl's exit code: 21, 44 there is one, 78 address in use, 131 name.
        """
        wanted = {**node.defaults(), **cleaned(copied or {}), **cleaned(shall, node.facts)}
        columns = {"hostname": f"ct{ctid}", **wanted}
        if not LOWEST <= ctid <= HIGHEST:
            raise BadValue(BadValues.CTID_RANGE, ctid=ctid, least=LOWEST, most=HIGHEST)
        with transaction.atomic():
            if cls.objects.filter(ctid=ctid).exists():
                raise BadValue(Problem.CT_EXISTS, ctid=ctid)
            check_name(columns.get("name", ""))
            try:
                with transaction.atomic():
                    container = cls.objects.create(
                        ctid=ctid, node=node, template=template, state=State.CREATING, **columns
                    )
            except IntegrityError as error:  # somebody was faster
                raise BadValue(Problem.CT_OR_NAME_EXISTS, ctid=ctid) from error
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
        """Queue the operation that makes it what it shall be; the row has that once it succeeded.

        Until then new addresses and a new name are nobody else's. What the panel alone need know
        holds at once.
        add, drop: addresses; "all" in drop is all of them, and they go before the others come.
        shall, params: as for make. Raises Busy, or BadValue with vzctl's exit code; then nothing
        has changed.
        """
        columns = cleaned(shall, self.node.facts)
        at_once = {name: value for name, value in columns.items() if named(name).at_once}
        asked = {n: named(n).plain(v) for n, v in columns.items() if n not in at_once}
        add, drop = list(add), list(drop)
        changed = [*columns, *(["addresses"] if add or drop else []), *(params or {})]
        with transaction.atomic():
            check_name(columns.get("name", ""), but=self)
            addresses = Address.asked(self.pk, add, drop)
            self.forget_refused({*asked, *(["ips"] if addresses else [])})
            requested = {"settings": asked, "addresses": addresses, "changed": changed}
            if password := (params or {}).get("userpasswd"):  # which is forgotten at the end
                requested["password_of"] = password["user"]
            operation = self.request(
                "set", by=by, via=via, reason=reason, params={**(params or {}), **requested}
            )
            for address in addresses.get("add", ()):
                Address.give(self.node, self.pk, address, operation)
            self.decide(**at_once)
        self.refresh_from_db()
        return operation

    def decide(self, **shall: Any) -> None:
        """Set what only the panel need know: it is in force at once. Raises BadValue."""
        if columns := cleaned(shall):
            Container.objects.filter(pk=self.pk).update(**columns)

    def take_settings(self, operation: Operation) -> None:
        """What an operation was to set is in force: it has succeeded."""
        addresses = operation.params.get("addresses") or {}
        dropped = addresses.get("drop", ())
        self.address_set.filter(operation=None, address__in=dropped).delete()
        self.address_set.filter(operation=operation).update(operation=None)
        self.hold(operation.params.get("settings") or {})

    def take_restored(self, operation: Operation) -> None:
        """It has settings again that it had when the restored snapshot was made."""
        self.hold(operation.params.get("take") or {})

    def hold(self, told: Mapping[str, Any]) -> None:
        """Keep what its node has been told."""
        columns = {s.name: s.stored(told[s.name]) for s in TABLE if s.name in told}
        if columns:
            Container.objects.filter(pk=self.pk).update(**columns)

    def requested(self, operation: Operation) -> dict[str, Any]:
        """Its settings as an operation is to make them, told as to a node."""
        addresses = operation.params.get("addresses") or {}
        kept = [each for each in self.addresses if each not in addresses.get("drop", ())]
        ips = [*kept, *(each for each in addresses.get("add", ()) if each not in kept)]
        return {**self.told(), **(operation.params.get("settings") or {}), "ips": ips}

    def refused(self) -> list[Operation]:
        """The changes that its node refused and nobody has answered yet, the last first."""
        ended = self.operations.filter(
            kind="set", state__in=(Progress.FAILED, Progress.INTERRUPTED), answered=None
        )
        return [each for each in ended if each.asked]

    def forget_refused(self, names: Collection[str]) -> None:
        """What is asked for anew is no longer open."""
        for each in self.refused():
            if set(each.asked) & set(names):
                each.answer()

    def try_again(
        self, refused: Operation, *, by: User | None = None, via: str = Via.BROWSER
    ) -> Operation:
        """Ask for the same change once more. Raises Busy, BadValue."""
        addresses = refused.params.get("addresses") or {}
        return self.change(
            add=addresses.get("add", ()),
            drop=[each for each in addresses.get("drop", ()) if each in self.addresses],
            by=by,
            via=via,
            **(refused.params.get("settings") or {}),
        )

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
        asked = {"by": by, "via": via, "reason": reason, "params": dict(params or {})}
        try:
            return self.queue(kind, **asked)
        except IntegrityError as error:
            holder = self.unfinished_one()
            if holder and not (via != Via.SCHEDULE and holder.give_way()):
                raise Busy(f"{self}", holder) from error
        try:
            return self.queue(kind, **asked)  # what was in its way has gone
        except IntegrityError as error:
            raise Busy(f"{self}", self.unfinished_one()) from error

    def queue(self, kind: str, **asked: Any) -> Operation:
        """Raises IntegrityError when another has not finished."""
        with transaction.atomic():
            return Operation.objects.create(
                container=self,
                ctid=self.ctid,
                node=self.node,
                kind=kind,
                exclusive=PLANS[kind].exclusive,
                **asked,
            )

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

    def init_ended(self, gone: Mapping[str, Any]) -> Operation:
        """Its init has ended by itself: queue what is due then. Raises Busy.

        gone: the event in which its monitor told so; empty when it told nothing.
        """
        if gone.get("signal") == SIGHUP:
            return self.request("rebooted", via=Via.CONTAINER)
        if Death.of(gone).unasked:
            return self.request("died", via=Via.CONTAINER, params={"death": dict(gone)})
        return self.request("halted", via=Via.CONTAINER)

    def start_failed(self, death: Death) -> None:
        """Its init has died in its first seconds: whatever started it was told as done too soon."""
        began = datetime.fromtimestamp(death.began, UTC)
        for told in self.operations.filter(exclusive=True, started__lte=began, finished__gte=began):
            told.correct(death.error())

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

    def go_on_from(self, snapshot: int) -> None:
        """snapshot: the primary key of the one that it is now."""
        Container.objects.filter(pk=self.pk).update(here_id=snapshot)

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

    def note_end(self, operation: Operation) -> None:
        """For the audit log: nobody asked for it."""
        AuditEvent.record(
            f"{self} ended by itself",
            by=None,
            via=operation.via,
            ctid=self.ctid,
            operation=operation.pk,
            why=operation.why,
        )

    def tell_schedule(self, operation: Operation) -> None:
        """The schedule that asked for this snapshot, if one did, learns how it ended."""
        schedule = getattr(self, "schedule", None)
        if schedule and schedule.pk == operation.params.get("schedule"):
            schedule.ended(operation)


def check_name(name: str, but: Container | None = None) -> None:
    """No two containers have the same name, or have asked for it; an empty one is none."""
    if not name:
        return
    Node.objects.select_for_update().order_by("pk").first()  # one who names at a time
    holder = Container.objects.filter(name=name).first()
    asked = Operation.objects.unfinished().filter(kind="set", params__settings__name=name).first()
    holder = holder or (asked.container if asked else None)
    if holder and holder != but:
        raise BadValue(BadValues.NAME_TAKEN, name=name, holder=holder)
