"""Stop, then start; a container that does not run is started.

What would keep it from starting is looked at first, and what a start writes is written: then it
goes on running.
"""

from containers.node import steps
from containers.node.operations import start, stop
from containers.node.plan import Plan
from containers.node.states import State

PLAN = Plan(
    "Restart",
    entry={
        State.RUNNING: [
            *start.FIRST,
            steps.CHECK_WAY_UP,
            *stop.HALTING.without(steps.KEEP_SCRIPTS),
            *stop.DISMOUNTING,
            *start.MOUNTING,
            *start.BOOTING,
        ],
        State.STOPPED: start.PLAN.entry[State.STOPPED],
        State.MOUNTED: start.PLAN.entry[State.MOUNTED],
    },
)
