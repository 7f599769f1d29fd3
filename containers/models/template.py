from __future__ import annotations

from django.db import models

from containers.models.node import Node


class Template(models.Model):
    """One version of a template, as it lies on a node; containers record the exact one."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="templates")
    name = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    init = models.CharField(max_length=16)
    distribution = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0, help_text="Bytes")
    created = models.DateTimeField()
    offered = models.BooleanField(default=False, help_text="Customers may choose it")
    removed = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["node", "name", "version"], name="one_template_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @classmethod
    def newest(cls, node: Node, name: str) -> Template | None:
        """NAME is its newest version, NAME@N exactly that one."""
        found = cls.objects.filter(node=node, removed=False)
        name, _, version = name.partition("@")
        if version:
            found = found.filter(version=int(version) if version.isdecimal() else 0)
        return found.filter(name=name).order_by("-version").first()
