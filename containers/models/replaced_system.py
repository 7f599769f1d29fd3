from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.timezone import now

from containers.models.container import Container
from containers.models.operation import Operation, Via
from containers.node.states import Progress

if TYPE_CHECKING:
    from django.contrib.auth.models import User

AGAIN = timedelta(hours=1)  # after a deletion that failed


class ReplacedSystem(models.Model):
    """A system that a reinstallation replaced, as it lies on its node until its date."""

    container = models.ForeignKey(Container, models.CASCADE, related_name="replaced_systems")
    number = models.PositiveBigIntegerField()  # of the operation that kept it
    until = models.DateTimeField()  # it may be deleted after this, never before
    since = models.DateTimeField()
    template = models.CharField(max_length=80, blank=True)
    size = models.BigIntegerField(null=True, help_text="Bytes, shared ones too")
    own = models.BigIntegerField(null=True, help_text="Bytes that nothing else shares")

    class Meta:
        ordering = ["-since", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["container", "number"], name="one_replaced_system_per_operation"
            )
        ]

    def __str__(self) -> str:
        return f"the system of {self.container} before {self.since:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return reverse("replaced", args=[self.container.ctid, self.number])

    def put_back(self, *, by: User | None = None, via: str = Via.BROWSER, reason: str = "",
                 **params: Any) -> Operation:  # fmt: skip
        """Queue its return; the present system is kept in its place. Raises Busy.

        params: without_stop_script.
        """
        if until := undo_until():
            params["keep_until"] = until.isoformat()
        params["replaced"] = self.number
        return self.container.request(
            "undo_reinstall", by=by, via=via, reason=reason, params=params
        )

    def delete_from_node(self) -> Operation:
        """Queue its end, for its date has passed. Raises Busy."""
        return self.container.request(
            "delete_replaced", via=Via.SCHEDULE, params={"replaced": self.number}
        )

    def may_be_deleted(self) -> bool:
        """Whether its container's state allows it now, and it has not failed just before."""
        return not (self.container.refusal("delete_replaced") or self.failed_to_go())

    def failed_to_go(self) -> bool:
        tried = self.container.operations.filter(
            kind="delete_replaced", requested__gt=now() - AGAIN
        )
        return tried.exclude(state=Progress.SUCCEEDED).exists()

    @property
    def undone(self) -> bool:
        """Whether it came to be kept by putting the one before it back."""
        undoing = self.container.operations.filter(
            kind="undo_reinstall", state=Progress.SUCCEEDED, params__replaced=self.number
        )
        return undoing.count() % 2 == 1


def undo_until() -> datetime | None:
    """Until when a reinstallation of now can be undone; None: not at all."""
    days: int = settings.UNDO_DAYS
    return now() + timedelta(days=days) if days > 0 else None
