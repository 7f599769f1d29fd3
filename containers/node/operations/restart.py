"""Stop, then start; a container that does not run is started."""

from containers.node.operations import start, stop
from containers.node.plan import Plan
from containers.node.states import State

PLAN = Plan(
    "Restart",
    entry={
        State.RUNNING: [*stop.HALTING, *stop.DISMOUNTING, *start.STARTING],
        State.STOPPED: start.PLAN.entry[State.STOPPED],
        State.MOUNTED: start.PLAN.entry[State.MOUNTED],
    },
)
