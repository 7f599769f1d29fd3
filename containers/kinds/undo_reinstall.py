"""Put back the system that a reinstallation replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.grammar import Command, Option
from containers.kind import CT, WHY, Kind, Replacement
from containers.kinds.reinstall import FACTS, REASSURANCE
from containers.kinds.stop import WITHOUT_STOP_SCRIPT
from containers.node import values
from containers.permissions import REINSTALL

if TYPE_CHECKING:
    from containers.models import Container, Operation

OPTIONS = (
    Option("--list", note="only list what can be put back, and until when"),
    Option(
        "--operation",
        "ID",
        values.whole,
        note="which reinstallation to undo; without it the last one",
    ),
    WITHOUT_STOP_SCRIPT,
    *(param.option for param in (WHY,) if param.option),
)


class UndoReinstall(Kind):
    titled = "Undo the reinstallation of {name}"
    noun = "undo"
    place, page, again = 80, "replaced", "container"
    permission = REINSTALL
    replaces = True
    reassurance = REASSURANCE
    facts = FACTS
    commands = (
        Command("undo", "reinstall.undo", "Put back the system that a reinstallation replaced", CT,
                OPTIONS),
    )  # fmt: skip

    def succeeded(self, operation: Operation, container: Container) -> None:
        container.leave_snapshots()

    def replacement(self, operation: Operation) -> Replacement:
        number = operation.params.get("replaced", operation.pk)
        return Replacement("has its old system again", old=False, erased=False, number=number)


KIND = UndoReinstall()
