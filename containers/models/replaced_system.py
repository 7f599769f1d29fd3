from __future__ import annotations

from django.db import models
from django.urls import reverse

from containers.models.container import Container
from containers.node.states import Progress


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

    @property
    def undone(self) -> bool:
        """Whether it came to be kept by putting the one before it back."""
        undoing = self.container.operations.filter(
            kind="undo_reinstall", state=Progress.SUCCEEDED, params__replaced=self.number
        )
        return undoing.count() % 2 == 1
