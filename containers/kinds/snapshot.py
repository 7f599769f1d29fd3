"""Take a snapshot: its processes and its disk at one instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.grammar import Command, Option
from containers.kind import CT, Fact, Kind
from containers.permissions import SNAPSHOT

if TYPE_CHECKING:
    from containers.models import Container, Operation

OF_CT = ("CTID", "SNAPSHOT")
FACTS: dict[str, Fact] = {
    "snapshot": lambda operation, container, said: container.snapshots.made(operation, said),
    "snapshot_gone": lambda operation, container, uuid: container.snapshots.gone(uuid),
}


class Snapshot(Kind):
    titled = "Take a snapshot of {name}"
    settles = False
    noun = "snapshot"
    page = "snapshots"
    place = 200
    permission = SNAPSHOT
    facts = FACTS
    commands = (
        Command(
            "psc create", "psc.create", "Save a container's processes and disk at one instant", CT,
            (Option("--name", "TEXT", note="can be used instead of the UUID"),
             Option("--note", "TEXT"),
             Option("--stop", note="stop the container with the snapshot; its umount scripts run"),
             Option("--disk-only", note="save only the disk")),
            program="osctl",
        ),
    )  # fmt: skip

    def succeeded(self, operation: Operation, container: Container) -> None:
        """A new one is verified at once: nobody should have to ask before relying on it."""
        for snapshot in container.snapshots.asked_of(operation):
            snapshot.ask_for_verdict()
        container.tell_schedule(operation)

    def ended_badly(self, operation: Operation, container: Container) -> None:
        container.tell_schedule(operation)


KIND = Snapshot()
