"""Put back the system that a reinstallation replaced; the present one is kept in its place.

params: kept, the number of the operation that kept it; keep_until (ISO 8601), for the present one.
"""

from containers.node import steps
from containers.node.operations import start, stop
from containers.node.operations.reinstall import HALT_NEW, START_OLD, STOP_AGAIN, uncommitted
from containers.node.plan import Plan
from containers.node.states import State
from containers.node.steps import replaced

CHANGING = [
    replaced.TRADE,
    *start.MOUNTING,
    *start.BOOTING[:-1],
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
            stop.OWN_STOP.but(when=stop.wants_stop_script),
            steps.HALT.but(commits=False, undo=(START_OLD,)),
            steps.DELETE,
            *map(uncommitted, stop.DISMOUNTING),
            *CHANGING,
        ],
        State.MOUNTED: [
            replaced.CHECK,
            steps.KEEP_SCRIPTS,
            *map(uncommitted, stop.DISMOUNTING),
            *CHANGING,
            STOP_AGAIN,
        ],
        State.STOPPED: [replaced.CHECK, steps.KEEP_SCRIPTS, *CHANGING, STOP_AGAIN],
    },
    code=94,
    touches=("replaced_systems",),
)
