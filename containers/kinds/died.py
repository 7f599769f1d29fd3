"""Its init was killed, or has failed: it is dismounted, and the reason is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.kind import Kind

if TYPE_CHECKING:
    from containers.models import Container, Operation


class Died(Kind):
    titled = "Unexpected end of {name}"
    noun = "tidying up"
    alarm = "It ended by itself"

    def ended_badly(self, operation: Operation, container: Container) -> None:
        container.note_end(operation)


KIND = Died()
