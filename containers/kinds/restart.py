"""Stop it and start it, with all its scripts."""

from containers.grammar import Command
from containers.kind import CT, REPLACE_SCRIPTS, Kind, Param
from containers.kinds.start import ALWAYS_SO, FORCE
from containers.kinds.stop import FAST
from containers.node.states import State
from containers.permissions import OPERATE


class Restart(Kind):
    word, icon, place = "Restart", "restart", 40
    permission = OPERATE
    consequence = "The container is stopped and started again, and all its scripts run."
    hidden_in = frozenset({State.SUSPENDED})
    starts = True
    tries_scripts = True
    params = (FORCE, Param("fast", FAST), REPLACE_SCRIPTS)
    commands = (Command("restart", "", "Stop a container and start it again", CT, ALWAYS_SO),)


KIND = Restart()
