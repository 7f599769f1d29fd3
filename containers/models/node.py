from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils.timezone import now

from containers.node.checks import Range
from containers.node.network.reach import Reach
from containers.node.settings import limits

SILENT = timedelta(seconds=20)  # without a heartbeat for this long, a node counts as away


class UndoProfile(models.TextChoices):
    DOCUMENTED = "documented", "as documented: a failed start script ends in stop and dismount"
    VZCTL = "vzctl", "as vzctl 4.11 does: the umount scripts run as well"


SCRIPT_TIMEOUT = Range("the time limit of a script", Decimal(0), Decimal(2_592_000), "seconds")
LOG_LIMIT = Range("the size limit of a log", Decimal(1), Decimal(1024), "MiB")


class Node(models.Model):
    """A machine that holds containers. Its own process keeps what it says of itself up to date."""

    name = models.SlugField(unique=True)
    runtime = models.CharField(max_length=32, default="runc")
    storage = models.CharField(max_length=32, default="btrfs")
    undo_profile = models.CharField(
        max_length=16, choices=UndoProfile.choices, default=UndoProfile.DOCUMENTED
    )
    script_timeout = models.PositiveIntegerField(
        default=600, help_text="Seconds an action script may run before it is ended; 0: no limit"
    )
    log_limit = models.PositiveIntegerField(
        default=64,
        validators=[MinValueValidator(1), MaxValueValidator(1024)],
        help_text="MiB of an operation's log that are kept: half from its beginning and half from"
        " its end",
    )
    reach = models.CharField(
        max_length=8, choices=[(r.value, r.value) for r in Reach], default=Reach.OWNER.value
    )
    pool = models.CharField(
        max_length=43, blank=True, help_text="Addresses to give, as 10.1.2.0/24"
    )
    boot_id = models.CharField(max_length=36, blank=True)
    heartbeat = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)  # what it says of itself: kernel, CRIU, disk

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def defaults(self) -> dict[str, Any]:
        """The limits of a new container, as columns: what its vz.conf says, as last heard."""
        told = self.facts.get("defaults") or {}
        return {
            s.name: s.there(s.stored(told[s.name]), self.facts) for s in limits() if s.name in told
        }

    def note(self, **facts: Any) -> None:
        """Write down what it says of itself, beside what others write down meanwhile."""
        with transaction.atomic():
            self.lock()
            self.facts |= facts
            self.save(update_fields=["facts"])

    def lock(self) -> None:
        """Be the only one to change its row, until the transaction has ended; it is read anew."""
        Node.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()

    @property
    def away(self) -> bool:
        """Whether nobody has heard from it; what is queued for it waits.

        By the database's clock, in which its heartbeats are: that of the node may be wrong.
        """
        return self.heartbeat is None or now() - self.heartbeat > SILENT
