"""Make another container of a snapshot."""

from containers.grammar import Command, Option
from containers.kind import Kind
from containers.kinds.snapshot import OF_CT
from containers.permissions import MANAGE_SNAPSHOTS


class Clone(Kind):
    titled = "Clone a snapshot to {name}"
    noun = "clone"
    page = "cloning"
    place = 250
    permission = MANAGE_SNAPSHOTS
    commands = (
        Command(
            "psc clone", "psc.clone", "Make a new container from a snapshot", (*OF_CT, "NEWCTID"),
            (Option("--processes", note="let its processes continue in the clone"),
             Option("--hostname", "NAME"),
             Option("--owner", "USER")),
            program="osctl",
        ),
    )  # fmt: skip


KIND = Clone()
