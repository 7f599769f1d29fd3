from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.utils.timezone import now

from containers import doorbell
from containers.models.failure import Failure
from containers.models.node import Node
from containers.node.errors import OperationError

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KEPT = timedelta(minutes=10)
ANSWERED_WITHIN = timedelta(seconds=10)  # else its node is not at it, and nobody waits


class InquiryKind(StrEnum):
    """What may be asked; worker/inquiries.py answers."""

    STATE = "state"
    USAGE = "usage"
    SCRIPTS = "scripts"
    SCRIPT = "script"
    REINSTALL = "reinstall"
    VERDICT = "verdict"
    REMAINS = "remains"


class Inquiry(Failure):
    """A question only the node can answer, as what a reinstallation would keep. Changes nothing."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="inquiries")
    ctid = models.PositiveIntegerField(null=True, db_column="ct_id")
    kind = models.CharField(max_length=32)
    args = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    asked = models.DateTimeField(default=now)
    answered = models.DateTimeField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "inquiries"

    def __str__(self) -> str:
        return f"{self.kind} of {self.ctid or self.node}"

    @property
    def awaited(self) -> bool:
        """Whether an answer may still come."""
        return not self.answered and now() - self.asked < ANSWERED_WITHIN

    def failed(self, error: OperationError) -> None:
        """Not saved yet."""
        self.problem, self.details, self.error = error.problem, error.details, f"{error}"

    @classmethod
    def ask(
        cls, node: Node, kind: str, *, ctid: int | None = None, by: User | None = None, **args: Any
    ) -> Inquiry:
        cls.objects.filter(asked__lt=now() - KEPT).delete()
        inquiry = cls.objects.create(node=node, kind=kind, ctid=ctid, by=by, args=args)
        transaction.on_commit(lambda: doorbell.ring_node(node.name))
        return inquiry
