"""Put back the system that a reinstallation replaced; the present one is kept in its place.

params: kept, the number of the operation that kept it; keep_until (ISO 8601), for the present one.
"""

from containers.node import steps
from containers.node.errors import Code
from containers.node.operations import start, stop
from containers.node.operations.reinstall import DISMOUNTING, HALT_NEW, START_OLD, STOP_AGAIN
from containers.node.plan import Plan
from containers.node.states import State
from containers.node.steps import replaced

CHANGING = [
    replaced.TRADE,
    *start.MOUNTING,
    *start.BOOTING.upto(steps.BOOT),
    steps.BOOT.but(commits=False, undo=(HALT_NEW,)),
    replaced.SETTLE,
    steps.WRITE_CONF,
]

PLAN = Plan(
    "Undo the reinstallation",
    entry={
        State.RUNNING: [
            replaced.CHECK,
            steps.KEEP_SCRIPTS,
            stop.STOP_SCRIPT,
            steps.HALT.but(commits=False, undo=(START_OLD,)),
            steps.DELETE,
            *DISMOUNTING,
            *CHANGING,
        ],
        State.MOUNTED: [
            replaced.CHECK,
            steps.KEEP_SCRIPTS,
            *DISMOUNTING,
            *CHANGING,
            STOP_AGAIN,
        ],
        State.STOPPED: [replaced.CHECK, steps.KEEP_SCRIPTS, *CHANGING, STOP_AGAIN],
    },
    code=Code.REINSTALL,
    touches=("replaced_systems",),
)
