"""Make a template of a snapshot's disk."""

from containers.grammar import Command
from containers.kind import Kind
from containers.kinds.import_template import KEEP
from containers.kinds.snapshot import OF_CT
from containers.permissions import MANAGE_SNAPSHOTS


class PublishSnapshot(Kind):
    titled = "Publish a snapshot as template {params[name]} on {node}"
    noun = "publication"
    page = "snapshot_template"
    again = "snapshots"
    place = 270
    permission = MANAGE_SNAPSHOTS
    commands = (
        Command("psc publish", "psc.publish", "Make a template from a snapshot's disk",
                (*OF_CT, "NAME"), (KEEP,), program="osctl"),
    )  # fmt: skip


KIND = PublishSnapshot()
