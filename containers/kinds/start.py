"""Mount it, run its scripts, boot it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from containers.grammar import Command, Option, ignored
from containers.kind import CT, REPLACE_SCRIPTS, Asking, Kind, Param
from containers.node.states import State
from containers.permissions import OPERATE

if TYPE_CHECKING:
    from containers.models import Container

LOSES = (
    "It is suspended. Resume lets its processes go on where they were. Start deletes them, with "
    "everything they have not written to the disk."
)
FORCE = Param("force", Option("--force", note="start it even if it is disabled"))
ALWAYS_SO = (
    ignored("--wait", "", "pctl always waits until the start has ended"),
    ignored("--skip-fsck", "", "there is no disk image to check"),
)


def is_suspended(container: Container) -> bool:
    return container.state == State.SUSPENDED


class Start(Kind):
    word, icon, place, primary = "Start", "play", 20, True
    permission = OPERATE
    starts = True
    tries_scripts = True
    drawn_from = State.STOPPED
    quick_in = frozenset(State) - {State.RUNNING, State.PAUSED, State.SUSPENDED}
    params = (
        FORCE,
        Param(
            "discard",
            Option(
                "--discard",
                note="start it even if it is suspended: its saved processes are deleted",
            ),
            label="Delete its saved processes and start it afresh",
            wanted=is_suspended,
            required="Tick this box, or resume the container instead.",
        ),
        Param(
            "skip_remount",
            Option("--skip-remount", note="start a mounted container without mounting it again"),
        ),
        REPLACE_SCRIPTS,
    )
    commands = (
        Command("start", "", "Mount and start a container, with its scripts", CT, ALWAYS_SO),
    )

    def erases(self, asked: Mapping[str, Any]) -> bool:
        """The processes of a suspended one, with all that they have not written to the disk."""
        return bool(asked.get("discard"))

    def asking(self, container: Container) -> Asking:
        """To start a suspended container loses its processes: that is asked first."""
        if not is_suspended(container):
            return super().asking(container)
        return Asking(
            self, asks=True, danger=True, consequence=LOSES, instead=("resume", "Resume it instead")
        )


KIND = Start()
