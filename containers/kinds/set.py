"""Change a container's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers import options
from containers.grammar import Command
from containers.kind import CT, Kind

if TYPE_CHECKING:
    from containers.models import Container, Operation


class Set(Kind):
    titled = "Change settings of {name}"
    noun = "change"
    place, page = 120, "settings"
    alarms = False
    commands = (
        Command("set", "container.change", "Change a container's settings", CT, options.SET),
    )

    def succeeded(self, operation: Operation, container: Container) -> None:
        container.take_settings(operation)


KIND = Set()
