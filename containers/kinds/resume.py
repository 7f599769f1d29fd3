"""Let the processes of a suspended container go on."""

from containers.grammar import Command
from containers.kind import CT, REPLACE_SCRIPTS, Kind
from containers.kinds.suspend import NO_FILE
from containers.node.states import State
from containers.permissions import OPERATE


class Resume(Kind):
    word, icon, place, primary = "Resume", "play", 60, True
    permission = OPERATE
    hidden_in = frozenset(State) - {State.SUSPENDED}
    quick_in = frozenset({State.SUSPENDED})
    needs_criu = True
    params = (REPLACE_SCRIPTS,)
    commands = (
        Command("resume", "", "Let the processes of a suspended container go on", CT, (NO_FILE,)),
    )


KIND = Resume()
