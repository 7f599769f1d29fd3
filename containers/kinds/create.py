"""Make a container of a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers import options
from containers.grammar import Command
from containers.kind import CT, Kind

if TYPE_CHECKING:
    from containers.models import Container, Operation


class Create(Kind):
    noun = "creation"
    place, page = 10, "new_container"
    commands = (Command("create", "container.create", "Create a container", CT, options.CREATE),)

    def succeeded(self, operation: Operation, container: Container) -> None:
        if operation.params.get("start"):
            container.request("start", by=operation.by, via=operation.via)

    def follow_up(self, operation: Operation) -> Operation | None:
        """The start that was asked for together with the creation."""
        if not operation.container or not operation.params.get("start"):
            return None
        later = operation.container.operations.filter(kind="start", pk__gt=operation.pk)
        return later.order_by("pk").first()


KIND = Create()
