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

CHECKING = [
    replaced.CHECK,
    steps.CHECK_DISABLED,
    steps.CHECK_FREE,
    steps.CHECK_REPLACED,
    steps.KEEP_SCRIPTS,
]
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
            *CHECKING,
            stop.STOP_SCRIPT,
            steps.HALT.but(commits=False, undo=(START_OLD,)),
            steps.DELETE,
            *DISMOUNTING,
            *CHANGING,
        ],
        State.MOUNTED: [
            *CHECKING,
            *DISMOUNTING,
            *CHANGING,
            STOP_AGAIN,
        ],
        State.STOPPED: [*CHECKING, *CHANGING, STOP_AGAIN],
    },
    code=Code.REINSTALL,
    touches=("replaced_systems",),
)
