"""Save its processes on the node and end them."""

from containers.grammar import Command, refused
from containers.kind import CT, REPLACE_SCRIPTS, Kind
from containers.node.states import State
from containers.permissions import OPERATE

NO_FILE = refused("--dumpfile", "PATH", "the node decides where the saved processes are kept")


class Suspend(Kind):
    word, icon, place = "Suspend", "pause", 50
    permission = OPERATE
    consequence = "Its processes are saved on the node and ended. Resume lets them go on."
    hidden_in = frozenset({State.SUSPENDED})
    needs_criu = True
    params = (REPLACE_SCRIPTS,)
    commands = (
        Command("suspend", "", "Save a container's processes and end them", CT, (NO_FILE,)),
    )


KIND = Suspend()
