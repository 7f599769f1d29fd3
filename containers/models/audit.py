from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from django.conf import settings
from django.db import models
from django.utils.timezone import now

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Actor(TypedDict):
    """Who does something, by which way, and from where."""

    by: User | None
    via: str
    address: NotRequired[str | None]
    login: NotRequired[str]  # at the node's own terminal


LONGEST = 255  # characters of what somebody did


class AuditEvent(models.Model):
    """Who did what, when; only ever added to."""

    at = models.DateTimeField(default=now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    name = models.CharField(
        max_length=150, blank=True
    )  # of whoever did it, also when they are gone
    via = models.CharField(max_length=16, blank=True)
    address = models.GenericIPAddressField(null=True)
    ctid = models.PositiveIntegerField(null=True, db_column="ct_id")
    # While it is there: a later one with its CT ID is another
    container = models.ForeignKey("Container", models.SET_NULL, null=True, related_name="events")
    what = models.CharField(max_length=LONGEST)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.name}: {self.what}"

    @classmethod
    def record(
        cls,
        what: str,
        *,
        by: User | None,
        via: str,
        ctid: int | None = None,
        address: str | None = None,
        called: str = "",
        **details: Any,
    ) -> AuditEvent:
        """called: whoever it was, where by can't tell."""
        containers: Any = cls._meta.get_field("container").related_model
        return cls.objects.create(
            what=what if len(what) <= LONGEST else f"{what[: LONGEST - 1]}…",
            by=by,
            name=by.get_username() if by else called,
            container=containers.objects.filter(ctid=ctid).first() if ctid else None,
            via=via,
            ctid=ctid,
            address=address,
            details=details,
        )
