from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.utils.timezone import now

from containers import doorbell
from containers.models.node import Node

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KEPT = timedelta(minutes=10)


class Inquiry(models.Model):
    """A question only the node can answer, as what a reinstallation would keep. Changes nothing."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="inquiries")
    ctid = models.PositiveIntegerField(null=True, db_column="ct_id")
    kind = models.CharField(max_length=32)
    args = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)
    asked = models.DateTimeField(default=now)
    answered = models.DateTimeField(null=True)
    answer = models.JSONField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "inquiries"

    def __str__(self) -> str:
        return f"{self.kind} of {self.ctid or self.node}"

    @classmethod
    def ask(
        cls, node: Node, kind: str, *, ctid: int | None = None, by: User | None = None, **args: Any
    ) -> Inquiry:
        cls.objects.filter(asked__lt=now() - KEPT).delete()
        inquiry = cls.objects.create(node=node, kind=kind, ctid=ctid, by=by, args=args)
        transaction.on_commit(lambda: doorbell.ring_node(node.name))
        return inquiry
