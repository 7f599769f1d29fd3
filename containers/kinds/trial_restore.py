"""Restore a snapshot in a copy without a network, see whether its processes live, delete the copy.

On the command line it is a way to ask `osctl psc ok`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.kind import Fact, Kind
from containers.permissions import SNAPSHOT

if TYPE_CHECKING:
    from containers.models import Container, Operation

FACTS: dict[str, Fact] = {
    "tried": lambda operation, container, said: container.snapshots.tried(operation, said)
}


class TrialRestore(Kind):
    titled = "Trial restore of a snapshot of {name}"
    noun = "trial restore"
    page = "trial"
    again = "snapshots"
    permission = SNAPSHOT
    needs_criu = True
    settles = changes = False
    facts = FACTS

    def succeeded(self, operation: Operation, container: Container) -> None:
        for snapshot in container.snapshots.asked_of(operation):
            snapshot.trial_succeeded()

    def ended_badly(self, operation: Operation, container: Container) -> None:
        for snapshot in container.snapshots.asked_of(operation):
            snapshot.trial_failed(operation)


KIND = TrialRestore()
