"""Put it back to a snapshot: its disk, and its processes if they were saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from containers.grammar import Command, Option
from containers.kind import Kind
from containers.kinds.reinstall import FACTS as OF_TEMPLATE
from containers.kinds.snapshot import FACTS, OF_CT
from containers.permissions import SNAPSHOT

if TYPE_CHECKING:
    from containers.models import Container, Operation


class Restore(Kind):
    titled = "Restore a snapshot of {name}"
    noun = "restore"
    page = "restoration"
    again = "snapshots"
    place = 210
    permission = SNAPSHOT
    facts = {**FACTS, **OF_TEMPLATE}
    commands = (
        Command(
            "psc restore", "psc.restore",
            "Put a container back to a snapshot: its disk, and its processes if saved", OF_CT,
            (Option("--no-safety", note="do not keep a safety snapshot of what it is now"),
             Option("--disk-only", note="restore only the disk; the container is stopped then"),
             Option("--tcp-close", note="restore open connections as closed"),
             Option("--take-settings", note="take back settings that were changed since, such as "
                    "memory; else they stay as they are")),
            program="osctl",
        ),
    )  # fmt: skip

    def erases(self, asked: Mapping[str, Any]) -> bool:
        """Its present state, without a safety snapshot of it."""
        return not asked.get("safety")

    def succeeded(self, operation: Operation, container: Container) -> None:
        container.take_restored(operation)
        for snapshot in container.snapshots.asked_of(operation):
            container.go_on_from(snapshot.pk)

    def ended_badly(self, operation: Operation, container: Container) -> None:
        for snapshot in container.snapshots.asked_of(operation):
            snapshot.restore_failed(operation)


KIND = Restore()
