"""Delete a snapshot for good."""

from collections.abc import Mapping
from typing import Any

from containers.grammar import Command, Option
from containers.kind import Kind
from containers.kinds.snapshot import FACTS, OF_CT
from containers.permissions import SNAPSHOT


class DeleteSnapshot(Kind):
    titled = "Delete a snapshot of {name}"
    noun = "deletion"
    page = "snapshot_deletion"
    again = "snapshots"
    place = 240
    permission = SNAPSHOT
    settles = changes = False
    errand = True
    facts = FACTS
    commands = (
        Command(
            "psc delete", "psc.delete", "Delete a snapshot for good", OF_CT,
            (Option("--force", note="delete it even if it is protected"),), program="osctl",
        ),
    )  # fmt: skip

    def erases(self, asked: Mapping[str, Any]) -> bool:
        return True


KIND = DeleteSnapshot()
