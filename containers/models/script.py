from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.timezone import now

from containers.models.container import Container
from containers.models.node import Node
from containers.node import actions
from containers.node.actions import Action, Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Overtaken(Exception):
    """Somebody else has saved or disabled the script since it was read."""

    def __init__(self, script: Script) -> None:
        self.script = script
        super().__init__(f"The {script} has changed meanwhile.")


class Script(models.Model):
    """An action script or hook: a container's own, or global on a node. Its text is in versions."""

    node = models.ForeignKey(Node, models.CASCADE, null=True, related_name="scripts")
    container = models.ForeignKey(Container, models.CASCADE, null=True, related_name="scripts")
    name = models.CharField(max_length=16, choices=[(a.name, a.name) for a in actions.ALL])
    enabled = models.BooleanField(default=True)  # a disabled one is taken off the node

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["container", "name"],
                condition=Q(container__isnull=False),
                name="one_script_per_action",
            ),
            models.UniqueConstraint(
                fields=["node", "name"],
                condition=Q(node__isnull=False),
                name="one_global_script_per_action",
            ),
            models.CheckConstraint(
                condition=Q(node=None, container__isnull=False)
                | Q(node__isnull=False, container=None),
                name="own_or_global",
            ),
        ]

    def __str__(self) -> str:
        what = f"{self.name} {self.action.noun}"
        return what if self.container_id else f"global {what}"

    @property
    def scope(self) -> Scope:
        return Scope.OWN if self.container_id else Scope.GLOBAL

    @property
    def action(self) -> Action:
        return actions.BY_NAME[self.name]

    @property
    def current(self) -> ScriptVersion | None:
        return self.versions.order_by("-number").first()

    @property
    def edition(self) -> str:
        """How it stands: the number of its version, and whether it is disabled."""
        return f"{self.current.number if self.current else 0}{'' if self.enabled else '-disabled'}"

    def write(
        self, body: bytes, *, by: User | None, reason: str = "", over: str | None = None
    ) -> ScriptVersion:
        """Keep a new version; the same text as the current one's makes none.

        over: the edition that it was written over; raises Overtaken when there is another by now,
        unless that says the same.
        """
        with transaction.atomic():
            locked = Script.objects.select_for_update().get(pk=self.pk)
            latest = locked.current
            same = latest is not None and bytes(latest.body) == body
            if over is not None and over != locked.edition and not (same and locked.enabled):
                raise Overtaken(locked)
            Script.objects.filter(pk=self.pk).update(enabled=True)
            self.enabled = True
            if latest and same:
                return latest
            return ScriptVersion.objects.create(
                script=self,
                number=latest.number + 1 if latest else 1,
                body=body,
                sha256=hashlib.sha256(body).hexdigest(),
                by=by,
                reason=reason,
            )

    def disable(self) -> None:
        """Take it off the node at the next operation; its versions stay."""
        self.enabled = False
        self.save(update_fields=["enabled"])


class ScriptVersion(models.Model):
    """A text of a script's, for ever: who wrote it, when, why."""

    script = models.ForeignKey(Script, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created = models.DateTimeField(default=now)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["script", "number"], name="one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.script} version {self.number}"

    @property
    def text(self) -> str:
        return bytes(self.body).decode(errors="surrogateescape")
