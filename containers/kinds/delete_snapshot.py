"""Delete a snapshot for good."""

from containers.grammar import Command, Option
from containers.kind import Kind
from containers.kinds.snapshot import FACTS, OF_CT
from containers.permissions import SNAPSHOT


class DeleteSnapshot(Kind):
    page = "snapshot_deletion"
    place = 240
    permission = SNAPSHOT
    changes = False
    facts = FACTS
    commands = (
        Command(
            "psc delete", "psc.delete", "Delete one for good", OF_CT,
            (Option("--force", note="a protected one, too"),), program="osctl",
        ),
    )  # fmt: skip


KIND = DeleteSnapshot()
