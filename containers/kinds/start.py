"""Mount it, run its scripts, boot it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from containers.grammar import Command, Option, ignored
from containers.kind import CT, REPLACE_SCRIPTS, Asking, Kind, Param
from containers.node.states import State
from containers.permissions import OPERATE

if TYPE_CHECKING:
    from containers.models import Container

LOSES = (
    "It is suspended. Resume lets its processes go on where they were; Start throws them away, "
    "with all that they have not written to its disk."
)
FORCE = Param("force", Option("--force", note="also when it is disabled"))
ALWAYS_SO = (
    ignored("--wait", "", "pctl follows the start to its end"),
    ignored("--skip-fsck", "", "there is no image to check"),
)


def is_suspended(container: Container) -> bool:
    return container.state == State.SUSPENDED


class Start(Kind):
    word, icon, place, primary = "Start", "play", 20, True
    permission = OPERATE
    starts = True
    drawn_from = State.STOPPED
    quick_in = frozenset(State) - {State.RUNNING, State.PAUSED, State.SUSPENDED}
    params = (
        FORCE,
        Param(
            "discard",
            Option(
                "--discard",
                note="also when it is suspended: its saved processes are thrown away",
            ),
            label="Throw its saved processes away and start it afresh",
            wanted=is_suspended,
            required="Resume it, or say so here.",
        ),
        Param("skip_remount", Option("--skip-remount", note="a mounted one is started as it is")),
        REPLACE_SCRIPTS,
    )
    commands = (Command("start", "", "Mount and start it, with its scripts", CT, ALWAYS_SO),)

    def asking(self, container: Container) -> Asking:
        """To start a suspended container loses its processes: that is asked first."""
        if not is_suspended(container):
            return super().asking(container)
        return Asking(
            self, asks=True, danger=True, consequence=LOSES, instead=("resume", "Resume it instead")
        )


KIND = Start()
